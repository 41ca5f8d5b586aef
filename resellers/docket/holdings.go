package docket

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What a closure or a termination does to customers' accounts follows from the records, which no file holds: they are read beside the
// file, whenever it is settled. A file is read first, and its records in the same state or a later one; what is later came with an entry
// about the reseller, which keeps what was decided from being appended.

// needsHoldings says whether what is decided about a file's case may depend on its customers' accounts.
func needsHoldings(p *policy.Policy, c escalation.Case) (named, handOver bool) {
	stage, _ := c.Stage()
	if stage == escalation.Terminated || !p.Case.Close.Known() {
		return false, false
	}
	return p.Case.Close.Implicated() && stage < escalation.Closing, c.Successor != nil
}

// holdings reads what a closure or termination of a file's case would be about. The accounts themselves are listed only where a closure
// of theirs is decided.
func (d *Docket) holdings(ctx context.Context, file File, now time.Time) (h escalation.Holdings, err error) {
	p, err := d.PolicyOf(file)
	if err != nil {
		return h, nil //nolint:nilerr // whoever judges the file says so
	}
	named, handOver := needsHoldings(&p, file.Case)
	if named {
		if h.Named, err = d.implicated(ctx, &p, file, now); err != nil {
			return h, err
		}
	}
	if handOver {
		h.HandOver, h.SuccessorGone, err = d.handOver(ctx, file, now)
	}
	return h, err
}

// implicated finds, for each finding that is open or will be now, which customers it names.
func (d *Docket) implicated(ctx context.Context, p *policy.Policy, file File, now time.Time) (map[string][]escalation.Holding, error) {
	type shortfall struct {
		rule     string
		evidence []int64
	}
	all := map[string]shortfall{}
	found, _ := findings.Assess(p, &file.History, now)
	for _, f := range found {
		if f.Severity != policy.Minor {
			all[f.ID] = shortfall{f.Rule, f.Evidence}
		}
	}
	for _, f := range file.Case.Behind() {
		all[findings.Named(f.ID)] = shortfall{f.Rule, f.Evidence}
	}
	byName := map[string][]escalation.Holding{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		customers, err := d.namedBy(ctx, p, file, all[name].rule, all[name].evidence, now)
		if err != nil {
			return nil, err
		}
		if len(customers) > 0 && len(customers) <= p.Case.Close.Most.Value {
			byName[name] = customers
		}
	}
	return byName, nil
}

// namedBy are the customers with open accounts that a finding under a rule names, ordered by id; none where it is about the reseller
// itself. They are one more than one closure may name where they are too many.
func (d *Docket) namedBy(ctx context.Context, p *policy.Policy, file File, rule string, evidence []int64, now time.Time) ([]escalation.Holding, error) {
	id, most := file.ID(), p.Case.Close.Most.Value+1
	open := d.db.WithContext(ctx).Model(&customerRow{}).Where("accounts_open > 0")
	switch rule {
	case policy.CustomerUnverified:
		waits := func() *gorm.DB {
			return open.Session(&gorm.Session{}).Where("reseller_id = ? AND unverified_since > 0", id[:])
		}
		overdue := now.Add(-time.Duration(p.Rules.CustomerUnverified.After.Value)).UnixMicro()
		customers, err := holdingsOf(waits().Where("unverified_since <= ?", overdue), most)
		if err != nil || len(customers) > 0 {
			return customers, err
		}
		return holdingsOf(waits(), most) // too large a share of all customers
	case policy.CustomerProhibited:
		if file.Prohibited.Itself {
			return nil, nil
		}
		return holdingsOf(open.Where("key IN (SELECT customer_key FROM docket_hits WHERE "+nowProhibits+" AND from_at <= ? AND party <> 'reseller')",
			id[:], now.UnixMicro(), now.UnixMicro()), most)
	case policy.ReportLate:
		keys, err := d.customersIn(ctx, id, evidence)
		if err != nil || len(keys) == 0 {
			return nil, err
		}
		return holdingsOf(open.Where("key IN ?", keys), most)
	}
	return nil, nil
}

func holdingsOf(query *gorm.DB, most int) ([]escalation.Holding, error) {
	var rows []customerRow
	if err := query.Select("key, accounts_open").Order("key").Limit(most).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("looking for whose accounts are meant: %w", err)
	}
	all := make([]escalation.Holding, len(rows))
	for i, row := range rows {
		all[i] = escalation.Holding{Customer: string(row.Key[len(envelope.ID{}):]), Open: int(row.AccountsOpen)}
	}
	return all, nil
}

// customersIn are the keys of the customers that entries about a reseller name; none if one of the entries names nobody.
func (d *Docket) customersIn(ctx context.Context, id envelope.ID, leaves []int64) ([][]byte, error) {
	var keys [][]byte
	for _, leaf := range leaves {
		entries, err := d.ledger.About(ctx, id, leaf, 1)
		if err != nil {
			return nil, fmt.Errorf("reading the evidence of a finding: %w", err)
		}
		if len(entries) == 0 || entries[0].LeafIndex != leaf {
			return nil, nil
		}
		customer := entries[0].Customer
		if said, is := entries[0].Statement.(statement.TransactionCovered); is {
			run := map[recordKey]history.Training{}
			key := keyOf(id, said.Transaction)
			if err := read(ctx, d.db, trainingsTable, []recordKey{key}, run); err != nil {
				return nil, err
			}
			customer = run[key].Customer
		}
		if customer == "" {
			return nil, nil
		}
		keys = append(keys, []byte(keyOf(id, customer)))
	}
	return keys, nil
}

