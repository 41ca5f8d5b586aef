package envelope

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestInspectFindsEverythingAtOnceInTheWordsOfParseAndVerify(t *testing.T) {
	claims := `{"iss":"` + reseller + `","aud":"https://other.example","iat":1772366400000,"jti":"","events":{"a":{},"b":{}},"exp":1,"nbf":1,"sub":"s",
		"sub_id":{"format":"email","email":"ana@example.com"},"toe":"x","TXN":"t","toe":1}`
	raw := forge(t, `{"alg":"EdDSA","kid":7,"typ":"JWT","crit":["b64"],"b64":false}`, claims, EdDSA)
	found := Inspect([]byte(raw), ourTerms())
	var got []string
	for _, p := range found.Problems {
		got = append(got, p.Pointer)
		if p.Source == "" || p.Wanted == "" || p.Got == "" || p.Fix == "" {
			t.Errorf("not everything is said: %+v", p)
		}
		if strings.Contains(p.Error(), "ana@") {
			t.Errorf("a personal value: %v", p)
		}
	}
	slices.Sort(got)
	want := []string{"/claims/aud", "/claims/events", "/claims/exp", "/claims/iat", "/claims/jti", "/claims/nbf", "/claims/sub",
		"/claims/sub_id/format", "/claims/toe", "/claims/toe", "/claims/txn", "/header/b64", "/header/crit", "/header/kid", "/header/typ"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if found.Readable || found.Issuer != reseller || found.Signable() {
		t.Errorf("readable %v, issuer %q, signable %v", found.Readable, found.Issuer, found.Signable())
	}
}

func TestInspectReadsWhatItCanOfABrokenToken(t *testing.T) {
	good := forge(t, headerFor(EdDSA), goodClaims(""), EdDSA)
	parts := strings.Split(good, ".")
	for _, c := range []struct {
		name, raw        string
		pointers         []string
		readable, signed bool
	}{
		{"a good one", good, nil, true, true},
		{"white space around", " " + good + "\n", []string{""}, true, true},
		{"padding in the header", parts[0] + "=." + parts[1] + "." + parts[2], []string{"/header"}, true, false},
		{"padding in the claims", parts[0] + "." + parts[1] + "=." + parts[2], []string{"/claims"}, false, true},
		{"padding in the signature and another audience", parts[0] + "." + encode("", strings.Replace(goodClaims(""), gateway, "x", 1))[1:] + "." + parts[2] + "=", []string{"/signature", "/claims/aud"}, true, false},
		{"claims that are no JSON", parts[0] + "." + encode("", "{")[1:] + "." + parts[2], []string{"/claims"}, false, true},
		{"two parts", parts[0] + "." + parts[1], []string{""}, false, false},
		{"nothing", "", []string{""}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Inspect([]byte(c.raw), ourTerms())
			var got []string
			for _, p := range found.Problems {
				got = append(got, p.Pointer)
			}
			if !slices.Equal(got, c.pointers) || found.Readable != c.readable {
				t.Errorf("got %q, readable %v", got, found.Readable)
			}
			if problems := found.Signature(ourKeys(t)); c.name == "a good one" && len(problems) > 0 {
				t.Errorf("the signature: %v", problems[0])
			}
		})
	}
}

