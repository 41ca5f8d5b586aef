package statement

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

func (v CustomerVerification) check(c envelope.Claims) []error {
	k := v.Kind()
	var belief, next error
	if v.ReasonableBelief != (v.Result != "not-verified") {
		belief = fault(k, "true where it was verified, false where it was not", "the opposite",
			"Verified is who is known on a reasonable belief; state not-verified where there is none.", "reasonable_belief")
	}
	if v.NextDue != (Date{}) && !v.NextDue.After(v.CheckedOn) {
		next = fault(k, "a day that is after checked_on", "an earlier day", "State by when you mean to verify again.", "next_due")
	}
	var ownership []string
	if v.Countries != nil {
		ownership = v.Countries.Ownership
	}
	return faults(
		belief,
		v.checkBelief(),
		v.checkBasis(),
		next,
		notLaterThanSigned(k, v.CheckedOn, c, "checked_on"),
		unique(k, v.Actions, "actions"),
		unique(k, v.Collected, "collected"),
		unique(k, ownership, "countries", "ownership"),
		uniqueCopies(k, v.Documents, "documents"),
		notItself(k, v.Supersedes, c),
	)
}

func (v CustomerVerification) checkBelief() error {
	if u := v.USPerson; u != nil && u.Found && !u.ReasonableBelief {
		return fault(v.Kind(), "true where a U.S. person was found", "false",
			"Leave us_person out until there is a reasonable belief: then the person is foreign.", "us_person", "reasonable_belief")
	}
	return nil
}

func (v CustomerVerification) checkBasis() error {
	u := v.USPerson
	if u == nil {
		return nil
	}
	if v.Form == "entity" && (u.Basis == "citizen" || u.Basis == "permanent-resident") || v.Form == "individual" && u.Basis == "organised-in-us" {
		return fault(v.Kind(), "a basis that the form can have", "one that it cannot",
			"Individuals are citizens, permanent residents or in the U.S.; entities are organised or in the U.S.", "us_person", "basis")
	}
	return nil
}

func (a AccountStatus) check(c envelope.Claims) []error {
	k := a.Kind()
	return faults(
		notLaterThanSigned(k, a.On, c, "on"),
		unique(k, a.Products, "products"),
		notItself(k, a.Supersedes, c),
	)
}

func (s SuspiciousActivity) check(c envelope.Claims) []error {
	k := s.Kind()
	var from, to error
	if s.ObservedFrom.After(s.DiscoveredAt) {
		from = fault(k, "a time that is not after discovered_at", "a later one", "Check which of the two is wrong.", "observed_from")
	}
	if !s.ObservedTo.IsZero() && s.ObservedTo.Before(s.ObservedFrom) {
		to = fault(k, "a time that is not before observed_from", "an earlier one", "Check which of the two is wrong.", "observed_to")
	}
	all := faults(from, to)
	for i, d := range s.Disclosures {
		all = append(all, faults(notLaterThanSigned(k, d.On, c, "disclosures", strconv.Itoa(i), "on"))...)
	}
	return append(all, faults(
		notAfterSigned(k, s.DiscoveredAt, c, "discovered_at"),
		notAfterSigned(k, s.ObservedTo, c, "observed_to"),
		unique(k, s.Categories, "categories"),
		unique(k, s.Accounts, "accounts"),
		unique(k, s.Actions, "actions"),
		uniqueCopies(k, s.Evidence, "evidence"),
		notItself(k, s.Supersedes, c),
	)...)
}

func (a AITraining) check(c envelope.Claims) []error {
	k := a.Kind()
	all := a.checkKnowledge(c)
	var started, completed error
	if a.State == "occurred" {
		started = notLaterThanSigned(k, a.StartedOn, c, "started_on")
	}
	if a.CompletedOn != (Date{}) && a.StartedOn.After(a.CompletedOn) {
		completed = fault(k, "a day that is not before started_on", "an earlier day", "Check which of the two is wrong.", "completed_on")
	}
	var modalities []string
	if a.Parameters != nil {
		modalities = a.Parameters.Modalities
	}
	return append(all, faults(
		started,
		completed,
		unique(k, modalities, "parameters", "modalities"),
		unique(k, a.Concerns, "concerns"),
		uniqueFields(k, a.Fields, "fields"),
		notItself(k, a.Supersedes, c),
	)...)
}

