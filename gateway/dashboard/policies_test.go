package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

// rehearse is how policies are tried in this world.
func (w *world) rehearse(clock func() time.Time) *rehearsal.Rehearsal {
	w.rehearsal = rehearsal.New(rehearsal.Config{DB: w.db, Ledger: w.ledger, Docket: w.docket, Signer: w.signer, Self: self, Now: clock,
		Adopt: func(ctx context.Context) error { _, err := w.docket.Adopt(ctx); return err }, Fits: func(policy.Policy) error { return nil }})
	return w.rehearsal
}

var shownIn = regexp.MustCompile(`name="shown" value="([^"]+)"`)

func TestASecondPersonPutsAPolicyInForceOnItsPage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		ctx := t.Context()
		w.must(w.docket.Activate(ctx))
		w.enrol("Silent Ltd")
		file := strings.Replace(policy.Default().Document(), fmt.Sprintf("\nversion: %d\n", policy.Default().Version), "\nversion: 90\n", 1)
		file = strings.Replace(file, "cip.missing:\n    on: true\n    after:\n      value: 30d", "cip.missing:\n    on: true\n    after:\n      value: 60d", 1)
		p, err := rehearsal.Document(file)
		w.must(err)
		mara, jon, ida := w.signIn("Mara Lind", auth.Administrator), w.signIn("Jon Reyes", auth.Administrator), w.signIn("Ida Berg", auth.Viewer)
		officers, err := w.auth.Officers(ctx)
		w.must(err)
		var by = root
		for _, one := range officers {
			if one.Name == "Mara Lind" {
				by.ID, by.Name = one.ID, one.Name
			}
		}
		moves, err := w.rehearsal.Consequences(ctx, p)
		w.must(err)
		proposed, err := w.rehearsal.Propose(ctx, by, p, moves.Shown, "It asks too soon.")
		w.must(err)
		here := "/policies/proposals/" + proposed.ID
		for who, c := range map[*browser][]string{
			&jon: {"Put the policy us-iaas-2024.90 in force", "Proposed", "by Mara Lind", "It asks too soon.", "See what it moves now"},
			&ida: {"Put the policy us-iaas-2024.90 in force", "It takes the role administrator."},
		} {
			who.see("/approvals").shows(t, c...)
		}
		mara.see(here).shows(t, "us-iaas-2024.90, proposed to replace "+policy.Default().ID(), "What moved when it was proposed", "What moves now", "resellers of which something moves", "1 of 1",
			"nobody puts in force what they proposed", "Withdraw it")
		ida.see(here).shows(t, "What moves now is shown to officers")
		w.enrol("Second Ltd")
		page := jon.see(here)
		page.shows(t, "It is not what it was when it was proposed.", "moving: 1 then, 2 now", "Silent Ltd", "Ahead:", "Put it in force")
		shown := shownIn.FindStringSubmatch(page.html)
		if shown == nil {
			t.Fatalf("no form in %s", page.text())
		}
		send := func(b browser, shown, reason string, header ...string) answer {
			return b.send(here, url.Values{"shown": {shown}, "reason": {reason}}, append([]string{"Cookie", b.cookie}, header...)...)
		}
		ours := []string{"Sec-Fetch-Site", "same-origin"}
		for name, c := range map[string]struct {
			got    answer
			status int
			words  string
		}{
			"another site's page": {send(jon, shown[1], "So it was decided.", "Sec-Fetch-Site", "cross-site"), 403, "own pages"},
			"a viewer":            {send(ida, shown[1], "So it was decided.", ours...), 403, "administrator"},
			"who proposed it":     {send(mara, shown[1], "So it was decided.", ours...), 403, "nobody puts in force what they proposed"},
			"without a reason":    {send(jon, shown[1], " ", ours...), 422, "reason"},
			"not shown":           {send(jon, "guessed", "So it was decided.", ours...), 409, "Look at it again"},
		} {
			if c.got.status != c.status || !strings.Contains(c.got.text(), c.words) {
				t.Errorf("%s: %d, wanted %d with %q: %s", name, c.got.status, c.status, c.words, c.got.text())
			}
		}
		got := send(jon, shown[1], "So it was decided.", ours...)
		if got.status != http.StatusSeeOther || w.docket.InForce().ID() != p.ID() {
			t.Fatalf("%d, in force is %s: %s", got.status, w.docket.InForce().ID(), got.text())
		}
		jon.see(got.header.Get("Location")).shows(t, "Recorded. us-iaas-2024.90 is in force")
		jon.see(here).shows(t, "us-iaas-2024.90 is in force already")
		jon.see("/approvals").shows(t, "Proposals to confirm", "None.")
		if missing := jon.see("/policies/proposals/none"); missing.status != http.StatusNotFound {
			t.Errorf("%d: %s", missing.status, missing.text())
		}
	})
}
