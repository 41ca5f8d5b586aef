// Package customers is the page about one reseller's customers: how long ago each was verified, who has an account and is not,
// and where they belong. It shows the reseller's own opaque ids and no person. It decides nothing and counts nothing: its numbers
// are the file's.
package customers

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/history"
)

// Docket is where the customers and their numbers come from.
type Docket interface {
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
	Customers(ctx context.Context, reseller envelope.ID, wanted docket.CustomerFilter, after *docket.CustomerPlace, limit int) ([]history.Customer, error)
}

//go:embed page.html
var pageHTML string

var page = frame.Parse(pageHTML)

// pageSize is how many customers one page shows.
const pageSize = 50

// Handler serves the page under an address that holds the reseller's id.
func Handler(f frame.Frame, files Docket, now func() time.Time) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := envelope.ParseID(c.Params("id"))
		if err != nil {
			return fmt.Errorf("%w: no reseller has such an id", problem.ErrNoSuchPage)
		}
		wanted, err := askedOf(c.Query("show"), c.Query("country"), c.Query("q"))
		if err != nil {
			return err
		}
		after, err := parseCursor(c.Query("after"))
		if err != nil {
			return err
		}
		file, err := files.Open(c.UserContext(), id)
		if err != nil {
			return err
		}
		found, err := files.Customers(c.UserContext(), id, wanted.filter(), after, pageSize+1)
		if err != nil {
			return err
		}
		file.History.Figures = officer.Counted(c.UserContext(), file.History.Figures)
		for i := range found {
			found[i] = officer.CountedOf(c.UserContext(), found[i])
		}
		shown := fill(file, wanted, found, pageSize, after == nil, now())
		return f.Show(c, frame.Page{Title: "Customers of " + shown.Name, Template: page, View: shown})
	}
}

// asked is what an address asks for.
type asked struct{ show, country, id string }

func askedOf(show, country, id string) (asked, error) {
	a := asked{show: show, country: country, id: strings.TrimSpace(id)}
	known := false
	for _, tab := range tabs {
		known = known || tab.show == show
	}
	if !known || country != "" && (len(country) != 2 || strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") || len(id) > 255 {
		return asked{}, fmt.Errorf("%w: this address asks for customers in a way that no link of this page does", problem.ErrRequest)
	}
	return a, nil
}

func (a asked) filter() docket.CustomerFilter {
	f := docket.CustomerFilter{ID: a.id, Country: a.country}
	switch a.show {
	case unverified:
		f.Unverified = true
	default:
		f.State = docket.CustomerState(a.show)
	}
	return f
}

// address is that of the page that shows what is asked for, from its beginning or from a place on.
func (a asked) address(id envelope.ID, after string) string {
	query := url.Values{}
	for name, value := range map[string]string{"show": a.show, "country": a.country, "q": a.id, "after": after} {
		if value != "" {
			query.Set(name, value)
		}
	}
	address := "/resellers/" + id.String() + "/customers"
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address
}

// A cursor is the place after which the list goes on, in base64url. Nobody outside relies on that.
func cursorOf(place docket.CustomerPlace) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(place.Rank, 10) + " " + place.Customer))
}

// parseCursor reads what cursorOf wrote. No cursor is the beginning of the list.
func parseCursor(cursor string) (*docket.CustomerPlace, error) {
	if cursor == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	rank, customer, ok := strings.Cut(string(text), " ")
	place := &docket.CustomerPlace{Customer: customer}
	if err == nil && ok {
		place.Rank, err = strconv.ParseInt(rank, 10, 64)
	}
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: this address does not lead to a page of the list; begin at its first page", problem.ErrRequest)
	}
	return place, nil
}
