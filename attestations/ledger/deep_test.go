package ledger

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// TestProofsReachThroughThreeLevelsOfTiles fills a database past 65,536 entries, where the first tile of level 1 is full, with rows as
// commits would have made them but for their bodies, and proves entries on both sides of each boundary.
func TestProofsReachThroughThreeLevelsOfTiles(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		const origin, size = "deep.example/log", 1<<16 + 1<<8 + 3
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		signer, err := proof.NewLogSigner(origin, key)
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(proof.Vkey(origin, key.Public().(ed25519.PublicKey)))
		if err != nil {
			t.Fatal(err)
		}
		digest := func(n int64) envelope.Digest { return envelope.DigestOf(binary.BigEndian.AppendUint64(nil, uint64(n))) }
		now := time.Unix(1, 0).UTC()
		handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
		if err != nil {
			t.Fatal(err)
		}
		bodies, err := aead.New(handle)
		if err != nil {
			t.Fatal(err)
		}
		config := Config{DB: db, Signer: signer, Origin: origin, Bodies: bodies, Now: func() time.Time { return now }}
		empty, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if err := empty.Close(); err != nil {
			t.Fatal(err)
		}

		var tree edge
		var tiles []tile
		err = db.Transaction(func(tx *gorm.DB) error {
			type row struct {
				LeafIndex           int64
				AcceptedAt          time.Time
				About, Digest, Body []byte
				Kind                string
			}
			var rows []row
			for n := range int64(size) {
				d := digest(n)
				tiles = tree.add(proof.LeafHash(d), tiles)
				body, err := config.Bodies.Encrypt(nil, d[:])
				if err != nil {
					return err
				}
				rows = append(rows, row{LeafIndex: n, AcceptedAt: now, About: make([]byte, 32), Digest: d[:], Body: body, Kind: "none"})
			}
			if err := tx.Table("ledger_entries").CreateInBatches(rows, 1000).Error; err != nil {
				return err
			}
			for _, full := range tiles {
				if err := tx.Exec("INSERT INTO ledger_tiles (level, n, hash, data) VALUES (?, ?, ?, ?)", full.level, full.n, full.hash[:], full.data).Error; err != nil {
					return err
				}
			}
			signed, err := signing{signer: signer, origin: origin}.checkpoint(tree)
			if err != nil {
				return err
			}
			return tx.Exec("UPDATE ledger_head SET size = ?, checkpoint = ?", size, string(signed)).Error
		})
		if err != nil {
			t.Fatal(err)
		}

		l, err := Open(t.Context(), config) // reads the edge at three levels, and holds it against the root
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, n := range []int64{0, 1, 255, 256, 65279, 65280, 65535, 65536, 65537, 65791, 65792, size - 1} {
			proved, receipt, err := l.Prove(t.Context(), digest(n))
			if err != nil {
				t.Fatal(err)
			}
			if err := proof.Check(proved, digest(n), verifier); err != nil || receipt.LeafIndex != n {
				t.Errorf("leaf %d, receipt %+v: %v", n, receipt, err)
			}
		}
		for _, served := range []struct {
			level int
			n     int64
			width int
		}{{0, 255, 256}, {0, 257, 3}, {1, 0, 256}, {1, 0, 7}, {1, 1, 1}, {2, 0, 1}} {
			data, err := l.Tile(t.Context(), served.level, served.n, served.width)
			if err != nil {
				t.Fatal(err)
			}
			reader := hashes{ctx: t.Context(), db: db, tree: tree}
			for i, hash := range split(data) {
				want, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(tileHeight*served.level, served.n*tileWidth+int64(i))})
				if err != nil || hash != want[0] {
					t.Errorf("hash %d of tile %d of level %d: %v", i, served.n, served.level, err)
				}
			}
		}
		if _, err := l.Tile(t.Context(), 2, 0, 2); !isNotFound(err) {
			t.Errorf("a second hash at level 2: %v", err)
		}
	})
}
