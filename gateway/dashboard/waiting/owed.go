package waiting

import (
	"context"
	"time"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// Obligation is what the provider owes an authority, as a page shows it.
type Obligation struct {
	ID      string
	What    string
	About   Reseller // none: the gateway itself
	Kind    string
	State   string
	Source  string
	Policy  string
	Request string
	Due     frame.Moment
	Opened  frame.Moment
	Entry   int64
	Ended   string // who ended it, how and when; empty while it is open
	Tone    string
	Fulfil  bool
	Waive   bool
	Back    string
}

var kindWords = map[string]string{
	"closure-report": "report at a closure", "activity-report": "report of suspected activity", "limit-crossed": "a limit was crossed", "ai-training": "report of a training",
	"certification": "certification", "department-request": "asked for by an authority", "follow-up": "question of an authority",
}

var stateTone = map[string]string{"open": "pending", "overdue": "warned", "fulfilled": "good", "waived": "pending"}

// ObligationOf words an obligation, as seen by who asks. name is of the reseller that it is about; empty where it is about the gateway.
func ObligationOf(ctx context.Context, o officer.Obligation, name, back string, now time.Time) Obligation {
	_, deniedFulfil := officer.Permit(ctx, "fulfil-obligation")
	_, deniedWaive := officer.Permit(ctx, "propose-waiver")
	open := o.EndedAt == nil
	shown := Obligation{ID: o.ID, What: officer.Sentence(o.What), Kind: kindWords[o.Kind], State: o.State, Source: officer.Sentence(o.Source), Policy: o.Policy, Request: o.Request,
		Due: frame.MomentOf(o.DueAt, now), Opened: frame.MomentOf(o.OpenedAt, now), Entry: o.OpenedBy, Tone: stateTone[o.State],
		Fulfil: open && deniedFulfil == nil, Waive: open && deniedWaive == nil, Back: back}
	if name != "" {
		shown.About = Reseller{o.AboutID, name}
	}
	if !open {
		shown.Ended = o.EndedBy.Name + " fulfilled it at " + officer.When(*o.EndedAt) + ", reference " + o.Reference + ": " + o.Reason
		if o.State == "waived" {
			shown.Ended = o.EndedBy.Name + " waived it at " + officer.When(*o.EndedAt) + ", as " + o.ProposedBy.Name + " proposed: " + o.Reason
		}
		if o.Late {
			shown.Ended += " That was after it was due."
		}
		shown.Ended = officer.Sentence(shown.Ended)
	}
	return shown
}

// Call is a call that an officer must make, or will have to, as a page shows it.
type Call struct {
	Reseller Reseller
	Notice   string
	Words    string
	By       frame.Moment
	Task     bool // it must be made now
	May      bool
	Back     string
	Tone     string
}

// CallOf words a notice that is not proved, as seen by who asks.
func CallOf(ctx context.Context, of Reseller, n officer.Notified, back string, now time.Time) Call {
	_, denied := officer.Permit(ctx, "record-notice")
	shown := Call{Reseller: of, Notice: n.Notice, Words: officer.Sentence(n.Words), By: frame.MomentOf(n.CallBy, now), Back: back, Tone: "watch"}
	missing := n.ProvedAt == nil
	shown.Task = missing && !now.Before(n.CallAt)
	shown.May = missing && denied == nil && n.Notice != ""
	switch {
	case !missing:
		shown.Tone = "good"
	case shown.By.Past:
		shown.Tone = "warned"
	}
	return shown
}

// owed fills in whom officers must call, and how many obligations are overdue.
func (v *view) owed(ctx context.Context, cases officer.Cases, now time.Time) error {
	calls, err := cases.Calls(ctx, nil, most+1)
	if err != nil {
		return err
	}
	calls, v.MoreCalls = upTo(calls)
	for _, call := range calls {
		c := officer.CallOf(call)
		v.Calls = append(v.Calls, CallOf(ctx, Reseller{c.ResellerID, c.Name}, c.Notice, Here, now))
	}
	late, err := cases.Obligations(ctx, docket.Wanted{State: obligations.Overdue}, nil, most+1)
	late, v.MoreOverdue = upTo(late)
	v.Overdue = len(late)
	return err
}
