// Package screening decides who falls under a special measure (15 CFR 7.307, proposed): a jurisdiction's or a person's, against a
// reseller, a customer or a beneficial owner. It is a pure function of the measures, the party and the time.
//
// A country either is the one that a measure names or is not: that is certain. That a name is like another one is a hint with a
// score, which an officer confirms or clears. However high a score is, nobody's account is closed for it.
//
// What follows from a hit is decided in findings and escalation; which parties there are, the docket knows.
package screening

import (
	"slices"
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

// Role is what a party is.
type Role string

// The roles.
const (
	Reseller Role = "reseller"
	Customer Role = "customer"
	Owner    Role = "owner" // a beneficial owner of a customer
)

// Party is somebody who is screened.
type Party struct {
	Role     Role
	Reseller envelope.Entity // itself, or whose customer it is
	Customer string          // the reseller's opaque id of the customer; empty for a reseller
	Owner    string          // and of the customer's owner; empty unless it is one

	Names          []string // and aliases; none where the provider's policy asks for no names
	Home           string   // of residence or organisation, ISO 3166-1 alpha-2, as the other countries
	PrincipalPlace string
	Ownership      []string

	LeafIndex int64     // of the entry that says so
	Since     time.Time // when the ledger took it
}

// ResellerParty is the reseller of a history as a party.
func ResellerParty(h history.History) Party {
	p := Party{Role: Reseller, Reseller: h.Entity, Home: h.Country, LeafIndex: h.EnrolledLeaf, Since: h.EnrolledAt}
	if h.Name != "" {
		p.Names = []string{h.Name}
	}
	return p
}

// StatedParty is a customer, or an owner of it, by what was last stated of who that is. The names stand in the ledger alone, in the
// entry that v follows from; nil if none were stated.
func StatedParty(reseller envelope.Entity, customer, owner string, v history.Verification, named *statement.Identity) Party {
	p := Party{Role: Customer, Reseller: reseller, Customer: customer, Owner: owner, Home: v.Home, PrincipalPlace: v.PrincipalPlace,
		Ownership: v.Ownership, LeafIndex: v.LeafIndex, Since: v.AcceptedAt}
	if owner != "" {
		p.Role = Owner
	}
	if named != nil {
		p.Names = append([]string{named.Name}, named.Aliases...)
	}
	return p
}

// Ground is what a hit rests on.
type Ground string

// The grounds.
const (
	ByCountry Ground = "country"
	ByName    Ground = "name"
)

// Decided says how sure a hit is.
type Decided string

// Certain is a fact; Hint awaits an officer.
const (
	Certain Decided = "certain"
	Hint    Decided = "hint"
)

// Full is the score of what is the same.
const Full = 100

// Hit is one party under one version of a measure.
type Hit struct {
	ID        string // from version and party: the same each time, wherever it is found
	Measure   Measure
	Party     Party
	Ground    Ground
	Places    []string // by which countries: home, principal-place, ownership; none for a name
	Score     int      // percent of likeness: Full for a country
	List      string   // the list, with its version, that the measure was read from
	Prohibits bool     // else accounts are allowed under the measure's conditions
	Decided   Decided
	Since     time.Time // from when it holds, which may be ahead: the measure is in force, and the ledger had the party
}

// InForce is true if the measure is in force then.
func (h Hit) InForce(now time.Time) bool { return h.Measure.InForce(now) }

// Match returns under which measures a party falls: those in force now, and those that will be, so that nobody is surprised on the
// day. A name counts from this likeness on, in percent (policy.SpecialMeasures). The order is that of the measures.
func Match(m Measures, p Party, likeness int, now time.Time) []Hit {
	var hits []Hit
	names := folded(p.Names)
	for i := range m.versions {
		if measure := &m.versions[i]; !measure.Over(now) {
			if hit, found := match(measure, p, names, likeness); found {
				hits = append(hits, hit)
			}
		}
	}
	return hits
}

func match(measure *Measure, p Party, names []foldedName, likeness int) (Hit, bool) {
	hit := Hit{Ground: ByCountry, Decided: Certain}
	if measure.Country != "" {
		if hit.Places = places(measure.Country, p); len(hit.Places) == 0 {
			return Hit{}, false
		}
		hit.Score = Full
	} else {
		hit.Ground, hit.Decided = ByName, Hint
		for i := range measure.folded {
			for j := range names {
				hit.Score = max(hit.Score, alike(&measure.folded[i], &names[j], likeness))
			}
		}
		if hit.Score < likeness {
			return Hit{}, false
		}
	}
	hit.ID, hit.Measure, hit.Party, hit.List, hit.Prohibits = hitID(*measure, p), *measure, p, measure.List, measure.Prohibits()
	if hit.Since = measure.From; p.Since.After(hit.Since) {
		hit.Since = p.Since
	}
	return hit, true
}

func places(country string, p Party) []string {
	var at []string
	if p.Home == country {
		at = append(at, "home")
	}
	if p.PrincipalPlace == country {
		at = append(at, "principal-place")
	}
	if slices.Contains(p.Ownership, country) {
		at = append(at, "ownership")
	}
	return at
}

// hitID names a party under a version of a measure. An officer's word about it is remembered under this.
func hitID(measure Measure, p Party) string {
	text := strconv.FormatInt(measure.LeafIndex, 10)
	for _, part := range []string{string(p.Reseller), string(p.Role), p.Customer, p.Owner} {
		text += "\x00" + part // neither an entity identifier nor an id holds a NUL
	}
	return envelope.DigestOf([]byte(text)).String()
}
