// Package calendar serves dates as feeds that calendars subscribe to (RFC 5545): to an officer the next step of every reseller, whom
// to call and what is owed to an authority, to a reseller what it owes by when and what comes if nothing is done.
//
// A feed's address holds a token that shows nothing else and can be revoked; it is kept as its digest. A date keeps its UID as long as
// it is about the same thing, and its SEQUENCE grows when it changes, so that calendars move it instead of showing it twice. Feeds
// name resellers by their identifiers and nobody by name. It decides no date: those are escalation's.
package calendar

import (
	"context"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// Docket is where the dates come from.
type Docket interface {
	List(ctx context.Context, after *docket.Place, limit int) ([]docket.Line, error)
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
	Outlook(file docket.File) (escalation.Prospect, error)
	Calls(ctx context.Context, after *docket.AskedPlace, limit int) ([]docket.Call, error)
	Obligations(ctx context.Context, wanted docket.Wanted, after *docket.DuePlace, limit int) ([]obligations.Obligation, error)
}

// Calendar serves the feeds of one gateway.
type Calendar struct {
	Feeds   *Feeds
	Docket  Docket
	Entity  envelope.Entity
	Sandbox bool
}

const (
	// listPage is how many resellers are read at once, and mostDates how many dates one feed holds: calendars choke on more.
	listPage  = 500
	mostDates = 2000
	// refresh is how often a calendar should ask again.
	refresh = "PT1H"
)

// Mount registers the feeds. Whoever mounts it does so before the authentication of /v1: a calendar shows no other token.
func (c Calendar) Mount(router fiber.Router) {
	router.Get("/v1/calendar/:token.ics", c.feed)
}

func (c Calendar) feed(request *fiber.Ctx) error {
	ctx := request.UserContext()
	feed, err := c.Feeds.holder(ctx, request.Params("token"))
	if err != nil {
		return err
	}
	dates, err := c.dates(ctx, feed)
	if err != nil {
		return err
	}
	kept, err := c.Feeds.keep(ctx, dates)
	if err != nil {
		return err
	}
	request.Set(fiber.HeaderContentType, "text/calendar; charset=utf-8")
	request.Set(fiber.HeaderCacheControl, "private, no-cache")
	request.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return request.SendString(c.write(feed, kept))
}

// dates are those of a feed.
func (c Calendar) dates(ctx context.Context, feed Feed) ([]date, error) {
	if feed.Reseller != "" {
		file, err := c.Docket.Open(ctx, feed.Reseller.ID())
		if err != nil {
			return nil, err
		}
		ahead, err := c.Docket.Outlook(file)
		if err != nil {
			return nil, fmt.Errorf("looking ahead for %s: %w", file.Entity, err)
		}
		return ofReseller(file.Entity, file.Case.ID, ahead), nil
	}
	dates, err := c.owed(ctx)
	if err != nil {
		return nil, err
	}
	for after := (*docket.Place)(nil); len(dates) < mostDates; {
		lines, err := c.Docket.List(ctx, after, listPage)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			dates = append(dates, ofLine(c.Entity, line)...)
		}
		if len(lines) < listPage {
			break
		}
		last := lines[len(lines)-1]
		after = &docket.Place{Name: last.Name, ID: last.ID}
	}
	return dates[:min(len(dates), mostDates)], nil
}

// write writes a feed as RFC 5545 has it.
func (c Calendar) write(feed Feed, dates []keptDate) string {
	name := "Steps at " + string(c.Entity)
	if feed.Reseller != "" {
		name = "Dates of " + string(feed.Reseller)
	}
	if c.Sandbox {
		name = "SANDBOX: " + name
	}
	calendar := ics.NewCalendarFor("cipgate")
	calendar.SetMethod(ics.MethodPublish)
	calendar.SetName(name)
	calendar.SetXWRCalName(name)
	calendar.SetRefreshInterval(refresh, ics.WithValue("DURATION"))
	calendar.SetXPublishedTTL(refresh)
	_, rest, _ := strings.Cut(string(c.Entity), "://")
	host, _, _ := strings.Cut(rest, "/")
	for _, one := range dates {
		event := calendar.AddEvent(one.UID + "@" + host)
		event.SetDtStampTime(one.ChangedAt)
		event.SetLastModifiedAt(one.ChangedAt)
		event.SetSequence(one.Sequence)
		event.SetStartAt(one.At)
		event.SetEndAt(one.At.Add(eventLength))
		summary := one.Summary
		if c.Sandbox {
			summary = "SANDBOX: " + summary
		}
		event.SetSummary(summary)
		event.SetDescription(one.Description)
		for _, at := range one.Remind {
			alarm := event.AddAlarm()
			alarm.SetAction(ics.ActionDisplay)
			alarm.SetDescription(summary)
			alarm.SetTrigger(fmt.Sprintf("-PT%dM", int(one.At.Sub(at).Minutes())))
		}
		event.SetTimeTransparency(ics.TransparencyTransparent) // a deadline keeps nobody busy
		if one.URL != "" {
			event.SetURL(one.URL)
		}
	}
	return calendar.Serialize(ics.WithNewLineWindows)
}

// eventLength is how long a date is drawn.
const eventLength = 15 * time.Minute
