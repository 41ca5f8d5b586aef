package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// How a stream delivers, as OpenID Shared Signals Framework 1.0, section 6.1, names it.
const (
	MethodPush = "urn:ietf:rfc:8935"
	MethodPoll = "urn:ietf:rfc:8936"
)

// The statuses of a stream, section 8.1.2.
const (
	StatusEnabled  = "enabled"
	StatusPaused   = "paused" // nothing is sent and everything is kept
	statusDisabled = "disabled"
)

const (
	push = "push"
	poll = "poll"
)

// Wanted is what a receiver may say about its stream.
type Wanted struct {
	Method          string   // MethodPush or MethodPoll
	Endpoint        string   // of push: where to
	Authorization   string   // of push: the Authorization header that is sent along; may be empty
	EventsRequested []string // event types; nil for whatever there is
	Description     string
	Algorithm       string // one of Algorithms; empty for the first
}

// Stream is a receiver's stream.
type Stream struct {
	ID        string
	Audience  notices.Audience
	Wanted             // Authorization is not told again
	Delivered []string // event types
	Status    string
	Reason    string
	Held      bool // the receiver cannot change the status: an officer set it, or ShutOut, or Lapsed
	ShutOut   bool // the account of its owner is disabled
	Lapsed    bool // the API token of its system has expired
}

const (
	maxDescription   = 1000
	maxReason        = 1000
	maxAuthorization = 4000
	maxRequested     = 100
	maxEventType     = 500
)

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConfiguration, fmt.Sprintf(format, args...))
}

// check says what is wrong with what a receiver wants, without repeating a secret.
func (d *Delivery) check(w Wanted) error {
	switch w.Method {
	case MethodPoll:
		if w.Endpoint != "" || w.Authorization != "" {
			return refuse("delivery: wanted no endpoint_url and no authorization_header with %s: the gateway says where to poll", MethodPoll)
		}
	case MethodPush:
		if err := d.Sender.Check(w.Endpoint); err != nil {
			return refuse("delivery.endpoint_url: %v", err)
		}
		if len(w.Authorization) > maxAuthorization || strings.ContainsFunc(w.Authorization, func(r rune) bool { return r < ' ' || r > '~' }) {
			return refuse("delivery.authorization_header: wanted at most %d printable ASCII characters", maxAuthorization)
		}
	default:
		return refuse("delivery.method: wanted %s or %s, got %.80q", MethodPush, MethodPoll, w.Method)
	}
	if w.Algorithm != "" && !slices.Contains(Algorithms(), w.Algorithm) {
		return refuse("set_signing_alg: wanted %s, got %.40q", strings.Join(Algorithms(), " or "), w.Algorithm)
	}
	if len(w.Description) > maxDescription || !utf8.ValidString(w.Description) {
		return refuse("description: wanted at most %d bytes", maxDescription)
	}
	if len(w.EventsRequested) > maxRequested || slices.ContainsFunc(w.EventsRequested, func(uri string) bool { return len(uri) > maxEventType }) {
		return refuse("events_requested: wanted at most %d event types of at most %d bytes each", maxRequested, maxEventType)
	}
	return nil
}

// Create makes the receiver's stream. Each has one. owner is whose token a system of the provider shows, an officer's id; empty for a
// reseller. Errors wrap ErrTaken or ErrConfiguration.
func (d *Delivery) Create(ctx context.Context, audience notices.Audience, owner string, w Wanted) (Stream, error) {
	if err := d.check(w); err != nil {
		return Stream{}, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Stream{}, fmt.Errorf("making a stream: %w", err)
	}
	row := streamRow{ID: id.String(), Audience: string(audience), Owner: owner, Status: StatusEnabled, CreatedAt: d.Now().UnixMicro()}
	if err := d.fill(ctx, &row, w); err != nil {
		return Stream{}, err
	}
	err = d.DB.WithContext(ctx).Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return Stream{}, fmt.Errorf("%w: change it (PATCH, PUT) or delete it first", ErrTaken)
	}
	if err != nil {
		return Stream{}, fmt.Errorf("making a stream: %w", err)
	}
	d.announce()
	return row.toStream()
}

