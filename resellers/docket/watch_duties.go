package docket

import (
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// Duties are what people owe: obligations toward an authority, and calls to resellers that were not proved to have been told.
type Duties struct {
	Open         int    `json:"open"` // obligations
	OverdueCount int    `json:"overdue_count"`
	Calls        int    `json:"calls"` // that an officer must make now
	LateCalls    int    `json:"late_calls"`
	Overdue      []Owed `json:"overdue,omitzero"` // the first 20, the longest overdue first
	Uncalled     []Owed `json:"uncalled,omitzero"`
}

// Owed is something that somebody owes and whose date has passed.
type Owed struct {
	ID    string          `json:"id,omitzero"` // of an obligation
	About envelope.Entity `json:"about"`
	What  string          `json:"what"`
	DueAt time.Time       `json:"due_at"`
}

// Alarm says in one line what is overdue; it is empty if nothing is.
func (d Duties) Alarm() string {
	var late []string
	if d.OverdueCount > 0 {
		first := d.Overdue[0]
		late = append(late, fmt.Sprintf("%d obligations are overdue, the first since %s, about %s: %s. GET /v1/obligations?state=overdue lists them",
			d.OverdueCount, first.DueAt.Format(time.RFC3339), first.About, first.What))
	}
	if d.LateCalls > 0 {
		first := d.Uncalled[0]
		late = append(late, fmt.Sprintf("%d resellers were to be called and were not, the first by %s: %s. GET /v1/calls lists them",
			d.LateCalls, first.DueAt.Format(time.RFC3339), first.About))
	}
	return strings.Join(late, "; ")
}

const callWords = "call it, or send a courier, and record it"

func (d *Docket) watchDuties(db *gorm.DB, now time.Time) (duties Duties, err error) {
	at := now.UnixMicro()
	open := func() *gorm.DB { return db.Model(&obligationRow{}).Where("closed_at = 0") }
	calls := func() *gorm.DB { return db.Model(&fileRow{}).Where("call_at < 9223372036854775807") }
	for _, of := range []struct {
		query *gorm.DB
		into  *int
	}{{open(), &duties.Open}, {open().Where("due_at < ?", at), &duties.OverdueCount}, {calls(), &duties.Calls}, {calls().Where("call_at < ?", at), &duties.LateCalls}} {
		var n int64
		if err := of.query.Count(&n).Error; err != nil {
			return duties, fmt.Errorf("watching what people owe: %w", err)
		}
		*of.into = int(n)
	}
	if duties.OverdueCount > 0 {
		var rows []obligationRow
		if err := open().Where("due_at < ?", at).Order("due_at, id").Limit(watched).Find(&rows).Error; err != nil {
			return duties, fmt.Errorf("watching what is overdue: %w", err)
		}
		for _, row := range rows {
			var o obligations.Obligation
			if o, err = row.toObligation(); err != nil {
				return duties, err
			}
			duties.Overdue = append(duties.Overdue, Owed{ID: o.ID, About: o.About, What: o.What, DueAt: o.DueAt})
		}
	}
	if duties.LateCalls > 0 {
		var rows []fileRow
		if err := calls().Select("entity, call_at").Where("call_at < ?", at).Order("call_at, id").Limit(watched).Find(&rows).Error; err != nil {
			return duties, fmt.Errorf("watching whom to call: %w", err)
		}
		for _, row := range rows {
			duties.Uncalled = append(duties.Uncalled, Owed{About: envelope.Entity(row.Entity), What: callWords, DueAt: timeOrZero(row.CallAt)})
		}
	}
	return duties, nil
}
