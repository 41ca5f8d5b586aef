package life

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/cmd/simulate/audit"
)

// Epoch is when lives begin.
var Epoch = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// Told is what is known of a life beside the ledger.
type Told struct {
	Watches []audit.Watch // in their order
	Steady  bool          // no clock was set, and no node stood still for long
	Years   float64       // of all its resellers
}

// player plays one life. Its time is the true one; the gateway has only its clocks.
type player struct {
	r      *rand.Rand
	engine Engine
	told   Told
	all    *Policies

	now, end time.Time
	ahead    time.Duration // of the clock of the node that is up
	size     int64
	broken   bool // the watch ended: it was down, or its clock was set

	resellers []*reseller
	coming    []*reseller // those that are not enrolled yet
	house     house
	duties    *duties   // nil in most lives
	blind     time.Time // until when statements are taken in and nobody folds or settles: the keeper hangs
	stands    time.Time // when the node that stands still goes on; zero if none does
	calm      bool      // in this life no clock is set and no node stands still for long
}

// Play plays the life of this number to a gateway.
func Play(seed, number uint64, all *Policies, e Engine) (Told, error) {
	r := rand.New(rand.NewPCG(seed, number))
	p := &player{r: r, engine: e, all: all, calm: r.IntN(2) == 0, duties: newDuties(seed, number)}
	p.told.Steady = p.calm
	p.now = Epoch.Add(time.Duration(r.Int64N(int64(1000*day)/1000)) * 1000)
	days := 200 + r.IntN(900)
	p.resellers = []*reseller{newReseller(r, envelope.Entity(fmt.Sprintf("%s/e/%d", Gateway, number)))}
	if r.IntN(8) == 0 { // several at one gateway, so that the guard has something to count
		days = 150 + r.IntN(300)
		for i := range 1 + r.IntN(6) {
			another := newReseller(r, envelope.Entity(fmt.Sprintf("%s/e/%d-%d", Gateway, number, i+1)))
			p.coming = append(p.coming, another)
		}
		if p.house.together = r.IntN(2) == 0; p.house.together {
			p.resellers[0].temper = r.IntN(2)
			for _, another := range p.coming {
				another.temper = p.resellers[0].temper
			}
		}
	}
	p.end = p.now.Add(time.Duration(days) * day)
	begin := p.now
	err := p.play()
	p.told.Years = p.now.Sub(begin).Hours() / 24 / 365 * float64(len(p.resellers))
	return p.told, err
}

func (p *player) clock() time.Time { return p.now.Add(p.ahead) }

func (p *player) play() error {
	if err := p.engine.Activate(p.clock(), p.draw()); err != nil {
		return err
	}
	if err := p.say(p.resellers[0].enrol()); err != nil {
		return err
	}
	for p.house.together && len(p.coming) > 0 {
		if err := p.arrives(); err != nil {
			return err
		}
		p.pass(p.now.Add(p.late()))
	}
	p.broken = true
	for idle := 0; p.now.Before(p.end); {
		wake, err := p.engine.Wakes()
		if err != nil {
			return err
		}
		before, size := p.now, p.size
		if p.now.Before(p.blind) {
			wake = time.Time{}
		}
		next := p.next(wake)
		due := wake.Add(-p.ahead)
		switch {
		case !p.stands.IsZero() && !p.stands.After(next) && (wake.IsZero() || p.stands.Before(due)):
			err = p.resume()
		case !wake.IsZero() && !due.After(next):
			p.pass(p.upTo(due).Add(p.late()))
			err = p.sweep()
		default:
			p.pass(next)
			err = p.event()
		}
		if err != nil {
			return err
		}
		if idle++; p.now.After(before) || p.size > size {
			idle = 0
		}
		if idle > mostIdle {
			return fmt.Errorf("it asks to be woken at %s, which has come, and does nothing: %w", wake.Format(time.RFC3339), ErrStuck)
		}
	}
	return p.look()
}

// mostIdle is how often nothing may happen in a row. A killed node does nothing, now and then.
const mostIdle = 50

// late is how late a job is.
func (p *player) late() time.Duration {
	switch p.r.IntN(6) {
	case 0:
		return time.Duration(p.r.Int64N(int64(20 * time.Second)))
	case 1:
		return time.Duration(p.r.Int64N(int64(time.Second)))
	}
	return 0
}

func (p *player) upTo(t time.Time) time.Time {
	if t.Before(p.now) {
		return p.now
	}
	return t
}

// pass lets time go by while the gateway is up.
func (p *player) pass(to time.Time) {
	to = p.upTo(to)
	if p.now.Before(p.blind) {
		p.now, p.broken = to, true
		return
	}
	from := p.clock()
	p.now = to
	w := &p.told.Watches
	if last := len(*w) - 1; last >= 0 && !p.broken && (*w)[last].Size == p.size && (*w)[last].To.Equal(from) {
		(*w)[last].To = p.clock()
	} else {
		*w = append(*w, audit.Watch{Size: p.size, From: from, To: p.clock()})
	}
	p.broken = false
}

// down lets time go by while nobody watches, and nothing is taken in. In a calm life no node that stood still outlives that: it would
// have stood for long.
func (p *player) down(d time.Duration) {
	p.now, p.broken = p.now.Add(d), true
	if p.calm {
		p.stands = time.Time{}
	}
}

