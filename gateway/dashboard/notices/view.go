package notices

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
)

// view is what the page shows.
type view struct {
	ID      string
	Name    string
	Notices []notice
	More    string // address of the next page, empty if there is none
}

type notice struct {
	Sequence int64
	What     string
	At       frame.Moment
	Tone     string
	State    string
	Parked   bool
	Receipt  string
	Proofs   []proof
	Ways     []way
	Roads    []Road // of a step, whose notice must be proved
}

// proof is what proves that the notice came.
type proof struct {
	Words string
	At    frame.Moment
}

// way is one road of the notice, and its tries.
type way struct {
	Words string
	State string
	Tries []try
	Retry string // address that tries it again, where it is parked
}

type try struct {
	At      frame.Moment
	Words   string
	Latency string
	Said    string // what was sent and what was answered
}

// states say what became of a notice on one road.
var states = map[delivery.State]string{
	delivery.Waiting:      "waits for an answer",
	delivery.Acknowledged: "acknowledged",
	delivery.Parked:       "parked: somebody must look",
	delivery.Dropped:      "dropped: its receiver is gone",
}

// channels say what proves a notice.
var channels = map[string]string{
	statement.ChannelSETAcknowledged: "The reseller's system acknowledged it",
	statement.ChannelLinkOpened:      "A contact opened it by the link in the mail, with the code",
	statement.ChannelMailAnswered:    "A contact acknowledged or answered it over the link",
	statement.ChannelCall:            "An officer recorded a call",
	statement.ChannelCourier:         "An officer recorded a courier's receipt",
	"meeting":                        "An officer recorded a meeting",
}

// fill makes the view of up to size notices; one more says that there is a next page.
func fill(file docket.File, found []delivery.Notice, ways map[string]delivery.Channels, size int, now time.Time) view {
	id := file.ID().String()
	v := view{ID: id, Name: file.History.Name}
	if v.Name == "" {
		v.Name = string(file.Entity)
	}
	if len(found) > size {
		found = found[:size]
		v.More = fmt.Sprintf("/resellers/%s/notices?after=%d", id, found[size-1].Sequence)
	}
	for _, one := range found {
		v.Notices = append(v.Notices, noticeOf(one, ways[one.JTI], now))
	}
	return v
}

func noticeOf(one delivery.Notice, by delivery.Channels, now time.Time) notice {
	shown := notice{Sequence: one.Sequence, At: frame.MomentOf(one.AddressedAt, now), Tone: "pending", State: "No proof yet", Parked: one.State == delivery.Parked}
	what, known := mail.Line(one.Kind)
	switch {
	case known:
		shown.What = what
	case one.Kind == "":
		shown.What, shown.State = "The stream itself: verified or changed.", ""
	default:
		shown.What = officer.Sentence(one.Kind)
	}
	if one.LeafIndex >= 0 {
		shown.Receipt = "/receipts/" + one.Digest.String()
	}
	if shown.Parked {
		shown.Tone = "restricted"
	}
	for _, p := range by.Proofs {
		shown.Tone, shown.State = "good", "Proved"
		shown.Proofs = append(shown.Proofs, proof{channels[p.Channel], frame.MomentOf(p.ProvedAt, now)})
	}
	shown.Ways = append(shown.Ways, wayOf("To the reseller's system", one, now))
	if len(by.Later) > 0 {
		shown.Roads = RoadsOf(by, now)
	}
	for _, m := range by.Mails {
		way := wayOf("By mail to the contact "+m.Contact, m.Notice, now)
		if m.State == delivery.Parked {
			way.Retry = "/outbox/" + m.OutboxID() + "/retry"
		}
		shown.Ways = append(shown.Ways, way)
	}
	return shown
}

func wayOf(words string, one delivery.Notice, now time.Time) way {
	w := way{Words: words, State: states[one.State]}
	if one.Err != "" {
		w.State += " (" + one.Err + ": " + one.Description + ")"
	}
	if one.Tries == 0 && one.State == delivery.Waiting {
		w.State = "not sent yet"
	}
	for _, a := range one.Attempts {
		w.Tries = append(w.Tries, tryOf(a, now))
	}
	return w
}

// wordsOf says what became of a try.
func wordsOf(a delivery.Attempt) string {
	switch {
	case a.Problem != "":
		return officer.Sentence(a.Method + ": " + a.Problem)
	case a.Method == "poll":
		return "Polled."
	case a.Method == "mail":
		return "The mail server took it."
	case a.Status == http.StatusAccepted:
		return "Pushed and taken."
	}
	return fmt.Sprintf("Answered with %d.", a.Status)
}
