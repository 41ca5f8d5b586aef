package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// BenchmarkAppend measures statements a second, on disk, from several clients at once, and beside it in the same run the plain way
// that one would write by hand: a transaction for each statement, and no tree.
func BenchmarkAppend(b *testing.B) {
	ways := []struct {
		name string
		open func(b *testing.B, db *gorm.DB) func(context.Context, envelope.Verified) error
	}{
		{"plain", func(b *testing.B, db *gorm.DB) func(context.Context, envelope.Verified) error {
			plainTables(b, db)
			return func(ctx context.Context, set envelope.Verified) error { return plainAppend(ctx, db, set) }
		}},
		{"ledger", func(b *testing.B, db *gorm.DB) func(context.Context, envelope.Verified) error {
			signer, _ := ledgertest.LogKey(b)
			l, err := ledger.Open(b.Context(), ledger.Config{DB: db, Signer: signer, Origin: ledgertest.Origin, Bodies: ledgertest.Bodies(b), Now: time.Now})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { l.Close() })
			return func(ctx context.Context, set envelope.Verified) error {
				_, err := l.Append(ctx, set)
				return err
			}
		}},
	}
	for _, store := range migrationstest.Stores {
		b.Run(store, func(b *testing.B) {
			for _, clients := range []int{1, 8, 64, 256} {
				for _, way := range ways {
					b.Run(fmt.Sprintf("clients=%d/%s", clients, way.name), func(b *testing.B) {
						add := way.open(b, migrationstest.Open(b, migrationstest.URL(b, store)))
						appendFrom(b, clients, add)
					})
				}
			}
		})
	}
}

// appendFrom shares b.N statements, signed beforehand, among the clients.
func appendFrom(b *testing.B, clients int, add func(context.Context, envelope.Verified) error) {
	sets := signedSets(b, b.N)
	var next atomic.Int64
	var group sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= int64(len(sets)) {
					return
				}
				if err := add(b.Context(), sets[n]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submissions/s")
}

var signed struct {
	sync.Mutex
	sets []envelope.Verified
}

// signedSets are statements of 64 resellers in turn, read as intake reads them, kept for the next benchmark.
func signedSets(b *testing.B, count int) []envelope.Verified {
	b.Helper()
	signed.Lock()
	defer signed.Unlock()
	var authors []ledgertest.Author
	for n := len(signed.sets); n < count; n++ {
		if authors == nil {
			for i := range 64 {
				authors = append(authors, ledgertest.NewAuthor(b, i))
			}
		}
		set := authors[n%64].State(b, n)
		if _, err := statement.Decode(set); err != nil {
			b.Fatal(err)
		}
		signed.sets = append(signed.sets, set)
	}
	return signed.sets[:count]
}

type plainRow struct {
	ID         int64
	AcceptedAt time.Time
	About      []byte
	Kind       string
	Digest     []byte
	Body       []byte
}

func (plainRow) TableName() string { return "plain_entries" }

type plainJTI struct {
	Issuer string `gorm:"primaryKey"`
	JTI    string `gorm:"primaryKey"`
}

func (plainJTI) TableName() string { return "plain_jtis" }

func plainTables(b *testing.B, db *gorm.DB) {
	b.Helper()
	id, bytes, at := "bigserial PRIMARY KEY", "bytea", "timestamptz"
	if db.Name() == "sqlite" {
		id, bytes, at = "INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB", "TIMESTAMP"
	}
	for _, statement := range []string{
		"CREATE TABLE plain_entries (id " + id + ", accepted_at " + at + " NOT NULL, about " + bytes + " NOT NULL, kind text NOT NULL, digest " + bytes + " NOT NULL, body " + bytes + " NOT NULL)",
		"CREATE INDEX plain_entries_about ON plain_entries (about, id)",
		"CREATE INDEX plain_entries_digest ON plain_entries (digest)",
		"CREATE TABLE plain_jtis (issuer text, jti text, PRIMARY KEY (issuer, jti))",
	} {
		if err := db.Exec(statement).Error; err != nil {
			b.Fatal(err)
		}
	}
}

func plainAppend(ctx context.Context, db *gorm.DB, set envelope.Verified) error {
	claims, digest := set.Claims(), set.Digest()
	about := claims.Issuer.ID()
	return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&plainJTI{Issuer: string(claims.Issuer), JTI: claims.JTI}).Error; err != nil {
			return err
		}
		return tx.Create(&plainRow{AcceptedAt: time.Now(), About: about[:], Kind: "cip-attestation", Digest: digest[:], Body: set.Raw()}).Error
	})
}
