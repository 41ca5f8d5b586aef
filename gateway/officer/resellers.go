package officer

import (
	"context"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// line is one reseller in a list.
type line struct {
	ID       string          `json:"id"`
	Entity   envelope.Entity `json:"entity"`
	Name     string          `json:"name"`
	Country  string          `json:"country"`
	Standing string          `json:"standing"`
	NextStep step            `json:"next_step"`
	LimitAt  *time.Time      `json:"limit_at" doc:"what nothing passes silently; null without a case"`
	Exempt   *time.Time      `json:"exempt_until" doc:"beside the standing: until then the rules of the program are not applied; null if it is not exempt"`
}

// step is what happens next if nothing is done.
type step struct {
	What   string     `json:"what"`
	At     *time.Time `json:"at" doc:"null: nothing is scheduled"`
	Unless string     `json:"unless,omitempty" doc:"what prevents it"`
	Waits  string     `json:"waits_for,omitempty" doc:"what it waits for beside its time, such as somebody's approval"`
}

func stepOf(s escalation.Step) step {
	return step{What: s.What, At: timeOf(s.At), Unless: s.Unless, Waits: s.Waits}
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a API) resellers(ctx context.Context, in *page) (*list[line], error) {
	var after *docket.Place
	if in.After != "" {
		parts, err := parseCursor(in.After)
		if err != nil {
			return nil, err
		}
		id, err := (byID{parts[1]}).parse()
		if err != nil {
			return nil, err
		}
		after = &docket.Place{Name: parts[0], ID: id}
	}
	lines, err := a.Docket.List(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[line]{}
	out.Body.Items = make([]line, len(lines))
	for i, one := range lines {
		out.Body.Items[i] = line{ID: one.ID.String(), Entity: one.Entity, Name: one.Name, Country: one.Country,
			Standing: one.Standing.String(), NextStep: stepOf(one.Next), LimitAt: timeOf(one.LimitAt), Exempt: timeOf(one.Exempt)}
	}
	if len(lines) == in.Limit {
		last := lines[len(lines)-1]
		out.Body.Next = cursorOf(last.Name, last.ID.String())
	}
	return out, nil
}

// finding is one open shortfall.
type finding struct {
	ID       string    `json:"id"`
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	Since    time.Time `json:"since" doc:"when the facts made it true"`
	OpenedAt time.Time `json:"opened_at"`
	Evidence []int64   `json:"evidence" doc:"leaf indexes"`
	Cure     string    `json:"cure"`
	Leaf     int64     `json:"leaf_index" doc:"where it was stated"`
}

// caseJSON is the open escalation.
type caseJSON struct {
	ID           string     `json:"id"`
	Policy       string     `json:"policy" doc:"the version it is pinned to"`
	Since        time.Time  `json:"since"`
	OpenedAt     time.Time  `json:"opened_at"`
	WarnedAt     *time.Time `json:"warned_at"`
	CureBy       *time.Time `json:"cure_by"`
	RestrictedAt *time.Time `json:"restricted_at"`
	ClosingAt    *time.Time `json:"closing_at"`
	TerminatedAt *time.Time `json:"terminated_at"`
}

type resellerOut struct {
	Body struct {
		line
		Why              string                   `json:"why" doc:"in words, what the standing follows from"`
		Findings         []finding                `json:"findings"`
		Case             *caseJSON                `json:"case" doc:"null without one"`
		CurrentlyDue     []escalation.Due         `json:"currently_due"`
		PastDue          []escalation.Due         `json:"past_due"`
		EventuallyDue    []escalation.Due         `json:"eventually_due"`
		Restrictions     []escalation.Restriction `json:"restrictions"`
		PendingReview    []Review                 `json:"pending_review" doc:"what the reseller answered and nobody has decided yet"`
		Approvals        []Approval               `json:"approvals" doc:"steps that wait for people"`
		Superior         superiorJSON             `json:"superior" doc:"who stands right above, and whether another one must be found"`
		GivenBack        []escalation.Span        `json:"given_back" doc:"outages of the gateway by which the next step of the case was moved"`
		LimitPassed      bool                     `json:"limit_passed" doc:"the case passed its limit, or will if nothing is done"`
		IfNothingHappens []step                   `json:"if_nothing_happens"`
	}
}

func (a API) reseller(ctx context.Context, in *byID) (*resellerOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	outlook, err := a.Docket.Outlook(file)
	if err != nil {
		return nil, err
	}
	out := &resellerOut{}
	b := &out.Body
	b.line = line{ID: in.ID, Entity: file.Entity, Name: file.History.Name, Country: file.History.Country,
		Standing: outlook.Standing.String(), NextStep: stepOf(outlook.NextStep), LimitAt: timeOf(outlook.LimitAt), Exempt: timeOf(outlook.Exempt.Until)}
	b.Why, b.LimitPassed, b.GivenBack = outlook.Why, outlook.LimitPassed, orEmpty(outlook.GivenBack)
	b.CurrentlyDue, b.PastDue, b.EventuallyDue = orEmpty(outlook.CurrentlyDue), orEmpty(outlook.PastDue), orEmpty(outlook.EventuallyDue)
	above := file.History.Superior
	b.Superior = superiorJSON{Entity: above.Entity, Status: above.Status, FindBy: timeOf(above.FindBy)}
	b.Restrictions = orEmpty(outlook.Restrictions)
	b.Findings = findingsOf(ctx, file.History, file.Case.Findings)
	b.IfNothingHappens = []step{}
	for _, s := range outlook.Future {
		b.IfNothingHappens = append(b.IfNothingHappens, stepOf(s))
	}
	if file.Case.ID != "" {
		shown := caseOf(file.Case)
		b.Case = &shown
	}
	b.PendingReview = ReviewsOf(ctx, file)
	if b.Approvals, err = ApprovalsOf(ctx, a.Cases, file, a.Now()); err != nil {
		return nil, err
	}
	return out, nil
}

// orEmpty makes an absent list an empty one: [] in JSON, not null.
func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// told is an entry with its words.
type told struct {
	LeafIndex  int64     `json:"leaf_index"`
	AcceptedAt time.Time `json:"accepted_at"`
	Kind       string    `json:"kind"`
	By         string    `json:"by"`
	JTI        string    `json:"jti"`
	Digest     string    `json:"digest" doc:"of the compact JWS; its receipt is at /receipts/{digest}"`
	Headline   string    `json:"headline"`
	Detail     string    `json:"detail"`
}

func (a API) told(entry statement.Entry) told {
	words := Tell(entry, a.Entity)
	return told{LeafIndex: entry.LeafIndex, AcceptedAt: entry.AcceptedAt, Kind: string(entry.Statement.Kind()), By: string(entry.By),
		JTI: entry.JTI, Digest: entry.Digest.String(), Headline: words.Headline, Detail: words.Detail}
}

type historyIn struct {
	ID    string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a API) history(ctx context.Context, in *historyIn) (*list[told], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	if _, err := a.Docket.Open(ctx, id); err != nil {
		return nil, err
	}
	from, err := leafAfter(in.After)
	if err != nil {
		return nil, err
	}
	read := func(from int64, limit int) ([]statement.Entry, error) { return a.Ledger.About(ctx, id, from, limit) }
	entries, err := read(from, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[told]{}
	out.Body.Items = make([]told, len(entries))
	for i, entry := range entries {
		out.Body.Items[i] = a.told(entry)
	}
	out.Body.Next, err = nextLeaf(entries, in.Limit, read)
	return out, err
}

// entryJSON is one entry of the ledger without its content.
type entryJSON struct {
	LeafIndex  int64           `json:"leaf_index"`
	AcceptedAt time.Time       `json:"accepted_at"`
	Kind       string          `json:"kind"`
	About      envelope.Entity `json:"about"`
	By         envelope.Entity `json:"by"`
	JTI        string          `json:"jti"`
	Digest     string          `json:"digest"`
}

func (a API) entries(ctx context.Context, in *page) (*list[entryJSON], error) {
	from, err := leafAfter(in.After)
	if err != nil {
		return nil, err
	}
	read := func(from int64, limit int) ([]statement.Entry, error) { return a.Ledger.Entries(ctx, from, limit) }
	entries, err := read(from, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[entryJSON]{}
	out.Body.Items = make([]entryJSON, len(entries))
	for i, entry := range entries {
		out.Body.Items[i] = entryJSON{LeafIndex: entry.LeafIndex, AcceptedAt: entry.AcceptedAt, Kind: string(entry.Statement.Kind()),
			About: entry.About, By: entry.By, JTI: entry.JTI, Digest: entry.Digest.String()}
	}
	out.Body.Next, err = nextLeaf(entries, in.Limit, read)
	return out, err
}
