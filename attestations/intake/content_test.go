package intake_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
)

func training(state, fields string) func(*envelope.Draft) {
	return func(d *envelope.Draft) {
		d.EventURI, d.Subject = statement.KindAITraining.URI(), envelope.Subject{Format: "opaque", ID: "customer-1"}
		if fields != "" {
			fields = `,"fields":[` + fields + `]`
		}
		d.Event = rawJSON(`{"transaction":"t","state":"` + state + `","started_on":"2026-06-01","knowledge":[{"actor":"reseller","knew_at":"2026-06-01T08:30:00Z"}]` + fields + `}`)
	}
}

func TestThePolicySaysWhatAStatementMayAndMustHold(t *testing.T) {
	const inTraining = "/claims/events/urn:cipgate:event:ai-training:v1/fields"
	const name, mail, other = `{"name":"customer_name","value":"Ana Secret"}`, `{"name":"customer_email","value":"ana@secret.example"}`, `{"name":"ana_secret","value":"x"}`
	asks := intake.Content{Identity: intake.Choice{Source: "a test"}, TrainingFields: intake.TrainingFields{
		Required: []string{"customer_name", "ip_addresses"}, Optional: []string{"customer_email"}, Source: "a test"}}
	takesNames := asks
	takesNames.Identity.Yes = true
	road := newRoad(t, "sqlite", 0)
	for i, c := range []struct {
		name     string
		content  intake.Content
		change   func(*envelope.Draft)
		pointers []string
		says     string
	}{
		{"names where none are asked for", asks, named, []string{"/claims/events/urn:cipgate:event:customer-verification:v1/identity"}, "no names"},
		{"names where they are", takesNames, named, nil, ""},
		{"a training that is planned, without fields", asks, training("planned", ""), nil, ""},
		{"a training that is planned, with a field", asks, training("planned", mail), nil, ""},
		{"a training that occurred, with all", asks, training("occurred", name+`,{"name":"ip_addresses","value":"192.0.2.1"}`), nil, ""},
		{"a training that occurred, without fields", asks, training("occurred", ""), []string{inTraining}, "none named customer_name, ip_addresses"},
		{"a training that occurred, without one", asks, training("occurred", name), []string{inTraining}, "none named ip_addresses."},
		{"a field that nobody asked for", asks, training("planned", name+","+other), []string{inTraining + "/1/name"}, "customer_name, ip_addresses, customer_email"},
		{"both", asks, training("occurred", other+","+name), []string{inTraining + "/0/name", inTraining}, "another name"},
		{"no policy, and a field", intake.Content{}, training("planned", name), []string{inTraining + "/0/name"}, "no fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			road.Content = c.content
			token := []byte(stated(t, 1, i, c.change))
			found, err := road.Inspect(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			var pointers []string
			for _, p := range found.Problems {
				pointers = append(pointers, p.Pointer)
				if !strings.HasPrefix(p.Source, "policy intake.") || strings.Contains(p.Error(), "ecret") {
					t.Errorf("from %q: %v", p.Source, p)
				}
			}
			if !slices.Equal(pointers, c.pointers) {
				t.Errorf("the dry run names %q, wanted %q", pointers, c.pointers)
			}
			_, err = road.Accept(t.Context(), token)
			refusal := (*envelope.Fault)(nil)
			switch refused := errors.As(err, &refusal); {
			case len(c.pointers) == 0 && err != nil:
				t.Errorf("refused: %v", err)
			case len(c.pointers) > 0 && (!refused || refusal.Pointer != c.pointers[0] || !errors.Is(err, envelope.ErrMalformed) || !strings.Contains(err.Error(), c.says)):
				t.Errorf("accepted, or refused for something else: %v", err)
			}
		})
	}
}
