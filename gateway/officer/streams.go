package officer

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// Streams is what officers see and do about the streams over which machines are told, and about what could not be brought.
type Streams interface {
	AllStreams(ctx context.Context, after string, limit int) ([]delivery.StreamLine, error)
	StreamByID(ctx context.Context, id string) (delivery.StreamLine, error)
	Outbox(ctx context.Context, state delivery.State, after string, limit int) ([]delivery.Outgoing, error)
	Retry(ctx context.Context, audience notices.Audience, sequence int64) (delivery.Notice, error)
	Replay(ctx context.Context, audience notices.Audience, since time.Time) (int64, error)
	RotateKey(ctx context.Context) (kid string, err error)
}

func (a API) registerStreams(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/streams", "list-streams", "The streams of resellers and of the provider's own systems, how each works and what waits for it", http.StatusOK, a.streams)
	register(api, a.Log, http.MethodPost, "/v1/streams/{stream}/status", "change-stream", "Pause, disable or enable a stream", http.StatusOK, a.changeStream)
	register(api, a.Log, http.MethodPost, "/v1/streams/{stream}/replay", "replay-stream", "Bring once more all that was addressed to a receiver since a time", http.StatusOK, a.replayStream)
	register(api, a.Log, http.MethodPost, "/v1/streams/key", "rotate-notice-key", "Make a new key that signs for streams that ask for RS256", http.StatusOK, a.rotateNoticeKey)
	register(api, a.Log, http.MethodGet, "/v1/outbox", "list-outbox", "Notices to machines and mails to people that are parked, or that wait, with every try", http.StatusOK, a.outbox)
	register(api, a.Log, http.MethodPost, "/v1/outbox/{notice}/retry", "retry-outgoing", "Try a notice or a mail again now that is parked or waits for its next try", http.StatusOK, a.retryOutgoing)
}

// stream is a stream as an officer sees it.
type stream struct {
	ID        string          `json:"id"`
	Reseller  envelope.Entity `json:"reseller,omitempty" doc:"whose it is; absent: a system of the provider"`
	System    string          `json:"system,omitempty" doc:"which system of the provider, by the label of its token"`
	Method    string          `json:"method" enum:"urn:ietf:rfc:8935,urn:ietf:rfc:8936" doc:"push or poll"`
	Host      string          `json:"host,omitempty" doc:"of push: where to"`
	Algorithm string          `json:"set_signing_alg" enum:"EdDSA,RS256"`
	Events    []string        `json:"events_delivered"`
	Status    string          `json:"status" enum:"enabled,paused,disabled"`
	Reason    string          `json:"reason,omitempty" doc:"as the receiver or an officer gave it"`
	Held      bool            `json:"held" doc:"the receiver cannot change the status: held_by says why"`
	HeldBy    string          `json:"held_by,omitempty" enum:"officer,disabled-account,expired-token" doc:"an officer set the status; or the account that a system's token belongs to is disabled; or that token has expired"`
	CreatedAt time.Time       `json:"created_at"`
	Waiting   int64           `json:"waiting" doc:"notices that wait, or that were sent and not acknowledged"`
	Parked    int64           `json:"parked" doc:"notices that the receiver could not take: see /v1/outbox"`
	Tries     int             `json:"tries" doc:"pushes that failed one after the other"`
	NextAt    *time.Time      `json:"next_at" doc:"when it is pushed again after a failure; null if none failed"`
}

func streamOf(s delivery.StreamLine) stream {
	shown := stream{ID: s.ID, Method: s.Method, Host: s.Host, Algorithm: s.Algorithm, Events: s.Delivered, Status: s.Status, Reason: s.Reason, Held: s.Held,
		CreatedAt: s.CreatedAt, Waiting: s.Waiting, Parked: s.Parked, Tries: s.Tries, NextAt: timeOf(s.NextAt)}
	if s.Audience.IsSystem() {
		shown.System = s.Audience.ID()
	} else {
		shown.Reseller = envelope.Entity(s.Audience)
	}
	switch {
	case s.Lapsed:
		shown.HeldBy = "expired-token"
	case s.ShutOut:
		shown.HeldBy = "disabled-account"
	case s.Held:
		shown.HeldBy = "officer"
	}
	if shown.Events == nil {
		shown.Events = []string{}
	}
	return shown
}

type streamsIn struct {
	After string `query:"after" maxLength:"100" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"100"`
}

