package escalation

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/resellers/findings"
)

// When a step falls due. Whatever moves it moves its time: nothing is checked while a hold or a dispute lasts, so the time that is shown
// is the one that comes.

// at is when a move falls due: by what was stated, then by what came between. It does not ask people.
func (s *situation) at(m move) time.Time {
	at := s.moved(m, latter(m.base, s.ripe(m)))
	if m.irreversible() {
		at = s.inHours(s.afterProof(m, s.stayedByDispute(m, at)))
	}
	return at
}

// moved is a time of this stage with the extension that was granted in it, and what outages and holds took given back.
func (s *situation) moved(m move, at time.Time) time.Time {
	if to := s.c.Extension.To; s.extended() && to.After(at) {
		if !m.latest.IsZero() && to.After(m.latest) {
			to = m.latest
		}
		at = latter(at, to)
	}
	return s.givenBack(m, at)
}

// cureEnded is when the cure time of a warned case ended, with all that moved it.
func (s *situation) cureEnded() time.Time {
	moves := s.moves()
	return s.moved(moves[len(moves)-1], s.c.CureBy)
}

func (s *situation) extended() bool {
	stage, _ := s.c.Stage()
	return !s.c.Extension.To.IsZero() && s.c.Extension.Stage == stage
}

// ripe is when the first finding behind the case has been open for the cure floor. So one that joined late gets its time when the
// others are cured. A closure at once and a restriction at once have no floor.
func (s *situation) ripe(m move) (ripe time.Time) {
	if m.step == StepWarn || m.step == StepRestrict && s.repeats() {
		return ripe
	}
	for _, f := range s.c.Behind() {
		at := s.policy.Case.CureFloor.From(f.OpenedAt)
		if m.step == StepClose && f.urgent() {
			at = f.OpenedAt
		}
		if ripe.IsZero() || at.Before(ripe) {
			ripe = at
		}
	}
	return ripe
}

// stop is a time in which the clock of a case stood still.
type stop struct {
	Span
	held bool
}

// givenBack moves a step by the time that outages and holds took from it. What was unused when a hold began comes back when it ends, and
// at least the policy's hold return; that, and an outage, is given even past the limit, which is said. No single officer's hold moves a
// step past the last moment at which it keeps inside the limit.
func (s *situation) givenBack(m move, at time.Time) time.Time {
	if len(s.house.Outages) == 0 && len(s.c.Holds) == 0 {
		return at
	}
	back := s.policy.Case.HoldReturn
	for _, stop := range s.stops(m) {
		resumed := at
		if stop.From.Before(at) {
			resumed = at.Add(stop.To.Sub(stop.From))
		}
		if stop.held {
			if !m.latest.IsZero() && resumed.After(m.latest) {
				resumed = m.latest
			}
			resumed = latter(resumed, back.From(stop.To))
		}
		at = latter(at, resumed)
	}
	return at
}

// stops are the outages and holds since the stage began, those that touch joined, the earliest first.
func (s *situation) stops(m move) []stop {
	var stops []stop
	for _, span := range s.house.Outages {
		stops = append(stops, stop{Span: span})
	}
	for _, h := range s.c.Holds {
		end := h.End()
		if bound := s.policy.Case.HoldReturn.Before(m.latest); h.Kind != HoldStay && !m.latest.IsZero() && bound.Before(end) {
			end = bound
		}
		stops = append(stops, stop{Span: Span{From: h.PlacedAt, To: end}, held: true})
	}
	began := s.began()
	slices.SortFunc(stops, func(a, b stop) int { return a.From.Compare(b.From) })
	var joined []stop
	for _, next := range stops {
		next.From = latter(next.From, began)
		if !next.To.After(next.From) {
			continue
		}
		if n := len(joined); n > 0 && !next.From.After(joined[n-1].To) {
			joined[n-1].To = latter(joined[n-1].To, next.To)
			joined[n-1].held = joined[n-1].held || next.held
			continue
		}
		joined = append(joined, next)
	}
	return joined
}

// began is when the stage began in which the case is.
func (s *situation) began() time.Time {
	switch stage, _ := s.c.Stage(); stage {
	case Warned:
		return s.c.WarnedAt
	case Restricted:
		return s.c.RestrictedAt
	case Closing:
		return s.c.ClosingAt
	}
	return s.c.OpenedAt
}

// disputesHeard is how many disputes of one finding keep irreversible steps waiting: the first, and an appeal against what was decided
// of it. Later ones are decided too and keep nothing waiting, or a reseller could dispute for ever.
const disputesHeard = 2

// stayedByDispute moves an irreversible step while a dispute of a finding behind the case is undecided, to the last moment at which it
// keeps inside the limit; one that was rejected has the policy's floor between the decision and the step.
func (s *situation) stayedByDispute(m move, at time.Time) time.Time {
	heard := map[string]int{}
	counts := func(r Review) bool {
		if r.Kind != AnswerDispute || !slices.ContainsFunc(s.c.Behind(), func(f Open) bool { return f.ID == r.Finding }) {
			return false
		}
		heard[r.Finding]++
		return heard[r.Finding] <= disputesHeard
	}
	for _, d := range s.c.Decisions {
		if floor := s.policy.Case.StepFloor.From(d.Decided); counts(d.Review) && !d.Upheld && d.Decided.After(s.began()) {
			at = latter(at, former(floor, m.latest))
		}
	}
	for _, r := range s.c.Reviews {
		if counts(r) {
			at = latter(at, m.latest)
		}
	}
	return at
}

// inHours moves a step to the next moment at which the provider works, but not over the limit.
func (s *situation) inHours(at time.Time) time.Time {
	if next := s.policy.Hours.Next(at); !next.After(s.limit()) {
		return next
	}
	return at
}

// inHoursFromNow is when a step that is late is taken: at its time, which is over, or when the provider works next.
func (s *situation) inHoursFromNow(at time.Time) time.Time {
	if next := s.inHours(s.now); next.After(s.now) {
		return next
	}
	return at
}

// opensAt is when a finding is opened: when it is true, or when the outage in which it became true has given its time back, which may
// reach into the next one. Of what had no time none is given back.
func (s *situation) opensAt(f findings.Finding) time.Time {
	at := f.Since
	if !f.Given {
		return at
	}
	for _, out := range s.house.Outages {
		if !at.Before(out.From) && at.Before(out.To) {
			at = out.To.Add(at.Sub(out.From))
		}
	}
	return at
}

func former(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latter(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
