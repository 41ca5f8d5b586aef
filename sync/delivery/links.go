package delivery

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// A link lets a contact read and answer what one mail told, without software of its own. Who has the link alone sees nothing: it
// takes a code, which is sent to the same address in a mail of its own when the page asks for it. What is kept of link, code and
// session is their digests.
const (
	// AnswerPath is where the answering pages are, before the link's token.
	AnswerPath = "/answer/"
	// LinkLife is how long a link holds.
	LinkLife = 14 * 24 * time.Hour
	// CodeLife is how long a code holds.
	CodeLife = 15 * time.Minute
	// CodeInterval is the least time between two codes of one link.
	CodeInterval = time.Minute
	// SessionLife is how long a browser that showed the code may read and answer.
	SessionLife = 30 * time.Minute

	codeDigits = 8
	// maxCodes is how many codes one link may ask for, and maxGuesses how many wrong ones may be tried over all of them: of 10^8
	// codes, 10 guesses find one with a chance of 1 in 10 million.
	maxCodes   = 10
	maxGuesses = 10
	secretSize = 32 // bytes: 256 bits
)

var (
	// ErrNoLink says that there is no such link, or no longer.
	ErrNoLink = errors.New("this link does not hold")
	// ErrNoSession says that the browser has not shown the code, or too long ago.
	ErrNoSession = errors.New("the code is asked for first")
	// ErrCode says that a code is not the one that was sent.
	ErrCode = errors.New("this is not the code")
	// ErrCodeSoon says that a code was asked for too soon after the last.
	ErrCodeSoon = errors.New("a code was sent a moment ago")
	// ErrCodeUnsent says that the code could not be sent.
	ErrCodeUnsent = errors.New("the code could not be sent")
	// ErrLocked says that too many wrong codes were tried, or too many asked for.
	ErrLocked = errors.New("this link is locked")
)

type linkRow struct {
	ID            string
	Digest        []byte
	Mail          string
	Audience      string
	About         string
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	ExpiresAt     int64
	CodeDigest    []byte
	CodeExpiresAt int64
	CodeSentAt    int64
	Codes         int
	Guesses       int
	SessionDigest []byte
	SessionUntil  int64
}

func (linkRow) TableName() string { return "delivery_links" }

// Link is a link that holds.
type Link struct {
	ID        string
	About     envelope.Entity // the reseller it is answered for
	Contact   string          // whom it was sent to, by an id that names nobody
	ExpiresAt time.Time
	CodeSent  bool // a code was sent and holds
}

func (row linkRow) toLink(now time.Time) Link {
	return Link{ID: row.ID, About: envelope.Entity(row.About), Contact: notices.Audience(row.Audience).ID(), ExpiresAt: timeOrZero(row.ExpiresAt),
		CodeSent: len(row.CodeDigest) > 0 && now.UnixMicro() < row.CodeExpiresAt}
}

