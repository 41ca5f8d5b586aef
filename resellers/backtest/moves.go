package backtest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Moves is what would move at once, and after it if nothing is done, were another policy put in force now: totals first, then names.
type Moves struct {
	Policy   string          `json:"policy"`
	Digest   string          `json:"digest"` // SHA-256 of its file, base64url
	Replaces string          `json:"replaces"`
	On       string          `json:"on"` // the day, UTC; a step that moves by less than a day does not move
	Changes  []policy.Change `json:"changes"`
	TurnsUp  []policy.Change `json:"turns_up"` // in what it does more by itself, or sooner

	Resellers int        `json:"resellers"` // that were looked at
	Moving    int        `json:"moving"`    // of which something moves
	Pinned    int        `json:"pinned"`    // with an open case, which keeps the policy that opened it
	Owed      int        `json:"owed"`      // obligations that are open, which keep the dates that they have
	Gateway   []Clock    `json:"gateway"`   // obligations that begin for the gateway itself
	Totals    MoveTotals `json:"totals"`
	Guard     []string   `json:"guard"` // what the guard would hold back, in words
	// Names are the resellers of which something moves, in the order of their ids, the first 1,000. Moving counts them all.
	Names []Move `json:"names"`
	// Shown names all of this, the names that are not listed included: whoever activates the policy says what was shown.
	Shown string `json:"shown"`
	// Moved names what moves, whenever it was counted: the same on two days if the same moves, of the same, on the same days.
	Moved string `json:"moved"`

	sum, moved    hash.Hash
	before, after policy.Policy
}

// MoveTotals count over all resellers.
type MoveTotals struct {
	Opens      map[string]int `json:"opens"`      // findings that open now, by rule
	Closes     map[string]int `json:"closes"`     // findings that are open and would be no more, by rule
	Cases      int            `json:"cases"`      // cases that open now
	CasesEnd   int            `json:"cases_end"`  // that end now
	Warned     int            `json:"warned"`     // resellers that come to it now
	Restricted int            `json:"restricted"` // in the same way
	Closing    int            `json:"closing"`
	Terminated int            `json:"terminated"`
	Steps      int            `json:"steps"`   // resellers whose steps ahead, or their days, are others
	Covered    int            `json:"covered"` // trainings that become covered, each with a report that is owed
	Clocks     ClockTotals    `json:"clocks"`  // obligations toward an authority that begin, are none, or are due otherwise
}

// Move is one reseller of which something moves.
type Move struct {
	ID      string          `json:"id"`
	Entity  envelope.Entity `json:"entity"`
	Name    string          `json:"name"`
	Opens   []Moved         `json:"opens,omitzero"`
	Closes  []Moved         `json:"closes,omitzero"`
	Before  string          `json:"standing_before"` // as it would stand now without it
	After   string          `json:"standing_after"`  // and with it
	Steps   []Ahead         `json:"steps,omitzero"`  // if nothing is done, with it
	Instead []Ahead         `json:"instead_of,omitzero"`
	LimitOn string          `json:"limit_on,omitzero"`
	Covered []Covered       `json:"covered,omitzero"`
	Clocks  []Clock         `json:"clocks,omitzero"` // obligations of the provider toward an authority
}

// Moved is a finding that opens or closes.
type Moved struct {
	Finding  string `json:"finding"`
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Cure     string `json:"cure"`
}

// Ahead is a step with its day.
type Ahead struct {
	What  string `json:"what"`
	On    string `json:"on,omitzero"` // the day, UTC; none while it waits for somebody
	Waits string `json:"waits_for,omitzero"`
}

// Covered is a reported training that becomes a covered one, with a clock of its own.
type Covered struct {
	Transaction string    `json:"transaction"`
	ReportBy    time.Time `json:"report_by"`
}

// State is how a reseller stands and what comes.
type State struct {
	Case     escalation.Case
	Prospect escalation.Prospect
	Opened   []obligations.Obligation // that open with what must be stated now
}

// NewMoves begins to look at what would move if after replaced before.
func NewMoves(before, after policy.Policy, now time.Time) *Moves {
	m := &Moves{Policy: after.ID(), Digest: after.Digest(), Replaces: before.ID(), On: day(now), Changes: policy.Diff(before, after), TurnsUp: policy.TurnsUp(before, after),
		Totals:  MoveTotals{Opens: map[string]int{}, Closes: map[string]int{}, Clocks: ClockTotals{Begin: map[string]int{}, End: map[string]int{}, Move: map[string]int{}}},
		Gateway: []Clock{}, Guard: []string{}, Names: []Move{}, sum: sha256.New(), moved: sha256.New(), before: before, after: after}
	fmt.Fprintf(m.sum, "%s %s %s %s\n", m.Policy, m.Digest, before.Digest(), m.On)
	return m
}