// fill writes what a receiver wants into its row. The key that it asks for is made now, so that it is published before it signs.
func (d *Delivery) fill(ctx context.Context, row *streamRow, w Wanted) error {
	if row.Algorithm = w.Algorithm; row.Algorithm == "" {
		row.Algorithm = AlgorithmEdDSA
	}
	if _, err := d.signerFor(ctx, row.Algorithm); err != nil {
		return err
	}
	row.Method, row.Endpoint, row.Description = poll, w.Endpoint, w.Description
	if w.Method == MethodPush {
		row.Method = push
	}
	row.AuthorizationSealed, row.EventsRequested = []byte{}, ""
	if w.Authorization != "" {
		sealed, err := d.Bodies.Encrypt([]byte(w.Authorization), []byte(row.ID))
		if err != nil {
			return fmt.Errorf("encrypting an authorization header: %w", err)
		}
		row.AuthorizationSealed = sealed
	}
	if w.EventsRequested != nil {
		text, err := json.Marshal(w.EventsRequested)
		if err != nil {
			return fmt.Errorf("writing events_requested: %w", err)
		}
		row.EventsRequested = string(text)
	}
	return nil
}

func (row streamRow) toStream() (Stream, error) {
	s := Stream{ID: row.ID, Audience: notices.Audience(row.Audience), Status: row.Status, Reason: row.Reason, Held: row.Held,
		Wanted: Wanted{Method: MethodPoll, Endpoint: row.Endpoint, Description: row.Description, Algorithm: row.Algorithm}}
	if row.Method == push {
		s.Method = MethodPush
	}
	if row.ShutOut { // whatever it was set to is kept for when its owner comes in again
		s.Status, s.Reason, s.Held, s.ShutOut = StatusPaused, notices.ToldShutOut, true, true
	}
	if row.Lapsed {
		s.Status, s.Reason, s.Held, s.Lapsed = StatusPaused, notices.ToldLapsed, true, true
	}
	if row.EventsRequested != "" {
		if err := json.Unmarshal([]byte(row.EventsRequested), &s.EventsRequested); err != nil {
			return Stream{}, fmt.Errorf("reading events_requested of stream %s: %w", row.ID, err)
		}
	}
	for _, kind := range s.kinds() {
		s.Delivered = append(s.Delivered, kind.URI())
	}
	return s, nil
}

// kinds are what is delivered over the stream: what was requested of what there is.
func (s Stream) kinds() []statement.Kind {
	return slices.DeleteFunc(notices.Kinds(s.Audience), func(kind statement.Kind) bool {
		return s.EventsRequested != nil && !slices.Contains(s.EventsRequested, kind.URI())
	})
}

// streamRows selects streams, with whether the owner of each is shut out, and whether its token has expired.
func (d *Delivery) streamRows(ctx context.Context) *gorm.DB {
	return d.DB.WithContext(ctx).Model(&streamRow{}).
		Select("delivery_streams.*, EXISTS (SELECT 1 FROM delivery_shut_out o WHERE o.officer = delivery_streams.owner) AS shut_out",
			"EXISTS (SELECT 1 FROM delivery_tokens t WHERE t.audience = delivery_streams.audience AND t.lapsed) AS lapsed")
}

func (d *Delivery) row(ctx context.Context, audience notices.Audience, id string) (streamRow, error) {
	var row streamRow
	err := d.streamRows(ctx).Where("id = ? AND audience = ?", id, string(audience)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrNoStream
	}
	if err != nil {
		return row, fmt.Errorf("looking for a stream: %w", err)
	}
	return row, nil
}

