package envelope

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestVerifyAcceptsEachAlgorithmAndReadsTheClaims(t *testing.T) {
	keys := ourKeys(t)
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			claims := fmt.Sprintf(`{"iss":%q,"aud":["https://other.example",%q],"iat":%d.25,"jti":"j 1~",`+
				`"events":{"urn:x:\u0061":{"b":[1, 2]}},"sub_id":{"format":"opaque","id":"K\u00f6ln-7"},"toe":1.7e9,"txn":"t","foo":{}}`,
				reseller, gateway, noon.Unix())
			raw := forge(t, headerFor(algorithm), claims, algorithm)
			parsed, err := Parse([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			verified, err := parsed.Verify(keys, ourTerms())
			if err != nil {
				t.Fatal(err)
			}
			if verified.IsZero() || string(verified.Raw()) != raw || verified.Digest() != DigestOf([]byte(raw)) || verified.KeyID() != kidFor(algorithm) {
				t.Errorf("got another token, digest or kid: %q", verified.KeyID())
			}
			got := verified.Claims()
			if got.Issuer != reseller || len(got.Audience) != 2 || got.Audience[1] != gateway || got.JTI != "j 1~" || got.Txn != "t" ||
				got.EventURI != "urn:x:a" || string(got.Event) != `{"b":[1, 2]}` || got.Subject != (Subject{Format: "opaque", ID: "Köln-7"}) ||
				!got.IssuedAt.Equal(noon.Add(250*time.Millisecond)) || !got.TOE.Equal(time.Unix(1.7e9, 0)) || got.IssuedAt.Location() != time.UTC {
				t.Errorf("got %+v", got)
			}
			form, err := parsed.Claims()
			if err != nil || form.JTI != got.JTI || !bytes.Equal(form.Event, got.Event) {
				t.Errorf("Claims reads %+v, %v", form, err)
			}
		})
	}
}

// verdict is what Parse and Verify say of a token.
func verdict(raw string, keys Keys, terms Terms) (Verified, error) {
	parsed, err := Parse([]byte(raw))
	if err != nil {
		return Verified{}, err
	}
	return parsed.Verify(keys, terms)
}

