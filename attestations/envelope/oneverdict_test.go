package envelope

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Tokens that are nearly good: random bytes seldom are. Each member is left out, good, or odd in one of the ways that
// readers are known to disagree about.
var (
	oddHeaders = map[string][]string{
		"alg":  {`"EdDSA"`, `"EdDSA"`, `"Ed25519"`, `"ES256"`, `"ES384"`, `"PS256"`, `"RS256"`, `"none"`, `"HS256"`, `""`, `null`, `"\u0045dDSA"`, `["EdDSA"]`},
		"kid":  {`"ed"`, `"ed"`, `"p256"`, `"p384"`, `"rsa"`, `"sealing"`, `"x"`, `""`, `null`, `1`, `"\u0065d"`, `"ed\u0000"`},
		"typ":  {`"secevent+jwt"`, `"secevent+jwt"`, `"application/secevent+jwt"`, `"APPLICATION/SECEVENT+JWT"`, `"application/"`, `"JWT"`, `""`, `null`, `"ſecevent+jwt"`, `"secevent+jwt "`},
		"crit": {`[]`, `null`, `["b64"]`},
		"b64":  {`true`, `false`, `null`},
		"jwk":  {`{"kty":"OKP","crv":"Ed25519","x":"` + edX + `"}`, `{}`, `null`, `"x"`, `{"kty":"OKP","crv":"Ed25519","x":"` + edX + `","d":"` + edD + `"}`, `{"kty":"oct","k":"AA"}`, `{"kty":"AKP"}`},
		"jku":  {`"https://evil.example"`, `1`, `null`},
		"x5c":  {`[]`, `["AA"]`, `"x"`, `null`},
		"x5u":  {`"https://evil.example"`, `1e999`, `[[[]]]`},
		"Alg":  {`"none"`}, "Kid": {`1`}, "TYP": {`null`}, "B64": {`1`}, "CRIT": {`[]`}, "\u212aid": {`"ed"`},
		"nonce": {`"n"`, `1`}, "x": {`1`, `null`, `1e999`, `"\ud800"`, strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 63) + strings.Repeat("]", 63), `{"a":1,"a":2}`},
		"cty": {`"json"`, `0`}, "zip": {`"DEF"`}, "trust_chain": {`["a"]`},
	}
	oddClaims = map[string][]string{
		"iss":    {`"https://reseller.example"`, `"https://reseller.example"`, `""`, `1`, `null`, `"i"`},
		"aud":    {`"` + gateway + `"`, `["x","` + gateway + `"]`, `"` + gateway + `/"`, `["` + gateway + `",1]`, `[]`, `""`, `null`, `{}`, `["\u0068ttps://gateway.example/e/provider"]`},
		"iat":    {`1772366400`, `1772366400.5`, `17723664e2`, `1772366460`, `1772366460.001`, `1772366461`, `1769774400`, `1769774399.999`, `1772366400000`, `-1`, `"1772366400"`, `1e999`, `null`, `0`, `1772366460.0000004`},
		"jti":    {`"j"`, `"j"`, `" "`, `"` + strings.Repeat("j", 255) + `"`, `"` + strings.Repeat("j", 256) + `"`, `"\u007f"`, `"ä"`, `""`, `1`, `"\u006a"`},
		"events": {`{"urn:e":{}}`, `{"urn:e":{}}`, `{"urn:e":{"x":[1]}}`, `{}`, `{"a":{},"b":{}}`, `{"":{}}`, `{"a":null}`, `{"a":[]}`, `[]`, `null`, `"urn:e"`},
		"exp":    {`1`, `null`}, "nbf": {`1`}, "sub": {`"s"`},
		"sub_id": {`{"format":"opaque","id":"c"}`, `{"format":"uri","uri":"urn:c"}`, `{"format":"uri","uri":"c"}`, `{"format":"uri","uri":"1:c"}`, `{"format":"opaque","id":""}`, `{"format":"opaque","id":"c","x":1}`, `{"format":"opaque","ID":"c"}`, `{"format":"email","email":"c"}`, `{}`, `null`, `[]`, `{"format":"opaque","id":"\u0080"}`, `{"format":"opaque","id":"c","uri":"urn:c"}`},
		"toe":    {`1`, `1.5`, `"x"`, `-1`, `null`, `253402300799`, `253402300800`, `253402300799.9999999`},
		"txn":    {`"t"`, `""`, `1`, `null`},
		"Iss":    {`1`}, "EXP": {`1`}, "ſub": {`1`}, "x": {`1`, `null`, `1e999`, `{"a":{"b":1,"b":1}}`, `"\udfff"`}, `\u0069at`: {`1`},
	}
)

func drawObject(t *rapid.T, label string, members map[string][]string, always []string) string {
	names := rapid.Permutation(append(always, rapid.SliceOfNDistinct(rapid.SampledFrom(sortedNames(members)), 0, 1, rapid.ID[string]).Draw(t, label+" more")...)).Draw(t, label)
	if left := rapid.IntRange(0, 16*len(names)).Draw(t, label+" left out"); left < len(names) {
		names = append(names[:left:left], names[left+1:]...)
	}
	odd := rapid.IntRange(0, 5*len(names)).Draw(t, label+" odd")
	text := make([]string, len(names))
	for i, name := range names {
		value := members[name][0]
		if i == odd || !strings.Contains(strings.Join(always, " "), name) {
			value = rapid.SampledFrom(members[name]).Draw(t, label+" "+name)
		}
		text[i] = fmt.Sprintf(`"%s":%s`, name, value)
	}
	tail := rapid.SampledFrom([]string{"", "", "", "", "", "", "", "", "", "", "", "", "", " ", "\n", "x", ",", "\x00"}).Draw(t, label+" tail")
	return "{" + strings.Join(text, ",") + "}" + tail
}

func sortedNames(members map[string][]string) []string {
	return slices.Sorted(maps.Keys(members)) // rapid replays by draws: the order must not change from run to run
}

func TestTheHandWrittenPathAndGoJoseGiveOneVerdict(t *testing.T) {
	keys, set := ourKeys(t), keyRing().set()
	verdicts := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		header := drawObject(r, "header", oddHeaders, []string{"alg", "kid", "typ"})
		claims := drawObject(r, "claims", oddClaims, []string{"iss", "aud", "iat", "jti", "events"})
		algorithm := rapid.SampledFrom(algorithms).Draw(r, "algorithm")
		if rapid.Bool().Draw(r, "header for the algorithm") {
			header = strings.Replace(header, `"EdDSA"`, `"`+algorithm+`"`, 1)
			header = strings.Replace(header, `"ed"`, `"`+kidFor(algorithm)+`"`, 1)
		}
		raw := forge(t, header, claims, algorithm)
		verified, got := verdict(raw, keys, ourTerms())
		want := plainVerdict(raw, set, ourTerms())
		if !errors.Is(got, want) || verified.IsZero() != (want != nil) {
			r.Fatalf("by hand: %v\nplainly: %v\nheader %q\nclaims %q", got, want, header, claims)
		}
		verdicts[fmt.Sprint(want)]++
	})
	t.Log(verdicts)
}
