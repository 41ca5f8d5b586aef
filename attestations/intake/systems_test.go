package intake_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// anySystem lets every system confirm everything, and notes that it was asked.
type anySystem struct{ asked int }

func (a *anySystem) MayConfirm(context.Context, envelope.Entity, envelope.Entity, string) error {
	a.asked++
	return nil
}

// Whatever the provider's systems may: a reseller speaks of itself alone, on every road in.
func TestAResellerConfirmsNoOrderOfAnother(t *testing.T) {
	for _, systems := range []*anySystem{nil, {}} {
		road := threeHops(t, migrationstest.Stores[0])
		if systems != nil {
			road.Systems = systems
		}
		confirmation := func(subject envelope.Subject) string {
			return stated(t, 4, 1, func(d *envelope.Draft) {
				said := statement.OrderConfirmation{Order: "order", Outcome: "done", On: statement.DateOf(ledgertest.Noon)}
				d.JTI, d.EventURI, d.Event, d.Subject = "about-"+subject.URI, said.Kind().URI(), said, subject
			})
		}
		another := envelope.Subject{Format: "uri", URI: string(author(3))}
		refused := func(way, at string, err error) {
			t.Helper()
			var fault *envelope.Fault
			if !errors.As(err, &fault) || !errors.Is(fault.Reason, envelope.ErrMalformed) || fault.Pointer != at+"/claims/sub_id" || !strings.Contains(fault.Fix, "Leave sub_id out") {
				t.Errorf("%s: %v", way, err)
			}
		}
		_, err := road.Accept(t.Context(), []byte(confirmation(another)))
		refused("pushed", "", err)
		wrapped := wrap(t, 3, "wrapped", confirmation(another))
		_, err = road.Accept(t.Context(), []byte(wrapped))
		refused("forwarded by who it is about", "/claims/events/"+statement.KindForwarded.URI()+"/set", err)
		for name, token := range map[string]string{"pushed": confirmation(another), "forwarded": wrapped} {
			seen, err := road.Inspect(t.Context(), []byte(token))
			if err != nil || len(seen.Problems) != 1 || !strings.HasSuffix(seen.Problems[0].Pointer, "/claims/sub_id") {
				t.Errorf("the dry run, %s: %+v, %v", name, seen.Problems, err)
			}
		}
		given := false
		next := func() (intake.Line, error) {
			if given {
				return intake.Line{}, errors.New("no more")
			}
			given = true
			return intake.Line{Raw: []byte(confirmation(another))}, nil
		}
		err = road.Bulk(t.Context(), nil, next, func(all []intake.Outcome) error {
			refused("in bulk", "", all[0].Err)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, own := range []envelope.Subject{{}, {Format: "uri", URI: string(author(4))}} {
			if _, err := road.Accept(t.Context(), []byte(confirmation(own))); err != nil {
				t.Errorf("its own with the subject %+v: %v", own, err)
			}
		}
		if systems != nil && systems.asked > 0 {
			t.Errorf("of a reseller's word it was asked %d times whether a system may", systems.asked)
		}
	}
}
