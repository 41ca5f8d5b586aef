package notices

import (
	"slices"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Whoever takes customers over hears the order that says so, and what it acknowledges proves nothing of the reseller that loses them.
func TestASuccessorHearsOfItsHandOver(t *testing.T) {
	const successor = envelope.Entity("https://successor.example")
	contacts := map[envelope.Entity][]Audience{reseller: {OfContact(reseller, "a@reseller.example")}, successor: {OfContact(successor, "b@successor.example")}}
	for name, c := range map[string]struct {
		by, to envelope.Entity
		want   []envelope.Entity
	}{
		"another reseller":         {self, successor, []envelope.Entity{reseller, successor}},
		"the provider itself":      {self, self, []envelope.Entity{reseller}},
		"stated by somebody else":  {reseller, successor, nil},
		"the reseller, by mistake": {self, reseller, []envelope.Entity{reseller}},
	} {
		t.Run(name, func(t *testing.T) {
			var software, people []envelope.Entity
			for _, n := range Address(statement.Entry{About: reseller, By: c.by, Statement: statement.HandOverOrdered{Successor: c.to}}, Chain{Self: self, Contacts: contacts}) {
				if n.Audience.IsContact() {
					people = append(people, n.About)
				} else if n.Audience == OfReseller(n.About) {
					software = append(software, n.About)
				}
			}
			if !slices.Equal(software, c.want) || !slices.Equal(people, c.want) {
				t.Errorf("software of %v, people of %v; wanted %v", software, people, c.want)
			}
		})
	}
}
