package delivery

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// What a stream may ask to be signed with.
const (
	AlgorithmEdDSA = envelope.EdDSA
	AlgorithmRS256 = envelope.RS256
)

// Algorithms are what a stream may ask for, the default first.
func Algorithms() []string { return []string{AlgorithmEdDSA, AlgorithmRS256} }

const (
	// rsaBits is the size of the keys that sign RS256 (NIST SP 800-57, part 1: 128 bits of strength, past 2030).
	rsaBits = 3072
	// keyLife is how long a key is published after another took its place: a receiver may look at a token long after it was signed.
	keyLife = 90 * 24 * time.Hour
	// keyGlance is how long a process goes on with the keys that it knows: another may have rotated them.
	keyGlance = time.Minute
	// maxNoticeKeys is how many keys are looked at: envelope.MaxKeys is how many one set may hold, with the statement key.
	maxNoticeKeys = envelope.MaxKeys - 1
)

// keyRow is a key that signs for streams that ask for RS256. It lies in the store, encrypted with a key that does not, so that all
// processes on one store sign with the same; the first is made when a stream first asks for it.
type keyRow struct {
	ID        string
	Sealed    []byte
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	RetiredAt int64
}

func (keyRow) TableName() string { return "delivery_keys" }

// noticeKeys are the keys that this process knows.
type noticeKeys struct {
	mu     sync.Mutex
	signer envelope.Signer
	known  bool
	until  time.Time
}

func sealedFor(id string) []byte { return []byte("delivery-key:" + id) }

// PublicKeys are the keys that sign notices, as the gateway publishes them at its jwks_uri: its statement key, and those that sign
// RS256 for the streams that ask for it. The latter sign nothing that stands in the ledger.
func (d *Delivery) PublicKeys(ctx context.Context) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{d.Signer.Public()}}
	var rows []keyRow
	since := d.Now().Add(-keyLife).UnixMicro()
	err := d.DB.WithContext(ctx).Where("retired_at = 0 OR retired_at > ?", since).Order("created_at DESC, id").Limit(maxNoticeKeys).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for the keys of notices: %w", err)
	}
	for _, row := range rows {
		signer, err := d.open(row)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, signer.Public())
	}
	keys, err := envelope.NewKeys(set)
	if err != nil {
		return nil, fmt.Errorf("publishing the keys of notices: %w", err)
	}
	return keys.Marshal(), nil
}

// open decrypts a key.
func (d *Delivery) open(row keyRow) (envelope.Signer, error) {
	encoded, err := d.Bodies.Decrypt(row.Sealed, sealedFor(row.ID))
	if err != nil {
		return envelope.Signer{}, fmt.Errorf("the key %s, which signs RS256, cannot be opened with the key for bodies that this gateway has", row.ID)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(encoded)
	if err != nil {
		return envelope.Signer{}, fmt.Errorf("reading the key %s: %w", row.ID, err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return envelope.Signer{}, fmt.Errorf("reading the key %s: wanted an RSA key, got %T", row.ID, parsed)
	}
	return envelope.NewRS256Signer(private)
}

// signerFor is what signs for a stream.
func (d *Delivery) signerFor(ctx context.Context, algorithm string) (envelope.Signer, error) {
	if algorithm != AlgorithmRS256 {
		return d.Signer, nil
	}
	k := &d.noticeKeys
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := d.Now(); !k.known || !now.Before(k.until) || now.Before(k.until.Add(-keyGlance)) {
		row, err := d.newestKey(ctx)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			row, err = d.makeKey(ctx)
		}
		if err != nil {
			return envelope.Signer{}, err
		}
		if !k.known || k.signer.KeyID() != row.ID {
			if k.signer, err = d.open(row); err != nil {
				return envelope.Signer{}, err
			}
		}
		k.known, k.until = true, now.Add(keyGlance)
	}
	return k.signer, nil
}

// newestKey is the key that signs: where two processes made one at once, both are published and this one signs.
func (d *Delivery) newestKey(ctx context.Context) (row keyRow, err error) {
	if err = d.DB.WithContext(ctx).Where("retired_at = 0").Order("created_at DESC, id").Take(&row).Error; err != nil {
		return row, fmt.Errorf("looking for the key that signs RS256: %w", err)
	}
	return row, nil
}

// makeKey makes a key and lets every other retire.
func (d *Delivery) makeKey(ctx context.Context) (keyRow, error) {
	failed := func(err error) (keyRow, error) {
		return keyRow{}, fmt.Errorf("making a key that signs RS256: %w", err)
	}
	private, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return failed(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return failed(err)
	}
	signer, err := envelope.NewRS256Signer(private)
	if err != nil {
		return failed(err)
	}
	now := d.Now().UnixMicro()
	row := keyRow{ID: signer.KeyID(), CreatedAt: now}
	if row.Sealed, err = d.Bodies.Encrypt(encoded, sealedFor(row.ID)); err != nil {
		return failed(err)
	}
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&keyRow{}).Where("retired_at = 0").Update("retired_at", now).Error; err != nil {
			return err
		}
		gone := d.Now().Add(-keyLife).UnixMicro()
		if err := tx.Where("retired_at > 0 AND retired_at <= ?", gone).Delete(&keyRow{}).Error; err != nil {
			return err
		}
		return tx.Create(&row).Error
	})
	if err != nil {
		return failed(err)
	}
	return row, nil
}

// RotateKey makes a new key for streams that ask for RS256 and returns its kid. It signs from now on; other processes follow within
// keyGlance. The one before is published for keyLife more, so that what it signed still verifies.
func (d *Delivery) RotateKey(ctx context.Context) (kid string, err error) {
	row, err := d.makeKey(ctx)
	if err != nil {
		return "", err
	}
	d.noticeKeys.mu.Lock()
	defer d.noticeKeys.mu.Unlock()
	d.noticeKeys.known = false
	return row.ID, nil
}
