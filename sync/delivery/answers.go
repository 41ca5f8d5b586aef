package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

var (
	// ErrNotAsked says that the notice does not ask for what was answered.
	ErrNotAsked = errors.New("this notice does not ask for that answer")
	// ErrAnswered says that the same was answered over this link before, in other words.
	ErrAnswered = errors.New("answered already")
)

// Asked is one notice that a contact reads and may answer.
type Asked struct {
	Sequence     int64
	AddressedAt  time.Time
	Acknowledged bool
	Entry        statement.Entry // zero where it was erased
	Answerable   notices.Answerable
}

// Answering is what an opened link shows.
type Answering struct {
	Link    Link
	Notices []Asked // the oldest first
}

// Answering returns what the link's mail told. Errors wrap ErrNoLink or ErrNoSession.
func (d *Delivery) Answering(ctx context.Context, token, session string) (Answering, error) {
	row, rows, err := d.opened(ctx, token, session)
	if err != nil {
		return Answering{}, err
	}
	shown := Answering{Link: row.toLink(d.Now())}
	for _, notice := range rows {
		one := Asked{Sequence: notice.Sequence, AddressedAt: timeOrZero(notice.AddressedAt), Acknowledged: notice.State == Acknowledged}
		if one.Entry, err = d.entry(ctx, notice); err != nil {
			return Answering{}, err
		}
		if one.Entry.Statement != nil {
			one.Answerable = notices.AnswerableOf(one.Entry.Statement)
		}
		shown.Notices = append(shown.Notices, one)
	}
	return shown, nil
}

// entry reads the entry that a notice tells; its statement is nil where it was erased.
func (d *Delivery) entry(ctx context.Context, notice noticeRow) (statement.Entry, error) {
	raw, receipt, err := d.Ledger.Raw(ctx, envelope.Digest(notice.Digest))
	if errors.Is(err, ledger.ErrErased) {
		return statement.Entry{}, nil
	}
	if err != nil {
		return statement.Entry{}, fmt.Errorf("reading what notice %d tells: %w", notice.Sequence, err)
	}
	entry, err := statement.Recall(notice.LeafIndex, receipt.AcceptedAt, envelope.Digest(notice.Digest), raw)
	if err != nil {
		return statement.Entry{}, fmt.Errorf("reading what notice %d tells: %w", notice.Sequence, err)
	}
	entry.Statement, err = d.toldTo(ctx, notice, entry.Statement)
	return entry, err
}

// Acknowledge notes that the contact has read all that the link's mail told. Errors wrap ErrNoLink or ErrNoSession.
func (d *Delivery) Acknowledge(ctx context.Context, token, session string) error {
	row, rows, err := d.opened(ctx, token, session)
	if err != nil {
		return err
	}
	return d.answered(ctx, row, rows)
}

// answered notes that notices were answered over a link, and that this proves them.
func (d *Delivery) answered(ctx context.Context, row linkRow, rows []noticeRow) error {
	sequences := make([]int64, len(rows))
	for i, one := range rows {
		sequences[i] = one.Sequence
	}
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, row.Audience); err != nil {
			return err
		}
		if err := d.proved(tx, rows, statement.ChannelMailAnswered, row.ID); err != nil {
			return err
		}
		return tx.Model(&noticeRow{}).Where("audience = ? AND sequence IN ? AND state IN ?", row.Audience, sequences, []State{Waiting, Parked}).
			Updates(map[string]any{"state": Acknowledged, "acknowledged_at": d.Now().UnixMicro(), "err": "", "description": ""}).Error
	})
	if err != nil {
		return fmt.Errorf("noting an answer: %w", err)
	}
	return nil
}

// State puts what the contact states about one notice into the ledger, as stated over this link, signed by the gateway. Each finding
// or inquiry of a notice can be answered once over one link; the same again changes nothing. Errors wrap ErrNoLink, ErrNoSession,
// ErrNoNotice, ErrNotAsked, ErrAnswered, an *envelope.Fault of what was stated, or are the ledger's.
func (d *Delivery) State(ctx context.Context, token, session string, sequence int64, said statement.Remediation) (ledger.Receipt, error) {
	row, rows, err := d.opened(ctx, token, session)
	if err != nil {
		return ledger.Receipt{}, err
	}
	var notice *noticeRow
	for i := range rows {
		if rows[i].Sequence == sequence {
			notice = &rows[i]
		}
	}
	if notice == nil {
		return ledger.Receipt{}, fmt.Errorf("%w: wanted one that this link's mail told. Open the link anew", ErrNoNotice)
	}
	entry, err := d.entry(ctx, *notice)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if entry.Statement == nil || !notices.AnswerableOf(entry.Statement).Takes(said) {
		return ledger.Receipt{}, fmt.Errorf("%w: wanted an answer to a finding or a question that it names. Open the link anew and choose one", ErrNotAsked)
	}
	set, err := d.Signer.Sign(d.answerDraft(row, *notice, said))
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("signing what was stated over a link: %w", err)
	}
	if _, err := statement.Decode(set); err != nil {
		return ledger.Receipt{}, err
	}
	receipts, err := d.Ledger.Append(ctx, set)
	if errors.Is(err, ledger.ErrTwin) {
		return ledger.Receipt{}, fmt.Errorf("%w over this link, in other words: what was stated first stands. To state more, use the link of another mail, or ask your provider", ErrAnswered)
	}
	if err != nil {
		return ledger.Receipt{}, fmt.Errorf("recording what was stated over a link: %w", err)
	}
	return receipts[0], d.answered(ctx, row, []noticeRow{*notice})
}

func (d *Delivery) answerDraft(row linkRow, notice noticeRow, said statement.Remediation) envelope.Draft {
	event := statement.StatedByLink{Link: row.ID, Contact: notices.Audience(row.Audience).ID(), Notice: notice.JTI, Remediation: said}
	answered := envelope.DigestOf([]byte(row.ID + "\x00" + notice.JTI + "\x00" + said.Finding + "\x00" + said.Inquiry)).String()
	return envelope.Draft{Issuer: d.Self, Audience: d.Self, IssuedAt: d.Now(), JTI: "stated-by-link-" + answered, EventURI: event.Kind().URI(), Event: event,
		Subject: envelope.Subject{Format: "uri", URI: row.About}}
}
