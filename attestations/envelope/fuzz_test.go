package envelope

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(forge(f, headerFor(EdDSA), goodClaims(`,"sub_id":{"format":"opaque","id":"c"},"toe":1.5,"txn":"t"`), EdDSA)))
	f.Add([]byte(forge(f, headerFor(ES256), goodClaims(""), ES256)))
	f.Add([]byte(encode(`{"alg":"none","typ":"application/secevent+jwt","x":1}`, `{"iss":"i","\u0061":{}}`) + "."))
	f.Add([]byte("e30.e30.e30\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		parsed, err := Parse(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("Parse changed its input")
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("got %v", err)
			}
			faultOf(t, err, errors.Unwrap(err))
			return
		}
		if again := encode(string(parsed.jws.header), string(parsed.jws.payload), string(parsed.jws.signature)); again != string(raw) {
			t.Fatalf("%q encodes to %q", raw, again)
		}
		if parsed.Issuer() == "" || !bytes.Equal(parsed.Raw(), raw) {
			t.Fatal("no issuer, or another token")
		}
		if claims, err := parsed.Claims(); err == nil {
			if claims.JTI == "" || claims.EventURI == "" || !jsontext.Value(claims.Event).IsValid() || claims.IssuedAt.Unix() < 0 {
				t.Fatalf("got %+v", claims)
			}
		} else {
			faultOf(t, err, errors.Unwrap(err))
		}
		if same, err := SameContent(raw, raw); err != nil || !same {
			t.Fatalf("a token has not its own content: %v, %v", same, err)
		}
	})
}

