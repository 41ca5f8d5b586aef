package officer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/history"
)

// Customers is what the API reads of what resellers stated of their customers. It names nobody: ids are the resellers' own.
type Customers interface {
	Customers(ctx context.Context, reseller envelope.ID, wanted docket.CustomerFilter, after *docket.CustomerPlace, limit int) ([]history.Customer, error)
	Customer(ctx context.Context, reseller envelope.ID, customer string) (history.Customer, error)
	Owners(ctx context.Context, reseller envelope.ID, customer string, limit int) ([]history.Owner, error)
	Accounts(ctx context.Context, reseller envelope.ID, customer string, limit int) ([]history.Account, error)
	Trainings(ctx context.Context, reseller envelope.ID, customer string, before int64, limit int) ([]history.Training, error)
	Countries(ctx context.Context) ([]docket.Country, error)
}

func (a API) registerCustomers(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/figures", "get-figures", "What one reseller stated, in numbers", http.StatusOK, a.figures)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/customers", "list-customers", "One reseller's customers, by the ids it gave them", http.StatusOK, a.customers)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/customers/{customer}", "get-customer", "One customer with its owners, accounts, AI trainings and newest entries", http.StatusOK, a.customer)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/training-runs", "list-training-runs", "AI trainings that one reseller reported, the newest first", http.StatusOK, a.trainings)
	register(api, a.Log, http.MethodGet, "/v1/customers/countries", "list-customer-countries", "Where customers and foreign beneficial owners belong, over all resellers", http.StatusOK, a.countries)
}

// verificationJSON is what was last stated of who a party is.
type verificationJSON struct {
	State          string     `json:"state" enum:"verified,not-verified,unstated"`
	Form           string     `json:"form,omitempty" enum:"individual,entity"`
	Method         string     `json:"method,omitempty" enum:"documentary,non-documentary,both"`
	RiskTier       string     `json:"risk_tier,omitempty" enum:"low,medium,high"`
	CheckedOn      *string    `json:"checked_on" format:"date" doc:"the day of the result, or of the last attempt; null while nothing was stated"`
	VerifiedOn     *string    `json:"verified_on" format:"date" doc:"the last day on which it was verified; null if it never was"`
	NextDue        *string    `json:"next_due" format:"date" doc:"by when the reseller itself means to verify again"`
	AcceptedAt     *time.Time `json:"accepted_at" doc:"when the ledger took the statement"`
	LeafIndex      *int64     `json:"leaf_index" doc:"where it stands"`
	USPerson       bool       `json:"us_person" doc:"found to be a U.S. person"`
	Country        string     `json:"country,omitempty" doc:"of residence or organisation, ISO 3166-1 alpha-2"`
	PrincipalPlace string     `json:"principal_place,omitempty" doc:"ISO 3166-1 alpha-2"`
	Ownership      []string   `json:"ownership,omitempty" doc:"countries of those who own or control it"`
	Actions        []string   `json:"actions,omitempty" doc:"what is done where it is not verified"`
	Missing        []string   `json:"missing,omitempty" doc:"elements that 15 CFR 7.302, proposed, asks for and that are not said to be in hand"`
}

func verificationOf(v history.Verification) verificationJSON {
	out := verificationJSON{State: v.Result, Form: v.Form, Method: v.Method, RiskTier: v.RiskTier, CheckedOn: dateOf(v.CheckedOn),
		VerifiedOn: dateOf(v.VerifiedOn), NextDue: dateOf(v.NextDue), AcceptedAt: timeOf(v.AcceptedAt), USPerson: v.USPerson,
		Country: v.Home, PrincipalPlace: v.PrincipalPlace, Ownership: v.Ownership, Actions: v.Actions, Missing: v.Missing}
	if v.Result == "" {
		out.State = string(docket.StateUnstated)
		return out
	}
	out.LeafIndex = &v.LeafIndex
	return out
}

func dateOf(d statement.Date) *string {
	if d == (statement.Date{}) {
		return nil
	}
	text := d.String()
	return &text
}

// customerJSON is one customer in a list.
type customerJSON struct {
	ID              string           `json:"id" doc:"the reseller's own, opaque"`
	Verification    verificationJSON `json:"verification"`
	UnverifiedSince *time.Time       `json:"unverified_since" doc:"since when it has an open account and is not verified though it should be"`
	US              bool             `json:"us" doc:"it and all its owners are found to be U.S. persons: nobody has to verify them"`
	OwnerCount      int              `json:"owner_count"`
	OwnersVerified  int              `json:"owners_verified"`
	AccountCount    int              `json:"account_count"`
	AccountsOpen    int              `json:"accounts_open" doc:"not closed; a limited one is open"`
	Reports         *int             `json:"suspicious_reports,omitempty" doc:"left out for who may not read what is for those who need to know"`
	FirstAt         time.Time        `json:"first_at" doc:"when the first entry that names it was accepted"`
	EntryCount      *int             `json:"entry_count,omitempty" doc:"entries that name it; left out as suspicious_reports"`
}

