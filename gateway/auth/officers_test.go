package auth_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

var root = statement.Officer{ID: "admin", Name: "admin"}

// book is a ledger of what is recorded of officers.
type book struct {
	sync.Mutex
	said   []statement.OfficerAction
	jtis   []string
	broken error
}

func (b *book) RecordOfficer(_ context.Context, jti string, said statement.OfficerAction) error {
	b.Lock()
	defer b.Unlock()
	if b.broken != nil {
		return b.broken
	}
	if !slices.Contains(b.jtis, jti) {
		b.jtis, b.said = append(b.jtis, jti), append(b.said, said)
	}
	return nil
}

func (b *book) actions() string {
	var all []string
	for _, said := range b.said {
		all = append(all, said.Action)
	}
	return strings.Join(all, " ")
}

func (h house) add(t *testing.T, name string, role auth.Role) auth.Officer {
	t.Helper()
	added, err := h.Add(t.Context(), root, auth.Officer{Name: name, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func (h house) tokenOf(t *testing.T, name, label string, life time.Duration) string {
	t.Helper()
	secret, _, err := h.CreateToken(t.Context(), root, name, label, life)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func (h house) bearer(t *testing.T, secret string) answer {
	t.Helper()
	return h.ask(t, http.MethodGet, "/v1/me", "", "Authorization", "Bearer "+secret)
}

func TestEachRoleMayWhatThoseBelowItMay(t *testing.T) {
	for i, role := range auth.Roles {
		for j, other := range auth.Roles {
			if got := role.Includes(other); got != (i >= j) {
				t.Errorf("%s includes %s: %t", role, other, got)
			}
		}
		if role.Includes("") || role.Includes("root") || auth.Role("").Includes(role) || auth.Role("root").Includes(role) {
			t.Errorf("%s and a role that does not exist", role)
		}
	}
	if _, err := auth.ParseRole("Administrator"); !errors.Is(err, problem.ErrRequest) {
		t.Errorf("a role in other letters: %v", err)
	}
	if _, err := auth.Need(t.Context(), auth.Viewer); !errors.Is(err, problem.ErrForbidden) {
		t.Errorf("nobody may read: %v", err)
	}
}

func TestOnePersonHasOneAccount(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		first, err := h.Add(t.Context(), root, auth.Officer{Name: " Mara  Lind ", Mail: "Mara@Provider.example", Role: auth.Approver})
		if err != nil || first.Name != "Mara Lind" || !strings.HasPrefix(first.ID, "mara-lind-") || strings.ContainsAny(first.ID, " /") {
			t.Fatalf("%+v, %v", first, err)
		}
		for name, again := range map[string]auth.Officer{
			"the name in other letters":    {Name: "MARA lind", Role: auth.Approver},
			"the address in other letters": {Name: "Mara L.", Mail: "mara@provider.EXAMPLE", Role: auth.Approver},
		} {
			if _, err := h.Add(t.Context(), root, again); !errors.Is(err, problem.ErrOfficer) {
				t.Errorf("%s: %v", name, err)
			}
		}
		jon := h.add(t, "Jon Reyes", auth.Member)
		if _, err := h.Change(t.Context(), root, jon.ID, auth.Change{Mail: "mara@provider.example", Reason: "r"}); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("another's address: %v", err)
		}
		for name, wrong := range map[string]auth.Officer{
			"no name": {Role: auth.Viewer}, "two lines": {Name: "a\x00b", Role: auth.Viewer}, "no role": {Name: "A"}, "another role": {Name: "A", Role: "root"},
			"no address": {Name: "A", Role: auth.Viewer, Mail: "nobody"}, "a name with the address": {Name: "A", Role: auth.Viewer, Mail: "A <a@b.example>"},
			"a long name": {Name: strings.Repeat("a", 201), Role: auth.Viewer},
		} {
			if _, err := h.Add(t.Context(), root, wrong); !errors.Is(err, problem.ErrRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		found, err := h.Find(t.Context(), "mara lind")
		if err != nil || found.ID != first.ID {
			t.Errorf("by name: %+v, %v", found, err)
		}
		if _, err := h.Find(t.Context(), "nobody"); !errors.Is(err, problem.ErrNoSuchOfficer) {
			t.Errorf("nobody: %v", err)
		}
		all, err := h.Officers(t.Context())
		if err != nil || len(all) != 2 || all[0].ID != jon.ID || all[1].Mail != "Mara@Provider.example" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

func TestADisabledOfficerIsOutAtOnceAndComesBackAsTheSame(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		h.add(t, "boss", auth.Administrator)
		jane := h.add(t, "Jane", auth.Approver)
		bearer := h.tokenOf(t, "jane", "jane's", 0)
		unused := link(t, h, "Jane")
		_, cookie := h.signIn(t, link(t, h, "Jane"), "/")
		session := []string{"Cookie", cookie.Name + "=" + cookie.Value}
		if _, err := h.Disable(t.Context(), root, "jane", "left"); err != nil {
			t.Fatal(err)
		}
		if got := h.bearer(t, bearer); got.status != http.StatusUnauthorized {
			t.Errorf("its token: %d", got.status)
		}
		if got := h.ask(t, http.MethodGet, "/v1/me", "", session...); got.status != http.StatusUnauthorized {
			t.Errorf("its session: %d", got.status)
		}
		if _, got := h.signIn(t, unused, "/"); got != nil {
			t.Error("its link signs in")
		}
		if _, err := h.NewLink(t.Context(), "jane"); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("a link for it: %v", err)
		}
		if _, _, err := h.CreateToken(t.Context(), root, "jane", "another", 0); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("a token for it: %v", err)
		}
		if _, err := h.Disable(t.Context(), root, "jane", "left"); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("again: %v", err)
		}
		back, err := h.Enable(t.Context(), root, "jane", "back")
		if err != nil || back.ID != jane.ID || !back.DisabledAt.IsZero() {
			t.Fatalf("%+v, %v", back, err)
		}
		if got := h.bearer(t, bearer); got.body != "Jane" {
			t.Errorf("its token is %q's", got.body)
		}
		if got := h.ask(t, http.MethodGet, "/v1/me", "", session...); got.status != http.StatusUnauthorized {
			t.Errorf("a session of before: %d", got.status)
		}
		if _, err := h.Enable(t.Context(), root, "jane", "back"); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("again: %v", err)
		}
	})
}

