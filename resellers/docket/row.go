package docket

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// fileRow is a file as it is stored. The columns after NextAt are what a list shows, as last judged.
type fileRow struct {
	ID         []byte
	Entity     string
	Name       string
	Country    string
	Standing   string
	History    string
	Escalation string
	Seen       int64
	NextAt     int64
	StepWhat   string
	StepAt     int64
	StepUnless string
	StepWaits  string
	LimitAt    int64
	// ExemptUntil is when its latest exemption ends or ended; 0 if there never was one.
	ExemptUntil int64
	ApprovalAt  int64
	CallAt      int64
	ReviewAt    int64 // when the oldest answer came that waits for an officer
	// FailedAt is since when it could not be settled; 0 while it can. Failure is why.
	FailedAt int64
	Failure  string
	// SuperiorID is of who stands right above; empty before it is enrolled.
	SuperiorID []byte
}

func (fileRow) TableName() string { return "docket_files" }

func (row fileRow) toFile() (File, error) {
	f := File{Entity: envelope.Entity(row.Entity), NextAt: timeOrZero(row.NextAt)}
	if err := json.Unmarshal([]byte(row.History), &f.History); err != nil {
		return File{}, fmt.Errorf("reading the history of %s: %w", row.Entity, err)
	}
	if err := json.Unmarshal([]byte(row.Escalation), &f.Case); err != nil {
		return File{}, fmt.Errorf("reading the case of %s: %w", row.Entity, err)
	}
	return f, nil
}

// rowOf judges a file and writes it as it is stored. A file that cannot be judged, because its case is pinned to a
// policy that this process does not have, is folded all the same and stays due: Settle says what is wrong.
func (d *Docket) rowOf(file File, house escalation.House, now time.Time) (fileRow, error) {
	j, err := d.judge(file, house, now)
	row, errRow := j.row()
	if p, errPolicy := d.PolicyOf(file); errPolicy == nil && row.NextAt != atOnce {
		// What its customers have open is read where it is settled: the records are not written yet.
		if named, handOver := needsHoldings(&p, file.Case); named && file.Case.ID != "" || handOver {
			row.NextAt = atOnce
		}
	}
	if err != nil {
		row.NextAt, row.FailedAt, row.Failure = atOnce, now.UnixMicro(), err.Error()
	}
	return row, errRow
}

// row writes a judged file as it is stored. Its JSON is deterministic, so that a rebuild gives the same
// bytes.
func (j judged) row() (fileRow, error) {
	past, err := json.Marshal(j.file.History, json.Deterministic(true))
	if err != nil {
		return fileRow{}, fmt.Errorf("writing the history of %s: %w", j.file.Entity, err)
	}
	folded, err := json.Marshal(j.file.Case, json.Deterministic(true))
	if err != nil {
		return fileRow{}, fmt.Errorf("writing the case of %s: %w", j.file.Entity, err)
	}
	id, superior := j.file.ID(), []byte{}
	var reviewAt time.Time
	if waiting := j.file.Case.Reviews; len(waiting) > 0 {
		reviewAt = waiting[0].At
	}
	if above := j.file.History.Superior.Entity; above != "" {
		of := above.ID()
		superior = of[:]
	}
	return fileRow{
		ID: id[:], Entity: string(j.file.Entity), Name: j.file.History.Name, Country: j.file.History.Country,
		Standing: j.file.Case.Standing.String(), History: string(past), Escalation: string(folded),
		Seen: j.file.Seen(), NextAt: j.nextAt(),
		StepWhat: j.next.What, StepAt: microsOrNever(j.next.At), StepUnless: j.next.Unless, StepWaits: j.next.Waits,
		LimitAt: microsOrNever(j.file.Case.LimitAt), ExemptUntil: microsOrZero(j.file.History.Exempt.Until),
		ApprovalAt: microsOrNever(j.approvalAt), CallAt: microsOrNever(j.callAt), ReviewAt: microsOrNever(reviewAt), SuperiorID: superior,
	}, nil
}
