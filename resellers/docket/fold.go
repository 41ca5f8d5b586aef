package docket

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
)

// sheet is where entries are folded in memory: the files that they are about, and of those files' customers what the
// entries name. Both are read at one cursor, or not used: what a decision rests on is of one moment.
type sheet struct {
	docket    *Docket
	files     map[envelope.Entity]*File
	read      map[envelope.Entity]history.Figures // as they stood when the file was read
	touched   map[envelope.Entity]bool
	customers map[recordKey]history.Customer
	owners    map[recordKey]history.Owner
	accounts  map[recordKey]history.Account
	trainings map[recordKey]history.Training

	opened  map[envelope.ID]bool // resellers of whom a customer opened its first account or closed its last one
	house   houseSheet
	duties  dutySheet
	persons map[recordKey]bool // customers of which it was found that they are a U.S. person, or are none
}

// sheetOf begins a sheet with files that were opened already.
func (d *Docket) sheetOf(files ...*File) *sheet {
	s := &sheet{
		docket: d, files: map[envelope.Entity]*File{}, read: map[envelope.Entity]history.Figures{}, touched: map[envelope.Entity]bool{},
		customers: map[recordKey]history.Customer{}, owners: map[recordKey]history.Owner{},
		accounts: map[recordKey]history.Account{}, trainings: map[recordKey]history.Training{},
		opened: map[envelope.ID]bool{}, persons: map[recordKey]bool{},
	}
	for _, file := range files {
		s.files[file.Entity], s.read[file.Entity] = file, file.History.Figures
	}
	return s
}

// fold brings entries into the files that the sheet holds; entries about other entities it passes over. It reads of the
// customers that they name those that it has not met. Where another process has folded some of them since a file was read
// it is errOvertaken, and the sheet is of no use any more.
func (s *sheet) fold(ctx context.Context, entries []statement.Entry) error {
	if err := s.meet(ctx, entries); err != nil {
		return err
	}
	named := map[envelope.ID]*File{}
	for _, entry := range entries {
		if entry.About == s.docket.self {
			if changesHouse(entry) {
				s.house.entries = append(s.house.entries, entry)
			}
			if err := s.oblige(escalation.Case{}, escalation.Case{}, entry); err != nil {
				return err
			}
			continue
		}
		file, ok := s.files[entry.About]
		if !ok || entry.LeafIndex <= file.Seen() {
			continue
		}
		s.touched[entry.About] = true
		s.house.count(*file, entry)
		before := file.Case
		file.Case = file.Case.With(entry)
		if err := s.oblige(before, file.Case, entry); err != nil {
			return err
		}
		names := history.NamesIn(entry)
		if names.Customer == "" {
			file.History = file.History.With(entry)
			continue
		}
		s.record(file, names, entry)
		named[file.ID()] = file
	}
	return s.queue(ctx, named)
}

// record folds an entry that names a customer.
func (s *sheet) record(file *File, names history.Names, entry statement.Entry) {
	id := file.ID()
	customer := keyOf(id, names.Customer)
	owner, account, training := keyOf(id, names.Customer, names.Owner), keyOf(id, names.Customer, names.Account), keyOf(id, names.Training)
	before := history.Records{Customer: s.customers[customer]}
	switch {
	case names.Owner != "":
		before.Owner = s.owners[owner]
	case names.Account != "":
		before.Account = s.accounts[account]
	case names.Training != "":
		before.Training = s.trainings[training]
	}
	var after history.Records
	file.History, after = file.History.WithRecords(before, entry)
	s.customers[customer] = after.Customer
	if (before.Customer.AccountsOpen > 0) != (after.Customer.AccountsOpen > 0) {
		s.opened[id] = true
	}
	if before.Customer.US() != after.Customer.US() {
		s.persons[customer] = true
	}
	switch {
	case names.Owner != "":
		s.owners[owner] = after.Owner
	case names.Account != "":
		s.accounts[account] = after.Account
	case names.Training != "":
		s.trainings[training] = after.Training
	}
}

// meet reads the records that entries name and that the sheet does not hold.
func (s *sheet) meet(ctx context.Context, entries []statement.Entry) error {
	var customers, owners, accounts, trainings []recordKey
	seen := map[envelope.ID]int64{}
	for _, entry := range entries {
		names := history.NamesIn(entry)
		file, ok := s.files[entry.About]
		if !ok || names.Customer == "" {
			continue
		}
		id := file.ID()
		customers = append(customers, keyOf(id, names.Customer))
		switch {
		case names.Owner != "":
			owners = append(owners, keyOf(id, names.Customer, names.Owner))
		case names.Account != "":
			accounts = append(accounts, keyOf(id, names.Customer, names.Account))
		case names.Training != "":
			trainings = append(trainings, keyOf(id, names.Training))
		}
		seen[id] = file.Seen()
	}
	if len(customers) == 0 {
		return nil
	}
	customers = slices.DeleteFunc(customers, func(k recordKey) bool { _, met := s.customers[k]; return met })
	db := s.docket.db
	if err := read(ctx, db, customersTable, customers, s.customers); err != nil {
		return err
	}
	for _, k := range customers {
		if held := s.customers[k].Entries; len(held) > 0 && held[len(held)-1] > seen[k.reseller()] {
			return errOvertaken
		}
	}
	if err := read(ctx, db, ownersTable, owners, s.owners); err != nil {
		return err
	}
	if err := read(ctx, db, accountsTable, accounts, s.accounts); err != nil {
		return err
	}
	return read(ctx, db, trainingsTable, trainings, s.trainings)
}

