package notices

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// Parts are the parts of these pages that other pages show too: "roads", the table of a notice's channels.
//
//go:embed parts.html
var Parts string

// Road is one channel of a notice: whether it was sent, delivered and acknowledged.
type Road struct {
	Tone         string
	Words        string
	Sent         Stage
	Delivered    Stage
	Acknowledged Stage
}

// Stage is how far a notice came on one road: when, or in words why not.
type Stage struct {
	At    frame.Moment
	Words string
}

// RoadsOf are the channels of a notice in the order in which they are taken.
func RoadsOf(by delivery.Channels, now time.Time) (roads []Road) {
	if by.Software != nil {
		roads = append(roads, roadOf("SET to its software", *by.Software, now))
	}
	second := []Road{}
	for _, m := range by.Mails {
		words := "Mail to its contact " + m.Contact
		if m.Second {
			second = append(second, roadOf("Mail to its second contact "+m.Contact, m.Notice, now))
			continue
		}
		roads = append(roads, roadOf(words, m.Notice, now))
	}
	for _, l := range by.Later {
		if l.Channel == notices.SecondContact && l.State == delivery.LaterTaken {
			roads = append(roads, second...)
			continue
		}
		roads = append(roads, laterOf(l, len(by.Proofs) > 0, now)...)
	}
	for _, p := range by.Proofs {
		if words, inPerson := byOfficer[p.Channel]; inPerson {
			at := Stage{At: frame.MomentOf(p.ProvedAt, now)}
			roads = append(roads, Road{Tone: "good", Words: words, Sent: at, Delivered: at, Acknowledged: Stage{Words: "recorded by an officer"}})
		}
	}
	return roads
}

var byOfficer = map[string]string{
	statement.ChannelCall: "Call", statement.ChannelCourier: "Courier", "meeting": "Meeting",
}

var laterWords = map[notices.Later]string{
	notices.SecondContact: "Mail to its second contact", notices.Phone: "Officers are asked to call", notices.Superior: "Its superior is told",
}

// laterOf is a channel that may not have been taken. A proof that came spares it, also before its time.
func laterOf(l delivery.Later, proved bool, now time.Time) []Road {
	road := Road{Tone: "pending", Words: laterWords[l.Channel]}
	switch {
	case l.State == delivery.LaterSpared:
		road.Sent.Words = "not needed: " + l.Why
	case l.State == delivery.LaterDue && proved:
		road.Sent.Words = "not needed: the notice was proved"
	case l.State == delivery.LaterDue && l.Why != "":
		road.Tone, road.Sent = "warned", Stage{frame.MomentOf(l.DueAt, now), l.Why}
	case l.State == delivery.LaterDue && l.DueAt.IsZero():
		road.Sent.Words = "not yet"
	case l.State == delivery.LaterDue:
		road.Sent = Stage{frame.MomentOf(l.DueAt, now), "unless it is proved before"}
	case l.Channel == notices.Superior:
		roads := []Road{}
		for _, way := range l.Ways {
			words := "SET to its superior's software"
			if way.Contact != "" {
				words = "Mail to its superior's contact " + way.Contact
			}
			roads = append(roads, roadOf(words, way.Notice, now))
		}
		return roads
	default:
		road.Tone, road.Sent = "watch", Stage{At: frame.MomentOf(l.SettledAt, now)}
		road.Acknowledged.Words = "an officer records it"
	}
	return []Road{road}
}

// roadOf tells how far a notice came on one road.
func roadOf(words string, one delivery.Notice, now time.Time) Road {
	road := Road{Tone: "pending", Words: words, Sent: Stage{Words: "not sent yet"}}
	for i := len(one.Attempts) - 1; i >= 0; i-- { // the oldest first
		a := one.Attempts[i]
		if road.Sent.At.Exact == "" {
			road.Sent = Stage{At: frame.MomentOf(a.At, now)}
		}
		if a.Problem == "" && road.Delivered.At.Exact == "" {
			road.Delivered, road.Tone = Stage{At: frame.MomentOf(a.At, now)}, "watch"
		}
		if i == 0 && a.Problem != "" && road.Delivered.At.Exact == "" {
			road.Delivered.Words = fmt.Sprintf("failed, tried %s", frame.Count(int64(one.Tries), "time", "times"))
		}
	}
	switch one.State {
	case delivery.Acknowledged:
		road.Acknowledged, road.Tone = Stage{At: frame.MomentOf(one.AcknowledgedAt, now)}, "good"
	case delivery.Parked:
		road.Acknowledged.Words, road.Tone = "parked: somebody must look", "restricted"
	case delivery.Dropped:
		road.Acknowledged.Words = "dropped: its receiver is gone"
	case delivery.Waiting:
		road.Acknowledged.Words = "not yet"
	}
	return road
}
