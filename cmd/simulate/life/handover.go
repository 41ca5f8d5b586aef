package life

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// succession is that an officer names who takes the verified customers if the relationship ends, or takes that back: the provider itself,
// another reseller of this life, one that there is not, or the reseller itself, which cannot be.
func (u *duties) succession(r *reseller, all []*reseller, now time.Time) []Draft {
	if r.office.file == "" {
		return nil
	}
	did := statement.OfficerAction{Officer: officers[u.r.IntN(len(officers))], Reason: "They take the verified ones.", Action: "successor.withdrawn",
		On: statement.Target{Type: "case", ID: r.office.file}}
	if u.r.IntN(5) > 0 {
		successor := Gateway
		switch u.r.IntN(5) {
		case 0, 1, 2:
			successor = all[u.r.IntN(len(all))].entity
		case 3:
			successor += "/e/nobody"
		}
		did.Action, did.EndsAt = "successor.named", now.Add(time.Hour+time.Duration(u.r.Int64N(int64(80*day)))).UTC().Truncate(time.Second)
		did.Details = []statement.Field{{Name: "successor", Value: string(successor)}}
	}
	return []Draft{r.record(did)}
}
