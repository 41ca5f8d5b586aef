package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/sync/notices"
	"github.com/cipgate/cipgate/sync/outbound"
)

// leaseTime is how long a process that was killed keeps others from pushing its stream. Half of it is longer than one push may take.
const leaseTime = time.Minute

// errLost says that the stream is no longer ours to push: paused, changed to poll, deleted, or leased by another.
var errLost = errors.New("not ours to push")

const (
	// readAhead is how many notices of a stream are looked up at once, with what the ledger holds of them.
	readAhead = 16
	// fresh is how long what was read of the ledger is sent without looking again: it may be erased.
	fresh = time.Second
)

// claim takes the lease of up to limit streams of a pool that are due and pushed by nobody: those that failed less often first, so that
// a new receiver does not wait for all that are dead.
func (d *Delivery) claim(ctx context.Context, of pool, limit int) ([]streamRow, error) {
	claimed, err := takeLeases(ctx, d, limit, leases[streamRow]{
		due: func(db *gorm.DB, now int64) *gorm.DB {
			return db.Where("method = ? AND proven = ? AND next_at <= ? AND leased_until <= ?", push, of.proven, now, now).Order("tries, next_at, id")
		},
		id:   func(row streamRow) (column, value string) { return "id", row.ID },
		hold: func(row *streamRow, lease string) { row.Lease = lease },
	})
	if err != nil {
		return nil, fmt.Errorf("looking for streams to push: %w", err)
	}
	return claimed, nil
}