func TestSignatureTellsAnUnknownKidBesideAnUnknownAlgorithmAndNoMore(t *testing.T) {
	for header, want := range map[string][]string{
		`{"alg":"HS256","kid":"x","typ":"secevent+jwt"}`:  {"/header/alg", "/header/kid"},
		`{"alg":"HS256","kid":"ed","typ":"secevent+jwt"}`: {"/header/alg"},
		`{"alg":"ES256","kid":"ed","typ":"secevent+jwt"}`: {"/header/alg"},
		`{"alg":"EdDSA","kid":"x","typ":"secevent+jwt"}`:  {"/header/kid"},
	} {
		var got []string
		for _, p := range Inspect([]byte(forge(t, header, goodClaims(""), EdDSA)), ourTerms()).Signature(ourKeys(t)) {
			got = append(got, p.Pointer)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
}

// agrees holds Inspect against Parse and Verify: nothing is wrong to the one if and only if nothing is to the other, and
// what they name first is among what it names.
func agrees(t *testing.T, keys Keys, raw []byte) {
	t.Helper()
	found := Inspect(raw, ourTerms())
	problems := append(slices.Clone(found.Problems), found.Signature(keys)...)
	_, err := verdict(string(raw), keys, ourTerms())
	if (err == nil) != (len(problems) == 0) {
		t.Fatalf("Verify says %v, Inspect %d problems: %+v\n%q", err, len(problems), problems, raw)
	}
	if first := (*Fault)(nil); errors.As(err, &first) && !slices.ContainsFunc(problems, func(p Problem) bool { return *p.Fault == *first }) {
		t.Fatalf("Verify says %v, which is not among %+v\n%q", first, problems, raw)
	}
}

func FuzzInspect(f *testing.F) {
	for _, claims := range []string{goodClaims(""), goodClaims(`,"exp":1,"Jti":"x","aud":"y"`), `{"iss":"i","iss":"j","events":{"a":{},"b":1}}`, `{"iss":`, "[]", ""} {
		f.Add([]byte(headerFor(EdDSA)), []byte(claims), "")
		f.Add([]byte(`{"alg":"none","typ":"x","crit":1,"KID":"ed","jwk":{}}`), []byte(claims), "=")
	}
	keys := ourKeys(f)
	f.Fuzz(func(t *testing.T, header, claims []byte, behind string) {
		agrees(t, keys, []byte(forge(t, string(header), string(claims), EdDSA)+behind))
		InspectClaims(claims, ourTerms())
	})
}

// FuzzParseToken looks for a token that is read and is another when its parts are written again.
func FuzzParseToken(f *testing.F) {
	f.Add([]byte(forge(f, `{"alg":"EdDSA","kid":"ed","typ":"entity-statement+jwt"}`, `{"iss":"i","sub":"i","jwks":{"keys":[]}}`, EdDSA)))
	f.Add([]byte("e30.e30.e30"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := ParseToken(raw, "entity-statement+jwt")
		if err != nil {
			faultOf(t, err, errors.Unwrap(err))
			return
		}
		if again := encode(string(token.jws.header), string(token.jws.payload), string(token.jws.signature)); again != string(raw) {
			t.Fatalf("%q encodes to %q", raw, again)
		}
	})
}

// FuzzParseKeys looks for a set that is taken and not taken once it is written again, or is another then.
func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"` + edX + `"}]}`))
	f.Add(ourKeys(f).Marshal())
	f.Fuzz(func(t *testing.T, set []byte) {
		keys, err := ParseKeys(set)
		if err != nil {
			faultOf(t, err, errors.Unwrap(err))
			return
		}
		again, err := ParseKeys(keys.Marshal())
		if err != nil || !slices.Equal(again.Thumbprints(), keys.Thumbprints()) || !slices.Equal(again.IDs(), keys.IDs()) {
			t.Fatalf("%s is taken, and written again %s: %v", set, keys.Marshal(), err)
		}
	})
}

// FuzzNames holds the short texts that stand in addresses: what is read is written again as it was.
func FuzzNames(f *testing.F) {
	f.Add(DigestOf(nil).String())
	f.Add(reseller)
	f.Add("https://[::1]:8460/e/x")
	f.Fuzz(func(t *testing.T, text string) {
		if digest, err := ParseDigest(text); err == nil && digest.String() != text {
			t.Fatalf("the digest %q is %q", text, digest)
		}
		if id, err := ParseID(text); err == nil && id.String() != text {
			t.Fatalf("the ID %q is %q", text, id)
		}
		if entity, err := ParseEntity(text); err == nil && string(entity) != text {
			t.Fatalf("the entity %q is %q", text, entity)
		}
	})
}

func TestEveryVectorThatVerifyRefusesInspectRefusesToo(t *testing.T) {
	good, keys := goodClaims(""), ourKeys(t)
	for name, values := range oddClaims {
		for _, value := range values {
			agrees(t, keys, []byte(forge(t, headerFor(EdDSA), strings.Replace(good, "{", `{"`+name+`":`+value+",", 1), EdDSA)))
		}
	}
	for name, values := range oddHeaders {
		for _, value := range values {
			agrees(t, keys, []byte(forge(t, strings.Replace(headerFor(EdDSA), "{", `{"`+name+`":`+value+",", 1), good, EdDSA)))
		}
	}
}
