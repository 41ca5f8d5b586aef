package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
	"github.com/cipgate/cipgate/resellers/policy"
)

// What one officer proposes and another confirms, beside the lifting of a stay, which its case knows of.
const (
	actionLimitProposed   = "limit.extension-proposed"
	actionReleaseProposed = "guard.release-proposed"
)

// A policy is proposed and put in force where what it moves is shown (rehearsal); here it is listed with all else that waits for a second
// person.
const (
	ActionPolicyProposed  = "policy.proposed"
	ActionPolicyActivated = "policy.activated"
)

// confirms says which action confirms what was proposed.
var confirms = map[string]string{
	actionLimitProposed:   escalation.ActionLimitExtended,
	actionReleaseProposed: escalation.ActionGuardReleased,
	actionWaiverProposed:  obligations.ActionWaived,
	ActionPolicyProposed:  ActionPolicyActivated,
}

// ProposalLife is how long a proposal may be confirmed; a policy that is proposed may say less itself.
const ProposalLife = time.Duration(policy.LongestProposal)

// Proposal is what an officer proposed and another must confirm. The ledger's entry is the truth; the row only finds it.
type Proposal struct {
	ID         string // jti of the entry
	About      envelope.Entity
	Action     string // what it becomes once confirmed
	Subject    string // the case, what of the guard, the obligation, or the policy
	EndsAt     time.Time
	Expires    time.Time // until when it may be confirmed, if that is not ProposalLife
	Reason     string
	By         statement.Officer
	ProposedAt time.Time
}

// ExpiresAt is until when it may be confirmed.
func (p Proposal) ExpiresAt() time.Time {
	if !p.Expires.IsZero() {
		return p.Expires
	}
	return p.ProposedAt.Add(ProposalLife)
}

// ProposeLimit proposes that the limit of an open case be moved, which is the only way past it. Errors wrap ErrRefused, ErrMoved or
// docket.ErrNotFound.
func (d *Desk) ProposeLimit(ctx context.Context, by statement.Officer, id envelope.ID, to time.Time, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := d.checkLimit(file, somebody, &by, second(to)); err != nil {
			return nil, err
		}
		said, err := reasoned(by, actionLimitProposed, onCase(file.Case.ID), reason)
		said.EndsAt = second(to)
		return one(said, err)
	})
}

// furthestLimit bounds how far a limit is moved at once.
const furthestLimit = 90 * 24 * time.Hour

// checkLimit asks whether by may move the limit as proposedBy proposed.
func (d *Desk) checkLimit(file docket.File, by statement.Officer, proposedBy *statement.Officer, to time.Time) error {
	if now := d.now(); !to.After(now) || to.After(now.Add(furthestLimit)) {
		return refused("limit_at: wanted a time within %d days from now, got %s", furthestLimit/(24*time.Hour), shown(to))
	}
	if err := escalation.MayExtendLimit(file.Case, by, proposedBy, to); err != nil {
		return ruled(err)
	}
	return nil
}

// somebody stands for whoever will confirm what is proposed.
var somebody = statement.Officer{}

var guards = []escalation.GuardKind{escalation.GuardClosures, escalation.GuardTerminations, escalation.GuardAccounts, escalation.GuardFindings}

// longestRelease bounds how long the guard is let go.
const longestRelease = 7 * 24 * time.Hour

func (d *Desk) checkRelease(guard escalation.GuardKind, until time.Time) error {
	now := d.now()
	switch {
	case !slices.Contains(guards, guard):
		return refused("guard: wanted closures, terminations, accounts or findings, got another one")
	case !until.After(now) || until.After(now.Add(longestRelease)):
		return refused("until: wanted a time within %d days from now, got %s", longestRelease/(24*time.Hour), shown(until))
	}
	return nil
}

// ProposeRelease proposes that what the guard holds back go on until a time. Errors wrap ErrRefused.
func (d *Desk) ProposeRelease(ctx context.Context, by statement.Officer, guard escalation.GuardKind, until time.Time, reason string) (Acted, error) {
	if err := d.checkRelease(guard, second(until)); err != nil {
		return Acted{}, err
	}
	said, err := reasoned(by, actionReleaseProposed, d.onSelf(), reason, field("guard", string(guard)))
	if err != nil {
		return Acted{}, err
	}
	said.EndsAt = second(until)
	return d.house(ctx, "", said)
}