// Stream returns one stream of a receiver, or ErrNoStream.
func (d *Delivery) Stream(ctx context.Context, audience notices.Audience, id string) (Stream, error) {
	row, err := d.row(ctx, audience, id)
	if err != nil {
		return Stream{}, err
	}
	return row.toStream()
}

// Streams returns the streams of a receiver: one or none.
func (d *Delivery) Streams(ctx context.Context, audience notices.Audience) ([]Stream, error) {
	var rows []streamRow
	if err := d.streamRows(ctx).Where("audience = ?", string(audience)).Order("id").Limit(1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("looking for streams: %w", err)
	}
	streams := make([]Stream, len(rows))
	for i, row := range rows {
		var err error
		if streams[i], err = row.toStream(); err != nil {
			return nil, err
		}
	}
	return streams, nil
}

// Configure gives a stream the configuration that change makes of the one it has; what it is given holds no Authorization, and one
// that comes back empty for the same endpoint leaves what was set. Errors wrap ErrNoStream or ErrConfiguration.
func (d *Delivery) Configure(ctx context.Context, audience notices.Audience, id string, change func(Wanted) (w Wanted, keepAuthorization bool)) (Stream, error) {
	row, err := d.row(ctx, audience, id)
	if err != nil {
		return Stream{}, err
	}
	stream, err := row.toStream()
	if err != nil {
		return Stream{}, err
	}
	w, keep := change(stream.Wanted)
	if err := d.check(w); err != nil {
		return Stream{}, err
	}
	sealed, before := row.AuthorizationSealed, row.Endpoint
	if err := d.fill(ctx, &row, w); err != nil {
		return Stream{}, err
	}
	// What one address was to be shown is not shown to another.
	if keep && len(sealed) > 0 && row.Method == push && row.Endpoint == before {
		row.AuthorizationSealed = sealed
	}
	err = d.change(ctx, id, map[string]any{"method": row.Method, "endpoint": row.Endpoint, "authorization_sealed": row.AuthorizationSealed,
		"events_requested": row.EventsRequested, "description": row.Description, "algorithm": row.Algorithm})
	if err != nil {
		return Stream{}, err
	}
	return row.toStream()
}

// anew adds to columns of a stream what makes it be looked at now, as if no try had failed.
func anew(columns map[string]any) map[string]any {
	columns["wakes"], columns["tries"], columns["next_at"] = gorm.Expr("wakes + 1"), 0, 0
	return columns
}

// change writes columns of a stream and makes it be looked at anew.
func (d *Delivery) change(ctx context.Context, id string, columns map[string]any) error {
	if err := d.DB.WithContext(ctx).Model(&streamRow{}).Where("id = ?", id).Updates(anew(columns)).Error; err != nil {
		return fmt.Errorf("changing a stream: %w", err)
	}
	d.announce()
	return nil
}

// held is what a receiver is told of a stream that an officer stopped, or that stands still for another reason of the provider's; else nil.
func held(s Stream) error {
	if !s.Held {
		return nil
	}
	why := ""
	if s.Reason != "" {
		why = fmt.Sprintf(" (%s)", s.Reason)
	}
	return fmt.Errorf("%w: it is %s%s. Ask your provider to enable it again; what is stated meanwhile about a reseller is kept for it", ErrHeld, s.Status, why)
}

// Delete ends a stream. A reseller's notices go on waiting for its next; those of a system of the provider are dropped. Errors wrap
// ErrNoStream or ErrHeld.
func (d *Delivery) Delete(ctx context.Context, audience notices.Audience, id string) error {
	row, err := d.row(ctx, audience, id)
	if err != nil {
		return err
	}
	stream, err := row.toStream()
	if err != nil {
		return err
	}
	if err := held(stream); err != nil { // else the next would go on where this one was stopped
		return err
	}
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, string(audience)); err != nil {
			return err
		}
		if err := tx.Where("id = ?", id).Delete(&streamRow{}).Error; err != nil {
			return err
		}
		if err := tx.Where("stream_id = ?", id).Delete(&removedRow{}).Error; err != nil {
			return err
		}
		gone := tx.Model(&noticeRow{}).Where("audience = ? AND state = ?", string(audience), Waiting)
		if !audience.IsSystem() {
			gone = gone.Where("leaf_index < 0")
		}
		return gone.Update("state", Dropped).Error
	})
	if err != nil {
		return fmt.Errorf("deleting a stream: %w", err)
	}
	return nil
}