func (a API) streams(ctx context.Context, in *streamsIn) (*list[stream], error) {
	found, err := a.Streams.AllStreams(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[stream]{}
	out.Body.Items = make([]stream, len(found))
	for i, one := range found {
		out.Body.Items[i] = streamOf(one)
	}
	if len(found) == in.Limit {
		out.Body.Next = found[len(found)-1].ID
	}
	return out, nil
}

type changeStreamIn struct {
	Stream string `path:"stream" maxLength:"100"`
	Body   struct {
		Status string `json:"status" enum:"enabled,paused,disabled"`
		Told   string `json:"told,omitempty" maxLength:"1000" doc:"what the receiver is told as the reason"`
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) changeStream(ctx context.Context, in *changeStreamIn) (*actedOut, error) {
	found, err := a.Streams.StreamByID(ctx, in.Stream)
	if err != nil {
		return nil, err
	}
	if found.ShutOut && in.Body.Status == delivery.StatusEnabled {
		return nil, fmt.Errorf("%w: status: wanted paused or disabled, got enabled: the account that this system's token belongs to is disabled, and its stream stands still until it is enabled again (`cipgate officer enable`, POST /v1/officers/{officer}/enable)",
			problem.ErrOfficer)
	}
	if found.Lapsed && in.Body.Status == delivery.StatusEnabled {
		return nil, fmt.Errorf("%w: status: wanted paused or disabled, got enabled: the API token of this system has expired, and its stream stands still until it is extended (`cipgate token extend`, POST /v1/tokens/extend)",
			problem.ErrOfficer)
	}
	change := desk.StreamChange{Status: in.Body.Status, Told: in.Body.Told, Reason: in.Body.Reason}
	if found.Audience.IsSystem() {
		change.System = found.Audience.ID()
	} else {
		change.Reseller = envelope.Entity(found.Audience).ID()
	}
	if change.Status == "disabled" {
		if _, err := auth.Need(ctx, auth.Approver); err != nil {
			return nil, err
		}
	}
	acted, err := a.Desk.ChangeStream(ctx, officerIn(ctx), change)
	return actedOf(acted, fmt.Sprintf("The stream is %s within a second, and its receiver is told so over it.", change.Status), err)
}

type replayIn struct {
	Stream string `path:"stream" maxLength:"100"`
	Body   struct {
		Since time.Time `json:"since" doc:"everything addressed to the receiver at this time or later is brought again, in order"`
	}
}

type replayOut struct {
	Body struct {
		Notices int64 `json:"notices" doc:"that wait again"`
	}
}

func (a API) replayStream(ctx context.Context, in *replayIn) (*replayOut, error) {
	found, err := a.Streams.StreamByID(ctx, in.Stream)
	if err != nil {
		return nil, err
	}
	out := &replayOut{}
	out.Body.Notices, err = a.Streams.Replay(ctx, found.Audience, in.Body.Since)
	return out, err
}

type rotateIn struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

type rotateOut struct {
	Body struct {
		KeyID     string `json:"kid"`
		LeafIndex int64  `json:"leaf_index" doc:"of the entry that says who had it made"`
	}
}

// rotateNoticeKey says first who does it: a key that nobody asked for must never be there.
func (a API) rotateNoticeKey(ctx context.Context, in *rotateIn) (*rotateOut, error) {
	acted, err := a.Desk.RotateNoticeKey(ctx, officerIn(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &rotateOut{}
	out.Body.LeafIndex = acted.LeafIndex
	out.Body.KeyID, err = a.Streams.RotateKey(ctx)
	return out, err
}

// outgoing is a notice to a machine or a mail to a person.
type outgoing struct {
	ID          string          `json:"id"`
	To          string          `json:"to" enum:"reseller,system,contact,officer" doc:"whom it is for: a reseller's software, a system of the provider, a reseller's contact or an officer by mail"`
	Name        string          `json:"name" doc:"the reseller's entity identifier, the label of the system's token, or of a person an id that names nobody"`
	About       envelope.Entity `json:"about,omitempty" doc:"the entity that it is about"`
	Kind        string          `json:"kind,omitempty" doc:"absent: an event of the stream itself"`
	LeafIndex   *int64          `json:"leaf_index,omitempty" doc:"of the entry that it tells"`
	State       string          `json:"state" enum:"waiting,acknowledged,parked,dropped"`
	AddressedAt time.Time       `json:"addressed_at"`
	Tries       int             `json:"tries"`
	Err         string          `json:"err,omitempty" doc:"why it is parked"`
	Description string          `json:"description,omitempty"`
	Attempts    []attempt       `json:"attempts" doc:"the newest first, at most 50"`
}

func outgoingOf(o delivery.Outgoing) outgoing {
	shown := outgoing{ID: o.ID, To: "reseller", Name: string(o.Audience), About: envelope.Entity(o.About), Kind: o.Kind, State: string(o.State),
		AddressedAt: o.AddressedAt, Tries: o.Tries, Err: o.Err, Description: o.Description, Attempts: attemptsOf(o.Notice)}
	if o.LeafIndex >= 0 {
		shown.LeafIndex = &o.LeafIndex
	}
	switch {
	case o.Audience.IsSystem():
		shown.To, shown.Name = "system", o.Audience.ID()
	case o.Audience.IsContact():
		shown.To, shown.Name = "contact", o.Audience.ID()
	case o.Audience.IsOfficer():
		shown.To, shown.Name = "officer", o.Audience.ID()
	}
	return shown
}

type outboxIn struct {
	State string `query:"state" default:"parked" enum:"parked,waiting"`
	After string `query:"after" maxLength:"2000" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"100"`
}

func (a API) outbox(ctx context.Context, in *outboxIn) (*list[outgoing], error) {
	found, err := a.Streams.Outbox(ctx, delivery.State(in.State), in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[outgoing]{}
	out.Body.Items = make([]outgoing, len(found))
	for i, one := range found {
		out.Body.Items[i] = outgoingOf(one)
	}
	if len(found) == in.Limit {
		out.Body.Next = found[len(found)-1].ID
	}
	return out, nil
}

type retryOutgoingIn struct {
	Notice string `path:"notice" maxLength:"2000" doc:"the id that the outbox lists"`
}

type outgoingOut struct {
	Body outgoing
}

func (a API) retryOutgoing(ctx context.Context, in *retryOutgoingIn) (*outgoingOut, error) {
	audience, sequence, err := delivery.ParseNoticeID(in.Notice)
	if err != nil {
		return nil, err
	}
	retried, err := a.Streams.Retry(ctx, audience, sequence)
	if err != nil {
		return nil, err
	}
	return &outgoingOut{Body: outgoingOf(delivery.Outgoing{ID: in.Notice, Audience: audience, Notice: retried})}, nil
}