func customerOf(ctx context.Context, c history.Customer) customerJSON {
	return customerJSON{ID: c.ID, Verification: verificationOf(c.Verification), UnverifiedSince: timeOf(c.UnverifiedSince), US: c.US(),
		OwnerCount: c.Owners, OwnersVerified: c.OwnersVerified, AccountCount: c.Accounts, AccountsOpen: c.AccountsOpen, Reports: counted(ctx, c.Reports),
		FirstAt: c.FirstAt, EntryCount: counted(ctx, c.EntryCount)}
}

type customersIn struct {
	ID       string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	After    string `query:"after" doc:"cursor: the next of the page before"`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Q        string `query:"q" maxLength:"255" doc:"a customer's id, exactly"`
	State    string `query:"state" enum:"verified,not-verified,unstated,unverified" doc:"unverified: has an open account and is not verified though it should be; the longest first"`
	RiskTier string `query:"risk_tier" enum:"low,medium,high" doc:"of those that are verified; the oldest verification first"`
	Country  string `query:"country" pattern:"^[A-Z]{2}$" doc:"ISO 3166-1 alpha-2"`
}

func (in *customersIn) filter() docket.CustomerFilter {
	f := docket.CustomerFilter{ID: in.Q, RiskTier: in.RiskTier, Country: in.Country}
	if in.State == "unverified" {
		f.Unverified = true
	} else {
		f.State = docket.CustomerState(in.State)
	}
	return f
}