// rows are a sheet as it is stored.
type rows struct {
	files     []fileRow
	customers []customerRow
	owners    []partRow
	accounts  []partRow
	trainings []trainingRow
	countries []countryRow // what is added to them
	house     houseSheet

	obligations []obligationRow

	orders    []orderRow
	superiors [][]byte // whose subordinates may have to be told how they stand

	prohibitions [][]byte // resellers whose hits may prohibit others than before, since accounts were opened or closed
	persons      []recordKey
}

// rows judges what was folded and writes it as it is stored. A file about which nothing must be stated is put away in the
// same breath; the others are due at once.
func (s *sheet) rows(house escalation.House, now time.Time) (r rows, err error) {
	r.house = s.house
	r.house.guard = s.docket.InForce().Guard
	for entity := range s.touched {
		row, err := s.docket.rowOf(*s.files[entity], house, now)
		if err != nil {
			return r, err
		}
		r.files = append(r.files, row)
	}
	// In one order in every process, so that two of them never wait for each other's rows.
	slices.SortFunc(r.files, func(a, b fileRow) int { return strings.Compare(a.Entity, b.Entity) })
	if r.customers, err = rowsOf(s.customers, func(c history.Customer) bool { return c.ID != "" }, customerRowOf); err != nil {
		return r, err
	}
	if r.owners, err = rowsOf(s.owners, func(o history.Owner) bool { return o.ID != "" }, partRowOf[history.Owner]); err != nil {
		return r, err
	}
	if r.accounts, err = rowsOf(s.accounts, func(a history.Account) bool { return a.ID != "" }, partRowOf[history.Account]); err != nil {
		return r, err
	}
	if r.trainings, err = rowsOf(s.trainings, func(t history.Training) bool { return t.Transaction != "" }, trainingRowOf); err != nil {
		return r, err
	}
	r.countries = s.moved()
	for id := range s.opened {
		r.prohibitions = append(r.prohibitions, id[:])
	}
	slices.SortFunc(r.prohibitions, slices.Compare)
	r.persons = slices.Sorted(maps.Keys(s.persons))
	return r, nil
}

// write stores a folded page. Whoever calls it holds the cursor's row, so no other process writes these tables meanwhile.
func (r rows) write(tx *gorm.DB) error {
	if len(r.files) > 0 {
		err := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, UpdateAll: true}).CreateInBatches(r.files, writeBatch).Error
		if err != nil {
			return fmt.Errorf("writing files: %w", err)
		}
	}
	if err := write(tx, customersTable, r.customers); err != nil {
		return fmt.Errorf("writing customers: %w", err)
	}
	if err := write(tx, ownersTable, r.owners); err != nil {
		return fmt.Errorf("writing owners: %w", err)
	}
	if err := write(tx, accountsTable, r.accounts); err != nil {
		return fmt.Errorf("writing accounts: %w", err)
	}
	if err := write(tx, trainingsTable, r.trainings); err != nil {
		return fmt.Errorf("writing trainings: %w", err)
	}
	if err := r.mark(tx); err != nil {
		return fmt.Errorf("marking what is to be stated: %w", err)
	}
	if err := r.forgetReserved(tx); err != nil {
		return err
	}
	if err := r.house.write(tx); err != nil {
		return err
	}
	if err := writeOrders(tx, r.orders); err != nil {
		return err
	}
	if err := markSuperiors(tx, r.superiors); err != nil {
		return err
	}
	if err := writeObligations(tx, r.obligations); err != nil {
		return err
	}
	return writeCountries(tx, r.countries)
}

// mark lets what follows from accounts and persons be stated.
func (r rows) mark(tx *gorm.DB) error {
	if len(r.prohibitions) > 0 {
		if err := markAgain(tx, r.prohibitions); err != nil {
			return err
		}
	}
	for _, k := range r.persons {
		id := k.reseller()
		err := tx.Model(&trainingRow{}).Where("reseller_id = ? AND customer = ?", id[:], string(k[len(id):])).Update("to_judge", 1).Error
		if err != nil {
			return err
		}
	}
	return nil
}
