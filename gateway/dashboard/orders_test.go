package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
)

// shows checks what a page says and does not say.
func (b browser) shows(path string, says, not []string) {
	b.t.Helper()
	page := b.see(path)
	if page.status != http.StatusOK {
		b.t.Fatalf("%s: %d", path, page.status)
	}
	for _, words := range says {
		if !strings.Contains(page.html, words) {
			b.t.Errorf("%s does not say %q:\n%s", path, words, page.html)
		}
	}
	for _, words := range not {
		if strings.Contains(page.html, words) {
			b.t.Errorf("%s says %q", path, words)
		}
	}
}

func TestAnOrderIsFollowedAndASuccessorNamedOnThePages(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, true)
		names := w.enrol("Silent Ltd", "Other Ltd")
		w.attest(names[1], 1)
		w.signIn("Mara Lind", auth.Member).shows("/orders", []string{"No order waits to be confirmed."}, []string{"confirm-order"})
		w.pass(44)
		mara, ida := w.signIn("Mara Lind", auth.Member), w.signIn("Ida Berg", auth.Viewer)
		id := names[0].ID()
		orders, err := w.docket.Orders(t.Context(), docket.OrderFilter{Reseller: &id}, -1, 10)
		w.must(err)
		if len(orders) != 1 {
			t.Fatalf("orders: %+v", orders)
		}
		page := "/resellers/" + id.String()
		for _, path := range []string{"/orders", page} {
			mara.shows(path, []string{"Open no new accounts", "ordered", `value="confirm-order"`}, []string{"overdue</span>"})
			ida.shows(path, []string{"Open no new accounts"}, []string{`value="confirm-order"`})
		}
		mara.shows("/orders", []string{">Silent Ltd</a>"}, []string{">" + string(names[0])})
		mara.shows(page, []string{"Nobody is named to take verified customers.", `value="name-successor"`}, []string{`value="withdraw-successor"`})

		if got := ida.act("confirm-order", orders[0].JTI, "kind", "done"); got.status != http.StatusForbidden {
			t.Errorf("a viewer confirms: %d", got.status)
		}
		if got := mara.act("name-successor", "", "reseller", id.String(), "whom", string(names[1]), "until", "2026-09-01T12:00"); got.status != http.StatusSeeOther {
			t.Errorf("naming a successor: %d %s", got.status, got.text())
		}
		mara.shows(page, []string{string(names[1]) + " takes the accounts of verified customers until 1 Sep 2026", "Mara Lind named it", `value="withdraw-successor"`}, nil)
		if got := mara.act("withdraw-successor", "", "reseller", id.String()); got.status != http.StatusSeeOther {
			t.Errorf("taking it back: %d", got.status)
		}
		mara.shows(page, []string{"Nobody is named"}, nil)
		if got := mara.act("confirm-order", orders[0].JTI, "kind", "done"); got.status != http.StatusSeeOther {
			t.Errorf("confirming: %d %s", got.status, got.text())
		}
		mara.shows("/orders?state=confirmed", []string{"confirmed by Mara Lind"}, []string{`value="confirm-order"`})
		mara.shows("/orders", []string{"No order waits to be confirmed."}, nil)
		if got := mara.see("/orders?state=lost"); got.status != http.StatusBadRequest {
			t.Errorf("another list: %d", got.status)
		}
	})
}
