package intake_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// inSet is where a forwarded SET stands in the one that it came in.
const inSet = "/claims/events/urn:cipgate:event:forwarded:v1/set"

// wrap is author n's forwarded SET of what it got, changed as a case wants it.
func wrap(tb testing.TB, n int, jti, set string, changes ...func(*statement.Forwarded, *envelope.Draft)) string {
	tb.Helper()
	by := ledgertest.NewAuthor(tb, n)
	event := statement.Forwarded{ReceivedAt: ledgertest.Noon, Set: set}
	draft := envelope.Draft{Issuer: by.Entity, Audience: ledgertest.Gateway, IssuedAt: ledgertest.Noon, JTI: jti,
		EventURI: statement.KindForwarded.URI()}
	for _, change := range changes {
		change(&event, &draft)
	}
	draft.Event = event
	return string(by.Sign(tb, draft).Raw())
}

// stated is author n's attestation number i, changed as a case wants it.
func stated(tb testing.TB, n, i int, changes ...func(*envelope.Draft)) string {
	tb.Helper()
	by := ledgertest.NewAuthor(tb, n)
	draft := by.Draft(i)
	for _, change := range changes {
		change(&draft)
	}
	return string(by.Sign(tb, draft).Raw())
}

// through says what a SET came through.
func through(numbers ...int) func(*statement.Forwarded, *envelope.Draft) {
	return func(f *statement.Forwarded, _ *envelope.Draft) {
		for _, n := range numbers {
			f.Path = append(f.Path, author(n))
		}
	}
}

func author(n int) envelope.Entity {
	return envelope.Entity("https://reseller-" + string(rune('0'+n)) + ".example")
}

// threeHops is a road on which a SET may be forwarded three times.
func threeHops(tb testing.TB, store string) *intake.Road {
	tb.Helper()
	road := newRoad(tb, store, 0)
	road.Content.MaxPathLength = intake.Hops{Most: 3, Source: "a test"}
	return road
}

func TestWhatIsForwardedStandsWithWhatItCameIn(t *testing.T) {
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			road := threeHops(t, store)
			road.Verifying = semaphore.NewWeighted(1) // whoever waited for a second turn inside the first would wait for ever
			inner := stated(t, 4, 1, func(d *envelope.Draft) { d.Audience = author(3) })
			once := wrap(t, 3, "a", inner, through(4), func(_ *statement.Forwarded, d *envelope.Draft) { d.Audience = author(2) })
			twice := wrap(t, 2, "b", once, through(4, 3))
			thrice := wrap(t, 1, "c", twice)
			receipt, err := road.Accept(t.Context(), []byte(thrice))
			if err != nil {
				t.Fatal(err)
			}
			log := road.Ledger.(*ledger.Ledger)
			if receipt.LeafIndex != 0 || receipt.Duplicate || receipt.Digest != envelope.DigestOf([]byte(thrice)) {
				t.Errorf("the receipt is the outer one's: %+v", receipt)
			}
			for i, c := range []struct {
				token string
				by    envelope.Entity
				kind  statement.Kind
			}{{thrice, author(1), statement.KindForwarded}, {twice, author(2), statement.KindForwarded}, {once, author(3), statement.KindForwarded}, {inner, author(4), statement.KindCIPAttestation}} {
				raw, at, err := log.Raw(t.Context(), envelope.DigestOf([]byte(c.token)))
				if err != nil || string(raw) != c.token || at.LeafIndex != int64(i) || !at.AcceptedAt.Equal(receipt.AcceptedAt) {
					t.Errorf("entry %d: %+v, %v", i, at, err)
				}
				about, err := log.About(t.Context(), c.by.ID(), 0, 10)
				if err != nil || len(about) != 1 || about[0].Statement.Kind() != c.kind || about[0].By != c.by {
					t.Errorf("about %s: %+v, %v", c.by, about, err)
				}
			}
			// The issuer pushes the same itself, and it comes another way: each time the same statement.
			own := stated(t, 4, 1, func(d *envelope.Draft) { d.Audience, d.IssuedAt = author(3), ledgertest.Noon.Add(-time.Hour) })
			again, err := road.Accept(t.Context(), []byte(wrap(t, 3, "d", own)))
			if size, _ := log.Size(t.Context()); err != nil || again.Duplicate || size != 5 {
				t.Errorf("another way: %+v, %d entries, %v", again, size, err)
			}
		})
	}
}

