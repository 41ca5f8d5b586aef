package delivery

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// proofBatch is how many proofs are appended to the ledger at once.
const proofBatch = 300

type proofRow struct {
	About       string `gorm:"primaryKey"`
	JTI         string `gorm:"column:jti;primaryKey"`
	Channel     string `gorm:"primaryKey"`
	AddressedAt int64
	SentAt      int64
	ProvedAt    int64
	Link        string
	Contact     string
	Recorded    bool
}

func (proofRow) TableName() string { return "delivery_proofs" }

// Proof is what proves that a notice reached whom it was for, by one channel.
type Proof struct {
	Channel     string // one of statement's channels
	AddressedAt time.Time
	SentAt      time.Time // zero if only the addressing is known
	ProvedAt    time.Time
	Contact     string // which contact, by an id that names nobody; empty for the reseller's software
}

func (row proofRow) toProof() Proof {
	return Proof{Channel: row.Channel, AddressedAt: timeOrZero(row.AddressedAt), SentAt: timeOrZero(row.SentAt), ProvedAt: timeOrZero(row.ProvedAt), Contact: row.Contact}
}

// proved keeps that these notices of an audience are proved, inside a transaction. What proved a notice on a channel first stands.
// Events of a stream itself prove nothing.
func (d *Delivery) proved(tx *gorm.DB, rows []noticeRow, channel, link string) error {
	first, err := firstAttempts(tx, rows)
	if err != nil {
		return err
	}
	now := d.Now().UnixMicro()
	var proofs []proofRow
	for _, row := range rows {
		if row.LeafIndex < 0 {
			continue
		}
		proofs = append(proofs, proofOf(row, channel, link, first[row.Sequence], now))
	}
	return keepProofs(tx, proofs)
}

// proofOf is what proves a notice. first is when it was first tried, 0 if that is not known; times are microseconds.
func proofOf(row noticeRow, channel, link string, first, now int64) proofRow {
	proof := proofRow{About: row.About, JTI: row.JTI, Channel: channel, AddressedAt: row.AddressedAt, Link: link}
	if audience := notices.Audience(row.Audience); audience.IsPerson() {
		proof.Contact = audience.ID()
	}
	// Clocks of two processes may differ by a little: what followed is not earlier. Of many attempts the first are no longer kept.
	if first > 0 && row.Tries <= keptAttempts {
		proof.SentAt = max(first, proof.AddressedAt)
	}
	proof.ProvedAt = max(now, proof.AddressedAt, proof.SentAt)
	return proof
}

// keepProofs stores proofs; what proved a notice on a channel first stands.
func keepProofs(tx *gorm.DB, proofs []proofRow) error {
	if len(proofs) == 0 {
		return nil
	}
	if err := store(tx, proofs, clause.OnConflict{DoNothing: true}); err != nil {
		return fmt.Errorf("keeping what proves notices: %w", err)
	}
	return nil
}

// provedByOfficer keeps what an officer recorded of a call, a courier or a meeting. The ledger has it already, in the officer's name.
func provedByOfficer(tx *gorm.DB, entry statement.Entry, self envelope.Entity) error {
	told, ok := notices.ToldBy(entry, self)
	if !ok {
		return nil
	}
	var notice noticeRow
	err := tx.Where("audience = ? AND jti = ?", string(notices.OfReseller(entry.About)), told.Notice).Order("sequence").Limit(1).Find(&notice).Error
	if err != nil {
		return fmt.Errorf("looking for the notice that an officer told: %w", err)
	}
	row := proofRow{About: string(entry.About), JTI: told.Notice, Channel: told.Channel, AddressedAt: notice.AddressedAt, ProvedAt: told.At.UnixMicro(), Recorded: true}
	if row.AddressedAt == 0 || row.AddressedAt > row.ProvedAt {
		row.AddressedAt = row.ProvedAt
	}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return fmt.Errorf("keeping what an officer told: %w", err)
	}
	return nil
}