func TestOneAdministratorStaysWhoeverActsAtOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		names := []string{"one", "two", "three"}
		for _, name := range names {
			h.add(t, name, auth.Administrator)
		}
		var wait sync.WaitGroup
		failed := make([]error, len(names))
		for i, name := range names {
			wait.Go(func() {
				if i%2 == 0 {
					_, failed[i] = h.Disable(t.Context(), root, name, "r")
				} else {
					_, failed[i] = h.Change(t.Context(), root, name, auth.Change{Role: auth.Viewer, Reason: "r"})
				}
			})
		}
		wait.Wait()
		refused := 0
		for _, err := range failed {
			if errors.Is(err, problem.ErrOfficer) && strings.Contains(err.Error(), "the last administrator") {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 1 {
			t.Errorf("%d of three were refused, wanted one: %v", refused, failed)
		}
	})
}

func TestARoleCountsFromTheNextRequestOn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		h.add(t, "Jane", auth.Viewer)
		bearer := h.tokenOf(t, "Jane", "t", 0)
		h.app.Get("/v1/act", h.API(), func(c *fiber.Ctx) error {
			who, err := auth.Need(c.UserContext(), auth.Approver)
			if err != nil {
				return err
			}
			return c.SendString(who.Name)
		})
		act := func() answer { return h.ask(t, http.MethodGet, "/v1/act", "", "Authorization", "Bearer "+bearer) }
		if got := act(); got.status != http.StatusForbidden || !strings.Contains(got.body, "approver or administrator") || !strings.Contains(got.body, "Jane with the role viewer") {
			t.Errorf("%d: %s", got.status, got.body)
		}
		if _, err := h.Change(t.Context(), root, "Jane", auth.Change{Role: auth.Approver, Reason: "r"}); err != nil {
			t.Fatal(err)
		}
		if got := act(); got.body != "Jane" {
			t.Errorf("%d: %s", got.status, got.body)
		}
		for name, wrong := range map[string]auth.Change{"nothing": {Reason: "r"}, "no reason": {Role: auth.Viewer}, "another role": {Role: "x", Reason: "r"}} {
			if _, err := h.Change(t.Context(), root, "Jane", wrong); !errors.Is(err, problem.ErrRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestATokenEndsWhenItExpiresOrIsRevokedAndItsNameIsNotUsedAgain(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		jane := h.add(t, "Jane", auth.Member)
		hour, other := h.tokenOf(t, "Jane", "hour", time.Hour), h.tokenOf(t, "Jane", "other", 0)
		h.clock.at = h.clock.at.Add(time.Hour - time.Microsecond)
		if got := h.bearer(t, hour); got.body != "Jane" {
			t.Errorf("a microsecond before its end: %d", got.status)
		}
		h.clock.at = h.clock.at.Add(time.Microsecond)
		if got := h.bearer(t, hour); got.status != http.StatusUnauthorized {
			t.Errorf("at its end: %d", got.status)
		}
		revoked, err := h.RevokeToken(t.Context(), root, "other", "lost")
		if err != nil || !revoked.RevokedAt.Equal(h.clock.at) {
			t.Fatalf("%+v, %v", revoked, err)
		}
		if got := h.bearer(t, other); got.status != http.StatusUnauthorized {
			t.Errorf("revoked: %d", got.status)
		}
		if _, got := h.signIn(t, other, "/"); got != nil {
			t.Error("a revoked token signs in")
		}
		if _, err := h.RevokeToken(t.Context(), root, "other", "lost"); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("again: %v", err)
		}
		if _, err := h.RevokeToken(t.Context(), root, "none", "lost"); !errors.Is(err, problem.ErrNoSuchOfficer) {
			t.Errorf("none: %v", err)
		}
		if _, _, err := h.CreateToken(t.Context(), root, "Jane", "other", 0); !errors.Is(err, problem.ErrOfficer) {
			t.Errorf("its name again: %v", err)
		}
		for label, life := range map[string]time.Duration{"": 0, " x": 0, "long": auth.MaxTokenLife + 1, "short": time.Second, "b\x00": 0} {
			if _, _, err := h.CreateToken(t.Context(), root, "Jane", label, life); !errors.Is(err, problem.ErrRequest) {
				t.Errorf("%q for %s: %v", label, life, err)
			}
		}
		listed, err := h.Tokens(t.Context(), jane.ID)
		if err != nil || len(listed) != 2 || listed[0].Officer != jane.ID {
			t.Errorf("%+v, %v", listed, err)
		}
		var kept []string
		if err := db.Raw("SELECT label FROM auth_tokens WHERE hash = ?", []byte(other)).Scan(&kept).Error; err != nil || len(kept) > 0 {
			t.Errorf("the token itself is kept (%v, %v)", kept, err)
		}
	})
}

