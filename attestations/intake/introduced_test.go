package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// readers answers who was introduced by reading the whole ledger each time, as nobody would who has to answer quickly.
type readers struct {
	*ledger.Ledger
	from  int64 // what stands before it is of no run of now
	asked int
}

func (r *readers) Introduced(ctx context.Context, of envelope.Entity, ids []string) (map[string]bool, error) {
	r.asked++
	entries, err := r.About(ctx, of.ID(), r.from, 100_000)
	found := map[string]bool{}
	for _, e := range entries {
		if slices.Contains(ids, e.Customer) && statement.Introduces(e.Statement.Kind()) {
			found[e.Customer] = true
		}
	}
	return found, err
}

// asking is a road that asks who was introduced.
func asking(tb testing.TB, store string) (*intake.Road, *readers) {
	tb.Helper()
	road := threeHops(tb, store)
	of := &readers{Ledger: road.Ledger.(*ledger.Ledger)}
	road.Customers = of
	return road, of
}

// ofCustomer is what author n says of a customer.
func ofCustomer(tb testing.TB, n int, jti, customer string, said statement.Statement) string {
	tb.Helper()
	return stated(tb, n, 0, func(d *envelope.Draft) {
		d.JTI, d.EventURI, d.Event = jti, said.Kind().URI(), said
		d.Subject = envelope.Subject{Format: "opaque", ID: customer}
	})
}

func account(status string) statement.AccountStatus {
	said := statement.AccountStatus{Account: "a-1", Status: status, On: statement.DateOf(ledgertest.Noon)}
	switch status {
	case "opened":
		said.Products, said.Plan = []string{"storage"}, "trial"
	case "closed", "limited":
		said.Reason = "customer-request"
	}
	return said
}

func notVerified() statement.CustomerVerification {
	return statement.CustomerVerification{Party: "customer", Form: "entity", Result: "not-verified", CheckedOn: statement.DateOf(ledgertest.Noon),
		RiskTier: "high", Actions: []string{"limited-use"}}
}

func ownerOf() statement.CustomerVerification {
	said := notVerified()
	said.Party, said.Owner = "owner", &statement.Owner{ID: "o-1", Basis: "control"}
	return said
}

func suspicion() statement.SuspiciousActivity {
	return statement.SuspiciousActivity{Certainty: "actual", DiscoveredAt: ledgertest.Noon, ObservedFrom: ledgertest.Noon, Categories: []string{"integrity"}, Description: "Scans.", Audience: "provider"}
}

// The push and the dry run of a closing agree, on both stores, whatever came before it.
func TestAnAccountClosesOnlyOfACustomerThatWasStatedBefore(t *testing.T) {
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			road, _ := asking(t, store)
			superseding := account("closed")
			superseding.Supersedes = "opening-of-another"
			for i, c := range []struct {
				name   string
				before func(customer string) []string
				closes statement.Statement
				taken  bool
			}{
				{"nothing before", func(string) []string { return nil }, account("closed"), false},
				{"a verification", func(c string) []string { return []string{ofCustomer(t, 1, c+"-v", c, notVerified())} }, account("closed"), true},
				{"a verification of an owner", func(c string) []string { return []string{ofCustomer(t, 1, c+"-o", c, ownerOf())} }, account("closed"), true},
				{"the account opened", func(c string) []string { return []string{ofCustomer(t, 1, c+"-a", c, account("opened"))} }, account("closed"), true},
				{"the account was limited", func(c string) []string { return []string{ofCustomer(t, 1, c+"-a", c, account("limited"))} }, account("closed"), true},
				{"the account was used", func(c string) []string { return []string{ofCustomer(t, 1, c+"-a", c, account("last-accessed"))} }, account("closed"), true},
				{"a report that names it", func(c string) []string { return []string{ofCustomer(t, 1, c+"-s", c, suspicion())} }, account("closed"), false},
				{"another reseller's customer of the same id", func(c string) []string { return []string{ofCustomer(t, 2, c+"-v", c, notVerified())} }, account("closed"), false},
				{"another customer, whose opening it corrects", func(c string) []string {
					return []string{ofCustomer(t, 1, "opening-of-another", c+"-another", account("opened"))}
				}, superseding, false},
				{"forwarded by its superior", func(c string) []string {
					return []string{wrap(t, 1, c+"-w", ofCustomer(t, 2, c+"-v", c, notVerified()))}
				}, account("closed"), false}, // author 1 forwarded it, and stated nothing itself
			} {
				customer := fmt.Sprint("c-", i)
				for _, token := range c.before(customer) {
					if _, err := road.Accept(t.Context(), []byte(token)); err != nil {
						t.Fatalf("%s: %v", c.name, err)
					}
				}
				token := ofCustomer(t, 1, customer+"-closed", customer, c.closes)
				size, _ := road.Ledger.(*ledger.Ledger).Size(t.Context())
				found, err := road.Inspect(t.Context(), []byte(token))
				if err != nil || (len(found.Problems) == 0) != c.taken {
					t.Errorf("%s: the dry run finds %v, %v", c.name, found.Problems, err)
				}
				receipt, err := road.Accept(t.Context(), []byte(token))
				fault := (*envelope.Fault)(nil)
				switch {
				case c.taken && (err != nil || receipt.Duplicate):
					t.Errorf("%s: %+v, %v", c.name, receipt, err)
				case c.taken:
					again, err := road.Accept(t.Context(), []byte(token))
					if err != nil || again.LeafIndex != receipt.LeafIndex || !again.Duplicate {
						t.Errorf("%s, sent again: %+v, %v", c.name, again, err)
					}
				case !errors.As(err, &fault) || fault.Pointer != "/claims/sub_id/id" || strings.Contains(err.Error(), customer):
					t.Errorf("%s: %v", c.name, err)
				default:
					if after, _ := road.Ledger.(*ledger.Ledger).Size(t.Context()); after != size {
						t.Errorf("%s: refused, and %d entries more", c.name, after-size)
					}
					if p := found.Problems[0]; len(found.Problems) != 1 || p.Error() != fault.Error() || p.Source == "" {
						t.Errorf("%s: the dry run says %v of %v", c.name, found.Problems, fault)
					}
				}
			}
		})
	}
}