func TestVerifyRefusesKeysBeforeItLooksAtTheSignature(t *testing.T) {
	keys := ourKeys(t)
	for name, test := range map[string]struct{ header, pointer string }{
		"no kid":                       {`{"alg":"EdDSA","typ":"secevent+jwt"}`, "/header/kid"},
		"an empty kid":                 {`{"alg":"EdDSA","kid":"","typ":"secevent+jwt"}`, "/header/kid"},
		"an unknown kid":               {`{"alg":"EdDSA","kid":"somebody","typ":"secevent+jwt"}`, "/header/kid"},
		"a kid in another case":        {`{"alg":"EdDSA","kid":"ED","typ":"secevent+jwt"}`, "/header/kid"},
		"the kid of an encryption key": {`{"alg":"ES256","kid":"sealing","typ":"secevent+jwt"}`, "/header/kid"},
		"alg none":                     {`{"alg":"none","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"alg NONE":                     {`{"alg":"NONE","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"alg empty":                    {`{"alg":"","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"alg HS256":                    {`{"alg":"HS256","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"alg eddsa in small letters":   {`{"alg":"eddsa","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"alg ES512":                    {`{"alg":"ES512","kid":"p256","typ":"secevent+jwt"}`, "/header/alg"},
		"alg RS512":                    {`{"alg":"RS512","kid":"rsa","typ":"secevent+jwt"}`, "/header/alg"},
		"alg PS384":                    {`{"alg":"PS384","kid":"rsa","typ":"secevent+jwt"}`, "/header/alg"},
		"alg ES256K":                   {`{"alg":"ES256K","kid":"p256","typ":"secevent+jwt"}`, "/header/alg"},
		"alg Ed448":                    {`{"alg":"Ed448","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"ES256 with an Ed25519 key":    {`{"alg":"ES256","kid":"ed","typ":"secevent+jwt"}`, "/header/alg"},
		"EdDSA with an EC key":         {`{"alg":"EdDSA","kid":"p256","typ":"secevent+jwt"}`, "/header/alg"},
		"ES256 with a P-384 key":       {`{"alg":"ES256","kid":"p384","typ":"secevent+jwt"}`, "/header/alg"},
		"ES384 with a P-256 key":       {`{"alg":"ES384","kid":"p256","typ":"secevent+jwt"}`, "/header/alg"},
		"RS256 with an EC key":         {`{"alg":"RS256","kid":"p256","typ":"secevent+jwt"}`, "/header/alg"},
	} {
		t.Run(name, func(t *testing.T) {
			for what, token := range map[string]string{
				"signed":                forge(t, test.header, goodClaims(""), EdDSA),
				"with a bad signature":  encode(test.header, goodClaims(""), "bad"),
				"without a signature":   encode(test.header, goodClaims("")) + ".",
				"for somebody else too": encode(test.header, `{"iss":"i","aud":1}`, "bad"),
			} {
				_, err := verdict(token, keys, ourTerms())
				if fault := faultOf(t, err, ErrKey); fault.Pointer != test.pointer {
					t.Errorf("%s: got pointer %q: %v", what, fault.Pointer, err)
				}
			}
		})
	}
	t.Run("no keys at all", func(t *testing.T) {
		_, err := verdict(forge(t, headerFor(EdDSA), goodClaims(""), EdDSA), Keys{}, ourTerms())
		faultOf(t, err, ErrKey)
	})
}

func TestVerifyRefusesSignaturesBeforeItLooksAtTheClaims(t *testing.T) {
	keys := ourKeys(t)
	bad := `{"iss":"https://reseller.example","aud":1,"exp":1}`
	for _, algorithm := range algorithms {
		header := headerFor(algorithm)
		input := encode(header, bad)
		made := signature(t, input, algorithm)
		with := func(signature []byte) string { return input + "." + base64.RawURLEncoding.EncodeToString(signature) }
		changed := bytes.Clone(made)
		changed[len(changed)/2] ^= 1
		for name, token := range map[string]string{
			"empty":                  with(nil),
			"one bit changed":        with(changed),
			"cut":                    with(made[:len(made)-1]),
			"with a byte behind":     with(append(bytes.Clone(made), 0)),
			"all zero":               with(make([]byte, len(made))),
			"of other claims":        encode(header, bad+" ") + "." + base64.RawURLEncoding.EncodeToString(made),
			"of another header":      encode(header+" ", bad) + "." + base64.RawURLEncoding.EncodeToString(made),
			"of another key's owner": with(append(made[:len(made)/2:len(made)/2], made[:len(made)-len(made)/2]...)),
		} {
			t.Run(algorithm+", "+name, func(t *testing.T) {
				_, err := verdict(token, keys, ourTerms())
				fault := faultOf(t, err, ErrSignature)
				if fault.Pointer != "/signature" || (name == "empty") != strings.Contains(fault.Got, "empty") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
	t.Run("PS256 with a salt longer than the hash", func(t *testing.T) {
		_, err := verdict(forge(t, headerFor(PS256), goodClaims(""), "PS256 with a long salt"), keys, ourTerms())
		faultOf(t, err, ErrSignature)
	})
	t.Run("RS256 under the name PS256", func(t *testing.T) {
		_, err := verdict(forge(t, headerFor(PS256), goodClaims(""), RS256), keys, ourTerms())
		faultOf(t, err, ErrSignature)
	})
	t.Run("Ed25519 with S beyond the group's order", func(t *testing.T) {
		_, err := verdict(malleated(t, forge(t, headerFor(EdDSA), goodClaims(""), EdDSA)), keys, ourTerms())
		faultOf(t, err, ErrSignature)
	})
}

// malleated adds the group's order to S: the equation still holds, RFC 8032 forbids it.
func malleated(t *testing.T, token string) string {
	t.Helper()
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	carry := 0
	for i := range order {
		sum := int(signature[32+i]) + int(order[i]) + carry
		signature[32+i], carry = byte(sum), sum>>8
	}
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)
}

func TestHeaderNeverSelectsAKey(t *testing.T) {
	keys := ourKeys(t)
	stranger := `"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ed"}`
	for _, algorithm := range algorithms {
		for name, extra := range map[string]string{
			"jwk":      stranger,
			"jku":      `"jku":"https://evil.example/jwks.json"`,
			"x5u":      `"x5u":"https://evil.example/cert.pem"`,
			"x5t":      `"x5t":"AAAA","x5t#S256":"AAAA"`,
			"unknown":  `"trust_chain":["a.b.c"],"nonce":"n"`,
			"a number": `"big":123456789012345678901234567890`,
		} {
			t.Run(algorithm+", "+name, func(t *testing.T) {
				header := strings.TrimSuffix(headerFor(algorithm), "}") + "," + extra + "}"
				if _, err := verdict(forge(t, header, goodClaims(""), algorithm), keys, ourTerms()); err != nil {
					t.Errorf("signed by the enrolled key: %v", err)
				}
				stolen := strings.Replace(header, `"kid":"`, `"kid":"x`, 1)
				_, err := verdict(forge(t, stolen, goodClaims(""), algorithm), keys, ourTerms())
				faultOf(t, err, ErrKey)
			})
		}
	}
}

func TestVerifyRefusesClaims(t *testing.T) {
	keys := ourKeys(t)
	// with replaces one claim of a good token; an empty value removes it.
	with := func(name, value string) string {
		members := map[string]string{
			"iss": `"` + reseller + `"`, "aud": `"` + gateway + `"`, "iat": fmt.Sprint(noon.Unix()), "jti": `"j"`,
			"events": `{"urn:e":{}}`,
		}
		members[name] = value
		var text []string
		for name, value := range members {
			if value != "" {
				text = append(text, fmt.Sprintf("%q:%s", name, value))
			}
		}
		return "{" + strings.Join(text, ",") + "}"
	}
	at := func(d time.Duration) string { return fmt.Sprintf("%f", float64(noon.Add(d).UnixMicro())/1e6) }
	subject := func(value string) string { return with("sub_id", value) }

	for name, test := range map[string]struct {
		claims  string
		reason  error
		pointer string
	}{
		"no aud":                              {with("aud", ""), ErrAudience, "/claims/aud"},
		"another aud":                         {with("aud", `"https://other.example"`), ErrAudience, "/claims/aud"},
		"aud with a slash behind":             {with("aud", `"`+gateway+`/"`), ErrAudience, "/claims/aud"},
		"aud in another case":                 {with("aud", `"HTTPS://gateway.example/e/provider"`), ErrAudience, "/claims/aud"},
		"an array of other auds":              {with("aud", `["a","b"]`), ErrAudience, "/claims/aud"},
		"an empty array of auds":              {with("aud", `[]`), ErrAudience, "/claims/aud"},
		"an empty aud":                        {with("aud", `""`), ErrAudience, "/claims/aud"},
		"aud a number":                        {with("aud", `1`), ErrMalformed, "/claims/aud"},
		"aud null":                            {with("aud", `null`), ErrMalformed, "/claims/aud"},
		"aud an object":                       {with("aud", `{"`+gateway+`":1}`), ErrMalformed, "/claims/aud"},
		"a number among the auds":             {with("aud", `["`+gateway+`",1]`), ErrMalformed, "/claims/aud/1"},
		"an array among the auds":             {with("aud", `[["`+gateway+`"]]`), ErrMalformed, "/claims/aud/0"},
		"no iat":                              {with("iat", ""), ErrMalformed, "/claims/iat"},
		"iat a string":                        {with("iat", `"1"`), ErrMalformed, "/claims/iat"},
		"iat null":                            {with("iat", `null`), ErrMalformed, "/claims/iat"},
		"iat negative":                        {with("iat", `-1`), ErrMalformed, "/claims/iat"},
		"iat a negative fraction":             {with("iat", `-0.5`), ErrMalformed, "/claims/iat"},
		"iat in milliseconds":                 {with("iat", fmt.Sprint(noon.UnixMilli())), ErrMalformed, "/claims/iat"},
		"iat beyond the year 9999":            {with("iat", `253402300800`), ErrMalformed, "/claims/iat"},
		"iat beyond 64 bits":                  {with("iat", `99999999999999999999`), ErrMalformed, "/claims/iat"},
		"iat beyond a double":                 {with("iat", `1e999`), ErrMalformed, "/claims/iat"},
		"iat more than a minute ahead":        {with("iat", at(time.Minute+time.Millisecond)), ErrMalformed, "/claims/iat"},
		"iat more than 30 days back":          {with("iat", at(-30*24*time.Hour-time.Millisecond)), ErrMalformed, "/claims/iat"},
		"no jti":                              {with("jti", ""), ErrMalformed, "/claims/jti"},
		"jti a number":                        {with("jti", `1`), ErrMalformed, "/claims/jti"},
		"jti empty":                           {with("jti", `""`), ErrMalformed, "/claims/jti"},
		"jti of 256 characters":               {with("jti", `"`+strings.Repeat("j", 256)+`"`), ErrMalformed, "/claims/jti"},
		"jti with a line break":               {with("jti", `"a\nb"`), ErrMalformed, "/claims/jti"},
		"jti with DEL":                        {with("jti", `"a\u007f"`), ErrMalformed, "/claims/jti"},
		"jti with an umlaut":                  {with("jti", `"ä"`), ErrMalformed, "/claims/jti"},
		"no events":                           {with("events", ""), ErrMalformed, "/claims/events"},
		"events a string":                     {with("events", `"urn:e"`), ErrMalformed, "/claims/events"},
		"events an array":                     {with("events", `[{"urn:e":{}}]`), ErrMalformed, "/claims/events"},
		"no event":                            {with("events", `{}`), ErrMalformed, "/claims/events"},
		"two events":                          {with("events", `{"urn:e":{},"urn:f":{}}`), ErrMalformed, "/claims/events"},
		"an event without a name":             {with("events", `{"":{}}`), ErrMalformed, "/claims/events"},
		"an event that is null":               {with("events", `{"urn:e":null}`), ErrMalformed, "/claims/events/urn:e"},
		"an event that is a string":           {with("events", `{"https://e/f~g":"x"}`), ErrMalformed, "/claims/events/https:~1~1e~1f~0g"},
		"an event that is an array":           {with("events", `{"urn:`+strings.Repeat("e", 99)+`":[]}`), ErrMalformed, "/claims/events"},
		"exp":                                 {with("exp", at(time.Hour)), ErrMalformed, "/claims/exp"},
		"exp null":                            {with("exp", `null`), ErrMalformed, "/claims/exp"},
		"nbf":                                 {with("nbf", at(0)), ErrMalformed, "/claims/nbf"},
		"sub":                                 {with("sub", `"Erika"`), ErrMalformed, "/claims/sub"},
		"sub_id a string":                     {subject(`"Erika"`), ErrMalformed, "/claims/sub_id"},
		"sub_id null":                         {subject(`null`), ErrMalformed, "/claims/sub_id"},
		"sub_id without format":               {subject(`{"id":"c"}`), ErrMalformed, "/claims/sub_id/format"},
		"sub_id with Format":                  {subject(`{"Format":"opaque","id":"c"}`), ErrMalformed, "/claims/sub_id/format"},
		"sub_id by mail":                      {subject(`{"format":"email","email":"Erika"}`), ErrMalformed, "/claims/sub_id/format"},
		"sub_id of another case":              {subject(`{"format":"Opaque","id":"c"}`), ErrMalformed, "/claims/sub_id/format"},
		"sub_id opaque without id":            {subject(`{"format":"opaque"}`), ErrMalformed, "/claims/sub_id/id"},
		"sub_id opaque with a number":         {subject(`{"format":"opaque","id":7}`), ErrMalformed, "/claims/sub_id/id"},
		"sub_id opaque and empty":             {subject(`{"format":"opaque","id":""}`), ErrMalformed, "/claims/sub_id/id"},
		"sub_id opaque and long":              {subject(`{"format":"opaque","id":"` + strings.Repeat("c", 256) + `"}`), ErrMalformed, "/claims/sub_id/id"},
		"sub_id opaque with a control":        {subject(`{"format":"opaque","id":"a\u0085b"}`), ErrMalformed, "/claims/sub_id/id"},
		"sub_id opaque with a name beside":    {subject(`{"format":"opaque","id":"c","name":"Erika"}`), ErrMalformed, "/claims/sub_id"},
		"sub_id opaque with a uri beside":     {subject(`{"format":"opaque","id":"c","uri":"urn:c"}`), ErrMalformed, "/claims/sub_id"},
		"sub_id uri without uri":              {subject(`{"format":"uri","id":"c"}`), ErrMalformed, "/claims/sub_id/uri"},
		"sub_id uri without a scheme":         {subject(`{"format":"uri","uri":"Erika"}`), ErrMalformed, "/claims/sub_id/uri"},
		"sub_id uri with a blank":             {subject(`{"format":"uri","uri":"urn:a b"}`), ErrMalformed, "/claims/sub_id/uri"},
		"sub_id uri with a bad scheme":        {subject(`{"format":"uri","uri":"1a:b"}`), ErrMalformed, "/claims/sub_id/uri"},
		"toe a string":                        {with("toe", `"2026-01-01"`), ErrMalformed, "/claims/toe"},
		"toe negative":                        {with("toe", `-1`), ErrMalformed, "/claims/toe"},
		"txn a number":                        {with("txn", `1`), ErrMalformed, "/claims/txn"},
		"txn empty":                           {with("txn", `""`), ErrMalformed, "/claims/txn"},
		"txn too long":                        {with("txn", `"`+strings.Repeat("t", 256)+`"`), ErrMalformed, "/claims/txn"},
		"a wrong aud before all else":         {`{"iss":"i","aud":"x","exp":1}`, ErrAudience, "/claims/aud"},
		"a wrong iat before a wrong jti":      {`{"iss":"i","aud":"` + gateway + `","iat":"x","jti":""}`, ErrMalformed, "/claims/iat"},
		"a wrong jti before several events":   {`{"iss":"i","aud":"` + gateway + `","iat":` + at(0) + `,"jti":"","exp":1}`, ErrMalformed, "/claims/jti"},
		"several events before exp and sub":   {`{"iss":"i","aud":"` + gateway + `","iat":` + at(0) + `,"jti":"j","exp":1}`, ErrMalformed, "/claims/events"},
		"exp before a wrong sub_id and a txn": {with("exp", `1,"sub_id":1,"toe":"","txn":1`), ErrMalformed, "/claims/exp"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verdict(forge(t, headerFor(EdDSA), test.claims, EdDSA), keys, ourTerms())
			fault := faultOf(t, err, test.reason)
			if fault.Pointer != test.pointer {
				t.Errorf("got pointer %q, want %q: %v", fault.Pointer, test.pointer, err)
			}
			if strings.Contains(err.Error(), "Erika") {
				t.Errorf("the fault repeats a personal value: %v", err)
			}
		})
	}
}

func TestVerifyTakesClaimsUpToTheirLimits(t *testing.T) {
	keys := ourKeys(t)
	for name, claims := range map[string]string{
		"iat a minute ahead":    strings.Replace(goodClaims(""), fmt.Sprint(noon.Unix()), fmt.Sprint(noon.Unix()+60), 1),
		"iat 30 days back":      strings.Replace(goodClaims(""), fmt.Sprint(noon.Unix()), fmt.Sprint(noon.Unix()-30*86400), 1),
		"iat with an exponent":  strings.Replace(goodClaims(""), fmt.Sprint(noon.Unix()), fmt.Sprintf("%de-1", noon.Unix()*10), 1),
		"jti of 255 characters": strings.Replace(goodClaims(""), "0190f0a0-0000-7000-8000-000000000001", strings.Repeat("~", 255), 1),
		"an entity as subject":  goodClaims(`,"sub_id":{"uri":"https://other.example","format":"uri"}`),
		"a URN as subject":      goodClaims(`,"sub_id":{"uri":"urn:uuid:0190f0a0","format":"uri"}`),
		"toe long ago":          goodClaims(`,"toe":0`),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := verdict(forge(t, headerFor(EdDSA), claims, EdDSA), keys, ourTerms()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClaimsChecksTheFormWithoutKeyAudienceOrTime(t *testing.T) {
	parsed, err := Parse([]byte(encode(`{"alg":"none","typ":"secevent+jwt"}`, `{"iss":"i","aud":"somebody","iat":1,"jti":"j","events":{"urn:e":{}}}`) + "."))
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := parsed.Claims(); err != nil || claims.JTI != "j" {
		t.Errorf("got %+v, %v", claims, err)
	}
	parsed, err = Parse([]byte(encode(`{"alg":"none","typ":"secevent+jwt"}`, `{"iss":"i","aud":"somebody","iat":1,"jti":"j","events":{"urn:e":1}}`) + "."))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed.Claims()
	faultOf(t, err, ErrMalformed)
}

func TestZeroValuesProveNothing(t *testing.T) {
	_, err := Parsed{}.Verify(ourKeys(t), ourTerms())
	faultOf(t, err, ErrMalformed)
	_, err = Parsed{}.Claims()
	faultOf(t, err, ErrMalformed)
	faultOf(t, Token{}.Verify(ourKeys(t)), ErrMalformed)
	if !(Verified{}).IsZero() {
		t.Error("the zero Verified says that it was verified")
	}
	raw := forge(t, headerFor(EdDSA), strings.Replace(goodClaims(""), gateway, "", 1), EdDSA)
	if _, err := verdict(raw, ourKeys(t), Terms{Now: noon}); !errors.Is(err, ErrAudience) {
		t.Errorf("terms without an audience accept an empty one: %v", err)
	}
}