// Confirm carries into force what another officer proposed, for the reason given beside theirs. Errors wrap ErrMayNot, ErrNotFound,
// ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) Confirm(ctx context.Context, by statement.Officer, proposal, reason string) (Acted, error) {
	entry, said, err := d.proposal(ctx, proposal)
	if err != nil {
		return Acted{}, err
	}
	if said.Action == ActionPolicyProposed {
		return Acted{}, refused("proposal: wanted one that a word confirms, got a policy, which comes into force after what it moves now was shown. Type: cipgate policy activate --proposal %s, or open /policies/proposals/%s", proposal, proposal)
	}
	if said.Officer.ID == by.ID {
		return Acted{}, fmt.Errorf("%w: you proposed this, and nobody confirms what they proposed. Another officer confirms it", ErrMayNot)
	}
	if expired := entry.AcceptedAt.Add(ProposalLife); !d.now().Before(expired) {
		return Acted{}, refused("proposal: wanted one that may be confirmed, got one that could be until %s. Propose it again", shown(expired))
	}
	details := append(slices.Clone(said.Details), field("proposal", proposal), field("reason_proposed", cut(said.Reason)))
	confirmed, err := reasoned(by, confirms[said.Action], said.On, reason, details...)
	if err != nil {
		return Acted{}, err
	}
	confirmed.EndsAt, confirmed.ProposedBy = said.EndsAt, &said.Officer
	if said.Action == actionWaiverProposed {
		return d.end(ctx, said.On.ID, confirmed, func(o obligations.Obligation) error { return o.MayWaive(by, &said.Officer) })
	}
	// Confirmed by two people at once it is stated once.
	jti := uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:confirmed:"+proposal)).String()
	if said.Action == actionReleaseProposed {
		for _, detail := range said.Details {
			if detail.Name == "guard" {
				if err := d.checkRelease(escalation.GuardKind(detail.Value), said.EndsAt); err != nil {
					return Acted{}, err
				}
			}
		}
		return d.house(ctx, jti, confirmed)
	}
	return d.actUnder(ctx, entry.About.ID(), jti, func(file docket.File) ([]statement.Statement, error) {
		if err := d.checkLimit(file, by, &said.Officer, said.EndsAt); err != nil {
			return nil, err
		}
		if file.Case.ID != said.On.ID {
			return nil, refused("proposal: wanted one about the open case, got one about a case that has ended")
		}
		return one(confirmed, nil)
	})
}

// cut keeps a text within what a detail holds.
func cut(text string) string {
	const most = 1900
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	return string(runes[:min(len(runes), most/4)]) + " ..."
}

// proposal finds what was proposed under a jti, in the ledger, if nobody has confirmed it.
func (d *Desk) proposal(ctx context.Context, id string) (statement.Entry, statement.OfficerAction, error) {
	if err := d.foldProposals(ctx); err != nil {
		return statement.Entry{}, statement.OfficerAction{}, err
	}
	var row proposalRow
	err := d.db.WithContext(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return statement.Entry{}, statement.OfficerAction{}, fmt.Errorf("%w: wanted the id of a proposal. GET /v1/proposals lists those that wait", ErrNotFound)
	}
	if err != nil {
		return statement.Entry{}, statement.OfficerAction{}, fmt.Errorf("looking for a proposal: %w", err)
	}
	if row.ClosedAt != 0 {
		return statement.Entry{}, statement.OfficerAction{}, refused("proposal: wanted one that waits, got one that was confirmed or withdrawn at %s, or became void then", shown(time.UnixMicro(row.ClosedAt)))
	}
	return d.proposed(ctx, row)
}

// proposed reads a proposal from the ledger.
func (d *Desk) proposed(ctx context.Context, row proposalRow) (statement.Entry, statement.OfficerAction, error) {
	entry, err := d.ledger.Entry(ctx, row.LeafIndex)
	if err != nil {
		return entry, statement.OfficerAction{}, fmt.Errorf("reading a proposal: %w", err)
	}
	said, ok := entry.Statement.(statement.OfficerAction)
	if !ok || entry.JTI != row.ID || confirms[said.Action] == "" || entry.By != d.self {
		return entry, said, fmt.Errorf("reading a proposal: entry %d of the ledger is none: rebuild with `cipgate rebuild`", row.LeafIndex)
	}
	return entry, said, nil
}

