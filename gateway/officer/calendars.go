package officer

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/calendar"
)

// Calendars gives out feeds of dates, and takes them back.
type Calendars interface {
	Make(ctx context.Context, reseller envelope.Entity, by string) (feed calendar.Feed, token string, err error)
	List(ctx context.Context, after string, limit int) ([]calendar.Feed, error)
	Revoke(ctx context.Context, id string) (calendar.Feed, error)
}

func (a API) registerCalendars(api huma.API) {
	register(api, a.Log, http.MethodPost, "/v1/calendars", "make-calendar", "Make a feed of dates to subscribe to; its address is shown once", http.StatusCreated, a.makeCalendar)
	register(api, a.Log, http.MethodGet, "/v1/calendars", "list-calendars", "The feeds that were given out", http.StatusOK, a.listCalendars)
	register(api, a.Log, http.MethodPost, "/v1/calendars/{id}/revoke", "revoke-calendar", "Revoke a feed: its address shows nothing from now on", http.StatusOK, a.revokeCalendar)
}

// feed is a feed that was given out.
type feed struct {
	ID        string          `json:"id"`
	Reseller  envelope.Entity `json:"reseller,omitempty" doc:"whose own dates it shows; absent: the steps of all resellers"`
	MadeBy    string          `json:"made_by" doc:"the officer's id"`
	MadeAt    time.Time       `json:"made_at"`
	RevokedAt *time.Time      `json:"revoked_at" doc:"null while it holds"`
	URL       string          `json:"url,omitempty" doc:"to subscribe to; shown once, when it is made"`
}

func feedOf(f calendar.Feed) feed {
	return feed{ID: f.ID, Reseller: f.Reseller, MadeBy: f.MadeBy, MadeAt: f.MadeAt, RevokedAt: timeOf(f.RevokedAt)}
}

type feedOut struct{ Body feed }

type makeCalendarIn struct {
	Body struct {
		Reseller string `json:"reseller,omitempty" doc:"base64url SHA-256 of the entity identifier: this reseller's own dates, to be given to it; absent: the steps of all resellers"`
	}
}

func (a API) makeCalendar(ctx context.Context, in *makeCalendarIn) (*feedOut, error) {
	var reseller envelope.Entity
	if in.Body.Reseller != "" {
		id, err := (byID{in.Body.Reseller}).parse()
		if err != nil {
			return nil, err
		}
		file, err := a.Docket.Open(ctx, id)
		if err != nil {
			return nil, err
		}
		reseller = file.Entity
	}
	made, token, err := a.Calendars.Make(ctx, reseller, officerIn(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &feedOut{feedOf(made)}
	out.Body.URL = string(a.Entity) + "/v1/calendar/" + token + ".ics"
	return out, nil
}

type calendarsIn struct {
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a API) listCalendars(ctx context.Context, in *calendarsIn) (*list[feed], error) {
	found, err := a.Calendars.List(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[feed]{}
	out.Body.Items = []feed{}
	for _, one := range found {
		out.Body.Items = append(out.Body.Items, feedOf(one))
	}
	if len(found) == in.Limit {
		out.Body.Next = found[len(found)-1].ID
	}
	return out, nil
}

type revokeCalendarIn struct {
	ID string `path:"id" doc:"the calendar's id"`
}

func (a API) revokeCalendar(ctx context.Context, in *revokeCalendarIn) (*feedOut, error) {
	revoked, err := a.Calendars.Revoke(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &feedOut{feedOf(revoked)}, nil
}