func TestASubordinateMayPushWhatItsSuperiorForwards(t *testing.T) {
	road := threeHops(t, "sqlite")
	inner := stated(t, 2, 1)
	first, err := road.Accept(t.Context(), []byte(inner))
	if err != nil {
		t.Fatal(err)
	}
	outer, err := road.Accept(t.Context(), []byte(wrap(t, 1, "a", inner)))
	if err != nil || outer.LeafIndex != first.LeafIndex+1 || outer.Duplicate {
		t.Errorf("%+v, %v", outer, err)
	}
	again, err := road.Accept(t.Context(), []byte(inner))
	if err != nil || !again.Duplicate || again.LeafIndex != first.LeafIndex {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestWhatIsForwardedIsRefusedForWhatIsInside asks both the push and the dry run; each names the place in the outer token.
func TestWhatIsForwardedIsRefusedForWhatIsInside(t *testing.T) {
	good := stated(t, 2, 1)
	parts := strings.Split(good, ".")
	road := threeHops(t, "sqlite")
	for i, c := range []struct {
		name, token string
		reason      error
		pointer     string // after inSet, unless it begins with @
		says        string
	}{
		{"no token", wrap(t, 1, "a", "e30.e30.AA"), envelope.ErrMalformed, "/header/typ", "secevent+jwt"},
		{"an altered signature", wrap(t, 1, "a", parts[0]+"."+parts[1]+"."+strings.Repeat("A", 86)), envelope.ErrSignature, "/signature", "does not"},
		{"a key of another", wrap(t, 1, "a", string(ledgertest.NewAuthor(t, 3).Sign(t, ledgertest.NewAuthor(t, 2).Draft(1)).Raw())), envelope.ErrKey, "/header/kid", "enrolled"},
		{"of one that is below another", wrap(t, 1, "a", stated(t, 3, 1)), intake.ErrIssuer, "/claims/iss", "superior"},
		{"of one that is above", wrap(t, 2, "a", stated(t, 1, 1)), intake.ErrIssuer, "/claims/iss", "superior"},
		{"of a stranger", wrap(t, 1, "a", string(ledgertest.NewAuthor(t, 99).State(t, 1).Raw())), intake.ErrIssuer, "/claims/iss", "superior"},
		{"of itself", wrap(t, 1, "a", stated(t, 1, 1)), intake.ErrIssuer, "/claims/iss", "superior"},
		{"meant for a third", wrap(t, 1, "a", stated(t, 2, 1, func(d *envelope.Draft) { d.Audience = "https://other.example" })),
			envelope.ErrAudience, "/claims/aud", string(ledgertest.Gateway)},
		{"too old", wrap(t, 1, "a", stated(t, 2, 1, func(d *envelope.Draft) { d.IssuedAt = ledgertest.Noon.Add(-25 * time.Hour) })),
			envelope.ErrMalformed, "/claims/iat", ""},
		{"received before it was signed", wrap(t, 1, "a", good, func(f *statement.Forwarded, _ *envelope.Draft) { f.ReceivedAt = ledgertest.Noon.Add(-2 * time.Minute) }),
			envelope.ErrMalformed, "/claims/iat", "received_at"},
		{"a statement of the gateway's kind", wrap(t, 1, "a", stated(t, 2, 1, func(d *envelope.Draft) { d.EventURI = statement.KindStandingChanged.URI() })),
			intake.ErrMayNot, "/claims/events", "a reseller states"},
		{"an event that nobody knows", wrap(t, 1, "a", stated(t, 2, 1, func(d *envelope.Draft) { d.EventURI = "urn:example:x" })),
			envelope.ErrMalformed, "/claims/events", "knows"},
		{"a statement of another form", wrap(t, 1, "a", stated(t, 2, 1, func(d *envelope.Draft) { d.EventURI = statement.KindAccountStatus.URI() })),
			envelope.ErrMalformed, "/claims/sub_id", "customer"},
		{"what the policy does not take", wrap(t, 1, "a", stated(t, 2, 1, named)),
			envelope.ErrMalformed, "/claims/events/urn:cipgate:event:customer-verification:v1/identity", "no names"},
		{"sealed", wrap(t, 1, "a", "", func(f *statement.Forwarded, _ *envelope.Draft) { f.JWE = "e30.AA.AA.AA.AA" }),
			envelope.ErrMalformed, "@/claims/events/urn:cipgate:event:forwarded:v1/jwe", "publishes no key"},
		{"a path that the signatures do not show", wrap(t, 1, "a", good, through(3, 2)),
			envelope.ErrMalformed, "@/claims/events/urn:cipgate:event:forwarded:v1/path", "innermost"},
		{"a path inside that the signatures do not show", wrap(t, 1, "a", wrap(t, 2, "b", stated(t, 3, 1), through(2)), through(3, 2)),
			envelope.ErrMalformed, "/claims/events/urn:cipgate:event:forwarded:v1/path", "innermost"},
		{"wrapped four times", wrap(t, 1, "a", wrap(t, 2, "a", wrap(t, 3, "a", wrap(t, 4, "a", stated(t, 5, 1))))),
			envelope.ErrMalformed, inSet + inSet + inSet, "3 times at most"},
		{"over 64 KiB", wrap(t, 1, "a", good+strings.Repeat("A", 64<<10)), envelope.ErrMalformed, "@" + inSet, "65536"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pointer, inOuter := strings.CutPrefix(c.pointer, "@")
			if !inOuter {
				pointer = inSet + pointer
			}
			_, err := road.Accept(t.Context(), []byte(c.token))
			refusal := (*envelope.Fault)(nil)
			if !errors.As(err, &refusal) || !errors.Is(err, c.reason) || refusal.Pointer != pointer || !strings.Contains(err.Error(), c.says) {
				t.Errorf("pushed: %v", err)
			}
			outcomes := take(t, road, [][]byte{[]byte(stated(t, 1, 2*i)), []byte(c.token), []byte(stated(t, 1, 2*i+1))})
			if outcomes[0].Err != nil || outcomes[2].Err != nil || outcomes[1].Err == nil || outcomes[1].Err.Error() != err.Error() {
				t.Errorf("in a stream: %+v", outcomes)
			}
			found, dryErr := road.Inspect(t.Context(), []byte(c.token))
			same := func(p envelope.Problem) bool {
				return p.Pointer == pointer && errors.Is(p.Reason, c.reason) && p.Source != ""
			}
			if dryErr != nil || !slices.ContainsFunc(found.Problems, same) || found.Entry.Statement != nil {
				t.Errorf("in a dry run: %v, %v", found.Problems, dryErr)
			}
			if size, err := road.Ledger.(*ledger.Ledger).Size(t.Context()); err != nil || size != int64(2*i+2) {
				t.Errorf("the ledger has %d entries, %v", size, err)
			}
		})
	}
}

// named makes a draft a verification that names the person.
func named(d *envelope.Draft) {
	d.EventURI, d.Subject = statement.KindCustomerVerification.URI(), envelope.Subject{Format: "opaque", ID: "customer-1"}
	d.Event = rawJSON(strings.Replace(string(statement.Example(statement.KindCustomerVerification)), "{", `{"identity":{"name":"Ana Secret"},`, 1))
}

type rawJSON string

// MarshalJSON writes it as it is.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func TestATwinInsideRefusesWhatItCameInAndIsNamed(t *testing.T) {
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			road := threeHops(t, store)
			first := stated(t, 3, 1)
			twin := stated(t, 3, 1, func(d *envelope.Draft) { d.Event = ledgertest.NewAuthor(t, 3).Draft(2).Event })
			if _, err := road.Accept(t.Context(), []byte(first)); err != nil {
				t.Fatal(err)
			}
			token := []byte(wrap(t, 1, "a", wrap(t, 2, "b", twin)))
			_, err := road.Accept(t.Context(), token)
			refusal := (*envelope.Fault)(nil)
			if !errors.Is(err, ledger.ErrTwin) || !errors.As(err, &refusal) || refusal.Pointer != inSet+inSet+"/claims/jti" {
				t.Errorf("pushed: %v", err)
			}
			found, dryErr := road.Inspect(t.Context(), token)
			if dryErr != nil || len(found.Problems) != 1 || found.Problems[0].Error() != err.Error() {
				t.Errorf("in a dry run: %v, %v", found.Problems, dryErr)
			}
			got := take(t, road, [][]byte{[]byte(wrap(t, 2, "c", stated(t, 3, 5))), token, []byte(wrap(t, 2, "d", stated(t, 3, 5)))})
			if got[0].Err != nil || got[2].Err != nil || got[0].Receipt.LeafIndex != 1 || got[2].Receipt.LeafIndex != 3 || got[0].JTI != "c" || got[2].JTI != "d" {
				t.Errorf("beside it in a stream: %+v, %+v", got[0], got[2])
			}
			if got[1].Err == nil || got[1].Err.Error() != err.Error() {
				t.Errorf("in a stream: %v", got[1].Err)
			}
			if size, err := road.Ledger.(*ledger.Ledger).Size(t.Context()); err != nil || size != 4 {
				t.Errorf("the ledger has %d entries, %v", size, err)
			}
		})
	}
}

