package officer

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// Notices is what officers see and do about what resellers were told.
type Notices interface {
	Notices(ctx context.Context, audience notices.Audience, after int64, limit int) ([]delivery.Notice, error)
	Channels(ctx context.Context, about envelope.Entity, jtis []string) (map[string]delivery.Channels, error)
	Retry(ctx context.Context, audience notices.Audience, sequence int64) (delivery.Notice, error)
}

func (a API) registerNotices(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/notices", "list-notices", "What a reseller was told, in order, and whether it has it", http.StatusOK, a.notices)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/notices/{notice}/retry", "retry-notice", "Try a notice again now that is parked or waits for its next try", http.StatusOK, a.retryNotice)
}

// attempt is one try to bring a notice.
type attempt struct {
	At        time.Time `json:"at"`
	Method    string    `json:"method" enum:"push,poll,mail"`
	Status    int       `json:"status" doc:"what the receiver answered, HTTP, or SMTP for a mail; 0 if nobody answered, or it polled"`
	LatencyMS float64   `json:"latency_ms"`
	Problem   string    `json:"problem,omitempty"`
	Request   string    `json:"request,omitempty" doc:"what was sent, and to which host; no address in full, no token"`
	Response  string    `json:"response,omitempty" doc:"the beginning of what was answered; what it repeats of the request is left out"`
}

// proof is what proves that a notice reached the reseller, by one channel.
type proof struct {
	Channel     string     `json:"channel" enum:"set-acknowledged,link-opened,mail-answered,call,courier,meeting"`
	AddressedAt time.Time  `json:"addressed_at"`
	SentAt      *time.Time `json:"sent_at" doc:"null if only the addressing is known"`
	ProvedAt    time.Time  `json:"proved_at"`
	Contact     string     `json:"contact,omitempty" doc:"which contact of the reseller, by an id that names nobody"`
}

// mailing is a notice on its way to one contact by mail.
type mailing struct {
	Contact     string    `json:"contact" doc:"which contact of the reseller, by an id that names nobody"`
	ID          string    `json:"id" doc:"in the outbox: POST /v1/outbox/{id}/retry tries it again"`
	Second      bool      `json:"second,omitempty" doc:"it is the second contact"`
	State       string    `json:"state" enum:"waiting,acknowledged,parked,dropped" doc:"waiting: to be mailed, or mailed and not answered yet"`
	AddressedAt time.Time `json:"addressed_at"`
	Err         string    `json:"err,omitempty" doc:"why it is parked"`
	Description string    `json:"description,omitempty"`
	Attempts    []attempt `json:"attempts" doc:"the newest first"`
}

// notice is one notice of a reseller.
type notice struct {
	ID             string     `json:"id" doc:"its number, counted from 1"`
	Kind           string     `json:"kind,omitempty" doc:"absent: an event of the stream itself"`
	LeafIndex      *int64     `json:"leaf_index,omitempty" doc:"of the entry that it tells; absent: an event of the stream itself"`
	JTI            string     `json:"jti"`
	Digest         string     `json:"digest" doc:"of the entry that it tells; its receipt is at /receipts/{digest}"`
	AddressedAt    time.Time  `json:"addressed_at"`
	State          string     `json:"state" enum:"waiting,acknowledged,parked,dropped"`
	AcknowledgedAt *time.Time `json:"acknowledged_at" doc:"null while the reseller has not said that it has it"`
	Tries          int        `json:"tries"`
	Err            string     `json:"err,omitempty" doc:"why it is parked"`
	Description    string     `json:"description,omitempty"`
	Attempts       []attempt  `json:"attempts" doc:"the newest first"`
	Mails          []mailing  `json:"mails" doc:"the same notice by mail, one for each contact"`
	Proofs         []proof    `json:"proofs" doc:"what proves that it came, the earliest first; each is in the ledger as notice-proved, or as what an officer recorded"`
	Later          []later    `json:"later,omitempty" doc:"of a step: the channels that follow while nothing proves that it came, in their order"`
}