func TestWhatBecomesOfOfficersIsRecordedOnceAlsoAfterTheLedgerFailed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		var ledger book
		h.RecordWith(&ledger)
		token(t, h)
		h.add(t, "Jane", auth.Member)
		ledger.broken = errors.New("the ledger is full")
		if _, err := h.Change(t.Context(), root, "Jane", auth.Change{Role: auth.Approver, Mail: "jane@provider.example", Reason: "promoted"}); !errors.Is(err, ledger.broken) {
			t.Errorf("%v", err)
		}
		if _, err := h.Disable(t.Context(), root, "Jane", "left"); !errors.Is(err, ledger.broken) {
			t.Errorf("%v", err)
		}
		if jane, err := h.Find(t.Context(), "Jane"); err != nil || jane.DisabledAt.IsZero() {
			t.Errorf("shut out, whatever the ledger says: %+v, %v", jane, err)
		}
		ledger.broken = nil
		for range 2 {
			if err := h.Record(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Enable(t.Context(), root, "Jane", "back"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.LinkFor(t.Context(), root, "Jane"); err != nil {
			t.Fatal(err)
		}
		h.tokenOf(t, "Jane", "t", 0)
		if _, err := h.RevokeToken(t.Context(), root, "t", "lost"); err != nil {
			t.Fatal(err)
		}
		want := "officer.added officer.added officer.changed officer.disabled officer.enabled officer.linked token.created token.revoked"
		if got := ledger.actions(); got != want {
			t.Errorf("recorded\n     %s\nwant %s", got, want)
		}
		for _, said := range ledger.said {
			for _, detail := range said.Details {
				if strings.Contains(detail.Value, "@") {
					t.Errorf("a mail address stands in the ledger: %+v", said)
				}
			}
		}
		if _, err := h.Disable(t.Context(), root, "Jane", " "); !errors.Is(err, problem.ErrRequest) {
			t.Errorf("without a reason: %v", err)
		}
		if got := ledger.actions(); got != want {
			t.Errorf("what was refused is recorded: %s", got)
		}
	})
}
