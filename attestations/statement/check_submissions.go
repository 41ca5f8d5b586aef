package statement

import (
	"cmp"
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

func (v CustomerVerification) check(c envelope.Claims) error {
	k := v.Kind()
	if v.ReasonableBelief != (v.Result != "not-verified") {
		return fault(k, "true where it was verified, false where it was not", "the opposite",
			"Verified is who is known on a reasonable belief; state not-verified where there is none.", "reasonable_belief")
	}
	if u := v.USPerson; u != nil {
		if u.Found && !u.ReasonableBelief {
			return fault(k, "true where a U.S. person was found", "false",
				"Leave us_person out until there is a reasonable belief: then the person is foreign.", "us_person", "reasonable_belief")
		}
		if v.Form == "entity" && (u.Basis == "citizen" || u.Basis == "permanent-resident") || v.Form == "individual" && u.Basis == "organised-in-us" {
			return fault(k, "a basis that the form can have", "one that it cannot",
				"Individuals are citizens, permanent residents or in the U.S.; entities are organised or in the U.S.", "us_person", "basis")
		}
	}
	if v.NextDue != (Date{}) && !v.NextDue.After(v.CheckedOn) {
		return fault(k, "a day that is after checked_on", "an earlier day", "State by when you mean to verify again.", "next_due")
	}
	var ownership []string
	if v.Countries != nil {
		ownership = v.Countries.Ownership
	}
	return cmp.Or(
		notLaterThanSigned(k, v.CheckedOn, c, "checked_on"),
		unique(k, v.Actions, "actions"),
		unique(k, v.Collected, "collected"),
		unique(k, ownership, "countries", "ownership"),
		uniqueCopies(k, v.Documents, "documents"),
		notItself(k, v.Supersedes, c),
	)
}

func (a AccountStatus) check(c envelope.Claims) error {
	k := a.Kind()
	return cmp.Or(
		notLaterThanSigned(k, a.On, c, "on"),
		unique(k, a.Products, "products"),
		notItself(k, a.Supersedes, c),
	)
}

func (s SuspiciousActivity) check(c envelope.Claims) error {
	k := s.Kind()
	if s.ObservedFrom.After(s.DiscoveredAt) {
		return fault(k, "a time that is not after discovered_at", "a later one", "Check which of the two is wrong.", "observed_from")
	}
	if !s.ObservedTo.IsZero() && s.ObservedTo.Before(s.ObservedFrom) {
		return fault(k, "a time that is not before observed_from", "an earlier one", "Check which of the two is wrong.", "observed_to")
	}
	for i, d := range s.Disclosures {
		if err := notLaterThanSigned(k, d.On, c, "disclosures", strconv.Itoa(i), "on"); err != nil {
			return err
		}
	}
	return cmp.Or(
		notAfterSigned(k, s.DiscoveredAt, c, "discovered_at"),
		notAfterSigned(k, s.ObservedTo, c, "observed_to"),
		unique(k, s.Categories, "categories"),
		unique(k, s.Accounts, "accounts"),
		unique(k, s.Actions, "actions"),
		uniqueCopies(k, s.Evidence, "evidence"),
		notItself(k, s.Supersedes, c),
	)
}

func (a AITraining) check(c envelope.Claims) error {
	k := a.Kind()
	type knower struct {
		actor  string
		entity envelope.Entity
	}
	seen := map[knower]bool{}
	for i, known := range a.Knowledge {
		at := []string{"knowledge", strconv.Itoa(i)}
		if err := cmp.Or(
			notAfterSigned(k, known.KnewAt, c, append(at, "knew_at")...),
			isEntityID(k, known.Entity, append(at, "entity")...),
		); err != nil {
			return err
		}
		who := knower{known.Actor, known.Entity}
		if seen[who] {
			return fault(k, "each actor once", "one twice", "State when it first knew.", at...)
		}
		seen[who] = true
	}
	if a.State == "occurred" {
		if err := notLaterThanSigned(k, a.StartedOn, c, "started_on"); err != nil {
			return err
		}
	}
	if a.CompletedOn != (Date{}) && a.StartedOn.After(a.CompletedOn) {
		return fault(k, "a day that is not before started_on", "an earlier day", "Check which of the two is wrong.", "completed_on")
	}
	var modalities []string
	if a.Parameters != nil {
		modalities = a.Parameters.Modalities
	}
	return cmp.Or(
		unique(k, modalities, "parameters", "modalities"),
		unique(k, a.Concerns, "concerns"),
		uniqueFields(k, a.Fields, "fields"),
		notItself(k, a.Supersedes, c),
	)
}

func (r Remediation) check(c envelope.Claims) error {
	k := r.Kind()
	if r.Until != (Date{}) && DateOf(c.IssuedAt.UTC().Add(-farthestWest)).After(r.Until) {
		return fault(k, "a day that is not before the token's iat", "an earlier day", "Ask for time that is still to come.", "until")
	}
	return cmp.Or(uniqueCopies(k, r.Evidence, "evidence"), notItself(k, r.Supersedes, c))
}

func (o OrderConfirmation) check(c envelope.Claims) error {
	k := o.Kind()
	return cmp.Or(
		notLaterThanSigned(k, o.On, c, "on"),
		unique(k, o.Accounts, "accounts"),
		notItself(k, o.Supersedes, c),
	)
}

func (f Forwarded) check(c envelope.Claims) error {
	k := f.Kind()
	path := make([]string, len(f.Path))
	for i, e := range f.Path {
		if err := isEntityID(k, e, "path", strconv.Itoa(i)); err != nil {
			return err
		}
		path[i] = string(e)
	}
	return cmp.Or(notAfterSigned(k, f.ReceivedAt, c, "received_at"), unique(k, path, "path"))
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

// unique refuses a list in which something stands twice.
func unique(k Kind, items []string, path ...string) error {
	if len(items) < 2 {
		return nil
	}
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		if seen[item] {
			return fault(k, "each item once", "one twice", "Leave the second one out.", append(path, strconv.Itoa(i))...)
		}
		seen[item] = true
	}
	return nil
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