// look reads what is new in the ledger.
func (p *player) look() error {
	fresh, err := p.engine.Entries(p.size)
	if err != nil {
		return err
	}
	for _, e := range fresh {
		for _, r := range p.resellers {
			r.read(e)
		}
	}
	p.size += int64(len(fresh))
	return nil
}

func (p *player) say(d Draft) error {
	if err := p.engine.State(p.clock(), d); err != nil {
		return err
	}
	return p.look()
}

// sweep lets a node settle what is due. It may be killed or stand still; then another one is there soon, or not for long.
func (p *player) sweep() error {
	fault := Fault{}
	if p.r.IntN(12) == 0 {
		fault = Fault{What: What(1 + p.r.IntN(3)), At: p.r.IntN(2)}
	}
	hit, err := p.engine.Sweep(p.clock(), fault)
	if err != nil {
		return err
	}
	if err := p.look(); err != nil {
		return err
	}
	if !hit {
		if p.r.IntN(20) == 0 { // the job comes twice
			if _, err := p.engine.Sweep(p.clock(), Fault{}); err != nil {
				return err
			}
			return p.look()
		}
		return nil
	}
	if fault.What == Stands {
		p.stands = p.now.Add(p.pause())
	}
	if p.r.IntN(3) == 0 {
		p.down(time.Duration(p.r.Int64N(int64([]time.Duration{time.Minute, time.Hour, 3 * day, 40 * day}[p.r.IntN(4)]))))
	} else {
		p.pass(p.now.Add(time.Duration(p.r.Int64N(int64(20 * time.Second)))))
	}
	return nil
}

// pause is how long a node stands still.
func (p *player) pause() time.Duration {
	if p.calm {
		return time.Duration(p.r.Int64N(int64(time.Minute)))
	}
	return time.Duration(p.r.Int64N(int64([]time.Duration{time.Second, time.Minute, 6 * time.Hour, 5 * day}[p.r.IntN(4)])))
}

// resume lets the node that stands still go on with what it was about to state.
func (p *player) resume() error {
	p.pass(p.stands)
	p.stands = time.Time{}
	if _, err := p.engine.Resume(p.clock()); err != nil {
		return err
	}
	return p.look()
}

// next is when something happens next: some time from now, or just around the moment at which the answer turns.
func (p *player) next(wake time.Time) time.Time {
	if ahead := wake.Add(-p.ahead).Sub(p.now); !wake.IsZero() && ahead > 0 && p.r.IntN(3) == 0 {
		near := []time.Duration{-time.Second, -time.Microsecond, 0, time.Microsecond, time.Second, -time.Hour, 500 * time.Millisecond}
		return p.upTo(p.now.Add(ahead + near[p.r.IntN(len(near))]))
	}
	length := []time.Duration{2 * time.Second, time.Minute, 12 * time.Hour, 4 * day, 20 * day, 20 * day, 60 * day}
	if slices.ContainsFunc(p.resellers, (*reseller).worried) {
		length = []time.Duration{2 * time.Second, 12 * time.Hour, 4 * day, 8 * day, 8 * day, 20 * day}
	}
	return p.now.Add(time.Duration(p.r.Int64N(int64(length[p.r.IntN(len(length))]))))
}

// event is one thing that happens.
func (p *player) event() error {
	if p.duties != nil && p.duties.r.IntN(5) < 2 {
		return p.duty()
	}
	switch p.r.IntN(40) {
	case 0: // down for a while
		from := p.clock()
		p.down(time.Duration(p.r.Int64N(int64([]time.Duration{time.Hour, day, 10 * day, 50 * day}[p.r.IntN(4)]))))
		return p.outage(from)
	case 1:
		if p.calm {
			return nil
		}
		p.ahead, p.broken = 0, true // the clock is set
		if p.r.IntN(2) == 0 {
			p.ahead = time.Duration(p.r.Int64N(int64(12*time.Hour))) - 6*time.Hour
		}
		return nil
	case 2:
		p.blind = p.now.Add(time.Duration(p.r.Int64N(int64([]time.Duration{time.Minute, day, 10 * day, 40 * day}[p.r.IntN(4)]))))
		return nil
	case 3:
		if p.r.IntN(3) == 0 {
			p.broken = true
			if err := p.engine.Activate(p.clock(), p.draw()); err != nil {
				return err
			}
			return p.look()
		}
		return nil
	case 4:
		return p.governs()
	}
	if len(p.coming) > 0 && p.r.IntN(3) == 0 {
		return p.arrives()
	}
	if p.house.paused && p.r.IntN(8) == 0 || len(p.resellers) > 1 && p.r.IntN(12) == 0 {
		return p.governs()
	}
	first := p.r.IntN(len(p.resellers))
	who := p.resellers[first : first+1]
	if p.house.together && p.r.IntN(2) == 0 {
		who = p.resellers // one officer goes through them all
	}
	for {
		for _, one := range who {
			for _, d := range one.acts(p.clock()) {
				if err := p.say(d); err != nil {
					return err
				}
			}
		}
		if p.r.IntN(3) > 0 {
			return nil
		}
		p.pass(p.now.Add(p.late())) // a burst: the next thing happens before anybody looks
	}
}
