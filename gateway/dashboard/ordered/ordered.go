// Package ordered is the page of the gateway's orders: which are to be confirmed and which are overdue, and how far each came. It decides
// nothing: what an order is and when it is done is escalation's, who may say so the table of permissions'.
package ordered

import (
	"cmp"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

//go:embed page.html
var pageHTML string

var page = frame.Parse(waiting.Parts + waiting.Ordered + pageHTML)

// Here is the page's address.
const Here = "/orders"

type view struct {
	Done  string
	State string
	Tabs  []tab
	All   []waiting.Order
	None  string // what is said where there is no order
	Older string // address of the next page, empty at the end
}

type tab struct {
	State string
	Words string
	None  string
	On    bool
}

var tabs = []tab{{State: escalation.OrderOpen, Words: "to be confirmed", None: "No order waits to be confirmed."},
	{State: docket.OrdersOverdue, Words: "overdue", None: "No order is overdue."}, {State: escalation.OrderConfirmed, Words: "confirmed", None: "No order was confirmed yet."},
	{State: escalation.OrderWithdrawn, Words: "withdrawn", None: "No order was withdrawn yet."}, {State: "all", Words: "all", None: "Nothing was ordered yet."}}

// most is how many orders one page shows.
const most = 100

// Handler serves the page: what is to be confirmed, or with ?state= what stands otherwise.
func Handler(f frame.Frame, orders officer.Orders, reached officer.Reached, now func() time.Time) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, at := c.UserContext(), now()
		shown := view{Done: waiting.Done(c), State: c.Query("state", escalation.OrderOpen)}
		known := false
		for _, one := range tabs {
			if one.On = one.State == shown.State; one.On {
				known, shown.None = true, one.None
			}
			shown.Tabs = append(shown.Tabs, one)
		}
		before, err := strconv.ParseInt(c.Query("before", "-1"), 10, 64)
		if err != nil || !known {
			return fmt.Errorf("%w: wanted a page of orders as this page links to them", problem.ErrRequest)
		}
		wanted := docket.OrderFilter{State: shown.State}
		if shown.State == "all" {
			wanted.State = ""
		}
		found, err := orders.Orders(ctx, wanted, before, most+1)
		if err != nil {
			return err
		}
		if len(found) > most {
			found = found[:most]
			shown.Older = fmt.Sprintf("%s?state=%s&before=%d", Here, shown.State, found[most-1].LeafIndex)
		}
		all, err := officer.OrdersOf(ctx, reached, found, at)
		if err != nil {
			return err
		}
		resellers := make([]envelope.Entity, len(all))
		for i, o := range all {
			resellers[i] = o.Reseller
		}
		names, err := orders.NamesOf(ctx, resellers)
		if err != nil {
			return err
		}
		for _, o := range all {
			shown.All = append(shown.All, waiting.OrderOf(ctx, o, cmp.Or(names[o.Reseller], string(o.Reseller)), Here+"?state="+shown.State, at))
		}
		return f.Show(c, frame.Page{Title: "Orders", Template: page, View: shown})
	}
}
