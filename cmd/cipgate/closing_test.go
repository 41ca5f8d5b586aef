package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// closed is the event of an account that closes, as the integrator's guide writes it.
const closed = `{"account":"account-12","status":"closed","on":"2026-02-10","reason":"customer-request"}`

// customer returns a forge of an event about one customer, with a jti of its own.
func (f forge) customer(id string, kind statement.Kind, event string) forge {
	return f.with("claims", "events", map[string]any{kind.URI(): jsontext.Value(event)}).
		with("claims", "sub_id", map[string]any{"format": "opaque", "id": id}).with("claims", "jti", uuid.NewString())
}

func (f forge) closes(id string) forge { return f.customer(id, statement.KindAccountStatus, closed) }

func (f forge) opens(id string) forge {
	return f.customer(id, statement.KindAccountStatus, `{"account":"account-12","status":"opened","on":"2026-02-10","products":["storage"],"plan":"paid"}`)
}

func (f forge) verifies(id string) forge {
	return f.customer(id, statement.KindCustomerVerification, string(statement.Example(statement.KindCustomerVerification)))
}

// pushes sends a token, and returns the status and what is said.
func (g *gateway) pushes(f forge) (int, string) {
	g.t.Helper()
	response, text := g.do(http.MethodPost, "/events", asSET, []byte(f.signed()))
	return response.StatusCode, text
}

func TestAnAccountOfAnUnknownCustomerClosesOnNoRoad(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		good := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		stranger := newForge(t, g.enrol("Another Cloud GmbH"), g.clock.Now())
		if status, text := g.pushes(stranger.verifies("c-secret-1")); status != http.StatusAccepted { // another's customer of the same id
			t.Fatalf("%d %s", status, text)
		}
		g.settled()
		size := g.size()
		closing := good.closes("c-secret-1")
		status, pushed := g.pushes(closing)
		for _, says := range []string{`"err":"invalid_request"`, "/claims/sub_id/id: wanted a customer", "customer-verification", "account-status"} {
			if status != http.StatusBadRequest || !strings.Contains(pushed, says) {
				t.Errorf("pushed: %d, without %q: %s", status, says, pushed)
			}
		}
		verdict := g.validate(asSET, closing.signed())
		if len(verdict.Problems) != 1 || verdict.Accepted || verdict.Problems[0].Pointer != "/claims/sub_id/id" || verdict.Problems[0].Code != "invalid_request" ||
			!strings.Contains(verdict.Problems[0].Source, "/docs/decisions/closing-the-unknown") || verdict.Effect.Standing != nil {
			t.Errorf("dry run: %+v", verdict)
		}
		if response, text := g.do(http.MethodGet, "/docs/decisions/closing-the-unknown", nil, nil); response.StatusCode != http.StatusOK || !strings.Contains(text, "closed") {
			t.Errorf("where the source leads: %d", response.StatusCode)
		}
		if both := g.validate(asSET, closing.with("claims", "exp", g.clock.Now().Unix()).signed()); len(both.Problems) != 2 {
			t.Errorf("with another fault beside it: %+v", both.Problems)
		}
		if unsigned := g.validate(asClaims, string(closing.marshal(closing.claims))); len(unsigned.Problems) != 0 {
			t.Errorf("a stranger is told whose customers are known: %+v", unsigned.Problems)
		}
		if strings.Contains(pushed, "c-secret-1") || strings.Contains(fmt.Sprint(verdict), "c-secret-1") {
			t.Error("the customer's id is repeated")
		}
		if g.size() != size {
			t.Errorf("%d entries more", g.size()-size)
		}

		// What to do is done, and then the very same token is taken, and again.
		if status, text := g.pushes(good.opens("c-secret-1")); status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		if verdict := g.validate(asSET, closing.signed()); !verdict.Accepted {
			t.Errorf("dry run after the opening: %+v", verdict.Problems)
		}
		for range 2 {
			if status, text := g.pushes(closing); status != http.StatusAccepted {
				t.Errorf("after the opening: %d %s", status, text)
			}
		}
	})
}

