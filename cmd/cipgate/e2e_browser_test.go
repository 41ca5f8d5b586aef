package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cipgate/cipgate/attestations/statement"
)

// window is a real browser, Debian's Chromium, with one tab. Each page that the test comes to is photographed: `go test -artifacts` keeps
// the pictures.
type window struct {
	t   *testing.T
	ctx context.Context
}

func openWindow(t *testing.T) window {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lacks(t, "chromium", "apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1100, 800))
	started, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	tab, closeTab := chromedp.NewContext(started, chromedp.WithErrorf(t.Logf))
	t.Cleanup(closeTab)
	ctx, giveUp := context.WithTimeout(tab, 2*patience)
	t.Cleanup(giveUp)
	return window{t, ctx}
}

// comes does what leads to another page, waits until that is there, and demands its status and that it says all this.
func (w window) comes(picture string, status int64, says []string, steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	answer, err := chromedp.RunResponse(w.ctx, steps...)
	if err != nil {
		w.t.Fatalf("%s: %v", picture, err)
	}
	text, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		w.t.Fatalf("%s: %v", picture, err)
	}
	for _, part := range says {
		if !strings.Contains(text, part) {
			w.t.Errorf("%s does not say %q:\n%s", picture, part, text)
		}
	}
	if answer.Status != status {
		w.t.Errorf("%s came with status %d, want %d", picture, answer.Status, status)
	}
	w.photograph(picture)
}

func (w window) photograph(picture string) {
	w.t.Helper()
	shot, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		w.t.Fatalf("%s: %v", picture, err)
	}
	if err := os.WriteFile(filepath.Join(w.t.ArtifactDir(), picture+".png"), shot, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w window) does(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, steps...); err != nil {
		w.t.Fatal(err)
	}
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func types(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SendKeys(chromedp.CSS(selector), text)
}

// nextTo waits for the next mail to an address whose text holds a part.
func (m *mailbox) nextTo(address, part string) letter {
	m.t.Helper()
	for {
		if told := m.next(); told.to == address && strings.Contains(told.text, part) {
			return told
		}
	}
}

// confirms opens, as a contact, the link by which it confirms that mail reaches it.
func (p *process) confirms(w window, picture string, command ...string) {
	p.t.Helper()
	var asked confirmationTold
	cipgate(p.t, append(command, "--json", "--url", p.base, "--data", p.data)...).read(p.t, &asked)
	w.comes(picture, http.StatusOK, []string{"contact of", asked.Contact}, chromedp.Navigate(asked.URL))
	w.comes(picture+"-done", http.StatusOK, []string{"Thank you", asked.Contact}, click("form button"))
}

func TestAContactReadsAcknowledgesAndDisputesInARealBrowser(t *testing.T) {
	t.Parallel()
	box := startMailbox(t)
	p := newProcess(t, "sqlite://"+filepath.Join(t.TempDir(), "store.db"), "--sandbox", "--smtp-url", box.url, "--mail-from", "cip@provider.example")
	p.start()
	r, err := join(t.Context(), filepath.Join(t.TempDir(), "reseller"), p.invite("Silent Cloud GmbH"))
	if err != nil {
		t.Fatal(err)
	}
	entity, w := r.about.Entity, openWindow(t)
	p.confirms(w, "1-confirm", "contacts", "ask", string(entity))
	p.confirms(w, "2-confirm-second", "contacts", "second", string(entity), "legal@example.com")
	p.advance("P31D") // warned on day 30
	p.advance("PT1H") // the digest comes with the hour
	told := box.nextTo("compliance@example.com", "A warning was issued.")
	if !strings.HasPrefix(told.subject, "SANDBOX: ") || strings.Contains(told.text, "Silent Cloud GmbH") {
		t.Errorf("mailed %+v", told)
	}
	p.advance("P3D") // nobody answers: the second contact is told
	told = box.nextTo("legal@example.com", "A warning was issued.")
	if !strings.Contains(told.text, "You get this because you are the second contact of") {
		t.Errorf("the second contact is mailed %+v", told)
	}

	link := linkInMail.FindString(told.text)
	w.comes("3-door", http.StatusOK, []string{"Read your notices", "Send me a code"}, chromedp.Navigate(link))
	w.comes("4-code-sent", http.StatusOK, []string{"A code was sent to the same mail address"}, click(`form[action$="/code"] button`))
	code := codeInMail.FindStringSubmatch(box.nextTo("legal@example.com", "Your code").text)[1]
	w.comes("5-wrong-code", http.StatusForbidden, []string{"This is not the code"}, types("#code", "00000000"), click(`form[action$="/open"] button`))
	w.comes("6-notices", http.StatusOK, []string{"Your notices", "Answer it", "I have read this"}, types("#code", code[:4]+" "+code[4:]), click(`form[action$="/open"] button`))
	w.comes("7-acknowledged", http.StatusOK, []string{"You acknowledged all of this."}, click(`form[action$="/acknowledge"] button`))
	w.does(click("details:not([open]) summary"), click(`details[open] input[value="dispute"]`))
	w.does(chromedp.SetValue(chromedp.CSS(`details[open] select[name="ground"]`), "false-positive"), types("details[open] textarea", "It was handed in on paper on 3 March, by courier."))
	w.photograph("8-dispute")
	w.comes("9-stated", http.StatusOK, []string{"Your answer is on record."}, click(`details[open] button[type="submit"]`))

	var made struct {
		URL string `json:"url"`
	}
	if err := p.admin().post(t.Context(), "/v1/officers", map[string]string{"name": "Ada Obi", "role": "approver"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if err := p.admin().post(t.Context(), "/v1/officers/Ada%20Obi/link", nil, &made); err != nil {
		t.Fatal(err)
	}
	p.advance("PT1S") // what was stated is folded
	w.does(chromedp.Navigate(made.URL))
	w.comes("10-resellers", http.StatusOK, []string{"Silent Cloud GmbH"}, click("#sign-in button"))
	w.comes("11-case", http.StatusOK, []string{"Proof of notice", "SET to its software", "Mail to its second contact", "Answers to decide"},
		chromedp.Navigate(p.base+"/resellers/"+entity.ID().String()))
	w.comes("12-proofs", http.StatusOK, []string{"A contact opened it by the link in the mail, with the code", "A contact acknowledged or answered it over the link"},
		chromedp.Navigate(p.base+"/resellers/"+entity.ID().String()+"/notices"))

	var list struct {
		Items []struct {
			Kind   string `json:"kind"`
			Proofs []struct {
				Channel string `json:"channel"`
			} `json:"proofs"`
			Later []struct {
				Channel string `json:"channel"`
				State   string `json:"state"`
			} `json:"later"`
		} `json:"items"`
	}
	p.get("/v1/resellers/"+entity.ID().String()+"/notices", &list)
	for _, one := range list.Items {
		if one.Kind != string(statement.KindWarningIssued) {
			continue
		}
		if len(one.Proofs) != 2 || one.Proofs[0].Channel != statement.ChannelLinkOpened || one.Proofs[1].Channel != statement.ChannelMailAnswered ||
			len(one.Later) != 3 || one.Later[0].State != "taken" {
			t.Errorf("the warning on the case: %+v", one)
		}
		return
	}
	t.Errorf("no warning among %+v", list.Items)
}
