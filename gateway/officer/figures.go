package officer

import (
	"context"
	"time"
)

type figuresOut struct {
	Body struct {
		Statements             *int           `json:"statements,omitempty" doc:"submissions of every kind; none after a termination is counted anywhere here. Left out for who may not read what is for those who need to know"`
		LastStatedAt           *time.Time     `json:"last_stated_at"`
		Customers              int            `json:"customers"`
		CustomersVerified      int            `json:"customers_verified"`
		CustomersNotVerified   int            `json:"customers_not_verified" doc:"verifying them failed"`
		CustomersUnstated      int            `json:"customers_unstated" doc:"of which no verification was stated"`
		CustomersUS            int            `json:"customers_us" doc:"found to be U.S. persons with all their owners"`
		CustomersUnverified    int            `json:"customers_unverified" doc:"with an open account, and not verified though they should be"`
		UnverifiedAccounts     int            `json:"unverified_accounts" doc:"open accounts of those"`
		CustomersIncomplete    int            `json:"customers_incomplete" doc:"verified, without an element that 15 CFR 7.302, proposed, asks for"`
		Owners                 int            `json:"owners"`
		OwnersVerified         int            `json:"owners_verified"`
		OwnersUS               int            `json:"owners_us"`
		Accounts               int            `json:"accounts"`
		AccountsOpen           int            `json:"accounts_open"`
		AccountsLimited        int            `json:"accounts_limited" doc:"of the open ones"`
		AccountsNotOpened      int            `json:"accounts_not_opened" doc:"of which it was never stated that they opened"`
		TrainingsPlanned       int            `json:"trainings_planned"`
		TrainingsOccurred      int            `json:"trainings_occurred"`
		SuspiciousReports      *int           `json:"suspicious_reports,omitempty" doc:"without corrections; left out as statements"`
		CustomersByCountry     map[string]int `json:"customers_by_country"`
		ForeignOwnersByCountry map[string]int `json:"foreign_owners_by_country"`
	}
}

func (a API) figures(ctx context.Context, in *byID) (*figuresOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	f := file.History.Figures
	out := &figuresOut{}
	b := &out.Body
	b.Statements, b.LastStatedAt = counted(ctx, f.Statements), timeOf(f.LastStatedAt)
	b.Customers, b.CustomersVerified, b.CustomersNotVerified, b.CustomersUnstated = f.Customers, f.CustomersVerified, f.CustomersNotVerified, f.CustomersUnstated()
	b.CustomersUS, b.CustomersUnverified, b.UnverifiedAccounts, b.CustomersIncomplete = f.CustomersUS, f.CustomersUnverified, f.UnverifiedAccounts, f.CustomersIncomplete
	b.Owners, b.OwnersVerified, b.OwnersUS = f.Owners, f.OwnersVerified, f.OwnersUS
	b.Accounts, b.AccountsOpen, b.AccountsLimited, b.AccountsNotOpened = f.Accounts, f.AccountsOpen, f.AccountsLimited, f.AccountsNotOpened
	b.TrainingsPlanned, b.TrainingsOccurred, b.SuspiciousReports = f.TrainingsPlanned, f.TrainingsOccurred, counted(ctx, f.SuspiciousReports)
	b.CustomersByCountry, b.ForeignOwnersByCountry = f.CustomersByCountry, f.ForeignOwnersByCountry
	if b.CustomersByCountry == nil {
		b.CustomersByCountry = map[string]int{}
	}
	if b.ForeignOwnersByCountry == nil {
		b.ForeignOwnersByCountry = map[string]int{}
	}
	return out, nil
}