// handOver counts the open accounts that a successor may take, and says whether the one that was named is going itself.
func (d *Docket) handOver(ctx context.Context, file File, now time.Time) (accounts int, gone bool, err error) {
	id := file.ID()
	var sum struct{ Accounts int }
	err = d.db.WithContext(ctx).Model(&customerRow{}).Select("COALESCE(SUM(accounts_open), 0) AS accounts").
		Where("reseller_id = ? AND state = ? AND accounts_open > 0", id[:], StateVerified).
		Where("key NOT IN (SELECT customer_key FROM docket_hits WHERE "+nowProhibits+" AND from_at <= ?)", id[:], now.UnixMicro(), now.UnixMicro()).
		Limit(1).Scan(&sum).Error
	if err != nil {
		return 0, false, fmt.Errorf("counting the accounts that a successor takes: %w", err)
	}
	if file.Case.Successor.Entity == d.self {
		return sum.Accounts, false, nil
	}
	successor := file.Case.Successor.Entity.ID()
	var rows []fileRow
	if err := d.db.WithContext(ctx).Select("standing").Where("id = ?", successor[:]).Limit(1).Find(&rows).Error; err != nil {
		return 0, false, fmt.Errorf("looking how the successor stands: %w", err)
	}
	gone = len(rows) == 0 || rows[0].Standing == escalation.Closing.String() || rows[0].Standing == escalation.Terminated.String()
	return sum.Accounts, gone, nil
}

// accountsAtOnce is of how many customers accounts are read at once.
const accountsAtOnce = 100

// list fills in the accounts of a closure that was decided: the open ones of every customer that the findings behind it name.
func (d *Docket) list(ctx context.Context, id envelope.ID, h escalation.Holdings, decided []statement.Statement) (escalation.Holdings, error) {
	customers := map[string]bool{}
	for _, said := range decided {
		if closure, is := said.(statement.ClosureOrdered); is && closure.Scope == escalation.CustomerAccounts {
			for _, finding := range closure.Findings {
				for _, one := range h.Named[findings.Named(finding)] {
					customers[one.Customer] = true
				}
			}
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(customers)), accountsAtOnce) {
		ranges, bounds := make([]string, len(some)), make([]any, 0, 2*len(some))
		for i, customer := range some {
			ranges[i] = "key > ? AND key < ?"
			bounds = append(bounds, []byte(keyOf(id, customer, "")), []byte(keyOf(id, customer+behindCustomer)))
		}
		after := []byte{}
		for {
			var rows []partRow
			err := d.db.WithContext(ctx).Table(accountsTable).Where("key > ?", after).Where("("+strings.Join(ranges, " OR ")+")", bounds...).
				Order("key").Limit(page).Find(&rows).Error
			if err != nil {
				return h, fmt.Errorf("listing accounts: %w", err)
			}
			for _, row := range rows {
				account, err := recordOf[history.Account](row.Record)
				if err != nil {
					return h, err
				}
				if customer, _, _ := strings.Cut(string(row.Key[len(id):]), between); account.Open() {
					h.Accounts = append(h.Accounts, statement.AccountNamed{Customer: customer, Account: account.ID})
				}
			}
			if len(rows) < page {
				break
			}
			after = rows[len(rows)-1].Key
		}
	}
	return h, nil
}

// held is what a sheet, on which newer entries were folded, makes of holdings that were read before: accounts that were closed since are
// not in them any more, those that were opened are, and neither is a customer that was verified where only who is not is meant.
func (s *sheet) held(file *File, h escalation.Holdings) escalation.Holdings {
	id := file.ID()
	meant, named := map[string]bool{}, map[string][]escalation.Holding{}
	for finding, customers := range h.Named {
		unverified := strings.HasPrefix(finding, policy.CustomerUnverified+".")
		for _, one := range customers {
			if record, folded := s.customers[keyOf(id, one.Customer)]; folded {
				if one.Open = record.AccountsOpen; one.Open == 0 || unverified && record.UnverifiedSince.IsZero() {
					continue
				}
			}
			named[finding] = append(named[finding], one)
			meant[one.Customer] = true
		}
	}
	h.Named = named
	if h.Accounts == nil {
		return h
	}
	left := map[statement.AccountNamed]bool{}
	for _, account := range h.Accounts {
		left[account] = meant[account.Customer]
	}
	for key, record := range s.accounts {
		customer, account, _ := strings.Cut(string(key[len(id):]), between)
		if key.reseller() == id && meant[customer] {
			left[statement.AccountNamed{Customer: customer, Account: account}] = record.Open()
		}
	}
	h.Accounts = nil
	for account, open := range left {
		if open {
			h.Accounts = append(h.Accounts, account)
		}
	}
	slices.SortFunc(h.Accounts, func(a, b statement.AccountNamed) int {
		if by := strings.Compare(a.Customer, b.Customer); by != 0 {
			return by
		}
		return strings.Compare(a.Account, b.Account)
	})
	return h
}