func (a AITraining) checkKnowledge(c envelope.Claims) []error {
	k := a.Kind()
	type knower struct {
		actor  string
		entity envelope.Entity
	}
	seen := map[knower]bool{}
	var all []error
	for i, known := range a.Knowledge {
		at := func(member ...string) []string { return append([]string{"knowledge", strconv.Itoa(i)}, member...) }
		who := knower{known.Actor, known.Entity}
		var twice error
		if seen[who] {
			twice = fault(k, "each actor once", "one twice", "State when it first knew.", at()...)
		}
		seen[who] = true
		all = append(all, faults(
			notAfterSigned(k, known.KnewAt, c, at("knew_at")...),
			isEntityID(k, known.Entity, at("entity")...),
			twice,
		)...)
	}
	return all
}

func (r Remediation) check(c envelope.Claims) []error {
	k := r.Kind()
	var until error
	if r.Until != (Date{}) && DateOf(c.IssuedAt.UTC().Add(-farthestWest)).After(r.Until) {
		until = fault(k, "a day that is not before the token's iat", "an earlier day", "Ask for time that is still to come.", "until")
	}
	return faults(until, uniqueCopies(k, r.Evidence, "evidence"), notItself(k, r.Supersedes, c))
}

func (o OrderConfirmation) check(c envelope.Claims) []error {
	k := o.Kind()
	return faults(
		notLaterThanSigned(k, o.On, c, "on"),
		unique(k, o.Accounts, "accounts"),
		notItself(k, o.Supersedes, c),
	)
}

func (f Forwarded) check(c envelope.Claims) []error {
	k := f.Kind()
	var all []error
	path := make([]string, len(f.Path))
	for i, e := range f.Path {
		all = append(all, faults(isEntityID(k, e, "path", strconv.Itoa(i)))...)
		path[i] = string(e)
	}
	return append(all, faults(notAfterSigned(k, f.ReceivedAt, c, "received_at"), unique(k, path, "path"))...)
}

// farthestWest is how far the latest time zone is behind UTC: there, today ends last.
const farthestWest = 12 * time.Hour

// notLaterThanSigned refuses a day that had begun nowhere when the token was signed.
func notLaterThanSigned(k Kind, d Date, c envelope.Claims, path ...string) error {
	if d.After(DateOf(c.IssuedAt.UTC().Add(farthestEast))) {
		return fault(k, "a day that is not after the token's iat", "a later day",
			"State what has happened, once it has; and set the clock that writes iat.", path...)
	}
	return nil
}

func notAfterSigned(k Kind, t time.Time, c envelope.Claims, path ...string) error {
	if t.After(c.IssuedAt) {
		return fault(k, "a time that is not after the token's iat", "a later one",
			"State what has happened, once it has; and set the clock that writes iat.", path...)
	}
	return nil
}

// notItself refuses a statement that corrects itself: what it corrects was stated before, under another jti.
func notItself(k Kind, supersedes string, c envelope.Claims) error {
	if supersedes == c.JTI {
		return fault(k, "the jti of an earlier statement", "this one's", "Give the correction a jti of its own, and name the one that it corrects.", "supersedes")
	}
	return nil
}

func isEntityID(k Kind, e envelope.Entity, path ...string) error {
	if e == "" {
		return nil
	}
	if _, err := envelope.ParseEntity(string(e)); err != nil {
		return fault(k, "an entity identifier", "another text", "Write it as the entity was enrolled.", path...)
	}
	return nil
}

// unique refuses a list in which something stands twice: once for each that does (faults takes them apart).
func unique(k Kind, items []string, path ...string) error {
	if len(items) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(items))
	var twice []error
	for i, item := range items {
		if seen[item] {
			at := append(slices.Clone(path), strconv.Itoa(i))
			twice = append(twice, fault(k, "each item once", "one twice", "Leave the second one out.", at...))
		}
		seen[item] = true
	}
	return errors.Join(twice...)
}

func uniqueCopies(k Kind, documents []Copy, path ...string) error {
	digests := make([]string, len(documents))
	for i, d := range documents {
		digests[i] = d.SHA256
	}
	return unique(k, digests, path...)
}

func uniqueFields(k Kind, fields []Field, path ...string) error {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return unique(k, names, path...)
}