func newSecret() (secret string, digest []byte, err error) {
	random := make([]byte, secretSize)
	if _, err := rand.Read(random); err != nil {
		return "", nil, fmt.Errorf("making a secret: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(random)
	return secret, digestOf(secret), nil
}

func digestOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// makeLink makes the link of one try to mail, inside a transaction. An earlier try's link holds too: that mail may have come.
func makeLink(tx *gorm.DB, to personRow, m mailRow, now time.Time) (token string, err error) {
	token, digest, err := newSecret()
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making a link's id: %w", err)
	}
	if err := tx.Where("audience = ? AND expires_at < ?", to.Audience, now.UnixMicro()).Delete(&linkRow{}).Error; err != nil {
		return "", fmt.Errorf("forgetting links that are over: %w", err)
	}
	row := linkRow{ID: id.String(), Digest: digest, Mail: m.ID, Audience: to.Audience, About: to.About, CreatedAt: now.UnixMicro(),
		ExpiresAt: now.Add(LinkLife).UnixMicro(), CodeDigest: []byte{}, SessionDigest: []byte{}}
	if err := tx.Create(&row).Error; err != nil {
		return "", fmt.Errorf("keeping a link: %w", err)
	}
	return token, nil
}

// link finds the link with this token, if it holds and its contact is still one.
func (d *Delivery) link(ctx context.Context, token string) (row linkRow, address string, err error) {
	if d.Mail == nil {
		return row, "", fmt.Errorf("%w: this gateway answers no mail", ErrNoLink)
	}
	err = d.DB.WithContext(ctx).Where("digest = ?", digestOf(token)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, "", fmt.Errorf("%w: wanted the address as it stands in the mail, whole. Copy it from there, or ask your provider", ErrNoLink)
	}
	if err != nil {
		return row, "", fmt.Errorf("looking for a link: %w", err)
	}
	if d.Now().UnixMicro() >= row.ExpiresAt {
		return row, "", fmt.Errorf("%w: it held until %s. Use the link of a newer mail, or ask your provider", ErrNoLink, timeOrZero(row.ExpiresAt).Format(time.RFC3339))
	}
	var to personRow
	stands := mail.Nobody
	err = d.DB.WithContext(ctx).Where("audience = ?", row.Audience).Take(&to).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound): // forgotten
	case err != nil:
		return row, "", fmt.Errorf("looking for a link's contact: %w", err)
	default:
		if address, err = d.addressOf(to); err != nil {
			return row, "", err
		}
		if stands, err = d.standsAs(ctx, to, address); err != nil {
			return row, "", err
		}
	}
	if stands == mail.Nobody {
		return row, "", fmt.Errorf("%w: it was sent to somebody who is no longer the reseller's confirmed contact. Ask your provider to confirm the contact of today", ErrNoLink)
	}
	return row, address, nil
}

// Link returns the link with this token. Errors wrap ErrNoLink.
func (d *Delivery) Link(ctx context.Context, token string) (Link, error) {
	row, _, err := d.link(ctx, token)
	if err != nil {
		return Link{}, err
	}
	return row.toLink(d.Now()), nil
}

// SendCode mails a new code to the link's contact; one that was sent before holds no more. Errors wrap ErrNoLink, ErrCodeSoon,
// ErrLocked or ErrCodeUnsent.
func (d *Delivery) SendCode(ctx context.Context, token string) error {
	row, address, err := d.link(ctx, token)
	if err != nil {
		return err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return fmt.Errorf("making a code: %w", err)
	}
	code, now := fmt.Sprintf("%0*d", codeDigits, number), d.Now()
	if row.Codes >= maxCodes || row.Guesses >= maxGuesses {
		return fmt.Errorf("%w: too many codes were asked for or tried. Use the link of a newer mail, or ask your provider", ErrLocked)
	}
	made := d.DB.WithContext(ctx).Model(&linkRow{}).Where("id = ? AND codes = ? AND code_sent_at <= ?", row.ID, row.Codes, now.Add(-CodeInterval).UnixMicro()).
		Updates(map[string]any{"code_digest": codeDigest(row.ID, code), "code_expires_at": now.Add(CodeLife).UnixMicro(), "code_sent_at": now.UnixMicro(), "codes": row.Codes + 1})
	if made.Error != nil {
		return fmt.Errorf("keeping a code: %w", made.Error)
	}
	if made.RowsAffected == 0 {
		return fmt.Errorf("%w: wanted a minute between two of one link. Look into the mailbox first, also among what it took for spam", ErrCodeSoon)
	}
	letter := mail.Letter{ID: fmt.Sprintf("%s.%d", row.ID, row.Codes+1), To: address, At: now}
	asked := mail.Code{Gateway: string(d.Self), Sandbox: d.Sandbox, Code: code, Until: now.Add(CodeLife)}
	if letter.Subject, letter.Text, letter.HTML, err = asked.Write(); err != nil {
		return err
	}
	if report := d.Mail.Send(ctx, letter); report.Outcome != mail.Sent && report.Outcome != mail.Unknown {
		d.Log.Error("a code could not be mailed", "contact", notices.Audience(row.Audience).ID(), "status", report.Status, "problem", report.Problem)
		return fmt.Errorf("%w: ask for another one in a minute; if that fails too, ask your provider", ErrCodeUnsent)
	}
	return nil
}