// TestADryRunNamesAllThatIsWrongInside holds that one look shows everything, and that it shows nothing of another's keys to whoever
// cannot sign.
func TestADryRunNamesAllThatIsWrongInside(t *testing.T) {
	road := threeHops(t, "sqlite")
	token := wrap(t, 1, "a", stated(t, 2, 1, named, func(d *envelope.Draft) {
		d.IssuedAt, d.Audience = ledgertest.Noon.Add(-25*time.Hour), "https://other.example"
	}), through(3))
	found, err := road.Inspect(t.Context(), []byte(token))
	var got []string
	for _, p := range found.Problems {
		got = append(got, strings.TrimPrefix(p.Pointer, "/claims/events/urn:cipgate:event:forwarded:v1"))
	}
	wanted := "/set/claims/aud /set/claims/iat /set/claims/events/urn:cipgate:event:customer-verification:v1/identity /path"
	if err != nil || strings.Join(got, " ") != wanted {
		t.Errorf("got  %s, %v\nwant %s", strings.Join(got, " "), err, wanted)
	}

	good := stated(t, 2, 1)
	for name, inner := range map[string]string{"one right below": good, "one that nobody signed": good[:len(good)-86] + strings.Repeat("A", 86),
		"one below another": stated(t, 3, 1), "a stranger's": string(ledgertest.NewAuthor(t, 99).State(t, 1).Raw())} {
		claims := `{"iss":"https://reseller-1.example","aud":"` + string(ledgertest.Gateway) + `","iat":` + strconv.FormatInt(ledgertest.Noon.Unix(), 10) + `,"jti":"x","events":{"` + statement.KindForwarded.URI() +
			`":{"received_at":"2026-07-01T12:00:00Z","set":"` + inner + `"}}}`
		unsigned, err := road.InspectClaims(t.Context(), []byte(claims))
		if err != nil || len(unsigned.Problems) != 0 {
			t.Errorf("%s, to a stranger: %v, %v", name, unsigned.Problems, err)
		}
	}
}

func TestWhatIsForwardedTakesOfTheRateOfWhoForwards(t *testing.T) {
	road := threeHops(t, "sqlite")
	road.Rates = intake.NewRates(0.001, 1)
	if _, err := road.Accept(t.Context(), []byte(wrap(t, 1, "a", stated(t, 2, 1)))); err != nil {
		t.Fatal(err)
	}
	if _, err := road.Accept(t.Context(), []byte(wrap(t, 1, "b", stated(t, 2, 2)))); !errors.Is(err, intake.ErrRate) {
		t.Errorf("the second of who forwards: %v", err)
	}
	if _, err := road.Accept(t.Context(), []byte(stated(t, 2, 3))); err != nil {
		t.Errorf("the first of who was forwarded: %v", err)
	}
}
