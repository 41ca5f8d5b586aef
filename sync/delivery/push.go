package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/sync/notices"
	"github.com/cipgate/cipgate/sync/outbound"
)

// leaseTime is how long a process that was killed keeps others from pushing its stream. It is longer than one push may take.
const leaseTime = time.Minute

// errLost says that the stream is no longer ours to push: paused, changed to poll, deleted, or leased by another.
var errLost = errors.New("not ours to push")

// claim takes the lease of up to limit streams that are due and pushed by nobody.
func (d *Delivery) claim(ctx context.Context, limit int) ([]streamRow, error) {
	claimed, err := takeLeases(ctx, d, limit, leases[streamRow]{
		due: func(db *gorm.DB, now int64) *gorm.DB {
			return db.Where("method = ? AND status = ? AND next_at <= ? AND leased_until <= ?", push, StatusEnabled, now, now).Order("next_at, id")
		},
		same: func(db *gorm.DB, row streamRow) *gorm.DB {
			return db.Where("id = ? AND leased_until = ?", row.ID, row.LeasedUntil)
		},
		hold: func(row *streamRow, lease string) { row.Lease = lease },
	})
	if err != nil {
		return nil, fmt.Errorf("looking for streams to push: %w", err)
	}
	return claimed, nil
}

// renew takes the lease anew and reads the stream as it is now, or returns errLost.
func (d *Delivery) renew(ctx context.Context, claimed streamRow) (streamRow, error) {
	kept := d.DB.WithContext(ctx).Model(&streamRow{}).Where("id = ? AND lease = ? AND method = ? AND status = ?", claimed.ID, claimed.Lease, push, StatusEnabled).
		Update("leased_until", d.Now().Add(leaseTime).UnixMicro())
	if kept.Error != nil {
		return streamRow{}, fmt.Errorf("renewing a lease: %w", kept.Error)
	}
	if kept.RowsAffected == 0 {
		return streamRow{}, errLost
	}
	return d.row(ctx, notices.Audience(claimed.Audience), claimed.ID)
}