func TestInAStreamTheOpeningCountsForTheLinesAfterItAndACorrectionIntroducesNobody(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		good := newForge(t, g.enrol("Example Cloud GmbH"), g.clock.Now())
		opening, verified := good.opens("c-2"), good.verifies("c-1")
		wrong := good.customer("c-4", statement.KindCustomerVerification, `{}`)
		twin := good.verifies("c-5").with("claims", "jti", opening.jti())
		corrects := func(id string) forge {
			return good.customer(id, statement.KindAccountStatus, strings.Replace(closed, "{", `{"supersedes":"`+opening.jti()+`",`, 1))
		}
		var body strings.Builder
		var want []string
		for _, line := range []struct {
			f    forge
			want string
		}{
			{good.closes("c-1"), events.Refused}, {verified, events.Accepted}, {good.closes("c-1"), events.Accepted},
			{good.closes("c-2"), events.Refused}, {opening, events.Accepted}, {good.closes("c-2"), events.Accepted},
			{corrects("c-3"), events.Refused}, {corrects("c-2"), events.Accepted},
			{wrong, events.Refused}, {good.closes("c-4"), events.Refused},
			{twin, events.Refused}, {good.closes("c-5"), events.Refused},
			{opening, events.Duplicate}, {good.closes("c-2"), events.Accepted},
		} {
			body.WriteString(line.f.signed() + "\n")
			want = append(want, line.want)
		}
		response, text := g.do(http.MethodPost, "/events/bulk", http.Header{"Content-Type": {events.BulkMediaType}}, []byte(body.String()))
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if response.StatusCode != http.StatusOK || len(lines) != len(want) {
			t.Fatalf("%d, %d lines of %d", response.StatusCode, len(lines), len(want))
		}
		for i, line := range lines {
			var got events.BulkLine
			if err := json.Unmarshal([]byte(line), &got); err != nil || got.Status != want[i] {
				t.Errorf("line %d: %s, wanted %s: %s, %v", i, got.Status, want[i], got.Description, err)
			}
		}
		// Of what was refused nothing is known, and what was taken shows as it was stated.
		g.settled()
		for _, id := range []string{"c-3", "c-4", "c-5"} {
			if status, text := g.pushes(good.closes(id)); status != http.StatusBadRequest {
				t.Errorf("%s: %d %s", id, status, text)
			}
		}
		if status, text := g.pushes(good.closes("c-1")); status != http.StatusAccepted {
			t.Errorf("folded: %d %s", status, text)
		}
	})
}

// A receipt of one gateway counts at the other at once, whatever either has folded.
func TestOfTwoGatewaysEachKnowsWhomTheOtherWasTold(t *testing.T) {
	t.Parallel()
	database := migrationstest.URL(t, "postgres")
	first := startGateway(t, database, nil)
	good := newForge(t, first.enrol("Example Cloud GmbH"), first.clock.Now())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := first.config
	config.Data, config.Listen = t.TempDir(), listener.Addr().String()
	if err := os.CopyFS(config.Data, os.DirFS(first.config.Data)); err != nil {
		t.Fatal(err)
	}
	second := serveGateway(t, config, listener)
	second.base = "http://" + config.Listen
	for i := range 20 {
		told, asked := first, second
		if i%2 == 1 {
			told, asked = second, first
		}
		id := fmt.Sprint("c-", i)
		if status, text := asked.pushes(good.closes(id)); status != http.StatusBadRequest {
			t.Fatalf("%s, of whom nothing was stated: %d %s", id, status, text)
		}
		if status, text := told.pushes(good.opens(id)); status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		if status, text := asked.pushes(good.closes(id)); status != http.StatusAccepted {
			t.Fatalf("%s, opened at the other gateway: %d %s", id, status, text)
		}
	}
}
