package notices

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

//go:embed outbox.html
var outboxHTML string

var outboxPage = frame.Parse(waiting.Parts + outboxHTML)

// mostStreams is how many streams the page shows.
const mostStreams = 100

// outboxView is what the page of what could not be brought shows.
type outboxView struct {
	Done        string
	May         bool // try again
	Ending      []ending
	MayExtend   bool
	Sandbox     bool
	Days        int // for which a token is extended unless the form says otherwise
	MostDays    int
	Parked      []parked
	More        string // address of the next page, empty if there is none
	Streams     []line
	MoreStreams bool
}

// ending is a system of the provider that is told nothing more once its API token has expired.
type ending struct {
	System, Tone string
	At           frame.Moment
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
	ending, err := p.ending(c.UserContext())
	if err != nil {
		return err
	}
	_, denied := officer.Permit(c.UserContext(), "retry-outgoing")
	_, notExtending := officer.Permit(c.UserContext(), "extend-token")
	shown := outboxOf(found, streams, p.Now())
	shown.May, shown.MayExtend, shown.Sandbox, shown.Done = denied == nil, notExtending == nil, p.Frame.Sandbox, done[c.Query("done")]
	shown.Ending = ending
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
	return c.Redirect("/outbox?done=retry-outgoing", fiber.StatusSeeOther)
}

// done says what was done before the page was shown.
var done = map[string]string{
	"retry-outgoing": "It is tried again now; if it fails once more, it stands here again.",
	"extend-token":   "The token is extended. What was kept for its system goes on within a second.",
}

// extendToken lets the API token of a system last longer, so that it goes on being told.
func (p Pages) extendToken(c *fiber.Ctx) error {
	by, err := officer.Permit(c.UserContext(), "extend-token")
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(c.BodyRaw()))
	if err != nil {
		return fmt.Errorf("%w: the form must be application/x-www-form-urlencoded", problem.ErrRequest)
	}
	days, err := strconv.Atoi(form.Get("days"))
	if most := int(auth.MaxTokenLife / day); err != nil || days < 1 || days > most {
		return fmt.Errorf("%w: days: wanted for how many days from now, 1 to %d", problem.ErrRequest, most)
	}
	if _, err := p.Tokens.ExtendToken(c.UserContext(), by, form.Get("system"), time.Duration(days)*day, form.Get("reason")); err != nil {
		return err
	}
	return c.Redirect("/outbox?done=extend-token", fiber.StatusSeeOther)
}

const day = 24 * time.Hour

// ending are the systems whose tokens end soon. Delivery reads of an extension in the ledger, a moment after it was made: whoever made it
// sees it at once.
func (p Pages) ending(ctx context.Context) (list []ending, err error) {
	wall := p.Wall()
	soon := wall.Add(notices.TokenNotice)
	expiring, err := p.Outbox.Expiring(ctx, soon)
	if err != nil || len(expiring) == 0 {
		return nil, err
	}
	tokens, err := p.Tokens.Tokens(ctx, "")
	if err != nil {
		return nil, err
	}
	extended := map[string]bool{}
	for _, token := range tokens {
		extended[token.Label] = token.ExpiresAt.After(soon)
	}
	for _, one := range expiring {
		if !extended[one.System] {
			list = append(list, endingOf(one, wall))
		}
	}
	return list, nil
}

func endingOf(one delivery.Expiring, now time.Time) ending {
	shown := ending{System: one.System, Tone: "warned", At: frame.MomentOf(one.At, now)}
	if shown.At.Past {
		shown.Tone = "restricted"
	}
	return shown
}

// outboxOf makes the view; one more than a page holds says that there is a next.
func outboxOf(found []delivery.Outgoing, streams []delivery.StreamLine, now time.Time) outboxView {
	v := outboxView{MoreStreams: len(streams) > mostStreams, Days: int(auth.TokenLife / day), MostDays: int(auth.MaxTokenLife / day)}
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
	shown := parked{ID: one.ID, What: officer.Sentence(one.Kind), Err: one.Err, Why: officer.Sentence(one.Description), At: frame.MomentOf(one.AddressedAt, now)}
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
	switch {
	case s.Lapsed:
		shown.Status += ": its API token has expired"
	case s.ShutOut:
		shown.Status += ": the account of its token is disabled"
	case s.Held:
		shown.Status += " by an officer"
	}
	if s.Parked > 0 {
		shown.Tone = "restricted"
	}
	return shown
}
