package docket

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"syscall"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/policy"
)

// A backtest of 1,000,000 entries about 10,000 resellers: read from the store, decrypted, decoded, and judged. The setup writes the rows
// of the ledger and of the files as they are; nothing is signed, folded or hashed, since a backtest asks for none of that.
func BenchmarkBacktest(b *testing.B) {
	const entries, resellers = 1_000_000, 10_000
	for _, store := range migrationstest.Stores {
		b.Run(store, func(b *testing.B) {
			db := migrationstest.Open(b, migrationstest.URL(b, store))
			began := time.Now()
			writeLedger(b, db, entries, resellers)
			sleepingAs(b, db, resellers, longLived, entries)
			b.Logf("written in %s", time.Since(began))
			d := benchDocket(b, db)
			for b.Loop() {
				began, busy := time.Now(), cpuTime(b)
				report, err := d.Backtest(b.Context(), policy.Default(), epoch.AddDate(0, 0, 700), nil)
				if err != nil {
					b.Fatal(err)
				}
				if report.Entries != entries || report.Resellers != resellers || report.Would.Warned == 0 {
					b.Fatalf("%+v", report)
				}
				b.ReportMetric(float64(report.Entries)/time.Since(began).Seconds(), "entries/s")
				b.ReportMetric((cpuTime(b) - busy).Seconds(), "CPU-s") // of this process, PostgreSQL's own apart
				b.ReportMetric(float64(report.Would.Warned), "warned")
				b.ReportMetric(float64(report.Memory)/(1<<20), "MiB")
			}
		})
	}
}

// cpuTime is what this process took of the processors.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func benchDocket(b *testing.B, db *gorm.DB) *Docket {
	b.Helper()
	const origin = "provider.example/log"
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	logKey, err := proof.NewLogSigner(origin, key)
	if err != nil {
		b.Fatal(err)
	}
	now := func() time.Time { return epoch.AddDate(2, 0, 0) }
	log, err := ledger.Open(b.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(b), Now: now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := log.Close(); err != nil {
			b.Error(err)
		}
	})
	signer, err := envelope.NewSigner(key)
	if err != nil {
		b.Fatal(err)
	}
	d, err := New(b.Context(), db, log, signer, self, policy.Default(), now)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

func longLived(i int) envelope.Entity {
	return envelope.Entity(fmt.Sprintf("https://provider.example/e/reseller-%06d", i))
}

// saidOn is what a reseller states in its n-th week.
func saidOn(b *testing.B, n int, at time.Time) (draft envelope.Draft) {
	b.Helper()
	day := statement.DateOf(at)
	draft = envelope.Draft{Audience: self, JTI: fmt.Sprintf("jti-%03d-000000", n), Issuer: longLived(0)}
	draft.IssuedAt = at
	var said statement.Statement
	switch {
	case n == 0:
		draft.Issuer, draft.Subject = self, envelope.Subject{Format: "uri", URI: string(longLived(0))}
		said = statement.EntityEnrolled{Entity: longLived(0), Name: "Reseller", Country: "PT", Superior: self, Tier: 1, FederationKeys: []byte("{}"), Keys: []byte("{}")}
	case n%50 == 1:
		event, err := exampleOn(at)
		if err != nil {
			b.Fatal(err)
		}
		draft.EventURI, draft.Event = statement.KindCIPAttestation.URI(), event
		return draft
	case n%2 == 0:
		draft.Subject = envelope.Subject{Format: "opaque", ID: fmt.Sprint("customer-", n/4)}
		said = statement.AccountStatus{Account: fmt.Sprint("account-", n), Status: "opened", On: day, Plan: "paid", Products: []string{"storage"}}
	default:
		draft.Subject = envelope.Subject{Format: "opaque", ID: fmt.Sprint("customer-", n/4)}
		said = statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: day, RiskTier: "low", ReasonableBelief: true,
			Method: "documentary", Countries: &statement.Countries{Home: "BR"}, Collected: []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}}
	}
	draft.EventURI, draft.Event = said.Kind().URI(), said
	return draft
}

// writeLedger writes entries of so many resellers in turn, a week between two of one. Every 17th reseller attests nothing.
func writeLedger(b *testing.B, db *gorm.DB, entries, resellers int) {
	b.Helper()
	type row struct {
		LeafIndex  int64
		AcceptedAt time.Time
		About      []byte
		Kind       string
		Digest     []byte
		Body       []byte
	}
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		b.Fatal(err)
	}
	bodies := ledgertest.Bodies(b)
	rows := make([]row, 0, 2000)
	for turn := range entries / resellers {
		at := epoch.Add(time.Duration(turn) * 7 * day)
		set, err := signer.Sign(saidOn(b, turn, at))
		if err != nil {
			b.Fatal(err)
		}
		silent, err := signer.Sign(saidOn(b, 2*turn, at))
		if err != nil {
			b.Fatal(err)
		}
		tx := db.Begin()
		for i := range resellers {
			model := set
			if turn%50 == 1 && i%17 == 0 {
				model = silent
			}
			about, body := longLived(i).ID(), asSaidBy(b, model.Raw(), i)
			digest := envelope.DigestOf(body)
			sealed, err := bodies.Encrypt(body, digest[:])
			if err != nil {
				b.Fatal(err)
			}
			rows = append(rows, row{int64(turn*resellers + i), at, about[:], string(kindOf(b, model)), digest[:], sealed})
			if len(rows) == cap(rows) || i == resellers-1 {
				if err := tx.Table("ledger_entries").CreateInBatches(rows, 2000).Error; err != nil {
					b.Fatal(err)
				}
				rows = rows[:0]
			}
		}
		if err := tx.Commit().Error; err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Exec("ANALYZE ledger_entries").Error; err != nil {
		b.Fatal(err)
	}
}

func kindOf(b *testing.B, set envelope.Verified) statement.Kind {
	b.Helper()
	kind, known := statement.KindOf(set.Claims().EventURI)
	if !known {
		b.Fatal(set.Claims().EventURI)
	}
	return kind
}

// asSaidBy is what the first reseller stated, in the mouth of another one. The signature is the first one's: nobody checks it again.
func asSaidBy(b *testing.B, raw []byte, i int) []byte {
	b.Helper()
	parts := bytes.Split(raw, []byte("."))
	claims, err := base64.RawURLEncoding.DecodeString(string(parts[1]))
	if err != nil {
		b.Fatal(err)
	}
	claims = bytes.ReplaceAll(claims, []byte("-000000"), fmt.Appendf(nil, "-%06d", i))
	parts[1] = base64.RawURLEncoding.AppendEncode(nil, claims)
	return bytes.Join(parts, []byte("."))
}
