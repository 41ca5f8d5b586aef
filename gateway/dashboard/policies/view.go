package policies

import (
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

// view is what the page shows.
type view struct {
	Here     string
	Policy   string
	Digest   string
	Replaces string
	By       string
	Reason   string
	At       frame.Moment
	Expires  frame.Moment
	Withdrew frame.Moment // when who proposed it took it back; zero if they did not
	Backtest string
	Done     bool
	Then     []total // as counted when it was proposed

	Counted bool // what follows is filled in
	Shown   string
	Changes []change
	Now     []total
	Drifts  []rehearsal.Drift
	Guard   []string
	Moves   []move
	More    int
	May     bool
	WhyNot  string
	Mine    bool // who asks proposed it, and may withdraw it
	ID      string
	Back    string // where they go on then
}

type total struct{ What, N string }

type change struct{ Field, Before, After string }

// move is one reseller of which something moves, in sentences.
type move struct {
	Reseller waiting.Reseller
	Standing string
	Says     []string
}

// mostNames is how many resellers are listed by name, and mostChanges how many fields.
const (
	mostNames   = 50
	mostChanges = 40
)

// thenNames words what was counted when it was proposed as what is counted now.
var thenNames = map[string]string{"counted_on": "day", "moving": "resellers of which something moves", "pinned": "open cases, which keep their policy"}

func viewOf(p rehearsal.Proposal, now time.Time) view {
	v := view{Here: waiting.PolicyPage(p.ID), Policy: p.Policy, Digest: p.Digest, Replaces: p.Replaces, By: p.By.Name, Reason: officer.Sentence(p.Reason), At: frame.MomentOf(p.At, now),
		Expires: frame.MomentOf(p.ExpiresAt, now), Withdrew: frame.MomentOf(p.Withdrawn, now), Backtest: p.Backtest, ID: p.ID, Back: waiting.Here}
	for _, f := range p.Counted {
		if f.Name != "moved" {
			what, named := thenNames[f.Name]
			if !named {
				what = strings.ReplaceAll(f.Name, "_", " ")
			}
			v.Then = append(v.Then, total{what, f.Value})
		}
	}
	return v
}

// counted fills in what moves now.
func (v *view) counted(m backtest.Moves) {
	v.Counted, v.Shown, v.Guard = true, m.Shown, m.Guard
	for _, c := range m.Changes[:min(len(m.Changes), mostChanges)] {
		v.Changes = append(v.Changes, change{c.Field, orNothing(c.Before), orNothing(c.After)})
	}
	v.Now = append(v.Now, total{"resellers of which something moves", fmt.Sprintf("%d of %d", m.Moving, m.Resellers)})
	for _, one := range officer.TellMoves(m) {
		v.Now = append(v.Now, total{one.What, fmt.Sprint(one.Count)})
	}
	for _, c := range m.Gateway {
		v.Guard = append(v.Guard, "Of this gateway itself: "+officer.TellClock(c)+".")
	}
	for _, one := range m.Names[:min(len(m.Names), mostNames)] {
		v.Moves = append(v.Moves, moveOf(one))
	}
	v.More = m.Moving - len(v.Moves)
}

func moveOf(m backtest.Move) move {
	shown := move{Reseller: waiting.Reseller{ID: m.ID, Name: m.Name}, Standing: "stays " + m.Before}
	if m.Before != m.After {
		shown.Standing = m.Before + " to " + m.After
	}
	for _, f := range m.Opens {
		shown.Says = append(shown.Says, fmt.Sprintf("Opens %s, %s; cured by %s.", f.Rule, f.Severity, f.Cure))
	}
	for _, f := range m.Closes {
		shown.Says = append(shown.Says, "No more: "+f.Rule+".")
	}
	for _, c := range m.Clocks {
		shown.Says = append(shown.Says, officer.Sentence(officer.TellClock(c)))
	}
	if m.Steps != nil || m.Instead != nil {
		shown.Says = append(shown.Says, "Ahead: "+ahead(m.Steps)+"; instead of: "+ahead(m.Instead)+".")
	}
	return shown
}

func ahead(steps []backtest.Ahead) string {
	words := make([]string, len(steps))
	for i, step := range steps {
		what, _, _ := strings.Cut(step.What, ":")
		words[i] = strings.TrimSpace(what + " " + step.On)
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
