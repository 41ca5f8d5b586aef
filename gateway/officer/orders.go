package officer

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/registry"
)

// Orders is what officers see of orders and of who stands below whom.
type Orders interface {
	Orders(ctx context.Context, wanted docket.OrderFilter, before int64, limit int) ([]escalation.Ordered, error)
	Order(ctx context.Context, jti string) (escalation.Ordered, error)
	NamesOf(ctx context.Context, resellers []envelope.Entity) (map[envelope.Entity]string, error)
	Below(ctx context.Context, superior envelope.ID, after *envelope.ID, limit int) ([]docket.Subordinate, error)
}

// Reached says when notices reached a reseller; the outbox knows.
type Reached interface {
	Delivered(ctx context.Context, about envelope.Entity, jtis []string) (map[string]time.Time, error)
}

// Orderly is what is stated about orders and hand-overs, by officers and by the provider's own systems.
type Orderly interface {
	ConfirmOrder(ctx context.Context, by statement.Officer, order string, said desk.Carried) (desk.Acted, error)
	NameSuccessor(ctx context.Context, by statement.Officer, id envelope.ID, successor envelope.Entity, until time.Time, reason string) (desk.Acted, error)
	DropSuccessor(ctx context.Context, by statement.Officer, id envelope.ID, reason string) (desk.Acted, error)
}

func (a API) registerOrders(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/orders", "list-orders", "Orders and what became of them, the newest first", http.StatusOK, a.orders)
	register(api, a.Log, http.MethodGet, "/v1/orders/{order}", "get-order", "One order, with the accounts that it names", http.StatusOK, a.order)
	register(api, a.Log, http.MethodPost, "/v1/orders/{order}/confirm", "confirm-order", "State that an order was carried out, or why it cannot be", http.StatusOK, a.confirmOrder)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/case/successor", "name-successor", "Name who takes the verified customers if the relationship ends", http.StatusCreated, a.nameSuccessor)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/case/successor/withdraw", "withdraw-successor", "Take that back: every account is ordered closed then", http.StatusOK, a.dropSuccessor)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/subordinates", "list-subordinates", "Who stands right below a reseller, and what each was told of it", http.StatusOK, a.subordinates)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/superior", "invite-under", "Invite an enrolled reseller under another superior; the token is shown once", http.StatusCreated, a.inviteUnder)
}

// Order is an order and what became of it.
type Order struct {
	ID         string          `json:"id" doc:"jti of the order"`
	ResellerID string          `json:"reseller_id"`
	Reseller   envelope.Entity `json:"reseller"`
	Order      string          `json:"order" enum:"no-new-accounts,reseller-account,customer-accounts,remaining-accounts,hand-over"`
	What       string          `json:"what" doc:"in words"`
	Case       string          `json:"case"`
	Policy     string          `json:"policy" doc:"that decided it"`
	State      string          `json:"state" enum:"ordered,delivered,acknowledged,confirmed,withdrawn" doc:"as far as it came. It is delivered until it is confirmed or withdrawn"`
	OrderedAt  time.Time       `json:"ordered_at"`
	DueAt      *time.Time      `json:"due_at" doc:"by when it is to be confirmed; null of a restriction, which forbids and asks for no act"`
	Overdue    *time.Time      `json:"overdue_since" doc:"null unless it is open and should have been confirmed"`

	Delivered      *time.Time `json:"delivered_at" doc:"when it first reached the reseller's software or a mail server of its contact; null if that is not known"`
	Acknowledged   *time.Time `json:"acknowledged_at" doc:"when it was first proved that the reseller has it"`
	AcknowledgedBy string     `json:"acknowledged_by,omitempty" doc:"by which channel"`
	Confirmed      *time.Time `json:"confirmed_at" doc:"when it was confirmed as carried out"`
	ConfirmedBy    string     `json:"confirmed_by,omitempty" doc:"the reseller, the successor or the provider's system that signed it, by its identifier, or who at the provider"`
	ConfirmedAs    string     `json:"confirmed_as,omitempty" enum:"reseller,successor,system,officer" doc:"as what that one spoke; a system by a key of its own, an officer by an account"`
	ConfirmedOn    string     `json:"carried_out_on,omitempty" doc:"the day, as whoever confirmed it says"`
	Answer         *answer    `json:"answer" doc:"what was said of it last; null while nobody said anything"`
	Withdrawn      *time.Time `json:"withdrawn_at"`

	Successor envelope.Entity `json:"successor,omitempty" doc:"of a hand-over"`
	Accounts  int             `json:"accounts,omitempty" doc:"that it names, or of a hand-over that it is about"`
	Part      int             `json:"part,omitempty" doc:"of how many orders of the same closure it is which"`
	Parts     int             `json:"parts,omitempty"`
	Total     int             `json:"total_accounts,omitempty" doc:"that all parts name"`
	LeafIndex int64           `json:"leaf_index"`
}