func (a API) customers(ctx context.Context, in *customersIn) (*list[customerJSON], error) {
	id, err := a.known(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	after, err := customerPlace(in.After)
	if err != nil {
		return nil, err
	}
	wanted := in.filter()
	found, err := a.Docket.Customers(ctx, id, wanted, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[customerJSON]{}
	out.Body.Items = make([]customerJSON, len(found))
	for i, c := range found {
		out.Body.Items[i] = customerOf(ctx, c)
	}
	if len(found) == in.Limit {
		last := wanted.PlaceOf(found[len(found)-1])
		out.Body.Next = cursorOf(strconv.FormatInt(last.Rank, 10), last.Customer)
	}
	return out, nil
}

func customerPlace(cursor string) (*docket.CustomerPlace, error) {
	if cursor == "" {
		return nil, nil
	}
	parts, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	rank, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, got something else", problem.ErrRequest)
	}
	return &docket.CustomerPlace{Rank: rank, Customer: parts[1]}, nil
}

// known is the id of a reseller that is on file.
func (a API) known(ctx context.Context, text string) (envelope.ID, error) {
	id, err := (byID{text}).parse()
	if err != nil {
		return id, err
	}
	_, err = a.Docket.Open(ctx, id)
	return id, err
}

type ownerJSON struct {
	ID           string           `json:"id" doc:"the reseller's own, opaque"`
	Basis        string           `json:"basis" enum:"control,ownership,both"`
	SharePercent int64            `json:"share_percent,omitempty" doc:"absent where the basis is control"`
	Verification verificationJSON `json:"verification"`
}

type accountJSON struct {
	ID             string   `json:"id" doc:"the reseller's own, opaque"`
	Status         string   `json:"status" enum:"open,limited,closed"`
	On             *string  `json:"on" format:"date" doc:"since when; null if that was not stated"`
	Reason         string   `json:"reason,omitempty" doc:"why it is limited or closed"`
	Order          string   `json:"order,omitempty" doc:"jti of the order by which it is"`
	OpenedOn       *string  `json:"opened_on" format:"date" doc:"null: that it opened was never stated"`
	LastAccessedOn *string  `json:"last_accessed_on" format:"date"`
	Plan           string   `json:"plan,omitempty" enum:"trial,free,paid"`
	Products       []string `json:"products,omitempty"`
	LeafIndex      int64    `json:"leaf_index" doc:"of the newest entry that names it"`
}

type trainingJSON struct {
	Transaction string    `json:"transaction" doc:"the reseller's own id, opaque"`
	Customer    string    `json:"customer"`
	State       string    `json:"state" enum:"planned,occurred"`
	StartedOn   *string   `json:"started_on" format:"date"`
	CompletedOn *string   `json:"completed_on" format:"date"`
	Operations  string    `json:"operations,omitempty" doc:"such as 1.2e26"`
	Country     string    `json:"country,omitempty" doc:"of the cluster"`
	KnewAt      time.Time `json:"knew_at" doc:"the earliest that any report states"`
	KnewBy      string    `json:"knew_by"`
	ReportedAt  time.Time `json:"reported_at" doc:"when the first report was accepted"`
	Reports     int       `json:"reports"`
	LeafIndex   int64     `json:"leaf_index" doc:"of the report that this follows from"`
}

func trainingOf(t history.Training) trainingJSON {
	return trainingJSON{Transaction: t.Transaction, Customer: t.Customer, State: t.State, StartedOn: dateOf(t.StartedOn),
		CompletedOn: dateOf(t.CompletedOn), Operations: t.Operations, Country: t.Country, KnewAt: t.KnewAt, KnewBy: t.KnewBy,
		ReportedAt: t.ReportedAt, Reports: t.Reports, LeafIndex: t.LeafIndex}
}

func trainingsOf(found []history.Training) []trainingJSON {
	out := make([]trainingJSON, len(found))
	for i, t := range found {
		out[i] = trainingOf(t)
	}
	return out
}

type customerIn struct {
	ID       string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Customer string `path:"customer" doc:"the reseller's own id, percent-encoded"`
}

type customerOut struct {
	Body struct {
		customerJSON
		Owners    []ownerJSON    `json:"owners" doc:"at most 1,000"`
		Accounts  []accountJSON  `json:"accounts" doc:"at most 1,000"`
		Trainings []trainingJSON `json:"training_runs" doc:"the newest 1,000"`
		Entries   []told         `json:"entries" doc:"the newest 16 that name it, oldest first"`
	}
}

// maxOfCustomer is how many of a customer's owners, accounts and trainings are shown.
const maxOfCustomer = 1000

func (a API) customer(ctx context.Context, in *customerIn) (*customerOut, error) {
	id, err := a.known(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	name, err := url.PathUnescape(in.Customer)
	if err != nil {
		return nil, fmt.Errorf("%w: customer: wanted an id, percent-encoded", problem.ErrRequest)
	}
	c, err := a.Docket.Customer(ctx, id, name)
	if err != nil {
		return nil, err
	}
	out := &customerOut{}
	b := &out.Body
	b.customerJSON = customerOf(ctx, c)
	owners, err := a.Docket.Owners(ctx, id, name, maxOfCustomer)
	if err != nil {
		return nil, err
	}
	b.Owners = []ownerJSON{}
	for _, o := range owners {
		b.Owners = append(b.Owners, ownerJSON{ID: o.ID, Basis: o.Basis, SharePercent: o.SharePercent, Verification: verificationOf(o.Verification)})
	}
	accounts, err := a.Docket.Accounts(ctx, id, name, maxOfCustomer)
	if err != nil {
		return nil, err
	}
	b.Accounts = []accountJSON{}
	for _, one := range accounts {
		b.Accounts = append(b.Accounts, accountJSON{ID: one.ID, Status: one.Status, On: dateOf(one.On), Reason: one.Reason, Order: one.Order,
			OpenedOn: dateOf(one.OpenedOn), LastAccessedOn: dateOf(one.LastAccessedOn), Plan: one.Plan, Products: one.Products, LeafIndex: one.LeafIndex})
	}
	trainings, err := a.Docket.Trainings(ctx, id, name, math.MaxInt64, maxOfCustomer)
	if err != nil {
		return nil, err
	}
	b.Trainings = trainingsOf(trainings)
	b.Entries = []told{}
	for _, leafIndex := range c.Entries {
		entry, err := a.Ledger.Entry(ctx, leafIndex)
		if errors.Is(err, ledger.ErrNotFound) {
			continue // it is not for who asks
		}
		if err != nil {
			return nil, err
		}
		b.Entries = append(b.Entries, a.told(entry))
	}
	return out, nil
}

func (a API) trainings(ctx context.Context, in *historyIn) (*list[trainingJSON], error) {
	id, err := a.known(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	before := int64(math.MaxInt64)
	if in.After != "" {
		if before, err = strconv.ParseInt(in.After, 10, 64); err != nil || before < 0 {
			return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, got something else", problem.ErrRequest)
		}
	}
	found, err := a.Docket.Trainings(ctx, id, "", before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[trainingJSON]{}
	out.Body.Items = trainingsOf(found)
	if len(found) == in.Limit {
		out.Body.Next = strconv.FormatInt(found[len(found)-1].FirstLeaf, 10)
	}
	return out, nil
}

type country struct {
	Country       string `json:"country" doc:"ISO 3166-1 alpha-2"`
	Customers     int64  `json:"customers"`
	ForeignOwners int64  `json:"foreign_owners" doc:"beneficial owners that were not found to be U.S. persons"`
}

func (a API) countries(ctx context.Context, _ *struct{}) (*list[country], error) {
	found, err := a.Docket.Countries(ctx)
	if err != nil {
		return nil, err
	}
	out := &list[country]{}
	out.Body.Items = make([]country, len(found))
	for i, c := range found {
		out.Body.Items[i] = country(c)
	}
	return out, nil
}