// renew reads the stream as it is now and goes on with the lease, which is written anew when half of it is over; or returns errLost.
func (d *Delivery) renew(ctx context.Context, claimed streamRow) (streamRow, error) {
	row, err := d.row(ctx, notices.Audience(claimed.Audience), claimed.ID)
	switch now := d.Now(); {
	case err != nil:
		return streamRow{}, err
	case row.Lease != claimed.Lease || row.Method != push:
		return streamRow{}, errLost
	case row.LeasedUntil >= now.Add(leaseTime/2).UnixMicro():
		return row, nil
	}
	kept := d.DB.WithContext(ctx).Model(&streamRow{}).Where("id = ? AND lease = ? AND method = ?", claimed.ID, claimed.Lease, push).
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

// pushAll pushes what waits for a stream whose lease is held, in order, until nothing does, a push fails, or its turn is over. handed says
// that the stream was given on, with its lease, to the places of those that took what they were last sent.
func (d *Delivery) pushAll(ctx context.Context, claimed streamRow) (handed bool, err error) {
	begun := d.Now()
	for {
		row, err := d.renew(ctx, claimed)
		if errors.Is(err, errLost) || errors.Is(err, ErrNoStream) || ctx.Err() != nil {
			_, err := d.release(context.WithoutCancel(ctx), claimed, map[string]any{}, false)
			return false, err
		}
		if err != nil {
			return false, err
		}
		stream, err := row.toStream()
		if err != nil {
			return false, err
		}
		next, err := d.waiting(ctx, stream, readAhead)
		if err != nil {
			return false, err
		}
		if len(next) == 0 {
			if released, err := d.release(ctx, row, map[string]any{"next_at": never}, true); released || err != nil {
				return false, err
			}
			continue // something came while we looked
		}
		if row.Proven && !claimed.Proven && d.hand(row) {
			return true, nil
		}
		if d.turnIsOver(begun) {
			// It stands behind the others that are due.
			_, err := d.release(context.WithoutCancel(ctx), row, map[string]any{"next_at": d.Now().UnixMicro()}, false)
			return false, err
		}
		if goOn, err := d.pushSome(ctx, row, next, begun); !goOn || err != nil {
			return false, err
		}
	}
}

// hand gives a stream that has just proved itself to the places of such, if one is free there; else it goes on in its own.
func (d *Delivery) hand(stream streamRow) bool {
	select {
	case d.provenNow <- stream:
		return true
	default:
		return false
	}
}

// turnIsOver says that a receiver was pushed to for long enough. A clock that was moved ends a turn too.
func (d *Delivery) turnIsOver(begun time.Time) bool { return d.Now().Sub(begun).Abs() >= turnTime }

// pushSome pushes notices one after the other while the stream stays as it was read and its turn lasts. goOn says that it is to be
// looked at again.
func (d *Delivery) pushSome(ctx context.Context, stream streamRow, next []noticeRow, begun time.Time) (goOn bool, err error) {
	authorization := ""
	if len(stream.AuthorizationSealed) > 0 {
		opened, err := d.Bodies.Decrypt(stream.AuthorizationSealed, []byte(stream.ID))
		if err != nil {
			return false, fmt.Errorf("the authorization header of stream %s cannot be opened with the key that this gateway has", stream.ID)
		}
		authorization = string(opened)
	}
	known, err := d.raws(ctx, next)
	if err != nil {
		return false, err
	}
	read := d.Now()
	for _, notice := range next {
		if d.Now().Sub(read).Abs() > fresh {
			known = nil
		}
		if ctx.Err() != nil { // we are stopping
			_, err := d.release(context.WithoutCancel(ctx), stream, map[string]any{}, false)
			return false, err
		}
		token, err := d.token(ctx, notice, stream.Algorithm, known)
		if errors.Is(err, errGone) {
			if err := d.park(ctx, notice, err); err != nil {
				return false, err
			}
			continue
		}
		if err != nil {
			return false, err
		}
		came, stopped, err := d.pushOne(ctx, stream, notice, token, authorization)
		if stopped || err != nil {
			return false, err
		}
		now, err := d.keep(ctx, came)
		switch {
		case err != nil || came.nextAt != 0:
			return false, err
		case now == nil || now.Wakes != stream.Wakes || now.Proven != stream.Proven, d.turnIsOver(begun):
			return true, nil // changed, something came that may be first, or others wait
		}
		stream.Tries, stream.LeasedUntil = now.Tries, now.LeasedUntil
	}
	return true, nil
}

// pushOne sends one notice and says what came of it. stopped says that we are stopping, and that nothing came of it.
func (d *Delivery) pushOne(ctx context.Context, stream streamRow, notice noticeRow, token []byte, authorization string) (came *outcome, stopped bool, err error) {
	begun := d.Now()
	answer, failed := d.Sender.Do(ctx, outbound.Request{Method: http.MethodPost, URL: stream.Endpoint, ContentType: "application/secevent+jwt",
		Accept: "application/json", Authorization: authorization, Body: token, Once: true})
	now := d.Now()
	if failed != nil && ctx.Err() != nil { // that is no fault of the receiver's
		_, err := d.release(context.WithoutCancel(ctx), stream, map[string]any{}, false)
		return nil, true, err
	}
	came = &outcome{stream: stream, notice: notice, attempt: Attempt{At: begun, Method: push, Status: answer.Status, Latency: now.Sub(begun),
		Request: pushed(stream, token, authorization), Response: answered(answer, stream.Endpoint, string(token), authorization)}}
	fault, refused := refusal(answer)
	switch {
	case failed == nil && answer.Status == http.StatusAccepted: // RFC 8935, section 2.2
		return came, false, nil
	case failed == nil && refused:
		secrets := []string{stream.Endpoint, string(token), authorization}
		came.fault = &Fault{Err: hide(fault.Err, secrets...), Description: hide(fault.Description, secrets...)}
		came.attempt.Problem = came.fault.Err + ": " + came.fault.Description
		return came, false, nil
	case failed != nil:
		// An address may hold a secret; the stream's configuration shows it to its owner alone.
		came.attempt.Problem = strings.ReplaceAll(failed.Error(), stream.Endpoint, "the receiver")
	default:
		came.attempt.Problem = fmt.Sprintf("wanted status 202, got %d", answer.Status)
	}
	came.nextAt = notices.NextTry(stream.Tries+1, now, d.Jitter(), retryAfter(answer.RetryAfter, now)).UnixMicro()
	return came, false, nil
}

// pushed says what was sent and where to, without an address in full, a token or a header's value.
func pushed(stream streamRow, token []byte, authorization string) string {
	host := "its receiver"
	if address, err := url.Parse(stream.Endpoint); err == nil && address.Host != "" {
		host = address.Host
	}
	said := fmt.Sprintf("POST to %s, application/secevent+jwt, %d bytes, signed %s", host, len(token), stream.Algorithm)
	if authorization != "" {
		said += ", with the authorization header of the stream"
	}
	return said
}

// answered is what a receiver answered beside its status.
func answered(answer outbound.Answer, secrets ...string) string {
	if len(answer.Body) == 0 {
		return ""
	}
	return hide(strings.TrimSpace(answer.ContentType+" "+string(answer.Body)), secrets...)
}

// hide takes out of what a receiver says whatever it repeats of what it was sent.
func hide(said string, secrets ...string) string {
	for _, secret := range secrets {
		if _, credentials, ok := strings.Cut(secret, " "); ok { // of "Bearer abc" also abc alone
			said = strings.ReplaceAll(said, secret, "[...]")
			secret = credentials
		}
		if secret != "" {
			said = strings.ReplaceAll(said, secret, "[...]")
		}
	}
	return said
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