// maxNames is how many resellers are listed by name.
const maxNames = 1000

// Add looks at one reseller. They come in the order of their ids, so that the same moves have the same name.
func (m *Moves) Add(entity envelope.Entity, name string, before, after State, covered []Covered) error {
	m.Resellers++
	if before.Case.ID != "" {
		m.Pinned++
	}
	move := Move{ID: entity.ID().String(), Entity: entity, Name: name, Opens: onlyIn(after.Case, before.Case), Closes: onlyIn(before.Case, after.Case),
		Before: before.Case.Standing.String(), After: after.Case.Standing.String(), LimitOn: day(after.Case.LimitAt), Covered: covered,
		Clocks: clocksMoved(after.clocks(&m.after), before.clocks(&m.before))}
	steps, instead := ahead(after.Prospect), ahead(before.Prospect)
	moved := !slices.Equal(steps, instead)
	if moved {
		move.Steps, move.Instead = steps, instead
	}
	if len(move.Opens)+len(move.Closes)+len(covered)+len(move.Clocks) == 0 && move.Before == move.After && !moved {
		return nil
	}
	m.Moving++
	m.Totals.add(move, before, after, moved)
	text, err := json.Marshal(move, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("writing what moves of %s: %w", entity, err)
	}
	text = append(text, '\n')
	m.sum.Write(text) // a hash never fails
	m.moved.Write(text)
	if len(m.Names) < maxNames {
		m.Names = append(m.Names, move)
	}
	return nil
}

// End gives what was looked at its name.
func (m *Moves) End() Moves {
	for _, c := range m.Gateway {
		line := fmt.Sprintf("gateway %s %s\n", c.Kind, c.Due)
		m.sum.Write([]byte(line))
		m.moved.Write([]byte(line))
	}
	m.Shown, m.Moved = base64.RawURLEncoding.EncodeToString(m.sum.Sum(nil)), base64.RawURLEncoding.EncodeToString(m.moved.Sum(nil))
	return *m
}

func (t *MoveTotals) add(move Move, before, after State, steps bool) {
	for _, f := range move.Opens {
		t.Opens[f.Rule]++
	}
	for _, f := range move.Closes {
		t.Closes[f.Rule]++
	}
	if after.Case.ID != "" && after.Case.ID != before.Case.ID {
		t.Cases++
	}
	if before.Case.ID != "" && after.Case.ID != before.Case.ID {
		t.CasesEnd++
	}
	if after.Case.Standing > before.Case.Standing {
		switch after.Case.Standing {
		case escalation.Warned:
			t.Warned++
		case escalation.Restricted:
			t.Restricted++
		case escalation.Closing:
			t.Closing++
		case escalation.Terminated:
			t.Terminated++
		}
	}
	if steps {
		t.Steps++
	}
	t.Covered += len(move.Covered)
	for _, c := range move.Clocks {
		t.Clocks.add(c)
	}
}

// onlyIn are the findings that are open in one case and not in the other.
func onlyIn(one, other escalation.Case) []Moved {
	var only []Moved
	for _, f := range one.Findings {
		if !slices.ContainsFunc(other.Findings, func(o escalation.Open) bool { return o.ID == f.ID }) {
			only = append(only, Moved{Finding: f.ID, Rule: f.Rule, Severity: f.Severity, Cure: f.Cure})
		}
	}
	return only
}

func ahead(prospect escalation.Prospect) []Ahead {
	steps := make([]Ahead, len(prospect.Future))
	for i, step := range prospect.Future {
		steps[i] = Ahead{What: byDay(step.What), On: day(step.At), Waits: byDay(step.Waits)}
	}
	return steps
}

// moment is how words name a time: "2027-01-09 20:59:23 UTC", or as RFC 3339 does.
var moment = regexp.MustCompile(`(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}(:\d{2})?( UTC|Z)`)

// byDay names days where words name moments. What is computed a second later is a second later, and moves nothing that is shown.
func byDay(words string) string { return moment.ReplaceAllString(words, "$1") }

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
