package notices

import (
	_ "embed"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
)

//go:embed outbox.html
var outboxHTML string

var outboxPage = frame.Parse(outboxHTML)

// mostStreams is how many streams the page shows.
const mostStreams = 100

// outboxView is what the page of what could not be brought shows.
type outboxView struct {
	May         bool // try again
	Parked      []parked
	More        string // address of the next page, empty if there is none
	Streams     []line
	MoreStreams bool
}

// parked is a notice or a mail that somebody must look at.
type parked struct {
	ID, What, Whom, Link, Err, Why string
	At                             frame.Moment
	Tries                          []try
}

// line is one stream.
type line struct {
	Tone, Whose, Link, Status, Way string
	Waiting, Parked                int64
}

func (p Pages) outbox(c *fiber.Ctx) error {
	found, err := p.Outbox.Outbox(c.UserContext(), delivery.Parked, c.Query("after"), pageSize+1)
	if err != nil {
		return err
	}
	streams, err := p.Outbox.AllStreams(c.UserContext(), "", mostStreams+1)
	if err != nil {
		return err
	}
	_, denied := officer.Permit(c.UserContext(), "retry-outgoing")
	shown := outboxOf(found, streams, p.Now())
	shown.May = denied == nil
	return p.Frame.Show(c, frame.Page{Title: "Outbox", Template: outboxPage, View: shown})
}

func (p Pages) retryOutgoing(c *fiber.Ctx) error {
	if _, err := officer.Permit(c.UserContext(), "retry-outgoing"); err != nil {
		return err
	}
	audience, sequence, err := delivery.ParseNoticeID(c.Params("id"))
	if err != nil {
		return err
	}
	if _, err := p.Outbox.Retry(c.UserContext(), audience, sequence); err != nil {
		return err
	}
	return c.Redirect("/outbox", fiber.StatusSeeOther)
}

// outboxOf makes the view; one more than a page holds says that there is a next.
func outboxOf(found []delivery.Outgoing, streams []delivery.StreamLine, now time.Time) outboxView {
	v := outboxView{MoreStreams: len(streams) > mostStreams}
	if len(found) > pageSize {
		found = found[:pageSize]
		v.More = "/outbox?after=" + url.QueryEscape(found[pageSize-1].ID)
	}
	for _, one := range found {
		v.Parked = append(v.Parked, parkedOf(one, now))
	}
	for _, one := range streams[:min(len(streams), mostStreams)] {
		v.Streams = append(v.Streams, lineOf(one, now))
	}
	return v
}

func parkedOf(one delivery.Outgoing, now time.Time) parked {
	shown := parked{ID: one.ID, What: frame.Sentence(one.Kind), Err: one.Err, Why: frame.Sentence(one.Description), At: frame.MomentOf(one.AddressedAt, now)}
	if line, known := mail.Line(one.Kind); known {
		shown.What = line
	} else if one.Kind == "" {
		shown.What = "The stream itself: verified or changed."
	}
	switch a := one.Audience; {
	case a.IsSystem():
		shown.Whom = "the provider's system " + a.ID()
	case a.IsOfficer():
		shown.Whom = "an officer by mail, " + a.ID()
	case a.IsContact():
		shown.Whom, shown.Link = fmt.Sprintf("the contact %s of %s by mail", a.ID(), one.About), noticesOf(one.About)
	default:
		shown.Whom, shown.Link = "the software of "+string(a), noticesOf(string(a))
	}
	for _, a := range one.Attempts {
		shown.Tries = append(shown.Tries, tryOf(a, now))
	}
	return shown
}

// noticesOf is the page about what a reseller was told; empty for what is no reseller.
func noticesOf(entity string) string {
	if entity == "" {
		return ""
	}
	return "/resellers/" + envelope.Entity(entity).ID().String() + "/notices"
}

func tryOf(a delivery.Attempt, now time.Time) try {
	said := a.Request
	if a.Response != "" {
		said = strings.TrimPrefix(said+" → "+a.Response, " → ")
	}
	return try{At: frame.MomentOf(a.At, now), Words: wordsOf(a), Latency: a.Latency.Round(time.Millisecond).String(), Said: said}
}

func lineOf(s delivery.StreamLine, now time.Time) line {
	shown := line{Tone: "good", Whose: string(s.Audience), Link: noticesOf(string(s.Audience)), Status: s.Status, Way: "polled", Waiting: s.Waiting, Parked: s.Parked}
	if s.Audience.IsSystem() {
		shown.Whose, shown.Link = "the provider's "+s.Audience.ID(), ""
	}
	if s.Host != "" {
		shown.Way = "pushed to " + s.Host
	}
	if shown.Way += ", signed " + s.Algorithm; s.Tries > 0 {
		shown.Tone = "warned"
		shown.Way += fmt.Sprintf("; %s failed, next %s", frame.Count(int64(s.Tries), "push", "pushes"), frame.MomentOf(s.NextAt, now).Exact)
	}
	if s.Status != delivery.StatusEnabled {
		shown.Tone = "pending"
	}
	if s.Held {
		shown.Status += " by an officer"
	}
	if s.Parked > 0 {
		shown.Tone = "restricted"
	}
	return shown
}