func noticeOf(n delivery.Notice, ways delivery.Channels) notice {
	told := notice{ID: strconv.FormatInt(n.Sequence, 10), Kind: n.Kind, JTI: n.JTI, Digest: n.Digest.String(), AddressedAt: n.AddressedAt, State: string(n.State),
		AcknowledgedAt: timeOf(n.AcknowledgedAt), Tries: n.Tries, Err: n.Err, Description: n.Description, Attempts: attemptsOf(n), Mails: []mailing{}, Proofs: []proof{}}
	if n.LeafIndex >= 0 {
		told.LeafIndex = &n.LeafIndex
	}
	for _, one := range ways.Mails {
		told.Mails = append(told.Mails, mailingOf(one))
	}
	for _, one := range ways.Proofs {
		told.Proofs = append(told.Proofs, proof{one.Channel, one.AddressedAt, timeOf(one.SentAt), one.ProvedAt, one.Contact})
	}
	told.Later = latersOf(ways.Later)
	return told
}

func mailingOf(one delivery.Mailing) mailing {
	return mailing{Contact: one.Contact, ID: one.OutboxID(), Second: one.Second, State: string(one.State), AddressedAt: one.AddressedAt, Err: one.Err, Description: one.Description, Attempts: attemptsOf(one.Notice)}
}

func attemptsOf(n delivery.Notice) []attempt {
	all := []attempt{}
	for _, one := range n.Attempts {
		all = append(all, attempt{one.At, one.Method, one.Status, float64(one.Latency.Microseconds()) / 1000, one.Problem, one.Request, one.Response})
	}
	return all
}

// audience finds the reseller with this id among those who are told.
func (a API) audience(ctx context.Context, id envelope.ID) (notices.Audience, error) {
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return "", err
	}
	return notices.OfReseller(file.Entity), nil
}

type noticesIn struct {
	ID    string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"100"`
}

func (a API) notices(ctx context.Context, in *noticesIn) (*list[notice], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	audience, err := a.audience(ctx, id)
	if err != nil {
		return nil, err
	}
	after := int64(0)
	if in.After != "" {
		if after, err = numberOf("after", in.After); err != nil {
			return nil, err
		}
	}
	found, err := a.Notices.Notices(ctx, audience, after, in.Limit)
	if err != nil {
		return nil, err
	}
	jtis := make([]string, len(found))
	for i, one := range found {
		jtis[i] = one.JTI
	}
	ways, err := a.Notices.Channels(ctx, envelope.Entity(audience), jtis)
	if err != nil {
		return nil, err
	}
	out := &list[notice]{}
	out.Body.Items = make([]notice, len(found))
	for i, one := range found {
		out.Body.Items[i] = noticeOf(one, ways[one.JTI])
	}
	if len(found) == in.Limit {
		out.Body.Next = out.Body.Items[len(found)-1].ID
	}
	return out, nil
}

func numberOf(name, text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return 0, fmt.Errorf("%w: %s: wanted the number of a notice, got something else", problem.ErrRequest, name)
	}
	return number, nil
}

type retryIn struct {
	ID     string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Notice string `path:"notice" doc:"the notice's id"`
}

type noticeOut struct {
	Body notice
}

func (a API) retryNotice(ctx context.Context, in *retryIn) (*noticeOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	sequence, err := numberOf("notice", in.Notice)
	if err != nil {
		return nil, err
	}
	audience, err := a.audience(ctx, id)
	if err != nil {
		return nil, err
	}
	retried, err := a.Notices.Retry(ctx, audience, sequence)
	if err != nil {
		return nil, err
	}
	ways, err := a.Notices.Channels(ctx, envelope.Entity(audience), []string{retried.JTI})
	if err != nil {
		return nil, err
	}
	return &noticeOut{Body: noticeOf(retried, ways[retried.JTI])}, nil
}
