package calendar

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// date is one date of a feed.
type date struct {
	UID         string // the same as long as it is about the same thing
	At          time.Time
	Summary     string
	Description string
	URL         string
	Remind      []time.Time
}

func (d date) digest() []byte {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d\x00%s\x00%s\x00%s", d.At.Unix(), d.Summary, d.Description, d.URL)))
	return sum[:]
}

// ofLine are an officer's dates of one reseller: its next step, and the limit that nothing passes silently.
func ofLine(gateway envelope.Entity, line docket.Line) (dates []date) {
	page := string(gateway) + "/resellers/" + line.ID.String()
	if !line.Next.At.IsZero() {
		dates = append(dates, date{UID: "step." + line.ID.String(), At: line.Next.At, Summary: string(line.Entity) + ": " + line.Next.What,
			Description: unless(line.Next.Unless), URL: page})
	}
	if !line.LimitAt.IsZero() {
		dates = append(dates, date{UID: "limit." + line.ID.String(), At: line.LimitAt, Summary: string(line.Entity) + ": the limit of its case",
			Description: "Nothing passes it silently.", URL: page})
	}
	return dates
}

// owed are an officer's dates of what is owed to an authority, and of the resellers that must be called.
func (c Calendar) owed(ctx context.Context) (dates []date, err error) {
	due, err := c.Docket.Obligations(ctx, docket.Wanted{State: obligations.Open}, nil, mostDates)
	if err != nil {
		return nil, err
	}
	for _, o := range due {
		dates = append(dates, date{UID: "owed." + o.ID, At: o.DueAt, Summary: "Owed: " + o.What, Description: "About " + string(o.About) + ". Source: " + o.Source,
			URL: string(c.Entity) + "/obligations", Remind: o.RemindAt})
	}
	calls, err := c.Docket.Calls(ctx, nil, mostDates)
	if err != nil {
		return nil, err
	}
	for _, call := range calls {
		id := call.File.ID().String()
		dates = append(dates, date{UID: "call." + id, At: call.Notice.CallBy, Summary: string(call.File.Entity) + ": call it, or send a courier", Description: call.Notice.Words,
			URL: string(c.Entity) + "/resellers/" + id})
	}
	return dates, nil
}

// ofReseller are a reseller's own dates: what it owes by when, what comes next if nothing is done, and the limit of its case.
func ofReseller(entity envelope.Entity, inCase string, ahead escalation.Prospect) (dates []date) {
	id := entity.ID().String()
	for _, due := range ahead.CurrentlyDue {
		dates = append(dates, owed(id, due)...)
	}
	for _, due := range ahead.EventuallyDue {
		dates = append(dates, owed(id, due)...)
	}
	if next := ahead.NextStep; !next.At.IsZero() {
		dates = append(dates, date{UID: "own-step." + id, At: next.At, Summary: "If nothing is done: " + next.What, Description: unless(next.Unless)})
	}
	if !ahead.LimitAt.IsZero() && inCase != "" {
		dates = append(dates, date{UID: "own-limit." + id, At: ahead.LimitAt, Summary: "The limit of the case", Description: "Nothing passes it silently."})
	}
	return dates
}

// owed is a date by which something is owed. It keeps its UID by the rule until the finding opens, and by the finding from then on.
func owed(id string, due escalation.Due) []date {
	if due.By.IsZero() {
		return nil
	}
	about := due.Finding
	if about == "" {
		about = due.Rule
	}
	return []date{{UID: "due." + envelope.DigestOf([]byte(id+"\x00"+about)).String(), At: due.By, Summary: "Due: " + due.What, Description: due.Why + " (rule " + due.Rule + ")"}}
}

func unless(words string) string {
	if words == "" {
		return ""
	}
	return "Unless there is " + words + " before then."
}