// Proposals lists what was proposed, may still be confirmed, and was neither that nor withdrawn, the oldest first.
func (d *Desk) Proposals(ctx context.Context, limit int) ([]Proposal, error) {
	if err := d.foldProposals(ctx); err != nil {
		return nil, err
	}
	var rows []proposalRow
	err := d.db.WithContext(ctx).Where("closed_at = 0 AND proposed_at > ?", d.now().Add(-ProposalLife).UnixMicro()).Order("proposed_at, id").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("listing proposals: %w", err)
	}
	proposals := make([]Proposal, 0, len(rows))
	for _, row := range rows {
		entry, said, err := d.proposed(ctx, row)
		if err != nil {
			return nil, err
		}
		p := Proposal{ID: row.ID, About: entry.About, Action: row.Action, Subject: row.Subject, EndsAt: said.EndsAt, Reason: said.Reason,
			By: said.Officer, ProposedAt: entry.AcceptedAt}
		if said.Action == ActionPolicyProposed {
			p.EndsAt, p.Expires = time.Time{}, said.EndsAt // what is proposed has no end, the proposal has
		}
		if d.now().Before(p.ExpiresAt()) {
			proposals = append(proposals, p)
		}
	}
	return proposals, nil
}

type proposalRow struct {
	ID         string `gorm:"primaryKey"`
	LeafIndex  int64
	About      string
	Action     string
	Subject    string
	Officer    string
	ProposedAt int64
	ClosedAt   int64
}

func (proposalRow) TableName() string { return "desk_proposals" }

type cursorRow struct {
	ID       int
	NextLeaf int64
}

func (cursorRow) TableName() string { return "desk_cursor" }

// foldProposals folds the officers' actions, up to what the ledger held when it was called.
func (d *Desk) foldProposals(ctx context.Context) error {
	size, err := d.ledger.Size(ctx)
	if err != nil {
		return fmt.Errorf("reading the ledger's size: %w", err)
	}
	for done := false; !done; {
		if done, err = d.foldPage(ctx, size); err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) foldPage(ctx context.Context, size int64) (done bool, err error) {
	var cursor cursorRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&cursor).Error; err != nil {
		return false, fmt.Errorf("reading the desk's cursor: %w", err)
	}
	if cursor.NextLeaf >= size {
		return true, nil
	}
	entries, err := d.ledger.Entries(ctx, cursor.NextLeaf, entryPage, statement.KindOfficerAction)
	if err != nil {
		return false, fmt.Errorf("reading entries for the desk: %w", err)
	}
	next := size
	if len(entries) > 0 {
		next = entries[len(entries)-1].LeafIndex + 1
	}
	err = d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// Whoever moves the cursor folds; another who read the same place folds nothing.
		moved := tx.Model(&cursorRow{}).Where("id = 1 AND next_leaf = ?", cursor.NextLeaf).Update("next_leaf", next)
		if moved.Error != nil || moved.RowsAffected == 0 {
			return moved.Error
		}
		for _, e := range entries {
			if err := d.foldProposal(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("folding proposals: %w", err)
	}
	return false, nil
}

func (d *Desk) foldProposal(tx *gorm.DB, e statement.Entry) error {
	said, ok := e.Statement.(statement.OfficerAction)
	if !ok || e.By != d.self {
		return nil
	}
	detail := func(name string) string {
		for _, one := range said.Details {
			if one.Name == name {
				return one.Value
			}
		}
		return ""
	}
	if becomes := confirms[said.Action]; becomes != "" {
		subject := said.On.ID
		if said.On.Type == "gateway" {
			subject = detail("guard")
		}
		row := proposalRow{ID: e.JTI, LeafIndex: e.LeafIndex, About: string(e.About), Action: becomes, Subject: subject, Officer: said.Officer.ID, ProposedAt: e.AcceptedAt.UnixMicro()}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
	}
	if said.Action == ActionPolicyActivated { // what was proposed to replace another policy is void with it
		return tx.Model(&proposalRow{}).Where("action = ? AND closed_at = 0", said.Action).Update("closed_at", e.AcceptedAt.UnixMicro()).Error
	}
	if id := detail("proposal"); id != "" && said.Action == ActionWithdrawn {
		return foldWithdrawn(tx, id, said.Officer, e.AcceptedAt.UnixMicro())
	} else if id != "" {
		return tx.Model(&proposalRow{}).Where("id = ? AND action = ? AND closed_at = 0", id, said.Action).Update("closed_at", e.AcceptedAt.UnixMicro()).Error
	}
	return nil
}

// Rebuild drops the proposals; they are folded again by whoever asks next.
func (d *Desk) Rebuild(ctx context.Context) error {
	err := d.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("1 = 1").Delete(&proposalRow{}).Error; err != nil {
			return err
		}
		return tx.Model(&cursorRow{}).Where("id = 1").Update("next_leaf", 0).Error
	})
	if err != nil {
		return fmt.Errorf("emptying the desk's proposals: %w", err)
	}
	return d.foldProposals(ctx)
}
