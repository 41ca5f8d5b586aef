package answer

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/sync/delivery"
)

// door is what the page shows that asks for the code.
type door struct {
	Here     string
	Reseller envelope.Entity
	Until    frame.Moment
	Sent     bool // a code was sent and holds
	Wrong    string
}

// view is what the page of notices shows.
type view struct {
	Here         string
	Reseller     envelope.Entity
	Until        frame.Moment
	Notices      []notice
	Acknowledged bool // all of them
	Receipt      string
	Wrong        string
	Before       written
}

// notice is one notice, and what of it can be answered.
type notice struct {
	Sequence     int64
	At           frame.Moment
	About        envelope.Entity // a reseller of the reader's, if it is not the reader itself
	Headline     string
	Detail       string
	Receipt      string
	Acknowledged bool
	Whats        []what
	Question     bool // a question, which is explained and nothing else
}

// what is one thing that can be answered.
type what struct {
	Value string // as the form sends it
	Words string
}

// fill makes the view of what a link's mail told.
func fill(opened delivery.Answering, self envelope.Entity, now time.Time) view {
	v := view{Reseller: opened.Link.About, Until: frame.MomentOf(opened.Link.ExpiresAt, now), Acknowledged: true}
	for _, one := range opened.Notices {
		v.Acknowledged = v.Acknowledged && one.Acknowledged
		shown := notice{Sequence: one.Sequence, At: frame.MomentOf(one.AddressedAt, now), Acknowledged: one.Acknowledged,
			Headline: "This notice was erased.", Question: one.Answerable.Inquiry != ""}
		if one.Entry.Statement != nil {
			told := officer.Tell(one.Entry, self)
			shown.Headline, shown.Detail, shown.Receipt = told.Headline, told.Detail, "/receipts/"+one.Entry.Digest.String()
			if one.Entry.About != opened.Link.About {
				shown.About = one.Entry.About
			}
		}
		for _, finding := range one.Answerable.Findings {
			shown.Whats = append(shown.Whats, what{"finding:" + finding, "the finding " + finding})
		}
		if shown.Question {
			shown.Whats = append(shown.Whats, what{"inquiry:" + one.Answerable.Inquiry, "the question"})
		}
		v.Notices = append(v.Notices, shown)
	}
	return v
}
