package auth_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestARequestThatIsSentAgainIsDoneOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		h.add(t, "Jane", auth.Member)
		h.add(t, "Jon", auth.Member)
		jane, jon := h.tokenOf(t, "Jane", "jane", 0), h.tokenOf(t, "Jon", "jon", 0)
		done := 0
		var fails error
		h.app.Post("/v1/act", h.API(), h.Idempotent(ledgertest.Bodies(t)), func(c *fiber.Ctx) error {
			if fails != nil {
				return fails
			}
			done++
			c.Set("Content-Type", "text/plain")
			return c.Status(http.StatusCreated).SendString(fmt.Sprint("secret ", done))
		})
		act := func(token, key, body string) answer {
			return h.ask(t, http.MethodPost, "/v1/act", body, "Authorization", "Bearer "+token, "Idempotency-Key", key)
		}
		first := act(jane, "k", "a")
		for range 2 {
			if got := act(jane, "k", "a"); got.status != http.StatusCreated || got.body != first.body || got.header.Get("Idempotent-Replayed") != "true" || got.header.Get("Content-Type") != "text/plain" {
				t.Errorf("again: %d %q", got.status, got.body)
			}
		}
		if got := act(jane, "k", "b"); got.status != http.StatusUnprocessableEntity {
			t.Errorf("another request under the key: %d", got.status)
		}
		if got := act(jon, "k", "a"); got.body == first.body {
			t.Error("another officer is shown the answer")
		}
		if got := act(jane, "", "a"); got.body == first.body || got.header.Get("Idempotent-Replayed") != "" {
			t.Error("without a key it was not done")
		}
		if got := act(jane, string(bytes.Repeat([]byte("k"), 256)), "a"); got.status != http.StatusBadRequest {
			t.Errorf("a long key: %d", got.status)
		}
		var kept []string
		if err := db.Raw("SELECT kind FROM auth_requests WHERE answer = ?", []byte(first.body)).Scan(&kept).Error; err != nil || len(kept) > 0 {
			t.Errorf("an answer is kept in the clear (%v, %v)", kept, err)
		}
		// What was refused is judged anew; of what failed nobody knows whether it was done.
		fails = fmt.Errorf("%w: wrong", problem.ErrRequest)
		act(jane, "refused", "a")
		fails = nil
		if got := act(jane, "refused", "a"); got.status != http.StatusCreated {
			t.Errorf("after a refusal: %d", got.status)
		}
		fails = errors.New("the disk is full")
		act(jane, "failed", "a")
		fails = nil
		if got := act(jane, "failed", "a"); got.status != http.StatusConflict {
			t.Errorf("after a failure: %d", got.status)
		}
		was := done
		h.clock.at = h.clock.at.Add(auth.AnswerLife)
		if act(jane, "k", "a"); done != was+1 {
			t.Error("an answer is kept for ever")
		}
	})
}
