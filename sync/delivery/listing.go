package delivery

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/sync/notices"
)

// StreamLine is a stream as an officer sees it: without the receiver's address in full, which may hold a secret.
type StreamLine struct {
	Stream
	Host      string // of push
	CreatedAt time.Time
	Tries     int       // pushes that failed one after the other
	NextAt    time.Time // when it is pushed again after that; zero while none failed
	Waiting   int64     // notices that wait
	Parked    int64     // notices that the receiver could not take
}

// AllStreams lists the streams behind an id, in the order of their ids: at most limit.
func (d *Delivery) AllStreams(ctx context.Context, after string, limit int) ([]StreamLine, error) {
	var rows []streamRow
	if err := d.streamRows(ctx).Where("id > ?", after).Order("id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing streams: %w", err)
	}
	return d.lines(ctx, rows)
}

// StreamByID returns one stream, whosever it is; ErrNoStream if there is none.
func (d *Delivery) StreamByID(ctx context.Context, id string) (StreamLine, error) {
	var row streamRow
	err := d.streamRows(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return StreamLine{}, fmt.Errorf("%w: wanted the id of one. GET /v1/streams lists them", ErrNoStream)
	}
	if err != nil {
		return StreamLine{}, fmt.Errorf("looking for a stream: %w", err)
	}
	lines, err := d.lines(ctx, []streamRow{row})
	if err != nil {
		return StreamLine{}, err
	}
	return lines[0], nil
}

func (d *Delivery) lines(ctx context.Context, rows []streamRow) ([]StreamLine, error) {
	lines, place, audiences := make([]StreamLine, len(rows)), map[string]int{}, make([]string, len(rows))
	if len(rows) == 0 {
		return lines, nil
	}
	for i, row := range rows {
		stream, err := row.toStream()
		if err != nil {
			return nil, err
		}
		lines[i] = StreamLine{Stream: stream, CreatedAt: timeOrZero(row.CreatedAt), Tries: row.Tries}
		if row.Tries > 0 {
			lines[i].NextAt = timeOrZero(row.NextAt)
		}
		if address, err := url.Parse(row.Endpoint); err == nil {
			lines[i].Host = address.Host
		}
		place[row.Audience], audiences[i] = i, row.Audience
	}
	var counted []struct {
		Audience string
		State    State
		Count    int64
	}
	err := d.DB.WithContext(ctx).Model(&noticeRow{}).Select("audience, state, COUNT(*) AS count").Where("audience IN ? AND state IN ?", audiences, []State{Waiting, Parked}).
		Group("audience, state").Order("audience, state").Limit(2 * len(rows)).Find(&counted).Error
	if err != nil {
		return nil, fmt.Errorf("counting what waits for streams: %w", err)
	}
	for _, one := range counted {
		if line := &lines[place[one.Audience]]; one.State == Waiting {
			line.Waiting = one.Count
		} else {
			line.Parked = one.Count
		}
	}
	return lines, nil
}

// Outgoing is a notice with whom it is for, as an officer sees it.
type Outgoing struct {
	ID       string // among the notices of all: NoticeID
	Audience notices.Audience
	About    string // the entity that it is about
	Notice
}

// NoticeID names a notice among those of all audiences.
func NoticeID(audience notices.Audience, sequence int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(audience)) + "." + strconv.FormatInt(sequence, 10)
}

// ParseNoticeID is the reverse of NoticeID; ErrNoNotice for anything else.
func ParseNoticeID(id string) (audience notices.Audience, sequence int64, err error) {
	name, number, ok := strings.Cut(id, ".")
	raw, wrongName := base64.RawURLEncoding.DecodeString(name)
	sequence, wrongNumber := strconv.ParseInt(number, 10, 64)
	if !ok || wrongName != nil || wrongNumber != nil || len(raw) == 0 || sequence < 1 {
		return "", 0, fmt.Errorf("%w: wanted an id as the outbox lists it (GET /v1/outbox), got something else", ErrNoNotice)
	}
	return notices.Audience(raw), sequence, nil
}

// Outbox lists the notices in a state, Parked or Waiting, to machines and to people, in the order of their audiences and numbers, with
// their attempts: those behind an id (empty: from the beginning), at most limit. Errors wrap ErrNoNotice for an id that is none.
func (d *Delivery) Outbox(ctx context.Context, state State, after string, limit int) ([]Outgoing, error) {
	// The state stands in the statement itself: the store has an index of those that wait, and one of those that are parked.
	query := d.DB.WithContext(ctx).Where("state = 'waiting'")
	if state == Parked {
		query = d.DB.WithContext(ctx).Where("state = 'parked'")
	}
	if after != "" {
		audience, sequence, err := ParseNoticeID(after)
		if err != nil {
			return nil, err
		}
		query = query.Where("(audience > ? OR (audience = ? AND sequence > ?))", string(audience), string(audience), sequence)
	}
	var rows []noticeRow
	if err := query.Order("audience, sequence").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing the outbox: %w", err)
	}
	list := make([]Outgoing, 0, len(rows))
	for len(rows) > 0 {
		same := 1
		for same < len(rows) && rows[same].Audience == rows[0].Audience {
			same++
		}
		tried, err := d.withAttempts(ctx, rows[:same])
		if err != nil {
			return nil, err
		}
		for i, one := range tried {
			audience := notices.Audience(rows[i].Audience)
			list = append(list, Outgoing{NoticeID(audience, one.Sequence), audience, rows[i].About, one})
		}
		rows = rows[same:]
	}
	return list, nil
}