type answer struct {
	Outcome   string    `json:"outcome" enum:"done,partly,cannot"`
	By        string    `json:"by"`
	As        string    `json:"as" enum:"reseller,successor,system,officer"`
	At        time.Time `json:"at"`
	On        string    `json:"on,omitempty"`
	LeafIndex int64     `json:"leaf_index" doc:"of the entry that says so, and why"`
}

// What an order is, in words that stand alone.
var orderWords = map[string]string{
	escalation.NoNewAccounts:     "open no new accounts",
	escalation.CloseAccount:      "close the reseller's own account",
	escalation.CustomerAccounts:  "close the accounts of the customers that the findings name",
	escalation.RemainingAccounts: "close every account that is left",
	escalation.HandOver:          "hand the accounts of verified customers over to the successor",
}

// OrderWords says what an order orders.
func OrderWords(name string) string { return orderWords[name] }

// OrdersOf are orders as officers see them, with how far each came. All of one reseller are looked up at once; nothing is known of their
// delivery where nobody keeps that.
func OrdersOf(ctx context.Context, reached Reached, orders []escalation.Ordered, now time.Time) ([]Order, error) {
	byReseller := map[envelope.Entity][]string{}
	for _, o := range orders {
		byReseller[o.About] = append(byReseller[o.About], o.JTI)
	}
	shown := make([]Order, len(orders))
	delivered := map[envelope.Entity]map[string]time.Time{}
	for i, o := range orders {
		if _, asked := delivered[o.About]; !asked && reached != nil {
			at, err := reached.Delivered(ctx, o.About, byReseller[o.About])
			if err != nil {
				return nil, err
			}
			delivered[o.About] = at
		}
		shown[i] = orderOf(o, delivered[o.About][o.JTI], now)
	}
	return shown, nil
}

func orderOf(o escalation.Ordered, delivered, now time.Time) Order {
	shown := Order{ID: o.JTI, ResellerID: o.About.ID().String(), Reseller: o.About, Order: o.Name, What: orderWords[o.Name], Case: o.Case, Policy: o.Policy,
		OrderedAt: o.At, DueAt: timeOf(o.DueAt), Delivered: timeOf(delivered), Acknowledged: timeOf(o.Acknowledged.At), AcknowledgedBy: o.Acknowledged.Channel,
		Confirmed: timeOf(o.Confirmed.At), ConfirmedBy: WhoSaid(o.Confirmed), ConfirmedAs: saidAs(o, o.Confirmed), ConfirmedOn: o.Confirmed.On, Withdrawn: timeOf(o.WithdrawnAt),
		Successor: o.Successor, Accounts: o.Accounts, Part: o.Part, Parts: o.Parts, Total: o.Total, LeafIndex: o.LeafIndex}
	switch state := o.State(); {
	case state != escalation.OrderOpen:
		shown.State = state
	case !o.Acknowledged.At.IsZero():
		shown.State = "acknowledged"
	case !delivered.IsZero():
		shown.State = "delivered"
	default:
		shown.State = "ordered"
	}
	if o.Overdue(now) {
		shown.Overdue = timeOf(o.DueAt)
	}
	if said := o.Answer; !said.At.IsZero() {
		shown.Answer = &answer{Outcome: said.Outcome, By: WhoSaid(said), As: saidAs(o, said), At: said.At, On: said.On, LeafIndex: said.LeafIndex}
	}
	return shown
}

// WhoSaid names who said of an order that it was carried out, or cannot be; empty if nobody did.
func WhoSaid(c escalation.Carried) string {
	if c.By != "" {
		return string(c.By)
	}
	return c.Officer.Name
}

// SaidBySystem is as what one of the provider's own systems spoke.
const SaidBySystem = "system"

// saidAs is as what somebody said of an order that it was carried out, or cannot be; empty if nobody did.
func saidAs(o escalation.Ordered, c escalation.Carried) string {
	switch {
	case c.At.IsZero():
		return ""
	case c.By == "":
		return "officer"
	case c.By == o.About:
		return "reseller"
	case c.By == o.Successor:
		return "successor"
	}
	return SaidBySystem
}

