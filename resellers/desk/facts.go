package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Evidence is what the provider found about a reseller.
type Evidence struct {
	Ground      string    // cip-failure, no-good-faith-effort, increased-risk (15 CFR 7.303(d), proposed)
	Severity    string    // serious, critical
	Description string    // what was found, as it stands in the ledger
	ReceivedAt  time.Time // when the provider had it: the clock of the rule starts there
	Audience    string    // who may read it: reseller, chain, provider, need-to-know; reseller if empty
}

var (
	grounds    = []string{"cip-failure", "no-good-faith-effort", "increased-risk"}
	severities = []string{"serious", "critical"}
	audiences  = []string{"reseller", "chain", "provider", "need-to-know"}
)

// RecordEvidence records evidence, which opens a finding since it was received. It returns the evidence's id. Errors wrap ErrRefused,
// ErrMoved or docket.ErrNotFound.
func (d *Desk) RecordEvidence(ctx context.Context, by statement.Officer, id envelope.ID, found Evidence) (evidence string, acted Acted, err error) {
	if found.Audience == "" {
		found.Audience = "reseller"
	}
	received := second(found.ReceivedAt)
	switch {
	case !slices.Contains(grounds, found.Ground):
		return "", acted, refused("ground: wanted %s, got another one", strings.Join(grounds, ", "))
	case !slices.Contains(severities, found.Severity):
		return "", acted, refused("severity: wanted %s, got another one. What is less than serious is an inquiry", strings.Join(severities, " or "))
	case !slices.Contains(audiences, found.Audience):
		return "", acted, refused("audience: wanted %s, got another one", strings.Join(audiences, ", "))
	case found.ReceivedAt.IsZero() || received.After(d.now()):
		return "", acted, refused("received_at: wanted when the provider had the evidence, a time that is past, got %s", shown(received))
	}
	number, err := uuid.NewV7()
	if err != nil {
		return "", acted, fmt.Errorf("making an evidence's id: %w", err)
	}
	evidence = number.String()
	acted, err = d.actUnder(ctx, id, evidence, func(file docket.File) ([]statement.Statement, error) {
		switch {
		case !file.Case.TerminatedAt.IsZero():
			return nil, refused("reseller: wanted one whose relationship stands, got one that was terminated at %s", shown(file.Case.TerminatedAt))
		case received.Before(second(file.History.EnrolledAt)):
			return nil, refused("received_at: wanted a time since the reseller was enrolled, %s, got %s", shown(file.History.EnrolledAt), shown(received))
		}
		return one(reasoned(by, escalation.ActionEvidence, statement.Target{Type: "reseller", ID: string(file.Entity)}, found.Description,
			field("evidence", evidence), field("ground", found.Ground), field("severity", found.Severity), field("received_at", shown(received)), field("audience", found.Audience)))
	})
	return evidence, acted, err
}

// inquiryTime is how long a reseller has to answer a question (standing.md, "Findings"), and longestInquiry how long at most.
const (
	inquiryTime    = 5 * 24 * time.Hour
	longestInquiry = 90 * 24 * time.Hour
)

// Inquire asks a reseller a question that it must answer: suspicion, and no finding yet. due is by when, five days from now if zero.
// Errors wrap ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) Inquire(ctx context.Context, by statement.Officer, id envelope.ID, question string, due time.Time) (inquiry string, until time.Time, acted Acted, err error) {
	now := d.now()
	if until = second(due); due.IsZero() {
		until = second(now.Add(inquiryTime))
	}
	if !until.After(now) || until.After(now.Add(longestInquiry)) {
		return "", until, acted, refused("due_at: wanted a time within %d days from now, got %s", longestInquiry/(24*time.Hour), shown(until))
	}
	number, err := uuid.NewV7()
	if err != nil {
		return "", until, acted, fmt.Errorf("making an inquiry's id: %w", err)
	}
	inquiry = number.String()
	acted, err = d.actUnder(ctx, id, inquiry, func(file docket.File) ([]statement.Statement, error) {
		if !file.Case.TerminatedAt.IsZero() {
			return nil, refused("reseller: wanted one whose relationship stands, got one that was terminated at %s", shown(file.Case.TerminatedAt))
		}
		action, err := reasoned(by, "inquiry.opened", statement.Target{Type: "reseller", ID: string(file.Entity)}, question, field("inquiry", inquiry))
		if err != nil {
			return nil, err
		}
		return []statement.Statement{statement.InformationRequested{Inquiry: inquiry, Question: question, DueAt: until}, action}, nil
	})
	return inquiry, until, acted, err
}

