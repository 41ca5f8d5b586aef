package calendar

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
)

type feedRow struct {
	ID        string
	Digest    []byte
	Reseller  string
	MadeBy    string
	MadeAt    int64
	RevokedAt int64
}

func (feedRow) TableName() string { return "calendar_feeds" }

type eventRow struct {
	UID       string `gorm:"column:uid;primaryKey"`
	Digest    []byte
	Sequence  int
	ChangedAt int64
}

func (eventRow) TableName() string { return "calendar_events" }

// Feed is one feed that was given out.
type Feed struct {
	ID        string
	Reseller  envelope.Entity // empty: the steps of all resellers
	MadeBy    string          // the officer's id
	MadeAt    time.Time
	RevokedAt time.Time // zero while it holds
}

func (row feedRow) toFeed() Feed {
	f := Feed{ID: row.ID, Reseller: envelope.Entity(row.Reseller), MadeBy: row.MadeBy, MadeAt: time.UnixMicro(row.MadeAt).UTC()}
	if row.RevokedAt != 0 {
		f.RevokedAt = time.UnixMicro(row.RevokedAt).UTC()
	}
	return f
}

// Feeds keeps which feeds were given out and what each date last said.
type Feeds struct {
	db  *gorm.DB
	now func() time.Time
}

// NewFeeds returns the feeds kept in a store. now is the gateway's clock.
func NewFeeds(db *gorm.DB, now func() time.Time) *Feeds { return &Feeds{db, now} }

// tokenBytes is 256 bits: nobody guesses it.
const tokenBytes = 32

func digestOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Make makes a feed and returns it with the token of its address, which is told this once.
func (f *Feeds) Make(ctx context.Context, reseller envelope.Entity, by string) (Feed, string, error) {
	random := make([]byte, tokenBytes)
	if _, err := rand.Read(random); err != nil {
		return Feed{}, "", fmt.Errorf("making a calendar's token: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Feed{}, "", fmt.Errorf("making a calendar: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(random)
	row := feedRow{ID: id.String(), Digest: digestOf(token), Reseller: string(reseller), MadeBy: by, MadeAt: f.now().UnixMicro()}
	if err := f.db.WithContext(ctx).Create(&row).Error; err != nil {
		return Feed{}, "", fmt.Errorf("keeping a calendar: %w", err)
	}
	return row.toFeed(), token, nil
}

// List returns the feeds made after the one with this id, in the order they were made in, at most limit.
func (f *Feeds) List(ctx context.Context, after string, limit int) ([]Feed, error) {
	var rows []feedRow
	if err := f.db.WithContext(ctx).Where("id > ?", after).Order("id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing calendars: %w", err)
	}
	feeds := make([]Feed, len(rows))
	for i, row := range rows {
		feeds[i] = row.toFeed()
	}
	return feeds, nil
}

// Revoke ends a feed: from now on its address shows nothing. Again it changes nothing. Errors wrap problem.ErrNoCalendar.
func (f *Feeds) Revoke(ctx context.Context, id string) (Feed, error) {
	db := f.db.WithContext(ctx)
	if err := db.Model(&feedRow{}).Where("id = ? AND revoked_at = 0", id).Update("revoked_at", f.now().UnixMicro()).Error; err != nil {
		return Feed{}, fmt.Errorf("revoking a calendar: %w", err)
	}
	var row feedRow
	err := db.Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Feed{}, fmt.Errorf("%w: wanted the id of a calendar. GET /v1/calendars lists them", problem.ErrNoCalendar)
	}
	if err != nil {
		return Feed{}, fmt.Errorf("reading a calendar: %w", err)
	}
	return row.toFeed(), nil
}

// holder is the feed whose address holds this token. Errors wrap problem.ErrNoCalendar.
func (f *Feeds) holder(ctx context.Context, token string) (Feed, error) {
	var row feedRow
	err := f.db.WithContext(ctx).Where("digest = ? AND revoked_at = 0", digestOf(token)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Feed{}, fmt.Errorf("%w: wanted the address as it was given out; it may have been revoked. Ask an officer for a new one", problem.ErrNoCalendar)
	}
	if err != nil {
		return Feed{}, fmt.Errorf("looking for a calendar: %w", err)
	}
	return row.toFeed(), nil
}

// keptDate is a date with how often it changed.
type keptDate struct {
	date
	Sequence  int
	ChangedAt time.Time
}

// keepBatch keeps a statement's parameters under SQLite's limit of 32,766.
const keepBatch = 500

// keep numbers dates: one that says something else than when a feed last said it has a higher number.
func (f *Feeds) keep(ctx context.Context, dates []date) ([]keptDate, error) {
	now := f.now()
	kept := make([]keptDate, 0, len(dates))
	for begin := 0; begin < len(dates); begin += keepBatch {
		batch := dates[begin:min(begin+keepBatch, len(dates))]
		numbered, err := f.keepBatch(ctx, batch, now)
		if err != nil {
			return nil, fmt.Errorf("numbering dates: %w", err)
		}
		kept = append(kept, numbered...)
	}
	return kept, nil
}

func (f *Feeds) keepBatch(ctx context.Context, batch []date, now time.Time) (kept []keptDate, err error) {
	uids := make([]string, len(batch))
	for i, one := range batch {
		uids[i] = one.UID
	}
	var rows []eventRow
	if err := f.db.WithContext(ctx).Where("uid IN ?", uids).Order("uid").Limit(len(uids)).Find(&rows).Error; err != nil {
		return nil, err
	}
	known := map[string]eventRow{}
	for _, row := range rows {
		known[row.UID] = row
	}
	for _, one := range batch {
		row, ok := known[one.UID]
		if digest := one.digest(); !ok || !bytes.Equal(row.Digest, digest) {
			if ok {
				row.Sequence++
			}
			row.UID, row.Digest, row.ChangedAt = one.UID, digest, now.UnixMicro()
			// Two that find the same change at once give it the same number.
			err := f.db.WithContext(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "uid"}}, UpdateAll: true}).Create(&row).Error
			if err != nil {
				return nil, err
			}
		}
		kept = append(kept, keptDate{date: one, Sequence: row.Sequence, ChangedAt: time.UnixMicro(row.ChangedAt).UTC()})
	}
	return kept, nil
}
