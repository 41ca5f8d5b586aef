package envelope

import (
	"fmt"
	"strings"
	"testing"
)

func TestSameContentLooksAtTheClaimsApartFromIat(t *testing.T) {
	base := goodClaims(`,"x":{"a":1,"b":[1,2.5,"ü"]}`)
	first := forge(t, headerFor(EdDSA), base, EdDSA)
	change := func(old, new string) string {
		changed := strings.Replace(base, old, new, 1)
		if changed == base {
			t.Fatalf("no %s to change", old)
		}
		return forge(t, headerFor(EdDSA), changed, EdDSA)
	}
	iat := fmt.Sprintf(`"iat":%d`, noon.Unix())
	for name, test := range map[string]struct {
		other string
		same  bool
	}{
		"the same bytes":                   {first, true},
		"another iat":                      {change(iat, `"iat":1`), true},
		"no iat":                           {change(iat+",", ""), true},
		"iat of another type":              {change(iat, `"iat":{"a":[]}`), true},
		"another key, algorithm, header":   {forge(t, `{"typ":"SECEVENT+jwt","kid":"p256","alg":"ES256"}`, base, ES256), true},
		"another order":                    {change(`{"a":1,"b":[1,2.5,"ü"]}`, `{"b":[1,2.5,"ü"],"a":1}`), true},
		"white space":                      {change(`{"a":1,`, "{ \"a\" :\n1 , "), true},
		"escapes":                          {change(`"ü"`, `"\u00fc"`), true},
		"an escaped name":                  {change(`"jti"`, `"\u006ati"`), true},
		"iat with escapes":                 {change(iat, `"\u0069at":7`), true},
		"another form of a fraction":       {change(`2.5`, `25e-1`), true},
		"another jti":                      {change(`0000000001"`, `0000000002"`), false},
		"another issuer":                   {change(reseller, reseller+"/x"), false},
		"another value deep inside":        {change(`2.5`, `2.50000001`), false},
		"a member more":                    {change(`{"a":1,`, `{"a":1,"c":null,`), false},
		"another order of an array":        {change(`[1,2.5,"ü"]`, `[2.5,1,"ü"]`), false},
		"text for a number":                {change(`"a":1`, `"a":"1"`), false},
		"another case":                     {change(`"a":1`, `"A":1`), false},
		"iat deep inside is not passed by": {change(`"a":1`, `"iat":1`), false},
		"composed and decomposed letters":  {change(`"ü"`, "\"u\u0308\""), false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, order := range [][2]string{{first, test.other}, {test.other, first}} {
				same, err := SameContent([]byte(order[0]), []byte(order[1]))
				if err != nil || same != test.same {
					t.Errorf("got %v, %v", same, err)
				}
			}
		})
	}
}

func TestSameContentTellsLargeIntegersApart(t *testing.T) {
	a := forge(t, headerFor(EdDSA), `{"iss":"i","n":9007199254740992}`, EdDSA)
	b := forge(t, headerFor(EdDSA), `{"iss":"i","n":9007199254740993}`, EdDSA)
	if same, err := SameContent([]byte(a), []byte(b)); err != nil || same {
		t.Errorf("got %v, %v", same, err)
	}
}

func TestSameContentRefusesWhatParseRefuses(t *testing.T) {
	good := forge(t, headerFor(EdDSA), goodClaims(""), EdDSA)
	for _, pair := range [][2]string{{good, good + "\n"}, {"", good}} {
		_, err := SameContent([]byte(pair[0]), []byte(pair[1]))
		faultOf(t, err, ErrMalformed)
	}
}