// firstAttempts is when notices of one audience were first tried, by their numbers.
func firstAttempts(tx *gorm.DB, rows []noticeRow) (map[int64]int64, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	sequences := make([]int64, len(rows))
	for i, row := range rows {
		sequences[i] = row.Sequence
	}
	var found []attemptRow
	err := tx.Model(&attemptRow{}).Select("sequence, MIN(at) AS at").Where("audience = ? AND sequence IN ?", rows[0].Audience, padded(sequences)).
		Group("sequence").Order("sequence").Limit(len(rows)).Find(&found).Error
	if err != nil {
		return nil, fmt.Errorf("looking for the first attempts: %w", err)
	}
	first := map[int64]int64{}
	for _, one := range found {
		first[one.Sequence] = one.At
	}
	return first, nil
}

// record states in the ledger what was proved since. Killed between the two it states the same again, which the ledger takes as the
// same: the jti and the times are those of the proof.
func (d *Delivery) record(ctx context.Context) error {
	for {
		var rows []proofRow
		err := d.DB.WithContext(ctx).Where("NOT recorded").Order("proved_at, about, jti, channel").Limit(proofBatch).Find(&rows).Error
		if err != nil {
			return fmt.Errorf("looking for proofs to record: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		sets := make([]envelope.Verified, len(rows))
		for i, row := range rows {
			if sets[i], err = d.Signer.Sign(d.proofDraft(row)); err != nil {
				return fmt.Errorf("signing a proof of notice: %w", err)
			}
		}
		if _, err := d.Ledger.Append(ctx, sets...); err != nil {
			return fmt.Errorf("recording proofs of notice: %w", err)
		}
		// One statement: each costs as much as many. By the span of their times PostgreSQL finds them without reading all proofs there are.
		open := d.DB.WithContext(ctx).Model(&proofRow{}).Where("NOT recorded AND proved_at BETWEEN ? AND ?", rows[0].ProvedAt, rows[len(rows)-1].ProvedAt)
		err = proofsOf(open, rows).Update("recorded", true).Error
		if err != nil {
			return fmt.Errorf("noting that proofs are recorded: %w", err)
		}
	}
}

// proofsOf matches proofs, each by the key of its row.
func proofsOf(tx *gorm.DB, rows []proofRow) *gorm.DB {
	keys := make([][]any, len(rows))
	for i, row := range rows {
		keys[i] = []any{row.About, row.JTI, row.Channel}
	}
	return oneOf(tx, "about, jti, channel", "(CAST(? AS text), CAST(? AS text), CAST(? AS text))", keys)
}

func (d *Delivery) proofDraft(row proofRow) envelope.Draft {
	said := statement.NoticeProved{Notice: row.JTI, Channel: row.Channel, AddressedAt: timeOrZero(row.AddressedAt), SentAt: timeOrZero(row.SentAt),
		ProvedAt: timeOrZero(row.ProvedAt), Link: row.Link, Contact: row.Contact}
	named := envelope.DigestOf([]byte(row.About + "\x00" + row.JTI + "\x00" + row.Channel)).String()
	return envelope.Draft{Issuer: d.Self, Audience: d.Self, IssuedAt: d.Now(), JTI: "notice-proved-" + named, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: row.About}}
}

// Proofs returns what proves the notices of a reseller with these jtis, by jti, the earliest first.
func (d *Delivery) Proofs(ctx context.Context, about envelope.Entity, jtis []string) (map[string][]Proof, error) {
	var rows []proofRow
	err := d.DB.WithContext(ctx).Where("about = ? AND jti IN ?", string(about), jtis).Order("proved_at, channel").Limit(len(jtis) * maxChannels).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for what proves notices: %w", err)
	}
	by := map[string][]Proof{}
	for _, row := range rows {
		by[row.JTI] = append(by[row.JTI], row.toProof())
	}
	return by, nil
}

// maxChannels is how many channels may prove one notice.
const maxChannels = 6
