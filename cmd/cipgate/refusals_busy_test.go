package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// Somebody else's flood keeps every processor that checks signatures: who waited long enough is told to come again, and what it sent
// stands once it does.
func TestWhoWaitsTooLongForItsSignatureToBeCheckedIsAnswered503(t *testing.T) {
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		f := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		g.settled()
		g.road.Patience = time.Millisecond // nothing was pushed yet
		if err := g.road.Verifying.Acquire(t.Context(), verifyingAtOnce()); err != nil {
			t.Fatal(err)
		}
		size := g.size()
		token := f.signed()
		got := g.ask(token)
		if got.status != http.StatusServiceUnavailable || got.wait < 1 || !strings.Contains(got.text, `"err":"temporarily_unavailable"`) ||
			!strings.Contains(got.text, "too many submissions are being verified at this moment: this one waited 1ms for its turn. Send the same again in 1s") || strings.Contains(got.text, "deadline") {
			t.Errorf("%+v", got)
		}
		if response, text := g.do(http.MethodPost, "/events/validate", asSET, []byte(token)); response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
			t.Errorf("a dry run: %d %s", response.StatusCode, text)
		}
		line := f.with("claims", "jti", uuid.NewString()).signed()
		if response, text := g.do(http.MethodPost, "/events/bulk", http.Header{"Content-Type": {"application/x-ndjson"}}, []byte(line+"\n")); response.StatusCode != http.StatusOK || !strings.Contains(text, `"status":"refused"`) || !strings.Contains(text, `"err":"temporarily_unavailable"`) {
			t.Errorf("in a stream: %d %s", response.StatusCode, text)
		}
		// A stranger is told no more than that.
		forged := token[:len(token)-86] + encode(make([]byte, 64))
		if got := g.ask(forged); got.status != http.StatusServiceUnavailable {
			t.Errorf("a stranger: %+v", got)
		}
		if g.size() != size {
			t.Errorf("the ledger grew from %d to %d", size, g.size())
		}
		g.road.Verifying.Release(verifyingAtOnce())
		if got := g.ask(token); got.status != http.StatusAccepted || got.location != "/receipts/"+envelope.DigestOf([]byte(token)).String() {
			t.Errorf("sent again: %+v", got)
		}
	})
}