// SetStatus enables, pauses or disables a stream. A reseller's cannot be disabled: errors wrap ErrNoStream, ErrMandatory,
// ErrHeld or ErrConfiguration.
func (d *Delivery) SetStatus(ctx context.Context, audience notices.Audience, id, status, reason string) (Stream, error) {
	row, err := d.row(ctx, audience, id)
	if err != nil {
		return Stream{}, err
	}
	switch {
	case !slices.Contains([]string{StatusEnabled, StatusPaused, statusDisabled}, status):
		return Stream{}, refuse("status: wanted enabled, paused or disabled, got %.40q", status)
	case len(reason) > maxReason || !utf8.ValidString(reason):
		return Stream{}, refuse("reason: wanted at most %d bytes", maxReason)
	case status == statusDisabled && !audience.IsSystem():
		return Stream{}, fmt.Errorf("%w: steps and their deadlines rest on the reseller's having been told. Pause the stream instead: everything is kept until it is enabled again", ErrMandatory)
	}
	stream, err := row.toStream()
	if err != nil {
		return Stream{}, err
	}
	if err := held(stream); err != nil {
		return Stream{}, err
	}
	row.Status, row.Reason = status, reason
	if err := d.change(ctx, id, map[string]any{"status": status, "reason": reason}); err != nil {
		return Stream{}, err
	}
	return row.toStream()
}

// AddSubject makes a stream tell of an entity again that was removed from it; one that was not is told of already.
func (d *Delivery) AddSubject(ctx context.Context, audience notices.Audience, id, subject string) error {
	if _, err := d.row(ctx, audience, id); err != nil {
		return err
	}
	if err := d.DB.WithContext(ctx).Where("stream_id = ? AND subject = ?", id, subject).Delete(&removedRow{}).Error; err != nil {
		return fmt.Errorf("adding a subject: %w", err)
	}
	return d.change(ctx, id, map[string]any{})
}

// maxRemoved is how many subjects may be removed from one stream.
const maxRemoved = 10_000

// RemoveSubject makes a stream tell nothing more of an entity; an empty subject is nobody of the chain, and changes nothing. A reseller cannot remove itself, and hears of nobody else: errors
// wrap ErrNoStream, ErrMandatory or ErrConfiguration.
func (d *Delivery) RemoveSubject(ctx context.Context, audience notices.Audience, id, subject string) error {
	if _, err := d.row(ctx, audience, id); err != nil {
		return err
	}
	if !audience.IsSystem() {
		if subject == string(audience) {
			return fmt.Errorf("%w: a reseller's stream tells of the reseller itself. Pause the stream instead: everything is kept until it is enabled again", ErrMandatory)
		}
		return nil
	}
	if subject == "" {
		return nil
	}
	var removed int64
	if err := d.DB.WithContext(ctx).Model(&removedRow{}).Where("stream_id = ?", id).Count(&removed).Error; err != nil {
		return fmt.Errorf("removing a subject: %w", err)
	}
	if removed >= maxRemoved {
		return refuse("subject: wanted at most %d removed subjects, there are so many", maxRemoved)
	}
	err := d.DB.WithContext(ctx).Create(&removedRow{StreamID: id, Subject: subject}).Error
	if err != nil && !errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("removing a subject: %w", err)
	}
	return nil
}

// MinVerificationInterval is the least time between two verifications of one stream.
const MinVerificationInterval = 30 * time.Second
