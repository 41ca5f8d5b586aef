package policy

import "time"

// The dates of a case. Each is fixed when the step before it is taken, and stated to the reseller in that step; nothing
// recomputes it afterwards. Two rules shape them all:
//
//   - Everything fits inside the limit, which is counted from the clock's start, however late the gateway found out.
//   - No step is instant: where the gateway itself was late, its floors hold and the limit passes, which is said in the
//     statements and on every screen, never silently (standing.md, "The limit clock").
//
// With the shipped numbers and a finding on day 0: warned on day 0, restricted on day 14, closing on day 21, terminated
// on day 29, limit on day 30.

// LimitAt is when the limit passes for a case whose earliest finding is true since then and was opened at that time.
func (c Case) LimitAt(since, opened time.Time) time.Time {
	return c.Limit.From(c.StartsAt(since, opened))
}

// StartsAt is when the limit begins to run.
func (c Case) StartsAt(since, opened time.Time) time.Time {
	if c.ClockStart == FromAwareness {
		return opened
	}
	return since
}

// CureBy is when the cure time of a warning ends.
func (c Case) CureBy(warned, limit time.Time) time.Time {
	return later(c.CureFloor.From(warned), earlier(c.Cure.From(warned), c.CureMargin.Before(limit)))
}

// ShortCureBy is CureBy where cases repeat: a share of the cure time, and never less than its floor.
func (c Case) ShortCureBy(warned, limit time.Time) time.Time {
	short := warned.Add(time.Duration(c.Cure.Value) / 100 * time.Duration(c.Repeat.CureShare.Value)).Truncate(time.Second)
	return later(c.CureFloor.From(warned), earlier(short, c.CureMargin.Before(limit)))
}

// ClosesAt is when the account of a restricted reseller is ordered closed.
func (c Case) ClosesAt(cureBy, restricted, limit time.Time) time.Time {
	return later(c.StepFloor.From(restricted), earlier(c.Restriction.From(cureBy), c.ClosingMargin.Before(limit)))
}

// TerminatesAt is when the relationship with a reseller whose account is closing ends.
func (c Case) TerminatesAt(closed, limit time.Time) time.Time {
	return later(c.StepFloor.From(closed), c.TerminationMargin.Before(limit))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