type ordersIn struct {
	After     string `query:"after" doc:"cursor: the next of the page before"`
	Limit     int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	State     string `query:"state" enum:"open,overdue,confirmed,withdrawn" doc:"all of them if absent"`
	Reseller  string `query:"reseller" doc:"base64url SHA-256 of the entity identifier"`
	Successor string `query:"successor" doc:"of a hand-over: who takes the customers, by its id"`
	Order     string `query:"order" enum:"no-new-accounts,reseller-account,customer-accounts,remaining-accounts,hand-over"`
	Case      string `query:"case"`
}

func (a API) orders(ctx context.Context, in *ordersIn) (*list[Order], error) {
	wanted := docket.OrderFilter{State: in.State, Name: in.Order, Case: in.Case}
	for _, of := range []struct {
		text string
		into **envelope.ID
	}{{in.Reseller, &wanted.Reseller}, {in.Successor, &wanted.Successor}} {
		if of.text == "" {
			continue
		}
		id, err := (byID{of.text}).parse()
		if err != nil {
			return nil, err
		}
		*of.into = &id
	}
	before := int64(-1)
	if in.After != "" {
		leaf, err := leafAfter(in.After)
		if err != nil {
			return nil, err
		}
		before = leaf - 1
	}
	found, err := a.Orders.Orders(ctx, wanted, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[Order]{}
	if out.Body.Items, err = OrdersOf(ctx, a.Reached, found, a.Now()); err != nil {
		return nil, err
	}
	if len(found) == in.Limit {
		out.Body.Next = strconv.FormatInt(found[len(found)-1].LeafIndex, 10)
	}
	return out, nil
}

type orderIn struct {
	Order string `path:"order" doc:"jti of the order"`
}

type orderOut struct {
	Body struct {
		Order
		Names []statement.AccountNamed `json:"names" doc:"the accounts that it names, by the reseller's own ids; empty where it names none"`
		Why   string                   `json:"answer_why,omitempty" doc:"in the words of whoever answered it, unless they were erased"`
	}
}

func (a API) order(ctx context.Context, in *orderIn) (*orderOut, error) {
	jti, err := unescaped("order", in.Order)
	if err != nil {
		return nil, err
	}
	found, err := a.Orders.Order(ctx, jti)
	if err != nil {
		return nil, err
	}
	shown, err := OrdersOf(ctx, a.Reached, []escalation.Ordered{found}, a.Now())
	if err != nil {
		return nil, err
	}
	out := &orderOut{}
	out.Body.Order, out.Body.Names = shown[0], []statement.AccountNamed{}
	entry, err := a.Ledger.Entry(ctx, found.LeafIndex)
	if err != nil {
		return nil, err
	}
	if said, is := entry.Statement.(statement.ClosureOrdered); is {
		out.Body.Names = orEmpty(said.Accounts)
	}
	if found.Answer.At.IsZero() {
		return out, nil
	}
	answered, err := a.Ledger.Entry(ctx, found.Answer.LeafIndex)
	if err != nil {
		return nil, err
	}
	switch said := answered.Statement.(type) {
	case statement.OrderConfirmation:
		out.Body.Why = said.Reason
	case statement.OfficerAction:
		out.Body.Why = said.Reason
	}
	return out, nil
}

type confirmOrderIn struct {
	Order string `path:"order" doc:"jti of the order"`
	Body  struct {
		Outcome string `json:"outcome,omitempty" enum:"done,partly,cannot" doc:"done if absent"`
		On      string `json:"on,omitempty" doc:"the day it was carried out, or found impossible, YYYY-MM-DD; today if absent"`
		Reason  string `json:"reason" minLength:"1" maxLength:"8000" doc:"how that is known, or why it cannot be; stands in the ledger"`
	}
}

func (a API) confirmOrder(ctx context.Context, in *confirmOrderIn) (*actedOut, error) {
	jti, err := unescaped("order", in.Order)
	if err != nil {
		return nil, err
	}
	said := desk.Carried{Outcome: in.Body.Outcome, On: statement.DateOf(a.Now().UTC()), Reason: in.Body.Reason}
	if said.Outcome == "" {
		said.Outcome = "done"
	}
	if in.Body.On != "" {
		on, err := time.Parse(time.DateOnly, in.Body.On)
		if err != nil {
			return nil, fmt.Errorf("%w: on: wanted a day as YYYY-MM-DD, got something else", problem.ErrRequest)
		}
		said.On = statement.DateOf(on)
	}
	acted, err := a.Desk.ConfirmOrder(ctx, officerIn(ctx), jti, said)
	next := "The order counts as carried out. It stays on the list, with who said so."
	if said.Outcome != "done" {
		next = "The order stays open, with this answer beside it."
	}
	return actedOf(acted, next, err)
}

// SuccessorJSON is who takes the verified customers if the relationship ends.
type SuccessorJSON struct {
	Entity  envelope.Entity `json:"entity"`
	Until   time.Time       `json:"until"`
	By      officerJSON     `json:"by"`
	NamedAt time.Time       `json:"named_at"`
	Reason  string          `json:"reason"`
}

func successorOf(c escalation.Case) *SuccessorJSON {
	if c.Successor == nil {
		return nil
	}
	n := c.Successor
	return &SuccessorJSON{Entity: n.Entity, Until: n.Until, By: officerOf(n.By), NamedAt: n.At, Reason: n.Reason}
}

type successorIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Successor envelope.Entity `json:"successor,omitempty" maxLength:"2048" doc:"entity identifier of an enrolled reseller without an open case; the provider itself (this gateway) if absent"`
		Until     time.Time       `json:"until" doc:"until when it takes the customers; after the limit of the case"`
		Reason    string          `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) nameSuccessor(ctx context.Context, in *successorIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	successor := in.Body.Successor
	if successor == "" {
		successor = a.Entity
	}
	acted, err := a.Desk.NameSuccessor(ctx, officerIn(ctx), id, successor, in.Body.Until, in.Body.Reason)
	return actedOf(acted, "If the relationship ends, the accounts of verified customers are ordered handed over to it, and every other account closed.", err)
}

func (a API) dropSuccessor(ctx context.Context, in *reasonIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.DropSuccessor(ctx, officerIn(ctx), id, in.Body.Reason)
	return actedOf(acted, "If the relationship ends, every account is ordered closed.", err)
}

// superiorJSON is what a reseller was told of who stands above it.
type superiorJSON struct {
	Entity envelope.Entity `json:"entity"`
	Status string          `json:"status,omitempty" enum:"closing,terminated" doc:"absent while it stays"`
	FindBy *time.Time      `json:"find_another_by" doc:"null while it stays"`
}

type subordinate struct {
	ID       string          `json:"id"`
	Entity   envelope.Entity `json:"entity"`
	Name     string          `json:"name"`
	Standing string          `json:"standing"`
	Superior superiorJSON    `json:"superior" doc:"what it was told of the one above"`
}

type subordinatesIn struct {
	ID    string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a API) subordinates(ctx context.Context, in *subordinatesIn) (*list[subordinate], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	if _, err := a.Docket.Open(ctx, id); err != nil {
		return nil, err
	}
	after, err := afterID(in.After)
	if err != nil {
		return nil, err
	}
	found, err := a.Orders.Below(ctx, id, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[subordinate]{}
	out.Body.Items = make([]subordinate, len(found))
	for i, s := range found {
		out.Body.Items[i] = subordinate{ID: s.ID.String(), Entity: s.Entity, Name: s.Name, Standing: s.Standing.String(),
			Superior: superiorJSON{Entity: s.Superior.Entity, Status: s.Superior.Status, FindBy: timeOf(s.Superior.FindBy)}}
	}
	if len(found) == in.Limit {
		out.Body.Next = found[len(found)-1].ID.String()
	}
	return out, nil
}

type underIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Superior envelope.Entity `json:"superior,omitempty" maxLength:"2048" doc:"entity identifier of an enrolled reseller; this gateway if absent"`
		Reason   string          `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

// Moving makes the invitation by which an enrolled reseller comes under another superior.
type Moving interface {
	InviteUnder(ctx context.Context, id envelope.ID, superior envelope.Entity, by statement.Officer, reason string) (registry.Invited, error)
}

func (a API) inviteUnder(ctx context.Context, in *underIn) (*invitationOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Body.Reason) == "" {
		return nil, fmt.Errorf("%w: reason: wanted why this is done, got nothing", problem.ErrRequest)
	}
	invited, err := a.Enrolments.InviteUnder(ctx, id, in.Body.Superior, officerIn(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return a.invited(invited), nil
}