func TestAClosingThatIsForwardedIsHeldAgainstWhatItsIssuerStated(t *testing.T) {
	road, _ := asking(t, "sqlite")
	closing := wrap(t, 1, "w-1", wrap(t, 2, "w-2", ofCustomer(t, 3, "closed", "c", account("closed"))))
	at := inSet + inSet + "/claims/sub_id/id"
	for _, by := range []int{1, 2} { // those above it know a customer of the same id
		if _, err := road.Accept(t.Context(), []byte(ofCustomer(t, by, "v", "c", notVerified()))); err != nil {
			t.Fatal(err)
		}
	}
	fault := (*envelope.Fault)(nil)
	if _, err := road.Accept(t.Context(), []byte(closing)); !errors.As(err, &fault) || fault.Pointer != at {
		t.Errorf("%v", err)
	}
	if found, err := road.Inspect(t.Context(), []byte(closing)); err != nil || len(found.Problems) != 1 || found.Problems[0].Pointer != at {
		t.Errorf("%+v, %v", found.Problems, err)
	}
	if _, err := road.Accept(t.Context(), []byte(wrap(t, 2, "w-3", ofCustomer(t, 3, "v", "c", notVerified())))); err != nil {
		t.Fatal(err)
	}
	if found, err := road.Inspect(t.Context(), []byte(closing)); err != nil || len(found.Problems) != 0 {
		t.Errorf("%+v, %v", found.Problems, err)
	}
	if _, err := road.Accept(t.Context(), []byte(closing)); err != nil {
		t.Error(err)
	}
}

func TestWhoCannotSignIsNotToldWhoseCustomersAreKnownAndOnlyAClosingAsks(t *testing.T) {
	road, of := asking(t, "sqlite")
	closing := ofCustomer(t, 1, "closed", "c", account("closed"))
	forged := closing[:strings.LastIndex(closing, ".")+1] + strings.Repeat("A", 86)
	for name, look := range map[string]func() (intake.Inspection, error){
		"a bad signature": func() (intake.Inspection, error) { return road.Inspect(t.Context(), []byte(forged)) },
		"a bad signature inside": func() (intake.Inspection, error) {
			return road.Inspect(t.Context(), []byte(wrap(t, 0, "w", forged)))
		},
		"unsigned claims": func() (intake.Inspection, error) {
			return road.InspectClaims(t.Context(), []byte(`{"iss":"https://reseller-1.example","aud":"`+string(ledgertest.Gateway)+`","iat":`+fmt.Sprint(ledgertest.Noon.Unix())+
				`,"jti":"x","sub_id":{"format":"opaque","id":"c"},"events":{"urn:cipgate:event:account-status:v1":{"account":"a","status":"closed","on":"2026-07-01","reason":"other"}}}`))
		},
	} {
		found, err := look()
		if err != nil || slices.ContainsFunc(found.Problems, func(p envelope.Problem) bool { return strings.HasSuffix(p.Pointer, "/claims/sub_id/id") }) {
			t.Errorf("%s: %v, %v", name, found.Problems, err)
		}
	}
	for i, said := range []statement.Statement{notVerified(), account("opened"), account("limited"), account("last-accessed"), suspicion()} {
		if _, err := road.Accept(t.Context(), []byte(ofCustomer(t, 1, fmt.Sprint("said-", i), "c", said))); err != nil {
			t.Fatal(err)
		}
	}
	if of.asked != 0 {
		t.Errorf("%d lookups, and no account that closes", of.asked)
	}
}

