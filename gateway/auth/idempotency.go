package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/tink-crypto/tink-go/v2/tink"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/gateway/problem"
)

// AnswerLife is how long the answer to a request with an Idempotency-Key is kept.
const AnswerLife = 24 * time.Hour

type requestRow struct {
	Officer string `gorm:"primaryKey"`
	KeyHash []byte `gorm:"primaryKey"`
	Request []byte // SHA-256 of what was asked
	Status  int    // HTTP; 0 while it runs
	Kind    string // Content-Type
	Answer  []byte // encrypted: it may hold a secret that is shown once
	MadeAt  int64
}

func (requestRow) TableName() string { return "auth_requests" }

// replayed marks an answer that was given before.
const replayed = "Idempotent-Replayed"

// Idempotent answers a POST that an officer sends again with the same Idempotency-Key (draft-ietf-httpapi-idempotency-key-header)
// with the answer that was given first, and does nothing again. What was refused changed nothing and is judged anew. It stands
// behind API. Errors wrap problem.ErrRequest, problem.ErrKeyUsed or problem.ErrUnderWay.
func (a *Auth) Idempotent(bodies tink.AEAD) fiber.Handler {
	return func(c *fiber.Ctx) error {
		key := c.Get("Idempotency-Key")
		if key == "" || c.Method() != fiber.MethodPost {
			return c.Next()
		}
		if len(key) > 255 {
			return fmt.Errorf("%w: Idempotency-Key: wanted at most 255 characters, such as a UUID", problem.ErrRequest)
		}
		asked := sha256.Sum256([]byte(c.OriginalURL() + "\x00" + string(c.BodyRaw())))
		row := requestRow{Officer: Asking(c.UserContext()).ID, KeyHash: digestOf(key), Request: asked[:], MadeAt: a.now().UnixMicro()}
		first, err := a.begin(c.UserContext(), row)
		if err != nil {
			return err
		}
		if first != nil {
			return again(c, bodies, *first, row)
		}
		err = c.Next()
		return errors.Join(err, a.answered(c, bodies, row, err))
	}
}

// begin notes that a request has begun, or returns the one that did before under this key.
func (a *Auth) begin(ctx context.Context, row requestRow) (first *requestRow, err error) {
	db := a.db.WithContext(ctx)
	if err := db.Where("made_at <= ?", a.now().Add(-AnswerLife).UnixMicro()).Delete(&requestRow{}).Error; err != nil {
		return nil, fmt.Errorf("clearing old answers: %w", err)
	}
	made := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	if made.Error != nil {
		return nil, fmt.Errorf("noting a request: %w", made.Error)
	}
	if made.RowsAffected > 0 {
		return nil, nil //nolint:nilnil // there was none before
	}
	var found requestRow
	err = db.Where("officer = ? AND key_hash = ?", row.Officer, row.KeyHash).Take(&found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fmt.Errorf("%w: it was refused a moment ago. Send it once more", problem.ErrUnderWay)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a request: %w", err)
	}
	return &found, nil
}

// again answers as it was answered first.
func again(c *fiber.Ctx, bodies tink.AEAD, first, now requestRow) error {
	if string(first.Request) != string(now.Request) {
		return fmt.Errorf("%w. Use a new key for a new request", problem.ErrKeyUsed)
	}
	if first.Status == 0 {
		return fmt.Errorf("%w since %s. If that was long ago the gateway was stopped over it: look whether it was done (GET /v1/entries, the last ones) and, if not, send it with a new key",
			problem.ErrUnderWay, timeOf(first.MadeAt).Format(time.RFC3339))
	}
	answer, err := bodies.Decrypt(first.Answer, first.KeyHash)
	if err != nil {
		return fmt.Errorf("decrypting an answer: %w", err)
	}
	c.Set(replayed, "true")
	c.Set(fiber.HeaderContentType, first.Kind)
	return c.Status(first.Status).Send(answer)
}

// answered keeps an answer, or forgets the request if it was refused or failed. Ending the request ends neither.
func (a *Auth) answered(c *fiber.Ctx, bodies tink.AEAD, row requestRow, failed error) error {
	db := a.db.WithContext(context.WithoutCancel(c.UserContext())).Model(&requestRow{}).Where("officer = ? AND key_hash = ?", row.Officer, row.KeyHash)
	status := c.Response().StatusCode()
	if failed != nil || status >= http.StatusBadRequest {
		// A server error may have come after the commit, so that it is not known whether it was done: the key stays taken.
		if failed == nil && status >= http.StatusInternalServerError || failed != nil && problem.Of(failed).Status >= http.StatusInternalServerError {
			return nil
		}
		if err := db.Delete(&requestRow{}).Error; err != nil {
			return fmt.Errorf("forgetting a request: %w", err)
		}
		return nil
	}
	answer, err := bodies.Encrypt(c.Response().Body(), row.KeyHash)
	if err != nil {
		return fmt.Errorf("encrypting an answer: %w", err)
	}
	err = db.Updates(map[string]any{"status": status, "kind": string(c.Response().Header.ContentType()), "answer": answer}).Error
	if err != nil {
		return fmt.Errorf("keeping an answer: %w", err)
	}
	return nil
}
