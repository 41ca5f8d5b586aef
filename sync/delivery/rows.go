package delivery

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// State is what became of a notice.
type State string

// The states of a notice.
const (
	Waiting      State = "waiting"      // to be brought, or brought and not acknowledged yet
	Acknowledged State = "acknowledged" // the receiver said that it has it
	Parked       State = "parked"       // the receiver said that it cannot take it; somebody must look
	Dropped      State = "dropped"      // its receiver, a system of the provider, has left
)

type cursorRow struct {
	ID       int
	NextLeaf int64
}

type audienceRow struct {
	Name         string
	LastSequence int64
}

type noticeRow struct {
	Audience       string `gorm:"primaryKey"`
	Sequence       int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind           string
	About          string
	LeafIndex      int64
	Digest         []byte
	JTI            string `gorm:"column:jti"`
	Token          []byte
	AddressedAt    int64
	State          State
	AcknowledgedAt int64
	Tries          int
	Err            string
	Description    string
	Urgent         bool
	Mail           string
}

type attemptRow struct {
	Audience string
	Sequence int64
	Number   int
	At       int64
	Method   string
	Status   int
	Latency  int64
	Problem  string
	Request  string
	Response string
}

type streamRow struct {
	ID                  string
	Audience            string
	Method              string
	Endpoint            string
	AuthorizationSealed []byte
	EventsRequested     string
	Description         string
	Algorithm           string
	Held                bool
	Status              string
	Reason              string
	CreatedAt           int64 `gorm:"autoCreateTime:false"`
	VerifiedAt          int64
	Owner               string // of a system of the provider: whose token it is, an officer's id
	ShutOut             bool   `gorm:"->"` // the owner's account is disabled; known where streamRows read it
	Lapsed              bool   `gorm:"->"` // the system's token has expired; known where streamRows reads it
	Proven              bool   // the receiver took what it was last sent
	Tries               int
	NextAt              int64
	Wakes               int64
	Lease               string
	LeasedUntil         int64
}

// shutOutRow is an officer whose account is disabled.
type shutOutRow struct {
	Officer string `gorm:"primaryKey"`
}

type removedRow struct {
	StreamID string
	Subject  string
}

func (cursorRow) TableName() string   { return "delivery_cursor" }
func (audienceRow) TableName() string { return "delivery_audiences" }
func (noticeRow) TableName() string   { return "delivery_notices" }
func (attemptRow) TableName() string  { return "delivery_attempts" }
func (streamRow) TableName() string   { return "delivery_streams" }
func (shutOutRow) TableName() string  { return "delivery_shut_out" }
func (removedRow) TableName() string  { return "delivery_removed" }

// Notice is one notice of an audience, as an officer sees it.
type Notice struct {
	Sequence       int64
	Kind           string // empty: an event of the stream itself
	LeafIndex      int64  // of the entry that it tells; -1 for an event of the stream itself
	Digest         envelope.Digest
	JTI            string
	AddressedAt    time.Time
	State          State
	AcknowledgedAt time.Time // zero while it is not
	Tries          int       // how often it was sent or handed out
	Err            string    // why it is parked
	Description    string
	Attempts       []Attempt // the newest first, at most keptAttempts
}

// Attempt is one try to bring a notice.
type Attempt struct {
	At      time.Time
	Method  string // push, poll or mail
	Status  int    // what the receiver answered, HTTP, or SMTP for a mail; 0 if nobody answered
	Latency time.Duration
	Problem string
	// Request says what was sent, to which host; Response is the beginning of what was answered. Neither holds an address in full, a
	// token or what the receiver wants to be shown.
	Request, Response string
}

func (row noticeRow) toNotice() Notice {
	n := Notice{Sequence: row.Sequence, Kind: row.Kind, LeafIndex: row.LeafIndex, JTI: row.JTI, AddressedAt: timeOrZero(row.AddressedAt),
		State: row.State, AcknowledgedAt: timeOrZero(row.AcknowledgedAt), Tries: row.Tries, Err: row.Err, Description: row.Description}
	if len(row.Digest) == len(n.Digest) {
		n.Digest = envelope.Digest(row.Digest)
	}
	return n
}

func (row attemptRow) toAttempt() Attempt {
	return Attempt{At: timeOrZero(row.At), Method: row.Method, Status: row.Status, Latency: time.Duration(row.Latency) * time.Microsecond, Problem: row.Problem,
		Request: row.Request, Response: row.Response}
}