// Whatever stands in a stream, and however it falls into groups: a closing is taken exactly if its customer was introduced by
// something that was taken before it.
func TestInAStreamALineCountsForTheLinesAfterIt(t *testing.T) {
	road, of := asking(t, "sqlite")
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		of.from, _ = of.Size(t.Context())
		known, twins := map[string]bool{}, map[string]bool{}
		var lines [][]byte
		var want []bool
		for i := range rapid.IntRange(1, 12).Draw(rt, "lines") {
			n, id := rapid.IntRange(1, 2).Draw(rt, "author"), rapid.IntRange(0, 3).Draw(rt, "customer")
			customer, jti := fmt.Sprintf("%d-%d", run, id), fmt.Sprintf("%d-%d", run, i)
			who := fmt.Sprint(n, customer)
			said := rapid.SampledFrom([]statement.Statement{account("closed"), account("closed"), account("closed"), account("opened"), account("limited"), notVerified(), suspicion()}).Draw(rt, "said")
			taken := true
			switch kind := rapid.SampledFrom([]string{"plain", "plain", "plain", "twin", "malformed"}).Draw(rt, "kind"); {
			case kind == "twin" && i > 0: // of a jti that was taken for something else, so it introduces nobody
				jti, taken = fmt.Sprintf("%d-twin", run), false
				if !twins[fmt.Sprint(n)] {
					twins[fmt.Sprint(n)] = true
					lines, want = append(lines, []byte(stated(t, n, 0, func(d *envelope.Draft) { d.JTI = jti }))), append(want, true)
				}
			case kind == "malformed":
				said, taken = statement.AccountStatus{Account: "a-1", Status: "limited", On: statement.DateOf(ledgertest.Noon)}, false
			}
			token := []byte(ofCustomer(t, n, jti, customer, said))
			if statement.Presumes(said) && !known[who] {
				taken = false
			}
			if taken && statement.Introduces(said.Kind()) {
				known[who] = true
			}
			lines, want = append(lines, token), append(want, taken)
		}
		for i, outcome := range take(t, road, lines) {
			if (outcome.Err == nil) != want[i] {
				rt.Fatalf("line %d: wanted it taken %t, got %v: %s", i, want[i], outcome.Err, lines[i])
			}
		}
	})
}

// failing cannot answer.
type failing struct{}

func (failing) Introduced(context.Context, envelope.Entity, []string) (map[string]bool, error) {
	return nil, intake.ErrBusy
}

func TestWhereNobodyCanSayWhoWasStatedAClosingIsNotTakenAndTheOthersAre(t *testing.T) {
	road, _ := asking(t, "sqlite")
	road.Customers = failing{}
	closing := ofCustomer(t, 1, "closed", "c", account("closed"))
	if _, err := road.Accept(t.Context(), []byte(closing)); !errors.Is(err, intake.ErrBusy) {
		t.Errorf("pushed: %v", err)
	}
	if _, err := road.Inspect(t.Context(), []byte(closing)); !errors.Is(err, intake.ErrBusy) {
		t.Errorf("dry run: %v", err)
	}
	if got := take(t, road, [][]byte{[]byte(closing)}); !errors.Is(got[0].Err, intake.ErrBusy) {
		t.Errorf("streamed: %v", got[0].Err)
	}
	if got := take(t, road, [][]byte{[]byte(ofCustomer(t, 1, "v", "c", notVerified()))}); got[0].Err != nil {
		t.Errorf("of no closing: %v", got[0].Err)
	}
}
