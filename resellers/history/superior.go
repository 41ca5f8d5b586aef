package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Superior is who stands right above the reseller, and whether it was told to find another one. Enrolled under another superior a
// reseller keeps its identifier and all of its history: only this is another.
type Superior struct {
	Entity envelope.Entity `json:"entity,omitzero"`
	// Status is what was stated of it last: that it is closing or terminated. Empty if nothing was, it stays, or it is another since.
	Status string    `json:"status,omitzero"`
	FindBy time.Time `json:"find_by,omitzero"` // by when to find another one; zero without a Status
	Number int       `json:"number,omitzero"`  // of the last statement about a superior: they are counted
}

// Leaves says that another superior must be found.
func (s Superior) Leaves() bool { return s.Status != "" }

// under takes who stands above as the newest enrolment says.
func (s Superior) under(entity envelope.Entity) Superior {
	if s.Entity == entity {
		return s
	}
	return Superior{Entity: entity, Number: s.Number}
}

// told takes what the gateway stated of the superior. Of one that is another by then only the number counts.
func (s Superior) told(said statement.SuperiorChanged) Superior {
	s.Number = said.Number
	if said.Superior != s.Entity {
		return s
	}
	if s.Status, s.FindBy = said.Status, said.FindBy.UTC(); said.Status == statement.SuperiorStays {
		s.Status, s.FindBy = "", time.Time{}
	}
	return s
}
