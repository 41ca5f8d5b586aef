package statement

import (
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// textForms are the members whose text has a form, with the code that reads it, and letters and texts that bring it to
// its edges.
var textForms = []struct {
	kind    Kind
	member  string // the place in the event
	reads   func(string) bool
	letters string
	seeds   []string
}{
	{KindCIPAttestation, "responsible_contact/name", isLine, "a é\x00\x1f\x7f\n\t\u00a0\u2028\U0001f600", []string{"", " ", "a", " a", "a ", "a\tb", "a b", "\u00a0a", "\ta", "a\n"}},
	{KindCIPAttestation, "material_changes/0/what", isText, "a \n\r\t\x00\x0b\x0c\x1f\x7fé", []string{"", " ", "a\r\nb", "a\vb", "\n"}},
	{KindCIPAttestation, "attested_on", isADay, "0129-T", []string{"2026-03-01", "2024-02-29", "2025-02-29", "2000-13-01", "1999-12-31", "2100-01-01", "2026-03-0", "2026-03-011", "2026/03/01", "٢٠٢٦-03-01"}},
	{KindCIPAttestation, "copy/sha256", isDigest, "A_-Q=+/\n", []string{strings.Repeat("A", 43), strings.Repeat("A", 42) + "B", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "\n"}},
	{KindCIPAttestation, "copy/media_type", isMediaType, "a/+.! ;", []string{"application/pdf", "a/b", "/b", "a/", "a/b/c", "+a/b", "text/plain; charset=utf-8", "a/" + strings.Repeat("b", 125), "a/" + strings.Repeat("b", 126)}},
	{KindCIPAttestation, "responsible_contact/phone", isPhone, "+0 ().-x", []string{"+55 11 5555 0100", "+123456", "+12345", "+1234", "55", "+ 5555555", "+" + strings.Repeat("1", 31), "+" + strings.Repeat("1", 32)}},
	{KindCIPAttestation, "responsible_contact/email", isEmail, "a@.-_\"[ é`", []string{
		"a@b", "a@b.c", "a.b@c", ".a@b", "a.@b", "a..b@c", "a@", "@b", "a@-b", "a@b-", "a@b..c", "a@b.", "a@[1.2.3.4]", `"a b"@c`, "a@b@c",
		strings.Repeat("a", 64) + "@b", strings.Repeat("a", 65) + "@b", "a@" + strings.Repeat("b", 63), "a@" + strings.Repeat("b", 64),
		"a@" + strings.Repeat("b.", 125) + "bb", "a@" + strings.Repeat("b.", 125) + "bbb",
		strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 62)+".", 3) + "c",
	}},
	{KindSuspiciousActivity, "discovered_at", isATime, "0123-T:Z", []string{
		"2026-03-01T12:00:00Z", "2026-03-01T23:59:59Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:00:60Z", "2026-02-29T12:00:00Z",
		"2026-03-01t12:00:00Z", "2026-03-01T12:00:00z", "2026-03-01 12:00:00Z", "2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00+00:00", "1999-12-31T12:00:00Z", "2016-12-31T23:59:60Z",
	}},
	{KindAccountStatus, "account", isID, "a!~ \x7fé\n", []string{"", "a", "~!", "a b", strings.Repeat("a", 255), strings.Repeat("a", 256), "a\n"}},
	{KindAITraining, "knowledge/0/entity", isEntity, "htps:/.a \n", []string{
		"https://a", "http://a", "https://", "http://", "HTTPS://a", "https:/a", "https://a b", "httpss://a", "https://" + strings.Repeat("a", 1016), "https://" + strings.Repeat("a", 1017),
	}},
	{KindCustomerVerification, "countries/home", isCountry, "ABZa@[", []string{"BR", "br", "B", "BRA", "", "ÉA", "BR\n"}},
	{KindCustomerVerification, "countries/ownership/0", isCountry, "ABZa@[", []string{"BR", "Br"}},
	{KindCustomerVerification, "documents/0/sha256", isDigest, "A_-Q=+/\n", []string{strings.Repeat("A", 43)}},
	{KindAITraining, "parameters/operations", isScientific, "0123.e+-E", []string{
		"1e0", "1e26", "1.2e26", "9.87654321e99", "9.876543210e9", "0e1", "0.1e5", "10e5", "1.e5", "1e05", "1e100", "1e", "e5", "1", "1.2", "-1e5", "1e-5", "1e+5", "1E5", "1.2e2.6", "1.2e26\n", "1e2e3",
	}},
	{KindAITraining, "fields/0/name", isFieldName, "a0_-A ", []string{"a", "a_b0", "_a", "0a", "A", "", strings.Repeat("a", 64), strings.Repeat("a", 65), "a\n"}},
	{KindForwarded, "set", isCompactJWS, "a.-_=+\n", []string{"a.b.c", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.c=", "a.b.c\n", "..", ""}},
	{KindForwarded, "jwe", isCompactJWE, "a.-_=+\n", []string{"a.b.c.d.e", "a.b.c.d", "a.b.c.d.e.f", "a..c.d.e", ".b.c.d.e", "a.b.c.d.", "....", ""}},
}

func isATime(s string) bool {
	_, err := time.Parse(secondsUTC, s)
	return isMoment(s) && err == nil
}

func isADay(s string) bool {
	_, err := ParseDate(s)
	return isThisCentury(s) && err == nil
}

func TestEachFormOfTextIsThePatternOfTheSchema(t *testing.T) {
	for _, form := range textForms {
		part := schemas[form.kind]().part(strings.Split(form.member, "/"))
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if err := compiler.AddResource("urn:part", part); err != nil {
			t.Fatal(err)
		}
		compiled := compiler.MustCompile("urn:part")
		longest, bounded := part["maxLength"].(int64)
		agree := func(t rapid.TB, text string) {
			schemaSays := compiled.Validate(text) == nil
			codeSays := form.reads(text) && (!bounded || int64(utf8.RuneCountInString(text)) <= longest)
			if schemaSays != codeSays {
				t.Fatalf("%s, %s: %q: the schema says %v, the code %v", form.kind, form.member, text, schemaSays, codeSays)
			}
		}
		for _, text := range form.seeds {
			agree(t, text)
		}
		rapid.Check(t, func(t *rapid.T) {
			letters := rapid.StringOfN(rapid.RuneFrom([]rune(form.letters)), -1, 80, -1)
			seed := []rune(rapid.SampledFrom(form.seeds).Draw(t, "seed"))
			cut := rapid.IntRange(0, len(seed)).Draw(t, "cut")
			few := rapid.StringOfN(rapid.RuneFrom([]rune(form.letters)), 0, 2, -1)
			agree(t, letters.Draw(t, "text"))
			agree(t, string(seed[:cut])+few.Draw(t, "few")+string(seed[cut:]))
		})
	}
}

func TestANumberIsWholeHoweverItIsSpelled(t *testing.T) {
	for spelling, want := range map[string]struct {
		n    int64
		form wholeness
	}{
		"0": {0, whole}, "-0": {0, whole}, "0.000": {0, whole}, "0e999999999999999999999": {0, whole}, "0.0e-5": {0, whole},
		"7": {7, whole}, "-7": {-7, whole}, "7.0": {7, whole}, "70e-1": {7, whole}, "0.7E1": {7, whole}, "0.007e+3": {7, whole},
		"7.5": {0, fraction}, "7e-1": {0, fraction}, "1e-999999999999999999999": {0, fraction}, "-0.1": {0, fraction},
		"999999999999999999": {999999999999999999, whole}, "1e17": {1e17, whole}, "1e18": {0, huge}, "1000000000000000000": {0, huge},
		"-1e999999999": {0, huge}, "1e999999999999999999999": {0, huge}, "123e17": {0, huge},
	} {
		if n, form := wholeNumber(spelling); n != want.n || form != want.form {
			t.Errorf("%s: %d, %v, want %d, %v", spelling, n, form, want.n, want.form)
		}
	}
}

func TestANumberIsWholeExactlyIfItsFractionIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spelling := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "spelling")
		exact, ok := new(big.Rat).SetString(spelling)
		if !ok {
			t.Fatalf("%s is no number", spelling)
		}
		limit := big.NewRat(1e18, 1)
		n, form := wholeNumber(spelling)
		switch {
		case !exact.IsInt():
			if form != fraction {
				t.Fatalf("%s: %v, want a fraction", spelling, form)
			}
		case new(big.Rat).Abs(exact).Cmp(limit) >= 0:
			if form != huge {
				t.Fatalf("%s: %v, want huge", spelling, form)
			}
		default:
			if form != whole || exact.Cmp(big.NewRat(n, 1)) != 0 {
				t.Fatalf("%s: %d, %v", spelling, n, form)
			}
		}
	})
}
