package envelope

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestParseReadsAGoodToken(t *testing.T) {
	raw := []byte(forge(t, headerFor(EdDSA), goodClaims(""), EdDSA))
	parsed, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Issuer() != reseller || parsed.KeyID() != "ed" || parsed.Algorithm() != EdDSA {
		t.Errorf("got issuer %q, kid %q, alg %q", parsed.Issuer(), parsed.KeyID(), parsed.Algorithm())
	}
	if !bytes.Equal(parsed.Raw(), raw) || parsed.Digest() != DigestOf(raw) {
		t.Error("the token or its digest is another")
	}
	clear(raw)
	if parsed.Raw()[0] == 0 {
		t.Error("the token changes when the caller's buffer does")
	}
}

func TestParseTakesWhatTheStandardsAllow(t *testing.T) {
	for name, token := range map[string]string{
		"typ with application/":           forge(t, `{"alg":"EdDSA","kid":"ed","typ":"application/secevent+jwt"}`, goodClaims(""), EdDSA),
		"typ in capitals":                 forge(t, `{"alg":"EdDSA","kid":"ed","typ":"Application/SecEvent+JWT"}`, goodClaims(""), EdDSA),
		"typ with an escape":              forge(t, `{"alg":"EdDSA","kid":"ed","typ":"\u0073ecevent\u002bjwt"}`, goodClaims(""), EdDSA),
		"names with escapes":              forge(t, `{"\u0061lg":"EdDSA","kid":"ed","t\u0079p":"secevent+jwt"}`, goodClaims(""), EdDSA),
		"white space inside the JSON":     forge(t, "{\n \"alg\" : \"EdDSA\",\r\n\t\"kid\":\"ed\", \"typ\":\"secevent+jwt\" }\n", goodClaims(""), EdDSA),
		"an unknown header parameter":     forge(t, `{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","traceparent":[1,{"a":null}]}`, goodClaims(""), EdDSA),
		"an unknown claim":                forge(t, headerFor(EdDSA), goodClaims(`,"sid":"x","Äquator":1,"issuer":2,"is":3`), EdDSA),
		"a header parameter jku":          forge(t, `{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","jku":"https://evil.example/jwks"}`, goodClaims(""), EdDSA),
		"a header parameter cty":          forge(t, `{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","cty":"json"}`, goodClaims(""), EdDSA),
		"an issuer that nobody can be":    forge(t, headerFor(EdDSA), `{"iss":"joe"}`, EdDSA),
		"no claim but iss, before Verify": forge(t, headerFor(EdDSA), `{"iss":"https://reseller.example"}`, EdDSA),
		"no kid, before Verify":           forge(t, `{"alg":"EdDSA","typ":"secevent+jwt"}`, goodClaims(""), EdDSA),
		"alg none, before Verify":         encode(`{"alg":"none","kid":"ed","typ":"secevent+jwt"}`, goodClaims("")) + ".",
		"64 levels":                       forge(t, headerFor(EdDSA), `{"iss":"i","x":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`}`, EdDSA),
		"many brackets in a string":       forge(t, headerFor(EdDSA), `{"iss":"i","x":"\"`+strings.Repeat("[{", 99)+`"}`, EdDSA),
		"many brackets beside each other": forge(t, headerFor(EdDSA), `{"iss":"i","x":[`+strings.Repeat("[],", 99)+`{}]}`, EdDSA),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(token)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	good := forge(t, headerFor(EdDSA), goodClaims(""), EdDSA)
	parts := strings.Split(good, ".")
	claims := func(text string) string { return forge(t, headerFor(EdDSA), text, EdDSA) }
	header := func(text string) string { return forge(t, text, goodClaims(""), EdDSA) }
	// "AB" leaves four bits unused, and 'B' sets one of them.
	oddBits := base64.RawURLEncoding.EncodeToString([]byte(goodClaims("") + strings.Repeat(" ", (3-len(goodClaims(""))%3)%3+1)))
	oddBits = oddBits[:len(oddBits)-1] + string(oddBits[len(oddBits)-1]+1)

	for name, test := range map[string]struct {
		token   string
		reason  error
		pointer string
	}{
		"nothing":                              {"", ErrMalformed, ""},
		"a token over its limit":               {strings.Repeat("a", MaxToken+1), ErrTooLarge, ""},
		"no dot":                               {"abc", ErrMalformed, ""},
		"two parts":                            {parts[0] + "." + parts[1], ErrMalformed, ""},
		"four parts":                           {good + ".", ErrMalformed, ""},
		"five parts, a JWE":                    {"a.b.c.d.e", ErrMalformed, ""},
		"JSON serialization":                   {`{"payload":"e30","protected":"e30","signature":""}`, ErrMalformed, ""},
		"a line break behind":                  {good + "\n", ErrMalformed, ""},
		"a line break behind, CR LF":           {good + "\r\n", ErrMalformed, ""},
		"a blank before":                       {" " + good, ErrMalformed, ""},
		"a line break in the header":           {parts[0][:8] + "\n" + parts[0][8:] + "." + parts[1] + "." + parts[2], ErrMalformed, "/header"},
		"a CR in the claims":                   {parts[0] + "." + parts[1][:8] + "\r" + parts[1][8:] + "." + parts[2], ErrMalformed, "/claims"},
		"padding":                              {parts[0] + "." + parts[1] + "." + parts[2] + "==", ErrMalformed, "/signature"},
		"standard base64":                      {parts[0] + "." + parts[1] + "." + "ab+/", ErrMalformed, "/signature"},
		"unused bits in the claims":            {parts[0] + "." + oddBits + "." + parts[2], ErrMalformed, "/claims"},
		"unused bits in the signature":         {parts[0] + "." + parts[1] + ".AB", ErrMalformed, "/signature"},
		"a part of impossible length":          {parts[0] + "." + parts[1] + ".AAAAA", ErrMalformed, "/signature"},
		"an empty header":                      {"." + parts[1] + "." + parts[2], ErrMalformed, "/header"},
		"empty claims":                         {parts[0] + ".." + parts[2], ErrMalformed, "/claims"},
		"a header over its limit":              {header(`{"alg":"EdDSA","typ":"secevent+jwt","x":"` + strings.Repeat("a", MaxHeader) + `"}`), ErrMalformed, "/header"},
		"a header that is not JSON":            {header(`alg: EdDSA`), ErrMalformed, "/header"},
		"a header that is an array":            {header(`["alg"]`), ErrMalformed, "/header"},
		"a header that is null":                {header(`null`), ErrMalformed, "/header"},
		"a header with a name twice":           {header(`{"alg":"EdDSA","alg":"EdDSA","typ":"secevent+jwt"}`), ErrMalformed, "/header/alg"},
		"a name twice, once escaped":           {header(`{"alg":"EdDSA","\u0061lg":"none","typ":"secevent+jwt"}`), ErrMalformed, "/header/alg"},
		"a header with data behind":            {header(headerFor(EdDSA) + `{}`), ErrMalformed, "/header"},
		"a header with invalid UTF-8":          {header("{\"alg\":\"EdDSA\",\"typ\":\"secevent+jwt\",\"x\":\"\xff\"}"), ErrMalformed, "/header/x"},
		"a header with a byte order mark":      {header("\xef\xbb\xbf" + headerFor(EdDSA)), ErrMalformed, "/header"},
		"Alg in another case":                  {header(`{"Alg":"EdDSA","typ":"secevent+jwt"}`), ErrMalformed, "/header/alg"},
		"KID in another case":                  {header(`{"alg":"EdDSA","KID":"ed","typ":"secevent+jwt"}`), ErrMalformed, "/header/kid"},
		"kid with a Kelvin sign":               {header(`{"alg":"EdDSA","` + "\u212a" + `id":"ed","typ":"secevent+jwt"}`), ErrMalformed, "/header/kid"},
		"JWK in another case":                  {header(`{"alg":"EdDSA","JWK":{},"typ":"secevent+jwt"}`), ErrMalformed, "/header/jwk"},
		"no typ":                               {header(`{"alg":"EdDSA","kid":"ed"}`), ErrMalformed, "/header/typ"},
		"typ null":                             {header(`{"alg":"EdDSA","kid":"ed","typ":null}`), ErrMalformed, "/header/typ"},
		"typ JWT":                              {header(`{"alg":"EdDSA","kid":"ed","typ":"JWT"}`), ErrMalformed, "/header/typ"},
		"typ of an entity statement":           {header(`{"alg":"EdDSA","kid":"ed","typ":"entity-statement+jwt"}`), ErrMalformed, "/header/typ"},
		"typ with a long s":                    {header(`{"alg":"EdDSA","kid":"ed","typ":"` + "\u017f" + `ecevent+jwt"}`), ErrMalformed, "/header/typ"},
		"typ with application/ twice":          {header(`{"alg":"EdDSA","kid":"ed","typ":"application/application/secevent+jwt"}`), ErrMalformed, "/header/typ"},
		"typ with another prefix":              {header(`{"alg":"EdDSA","kid":"ed","typ":"text/secevent+jwt"}`), ErrMalformed, "/header/typ"},
		"crit":                                 {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","crit":["exp"],"exp":1}`), ErrMalformed, "/header/crit"},
		"crit, empty":                          {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","crit":[]}`), ErrMalformed, "/header/crit"},
		"crit null":                            {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","crit":null}`), ErrMalformed, "/header/crit"},
		"b64 false":                            {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","b64":false}`), ErrMalformed, "/header/b64"},
		"b64 true":                             {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","b64":true}`), ErrMalformed, "/header/b64"},
		"no alg":                               {header(`{"kid":"ed","typ":"secevent+jwt"}`), ErrMalformed, "/header/alg"},
		"alg a number":                         {header(`{"alg":1,"kid":"ed","typ":"secevent+jwt"}`), ErrMalformed, "/header/alg"},
		"kid a number":                         {header(`{"alg":"EdDSA","kid":1,"typ":"secevent+jwt"}`), ErrMalformed, "/header/kid"},
		"kid null":                             {header(`{"alg":"EdDSA","kid":null,"typ":"secevent+jwt"}`), ErrMalformed, "/header/kid"},
		"a jwk that is no key":                 {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","jwk":{"kty":"none"}}`), ErrMalformed, "/header"},
		"a private jwk":                        {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","jwk":{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}`), ErrMalformed, "/header"},
		"an x5c that is no certificate":        {header(`{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","x5c":["AAAA"]}`), ErrMalformed, "/header"},
		"claims that are text":                 {claims(`Example of Ed25519 signing`), ErrMalformed, "/claims"},
		"claims that are an array":             {claims(`[]`), ErrMalformed, "/claims"},
		"claims that end too early":            {claims(`{"iss":"i"`), ErrMalformed, "/claims"},
		"claims with a comma too many":         {claims(`{"iss":"i",}`), ErrMalformed, "/claims"},
		"claims with data behind":              {claims(`{"iss":"i"} x`), ErrMalformed, "/claims"},
		"claims with a name twice":             {claims(`{"iss":"i","iss":"j"}`), ErrMalformed, "/claims/iss"},
		"a name twice deep inside":             {claims(`{"iss":"i","events":{"urn:e":{"a":1,"b":[{"c":1,"c":2}]}}}`), ErrMalformed, "/claims/events/urn:e/b/0/c"},
		"invalid UTF-8 deep inside":            {claims("{\"iss\":\"i\",\"events\":{\"urn:e\":{\"a\":\"\xc3\x28\"}}}"), ErrMalformed, "/claims/events/urn:e/a"},
		"half a surrogate pair":                {claims(`{"iss":"i","x":"\ud800"}`), ErrMalformed, "/claims/x"},
		"65 levels":                            {claims(`{"iss":"i","x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`), ErrMalformed, "/claims"},
		"100,000 levels":                       {claims(strings.Repeat("[", 100_000)), ErrMalformed, "/claims"},
		"no iss":                               {claims(`{"aud":"a"}`), ErrMalformed, "/claims/iss"},
		"iss a number":                         {claims(`{"iss":1}`), ErrMalformed, "/claims/iss"},
		"iss null":                             {claims(`{"iss":null}`), ErrMalformed, "/claims/iss"},
		"iss an array":                         {claims(`{"iss":["i"]}`), ErrMalformed, "/claims/iss"},
		"iss empty":                            {claims(`{"iss":""}`), ErrMalformed, "/claims/iss"},
		"iss longer than an identifier":        {claims(`{"iss":"` + strings.Repeat("i", MaxEntity+1) + `"}`), ErrMalformed, "/claims/iss"},
		"Iss beside iss":                       {claims(`{"iss":"i","Iss":"j"}`), ErrMalformed, "/claims/iss"},
		"ISS with escapes":                     {claims(`{"iss":"i","\u0049ss":"j"}`), ErrMalformed, "/claims/iss"},
		"ſub with a long s":                    {claims(`{"iss":"i","` + "\u017f" + `ub":"j"}`), ErrMalformed, "/claims/sub"},
		"IAT in another case":                  {claims(`{"iss":"i","IAT":1}`), ErrMalformed, "/claims/iat"},
		"Events in another case":               {claims(`{"iss":"i","Events":{}}`), ErrMalformed, "/claims/events"},
		"a personal value is never repeated 1": {claims(`{"iss":"i","name":"Erika Mustermann","name":"x"}`), ErrMalformed, "/claims/name"},
		"a pointer of any length is cut":       {claims(`{"iss":"i","` + strings.Repeat("n", 999) + `":"\ud800"}`), ErrMalformed, "/claims"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.token))
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

func TestParseTakesTokensAndHeadersUpToTheirLimits(t *testing.T) {
	fill := func(size int) string {
		start := `{"alg":"EdDSA","kid":"ed","typ":"secevent+jwt","x":"`
		return start + strings.Repeat("a", size-len(start)-2) + `"}`
	}
	if _, err := Parse([]byte(forge(t, fill(MaxHeader), goodClaims(""), EdDSA))); err != nil {
		t.Errorf("a header of exactly the limit: %v", err)
	}
	_, err := Parse([]byte(forge(t, fill(MaxHeader+1), goodClaims(""), EdDSA)))
	if fault := faultOf(t, err, ErrMalformed); fault.Pointer != "/header" {
		t.Errorf("a header one byte over the limit: %v", err)
	}

	rest := len(forge(t, headerFor(EdDSA), "", EdDSA))
	space := (MaxToken - rest) / 4 * 3
	claims := goodClaims("")
	token := forge(t, headerFor(EdDSA), claims+strings.Repeat(" ", space-len(claims)), EdDSA)
	if _, err := Parse([]byte(token)); err != nil || len(token) <= MaxToken-4 {
		t.Errorf("a token of %d bytes: %v", len(token), err)
	}
	_, err = Parse([]byte(forge(t, headerFor(EdDSA), claims+strings.Repeat(" ", space+3-len(claims)), EdDSA)))
	faultOf(t, err, ErrTooLarge)
}
