package mail

import (
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

func TestEveryKindThatAPersonIsMailedAboutHasALine(t *testing.T) {
	for _, audience := range []notices.Audience{notices.OfContact("https://r.example", "a@r.example"), notices.OfOfficer("o@p.example")} {
		for _, kind := range notices.Kinds(audience) {
			if line, ok := Line(string(kind)); !ok || !strings.HasSuffix(line, ".") {
				t.Errorf("%s is mailed to %s as %q", kind, audience, line)
			}
		}
	}
	for _, matter := range []string{MatterApproval, MatterGuard, MatterLate, MatterToken} {
		if _, ok := Line(matter); !ok {
			t.Errorf("%s has no line", matter)
		}
	}
	if _, ok := Line(string(statement.KindCustomerVerification)); ok {
		t.Error("people are mailed about customers")
	}
}

func TestALetterSaysWhatHappenedWhereToReadItAndWhyItCame(t *testing.T) {
	digest := Digest{Gateway: "https://gateway.example", Reseller: "https://reseller.example/<b>", Link: "https://gateway.example/answer/T0KEN", LinkUntil: noon.Add(linkTest),
		Told: []Told{{string(statement.KindWarningIssued), noon}}}
	subject, text, html, err := digest.Write()
	if err != nil || subject != "A warning was issued. It says what cures it, and by when" {
		t.Fatalf("%q, %v", subject, err)
	}
	for _, body := range []string{text, html} {
		for _, want := range []string{"A warning was issued.", "1 March 2026, 12:00 UTC", "https://gateway.example/answer/T0KEN", "You get this because", "15 March 2026", "code"} {
			if !strings.Contains(body, want) {
				t.Errorf("%q is not in\n%s", want, body)
			}
		}
		if strings.Count(body, "/answer/") != 1 || strings.Contains(body, "SANDBOX") {
			t.Errorf("more than one link, or a sandbox, in\n%s", body)
		}
	}
	if strings.Contains(html, "/<b>") {
		t.Error("what came from outside is not escaped")
	}
	digest.Sandbox, digest.More, digest.Reseller, digest.LinkUntil = true, 2, "", time.Time{}
	subject, text, html, err = digest.Write()
	if err != nil || subject != "SANDBOX: 3 notices" || !strings.Contains(text, "and 2 more") || !strings.Contains(html, "and 2 more") ||
		!strings.Contains(text, "because you are an officer") || strings.Contains(text, "code") || !strings.HasPrefix(text, "SANDBOX") {
		t.Errorf("%q, %v:\n%s", subject, err, text)
	}
	digest.Told[0].Kind = "customer-verification"
	if _, _, _, err := digest.Write(); err == nil {
		t.Error("a letter about a customer was written")
	}
}

// linkTest is how long the link of the test holds.
const linkTest = 14 * 24 * time.Hour

func TestACodeComesInALetterOfItsOwn(t *testing.T) {
	subject, text, html, err := Code{Gateway: "https://gateway.example", Code: "01234567", Until: noon}.Write()
	if err != nil || subject != "Your code" || !strings.Contains(text, "Your code: 01234567\n") || !strings.Contains(html, "01234567") || strings.Contains(text+html, "/answer/") {
		t.Errorf("%q, %v:\n%s", subject, err, text)
	}
}