// Told is that somebody told a reseller of a statement by another way than the gateway's own.
type Told struct {
	Notice  string // jti of the statement that was told
	Channel string // call, courier, meeting
	Whom    string // the role of whom was told, no personal data
	At      time.Time
	Reason  string // what was said, and how it is known that it arrived
	// Unanswered says that nobody answered: it is a try. A policy says how many of them, on different days, count as proof.
	Unanswered bool
}

var channels = []string{"call", "courier", "meeting"}

// RecordNotice records proof of notice: that a reseller was told of a statement about it. Errors wrap ErrNotFound, ErrRefused, ErrMoved
// or docket.ErrNotFound.
func (d *Desk) RecordNotice(ctx context.Context, by statement.Officer, id envelope.ID, told Told) (Acted, error) {
	at := second(told.At)
	switch {
	case !slices.Contains(channels, told.Channel):
		return Acted{}, refused("channel: wanted %s, got another one", strings.Join(channels, ", "))
	case told.Unanswered && told.Channel == "meeting":
		return Acted{}, refused("channel: wanted call or courier of a try that nobody answered, got meeting. Whom nobody met, nobody told")
	case strings.TrimSpace(told.Whom) == "":
		return Acted{}, refused("whom: wanted the role of whom was told, such as head of compliance, got nothing. Give no name")
	case told.At.IsZero() || at.After(d.now()):
		return Acted{}, refused("at: wanted when it was told, a time that is past, got %s", shown(at))
	}
	details := []statement.Field{field("channel", told.Channel), field("whom", told.Whom), field("at", shown(at))}
	if told.Unanswered {
		details = append(details, field("answered", escalation.Unanswered))
	}
	return d.act(ctx, id, func(docket.File) ([]statement.Statement, error) {
		stated, err := d.find(ctx, id, told.Notice)
		if err != nil {
			return nil, err
		}
		if at.Before(second(stated.AcceptedAt)) {
			return nil, refused("at: wanted a time since the notice was stated, %s, got %s", shown(stated.AcceptedAt), shown(at))
		}
		return one(reasoned(by, escalation.ActionNotified, statement.Target{Type: "notice", ID: told.Notice}, told.Reason, details...))
	})
}

// find returns what the gateway stated about a reseller under a jti.
func (d *Desk) find(ctx context.Context, about envelope.ID, jti string) (statement.Entry, error) {
	for from := int64(0); ; {
		entries, err := d.ledger.About(ctx, about, from, entryPage)
		if err != nil {
			return statement.Entry{}, fmt.Errorf("looking for a notice: %w", err)
		}
		if len(entries) == 0 {
			return statement.Entry{}, fmt.Errorf("%w: wanted the jti of what this gateway stated about the reseller. GET /v1/resellers/{id}/history lists it", ErrNotFound)
		}
		for _, e := range entries {
			if e.JTI == jti && e.By == d.self {
				return e, nil
			}
		}
		from = entries[len(entries)-1].LeafIndex + 1
	}
}

// errors of whose the termination was.
var whose = []string{"gateway", "provider", "superior", "reseller", "nobody"}

// Reinstate takes a termination back. The ledger says whose error it was; what is still open begins anew with its own clock. Errors
// wrap ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) Reinstate(ctx context.Context, by statement.Officer, id envelope.ID, whoseError, why string) (Acted, error) {
	if !slices.Contains(whose, whoseError) {
		return Acted{}, refused("whose_error: wanted %s, got another one", strings.Join(whose, ", "))
	}
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := escalation.MayReinstate(file.Case); err != nil {
			return nil, ruled(err)
		}
		if _, err := reasoned(by, "", statement.Target{}, why); err != nil {
			return nil, err
		}
		return one(statement.RelationshipReinstated{Why: why, WhoseError: whoseError, By: by, Case: file.Case.ID}, nil)
	})
}

// MovePolicy pins an open case to the policy in force, or to another one that this gateway had in force. Errors wrap ErrRefused,
// ErrMoved or docket.ErrNotFound.
func (d *Desk) MovePolicy(ctx context.Context, by statement.Officer, id envelope.ID, policy, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := openCase(file); err != nil {
			return nil, err
		}
		if file.Case.Policy == policy {
			return nil, refused("policy: the case is pinned to %s already", policy)
		}
		moved := file
		moved.Case.Policy = policy
		if _, err := d.files.PolicyOf(moved); err != nil || policy == "" {
			return nil, refused("policy: wanted the id of a policy that this gateway has or had in force, such as us-iaas-2024.4. GET /v1/policies lists them")
		}
		return one(reasoned(by, escalation.ActionPolicyMoved, onCase(file.Case.ID), reason, field("policy", policy), field("policy_before", file.Case.Policy)))
	})
}
