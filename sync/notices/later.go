package notices

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Later is a channel that a step's notice takes when nothing has proved in time that the reseller knows of it (standing.md, "Proof of
// notice"). The first channels, its software and the mail to its contact, are taken at once.
type Later string

// The later channels, in their order.
const (
	SecondContact Later = "second-contact" // mail to the reseller's second contact
	Phone         Later = "phone"          // officers are called: one of them telephones
	Superior      Later = "superior"       // the entity above it is told that the step is due, by its contact and its software
)

// Laters are the later channels, in their order.
var Laters = []Later{SecondContact, Phone, Superior}

// Order is the place of a channel among them.
func (l Later) Order() int { return slices.Index(Laters, l) }

// From is when a channel is taken for a step that was stated at that time; false if the policy takes none such.
func (l Later) From(rules policy.Proof, stated time.Time) (at time.Time, taken bool) {
	wait := map[Later]policy.Number{SecondContact: rules.SecondContact, Phone: rules.Phone, Superior: rules.Superior}[l]
	return wait.From(stated), wait.Value > 0
}

// stepTaken are the kinds of which a reseller must be proved to know before the next step: their notices take the later channels.
var stepTaken = map[statement.Kind]string{
	statement.KindWarningIssued: "warned", statement.KindRestrictionOrdered: "restricted", statement.KindClosureOrdered: "closing",
}

// TakesLater says whether the notice of an entry takes the later channels.
func TakesLater(entry statement.Entry, self envelope.Entity) bool {
	_, step := stepTaken[entry.Statement.Kind()]
	return step && entry.By == self && entry.About != self
}

// Step is what of a step's statement its superior may see: how the reseller stands since, and when the next step is due.
type Step struct {
	Standing string
	NextAt   time.Time
}

// StepOf reads it; false if the statement is none of a step.
func StepOf(s statement.Statement) (step Step, ok bool) {
	step.Standing, ok = stepTaken[s.Kind()]
	switch said := s.(type) {
	case statement.WarningIssued:
		step.NextAt = said.CureBy
	case statement.RestrictionOrdered:
		step.NextAt = said.NextAt
	case statement.ClosureOrdered:
		step.NextAt = said.TerminatesAt
	}
	return step, ok
}

// ToldID is the jti of the statement by which the superior of a reseller is told of a notice: the same whoever states it, and how often.
func ToldID(about envelope.Entity, notice string) string {
	return "superior-told-" + envelope.DigestOf([]byte(string(about)+"\x00"+notice)).String()
}

// ToldEntity is the entity that an entry is told to, beside the systems and the officers.
func ToldEntity(entry statement.Entry) envelope.Entity {
	if said, above := entry.Statement.(statement.SuperiorTold); above {
		return said.Superior
	}
	return entry.About
}