// release gives a lease back and says when the stream is due again; with onlyIfQuiet only if nothing gave a reason to look
// meanwhile.
func (d *Delivery) release(ctx context.Context, row streamRow, columns map[string]any, onlyIfQuiet bool) (released bool, err error) {
	columns["lease"], columns["leased_until"] = "", 0
	query := d.DB.WithContext(ctx).Model(&streamRow{}).Where("id = ? AND lease = ?", row.ID, row.Lease)
	if onlyIfQuiet {
		query = query.Where("wakes = ?", row.Wakes)
	}
	done := query.Updates(columns)
	if done.Error != nil {
		return false, fmt.Errorf("giving a lease back: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}

// pushAll pushes what waits for a stream whose lease is held, in order, until nothing does or a push fails.
func (d *Delivery) pushAll(ctx context.Context, claimed streamRow) error {
	for {
		row, err := d.renew(ctx, claimed)
		if errors.Is(err, errLost) || errors.Is(err, ErrNoStream) {
			_, err := d.release(context.WithoutCancel(ctx), claimed, map[string]any{}, false)
			return err
		}
		if err != nil {
			return err
		}
		stream, err := row.toStream()
		if err != nil {
			return err
		}
		next, err := d.waiting(ctx, stream, 1)
		if err != nil {
			return err
		}
		if len(next) == 0 {
			if released, err := d.release(ctx, row, map[string]any{"next_at": never}, true); released || err != nil {
				return err
			}
			continue // something came while we looked
		}
		if goOn, err := d.pushOne(ctx, row, next[0]); !goOn || err != nil {
			return err
		}
	}
}

// pushOne sends one notice and keeps what came of it. goOn says that the next may be sent.
func (d *Delivery) pushOne(ctx context.Context, stream streamRow, notice noticeRow) (goOn bool, err error) {
	token, err := d.token(ctx, notice)
	if errors.Is(err, errGone) {
		return true, d.park(ctx, notice, err)
	}
	if err != nil {
		return false, err
	}
	authorization := []byte{}
	if len(stream.AuthorizationSealed) > 0 {
		if authorization, err = d.Bodies.Decrypt(stream.AuthorizationSealed, []byte(stream.ID)); err != nil {
			return false, fmt.Errorf("the authorization header of stream %s cannot be opened with the key that this gateway has", stream.ID)
		}
	}
	begun := d.Now()
	answer, failed := d.Sender.Do(ctx, outbound.Request{Method: http.MethodPost, URL: stream.Endpoint, ContentType: "application/secevent+jwt",
		Accept: "application/json", Authorization: string(authorization), Body: token})
	now := d.Now()
	if failed != nil && ctx.Err() != nil { // we are stopping: that is no fault of the receiver's
		_, err := d.release(context.WithoutCancel(ctx), stream, map[string]any{}, false)
		return false, err
	}
	attempt := Attempt{At: begun, Method: push, Status: answer.Status, Latency: now.Sub(begun)}
	fault, refused := refusal(answer)
	audience := notices.Audience(stream.Audience)
	switch {
	case failed == nil && answer.Status == http.StatusAccepted: // RFC 8935, section 2.2
		return true, d.keep(ctx, stream, notice, attempt, map[string]any{"tries": 0}, func(tx *gorm.DB) error {
			return d.settle(tx, audience, []string{notice.JTI}, nil)
		})
	case failed == nil && refused:
		attempt.Problem = fault.Err + ": " + fault.Description
		return true, d.keep(ctx, stream, notice, attempt, map[string]any{"tries": 0}, func(tx *gorm.DB) error {
			return d.settle(tx, audience, nil, map[string]Fault{notice.JTI: fault})
		})
	case failed != nil:
		// An address may hold a secret; the stream's configuration shows it to its owner alone.
		attempt.Problem = strings.ReplaceAll(failed.Error(), stream.Endpoint, "the receiver")
	default:
		attempt.Problem = fmt.Sprintf("wanted status 202, got %d", answer.Status)
	}
	at := notices.NextTry(stream.Tries+1, now, d.Jitter(), retryAfter(answer.RetryAfter, now))
	return false, d.keep(ctx, stream, notice, attempt, map[string]any{"tries": stream.Tries + 1, "next_at": at.UnixMicro(), "lease": "", "leased_until": 0},
		func(*gorm.DB) error { return nil })
}

// keep stores an attempt, what it did to the stream and to the notice, together. It does so also when we are stopping: what was
// sent was sent.
func (d *Delivery) keep(ctx context.Context, stream streamRow, notice noticeRow, a Attempt, columns map[string]any, settle func(tx *gorm.DB) error) error {
	err := d.DB.WithContext(context.WithoutCancel(ctx)).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, stream.Audience); err != nil {
			return err
		}
		if err := attempted(tx, []noticeRow{notice}, a); err != nil {
			return err
		}
		if err := settle(tx); err != nil {
			return err
		}
		return tx.Model(&streamRow{}).Where("id = ? AND lease = ?", stream.ID, stream.Lease).Updates(columns).Error
	})
	if err != nil {
		return fmt.Errorf("keeping what came of a push: %w", err)
	}
	return nil
}

// refusal reads why a receiver cannot take a SET: status 400 with `err` (RFC 8935, section 2.3). Sending the same again would
// change nothing.
func refusal(answer outbound.Answer) (Fault, bool) {
	var fault Fault
	if answer.Status != http.StatusBadRequest || json.Unmarshal(answer.Body, &fault) != nil || fault.Err == "" {
		return Fault{}, false
	}
	return fault, true
}

// retryAfter reads Retry-After (RFC 9110, section 10.2.3): seconds, or a date. Zero if it is neither.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(header), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