// FuzzVerify holds the hand-written path against go-jose with the same rules written a second time, plainly.
func FuzzVerify(f *testing.F) {
	for i, algorithm := range algorithms {
		f.Add([]byte(headerFor(algorithm)), []byte(goodClaims("")), uint8(i), uint8(0))
		f.Add([]byte(headerFor(algorithm)), []byte(goodClaims(`,"sub_id":{"format":"uri","uri":"urn:c"},"toe":1e9,"txn":"t"`)), uint8(i), uint8(i))
	}
	f.Add([]byte(`{"alg":"EdDSA","kid":"ed","typ":"SecEvent+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"`+edX+`"}}`), []byte(goodClaims("")), uint8(0), uint8(0))
	f.Add([]byte(`{"alg":"ES256","kid":"sealing","typ":"secevent+jwt","x5c":[]}`), []byte(goodClaims("")), uint8(2), uint8(0))
	f.Add([]byte(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","b64":true}`), []byte(goodClaims("")), uint8(0), uint8(0))
	f.Add([]byte(headerFor(EdDSA)), []byte(`{"iss":"i","aud":["`+gateway+`"],"iat":1772366400,"jti":"j","events":{"e":{}},"x":[{"a":1,"a":1}]}`), uint8(0), uint8(0))
	keys, set := ourKeys(f), keyRing().set()
	f.Fuzz(func(t *testing.T, header, claims []byte, algorithm, tamper uint8) {
		raw := forge(t, string(header), string(claims), algorithms[int(algorithm)%len(algorithms)])
		switch tamper {
		case 1:
			raw += "\n"
		case 2:
			raw = raw[:len(raw)-3] + "AAA"
		case 3:
			raw = raw[:strings.LastIndexByte(raw, '.')+1]
		case 4:
			raw = raw[:len(raw)-1] + "B"
		case 5:
			raw = strings.Replace(raw, ".", "=.", 1)
		case 6:
			raw = raw[:len(raw)/2] + "\r\n" + raw[len(raw)/2:]
		}
		verified, got := verdict(raw, keys, ourTerms())
		want := plainVerdict(raw, set, ourTerms())
		if !errors.Is(got, want) || verified.IsZero() != (want != nil) {
			t.Fatalf("by hand: %v\nplainly: %v\nheader %q claims %q", got, want, header, claims)
		}
	})
}

func FuzzSameContent(f *testing.F) {
	f.Add([]byte(goodClaims("")), []byte(goodClaims(`,"x":1.0`)))
	f.Add([]byte(`{"iss":"i","iat":1,"a":"ü"}`), []byte(`{"a":"\u00fc","iat":2.5,"iss":"i"}`))
	f.Add([]byte(`{"iss":"i","a":{"iat":1}}`), []byte(`{"iss":"i","a":{"iat":2}}`))
	f.Add([]byte(`{"iss":"i","a":1e400}`), []byte(`{"iss":"i","a":-0}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a := encode(headerFor(EdDSA), string(first)) + ".AAAA"
		b := encode(headerFor(ES256), string(second)) + ".BBBB"
		same, err := SameContent([]byte(a), []byte(b))
		if err != nil {
			return
		}
		if again, err := SameContent([]byte(b), []byte(a)); err != nil || again != same {
			t.Fatalf("the order of the two counts: %v, then %v, %v", same, again, err)
		}
		var one, two map[string]any
		if json.Unmarshal(first, &one) != nil || json.Unmarshal(second, &two) != nil {
			return // a number that no double holds
		}
		delete(one, "iat")
		delete(two, "iat")
		if equal := equalValues(one, two); same && !equal {
			t.Fatalf("not the same: %s and %s", first, second)
		}
		if iss := one["iss"]; iss == two["iss"] {
			return
		}
		if same {
			t.Fatal("the same from two issuers")
		}
	})
}

// equalValues compares as a naive reader would: by doubles, to which 0 and -0 are one number.
func equalValues(a, b any) bool { return reflect.DeepEqual(a, b) }

var compactForm = regexp.MustCompile(`^[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$`)

// plainVerdict is protocol.md, "Submissions", once more: maps, regular expressions and go-jose, and no care for speed.
// It returns the reason, or nil.
func plainVerdict(raw string, set jose.JSONWebKeySet, terms Terms) error {
	if len(raw) > MaxToken {
		return ErrTooLarge
	}
	if strings.Contains(raw, "\n") || !compactForm.MatchString(raw) {
		return ErrMalformed
	}
	var parts [][]byte
	for _, part := range strings.Split(raw, ".") {
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || base64.RawURLEncoding.EncodeToString(decoded) != part {
			return ErrMalformed
		}
		parts = append(parts, decoded)
	}
	header, ok := plainObject(parts[0], headerNames)
	if !ok || len(parts[0]) > MaxHeader {
		return ErrMalformed
	}
	typ, okType := plainString(header["typ"])
	algorithm, okAlgorithm := plainString(header["alg"])
	kid, okKid := plainString(header["kid"])
	if !okType || !okAlgorithm || header["kid"] != nil && !okKid || header["crit"] != nil || header["b64"] != nil {
		return ErrMalformed
	}
	if !regexp.MustCompile(`^(?i:application/)?(?i:secevent\+jwt)$`).MatchString(typ) || strings.ContainsAny(typ, "\u017f\u212a") {
		return ErrMalformed
	}
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		return ErrMalformed
	}
	claims, ok := plainObject(parts[1], claimNames)
	if !ok {
		return ErrMalformed
	}
	if issuer, ok := plainString(claims["iss"]); !ok || issuer == "" || len(issuer) > MaxEntity {
		return ErrMalformed
	}

	found := set.Key(kid)
	if kid == "" || len(found) != 1 || found[0].Use == "enc" {
		return ErrKey
	}
	fits := map[string][]string{"ed": {"EdDSA", "Ed25519"}, "p256": {"ES256"}, "p384": {"ES384"}, "rsa": {"RS256", "PS256"}}
	if !slices.Contains(fits[kid], algorithm) {
		return ErrKey
	}
	verifier := found[0].Key
	switch algorithm {
	case "Ed25519":
		verifier = newName{found[0].Key.(ed25519.PublicKey)}
	case "PS256":
		verifier = saltedVerifier{found[0].Key.(*rsa.PublicKey)}
	}
	if _, err := parsed.Verify(verifier); err != nil {
		return ErrSignature
	}
	return plainClaims(claims, terms)
}

// newName lets go-jose verify EdDSA under its name of RFC 9864.
type newName struct{ public ed25519.PublicKey }

func (n newName) VerifyPayload(payload, signature []byte, _ jose.SignatureAlgorithm) error {
	if !ed25519.Verify(n.public, payload, signature) {
		return ErrSignature
	}
	return nil
}

func plainClaims(claims map[string]jsontext.Value, terms Terms) error {
	var audience []string
	if one, ok := plainString(claims["aud"]); ok {
		audience = []string{one}
	} else if claims["aud"].Kind() == '[' {
		var values []jsontext.Value
		if err := json.Unmarshal(claims["aud"], &values); err != nil {
			return ErrMalformed
		}
		for _, value := range values {
			text, ok := plainString(value)
			if !ok {
				return ErrMalformed
			}
			audience = append(audience, text)
		}
	} else if claims["aud"] != nil {
		return ErrMalformed
	}
	if !slices.Contains(audience, string(terms.Audience)) {
		return ErrAudience
	}
	issuedAt, err := readTime(claims["iat"], "")
	if err != nil || issuedAt.After(terms.Now.Add(terms.MaxAhead)) || issuedAt.Before(terms.Now.Add(-terms.MaxAge)) {
		return ErrMalformed
	}
	identifier := regexp.MustCompile(`\A[ -~]{1,255}\z`)
	if jti, ok := plainString(claims["jti"]); !ok || !identifier.MatchString(jti) {
		return ErrMalformed
	}
	var events map[string]map[string]jsontext.Value
	if claims["events"].Kind() != '{' || json.Unmarshal(claims["events"], &events) != nil || len(events) != 1 {
		return ErrMalformed
	}
	for name, event := range events {
		if name == "" || event == nil {
			return ErrMalformed
		}
	}
	if claims["exp"] != nil || claims["nbf"] != nil || claims["sub"] != nil {
		return ErrMalformed
	}
	if claims["sub_id"] != nil && !plainSubject(claims["sub_id"]) {
		return ErrMalformed
	}
	if claims["toe"] != nil {
		if _, err := readTime(claims["toe"], ""); err != nil {
			return ErrMalformed
		}
	}
	if claims["txn"] != nil {
		if txn, ok := plainString(claims["txn"]); !ok || !identifier.MatchString(txn) {
			return ErrMalformed
		}
	}
	return nil
}

func plainSubject(value jsontext.Value) bool {
	members, ok := plainObject(value, subjectNames)
	if !ok || len(members) != 2 {
		return false
	}
	format, _ := plainString(members["format"])
	id, okID := plainString(members["id"])
	uri, okURI := plainString(members["uri"])
	switch format {
	case "opaque":
		return okID && id != "" && len(id) <= 255 && !regexp.MustCompile(`\p{Cc}`).MatchString(id)
	case "uri":
		return okURI && len(uri) <= MaxEntity && regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+\z`).MatchString(uri)
	}
	return false
}

// plainObject reads a strict object into a map.
func plainObject(data []byte, names []string) (map[string]jsontext.Value, bool) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return nil, false
	}
	for name := range members {
		for _, known := range names {
			if name != known && strings.EqualFold(name, known) {
				return nil, false
			}
		}
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := decoder.ReadToken(); err != nil {
			return members, true
		}
		if decoder.StackDepth() > MaxDepth {
			return nil, false
		}
	}
}

func plainString(value jsontext.Value) (string, bool) {
	var text string
	if value.Kind() != '"' || json.Unmarshal(value, &text) != nil {
		return "", false
	}
	return text, true
}