func codeDigest(link, code string) []byte { return digestOf(link + "\x00" + code) }

// Open takes the code and returns what the browser shows from then on. A code opens once; opening proves that the link's notices
// reached the contact. Errors wrap ErrNoLink, ErrCode or ErrLocked.
func (d *Delivery) Open(ctx context.Context, token, code string) (session string, err error) {
	row, _, err := d.link(ctx, token)
	if err != nil {
		return "", err
	}
	now := d.Now()
	// The guess is counted before it is looked at, so that many at once are no more than one after the other.
	counted := d.DB.WithContext(ctx).Model(&linkRow{}).Where("id = ? AND guesses < ?", row.ID, maxGuesses).Update("guesses", gorm.Expr("guesses + 1"))
	if counted.Error != nil {
		return "", fmt.Errorf("counting a guess: %w", counted.Error)
	}
	if counted.RowsAffected == 0 {
		return "", fmt.Errorf("%w: too many wrong codes were tried. Use the link of a newer mail, or ask your provider", ErrLocked)
	}
	if len(row.CodeDigest) == 0 || now.UnixMicro() >= row.CodeExpiresAt || subtle.ConstantTimeCompare(codeDigest(row.ID, code), row.CodeDigest) != 1 {
		return "", fmt.Errorf("%w: wanted the %d digits of the newest mail with a code, not older than %d minutes and not used yet. Ask for a new one if need be", ErrCode, codeDigits, CodeLife/time.Minute)
	}
	session, digest, err := newSecret()
	if err != nil {
		return "", err
	}
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, row.Audience); err != nil {
			return err
		}
		opened := tx.Model(&linkRow{}).Where("id = ? AND code_digest = ?", row.ID, row.CodeDigest).Updates(map[string]any{
			"code_digest": []byte{}, "guesses": gorm.Expr("guesses - 1"), "session_digest": digest, "session_until": now.Add(SessionLife).UnixMicro()})
		if opened.Error != nil {
			return opened.Error
		}
		if opened.RowsAffected == 0 {
			return fmt.Errorf("%w: it was used a moment ago. Ask for a new one", ErrCode)
		}
		rows, err := mailed(tx, row)
		if err != nil {
			return err
		}
		return d.proved(tx, rows, statement.ChannelLinkOpened, row.ID)
	})
	if err != nil {
		return "", fmt.Errorf("opening a link: %w", err)
	}
	return session, nil
}

// mailed are the notices that a link's mail told.
func mailed(db *gorm.DB, row linkRow) (rows []noticeRow, err error) {
	if err := db.Where("mail = ?", row.Mail).Order("sequence").Limit(mostInMail).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading what a mail told: %w", err)
	}
	return rows, nil
}

// opened is a link whose code was shown by this browser, with its mail's notices.
func (d *Delivery) opened(ctx context.Context, token, session string) (row linkRow, rows []noticeRow, err error) {
	if row, _, err = d.link(ctx, token); err != nil {
		return row, nil, err
	}
	if len(row.SessionDigest) == 0 || d.Now().UnixMicro() >= row.SessionUntil || subtle.ConstantTimeCompare(digestOf(session), row.SessionDigest) != 1 {
		return row, nil, fmt.Errorf("%w: a code opens this page for %d minutes", ErrNoSession, SessionLife/time.Minute)
	}
	rows, err = mailed(d.DB.WithContext(ctx), row)
	return row, rows, err
}
