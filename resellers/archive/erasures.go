package archive

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// maxRecords is how many entries are erased by one request; more are left for the next.
const maxRecords = 50_000

// perStatement is how many digests one record-erased names; its schema allows 1,000.
const perStatement = 500

// Erasure is what an officer asks to have erased, at the request of whom it concerns: what was stated of one customer, or
// an attestation with the document that it names, or an answer in a case, such as what a contact typed over a link.
type Erasure struct {
	Customer   string          // the reseller's opaque id; empty for the others
	Program    envelope.Digest // of the attestation; zero for the others
	Answer     envelope.Digest // of a remediation or a stated-by-link; zero for the others
	LegalBasis string
}

// Erased is what came of an erasure.
type Erased struct {
	Statements int
	Documents  int
}

// Erase takes names, contacts and free text out of what was stated of a customer, or out of an attestation and the
// document that it names, now: receipts, standing and all that rests on facts stay. It is stated in the ledger, with the
// officer's name, before it is done. Errors wrap ErrNotFound; ErrRefused while the policy's floor or a legal hold keeps
// the records.
func (a *Archive) Erase(ctx context.Context, by statement.Officer, id envelope.ID, wanted Erasure) (Erased, error) {
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return Erased{}, err
	}
	entries, err := a.about(ctx, id, wanted)
	if err != nil {
		return Erased{}, err
	}
	if len(entries) == 0 {
		return Erased{}, fmt.Errorf("%w: nothing of this reseller that could be erased has this id or digest", ErrNotFound)
	}
	now := a.Now()
	if err := a.mayErase(ctx, id, wanted, entries, file.History.TerminatedAt, now); err != nil {
		return Erased{}, err
	}
	jti, err := newJTI()
	if err != nil {
		return Erased{}, err
	}
	action := statement.OfficerAction{Officer: by, Action: actionErase, On: target(file.Entity, wanted.Customer), Reason: wanted.LegalBasis}
	if err := a.state(ctx, file.Entity, jti, action); err != nil {
		return Erased{}, err
	}
	done, err := a.stateErased(ctx, file.Entity, entries, "request", wanted.LegalBasis)
	if err != nil {
		return Erased{}, err
	}
	return done, a.CatchUp(ctx)
}

// about finds what an erasure means among a reseller's entries that are not erased yet.
func (a *Archive) about(ctx context.Context, id envelope.ID, wanted Erasure) ([]statement.Entry, error) {
	var found []statement.Entry
	err := a.each(ctx, id, func(e statement.Entry) bool {
		if !e.Statement.Kind().Erasable() || e.Erased {
			return true
		}
		_, program := e.Statement.(statement.CIPAttestation)
		_, answer := statement.RemediationOf(e)
		if wanted.Customer != "" && e.Customer == wanted.Customer || wanted.Customer == "" && (program && e.Digest == wanted.Program || answer && e.Digest == wanted.Answer) {
			found = append(found, e)
		}
		return len(found) < maxRecords
	})
	return found, err
}

// each reads a reseller's entries in order until read returns false.
func (a *Archive) each(ctx context.Context, id envelope.ID, read func(statement.Entry) bool) error {
	for from := int64(0); ; {
		entries, err := a.Ledger.About(ctx, id, from, page)
		if err != nil {
			return fmt.Errorf("reading a reseller's entries: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		for _, e := range entries {
			if !read(e) {
				return nil
			}
			from = e.LeafIndex + 1
		}
	}
}

func (a *Archive) mayErase(ctx context.Context, id envelope.ID, wanted Erasure, entries []statement.Entry, terminated, now time.Time) error {
	holds, err := a.Holds(ctx, id)
	if err != nil {
		return err
	}
	for _, hold := range holds {
		if hold.holds(wanted.Customer, now) {
			return refused("the legal hold %s keeps these records (%s, by %s). Release it first, if whoever asked for it agrees", hold.ID, hold.Reason, hold.Officer)
		}
	}
	if hold, held, err := a.heldAbove(ctx, entries, now); err != nil {
		return err
	} else if held {
		return refused("the legal hold %s on who forwarded these records keeps them (%s, by %s). Release it first, if whoever asked for it agrees", hold.ID, hold.Reason, hold.Officer)
	}
	var term Term
	if wanted.Answer != (envelope.Digest{}) {
		term = answerTerm(a.Records, entries[0].AcceptedAt)
	} else if wanted.Customer != "" {
		// What is erased already counts for the term too: its days are left.
		all, err := a.ofCustomer(ctx, id, wanted.Customer)
		if err != nil {
			return err
		}
		term = customerTerm(a.terms(), all)
	} else if term, err = a.programTerm(ctx, id, entries[0], terminated); err != nil {
		return err
	}
	switch {
	case term.Open && wanted.Customer != "":
		return refused("an account of this customer is open, so its records are kept. They may be erased %s after the later of its closing and the last access", a.terms().Floor.Value)
	case term.Open:
		return refused("this is the newest attestation of a reseller in business, so it is kept. It may be erased %s after a newer one", a.terms().Floor.Value)
	case now.Before(term.Floor):
		return refused("these records are kept until %s: %s (%s). Ask again after that", term.Floor.UTC().Format(time.RFC3339), a.terms().Floor.Value, a.terms().Floor.Source)
	}
	return nil
}

func (a *Archive) ofCustomer(ctx context.Context, id envelope.ID, customer string) (entries []statement.Entry, err error) {
	err = a.each(ctx, id, func(e statement.Entry) bool {
		if e.Customer == customer && !e.Statement.Kind().ByGateway() {
			entries = append(entries, e)
		}
		return true
	})
	return entries, err
}

func (a *Archive) programTerm(ctx context.Context, id envelope.ID, attestation statement.Entry, terminated time.Time) (Term, error) {
	var replaced time.Time
	err := a.each(ctx, id, func(e statement.Entry) bool {
		if _, is := e.Statement.(statement.CIPAttestation); is && e.LeafIndex > attestation.LeafIndex {
			replaced = e.AcceptedAt
			return false
		}
		return true
	})
	return programTerm(a.terms(), replaced, terminated), err
}

// stateErased states what is erased, in as many statements as it takes. Each jti follows from what it erases, so that two
// processes on one schedule state it once.
func (a *Archive) stateErased(ctx context.Context, entity envelope.Entity, entries []statement.Entry, reason, basis string) (done Erased, err error) {
	if err := a.CatchUp(ctx); err != nil {
		return Erased{}, err
	}
	around, err := a.wrapping(ctx, entries)
	if err != nil {
		return Erased{}, err
	}
	var digests []string
	for _, row := range around {
		digests = append(digests, envelope.Digest(row.Digest).String())
	}
	kept, err := a.namedByOthers(ctx, entity.ID(), entries)
	if err != nil {
		return Erased{}, err
	}
	for _, e := range entries {
		digests = append(digests, e.Digest.String())
		done.Statements++
		if said, is := e.Statement.(statement.CIPAttestation); is && said.Copy != nil && !kept[said.Copy.SHA256] {
			digests = append(digests, said.Copy.SHA256)
			done.Documents++
		}
	}
	slices.Sort(digests)
	digests = slices.Compact(digests)
	for part := range slices.Chunk(digests, perStatement) {
		jti := uuid.NewSHA1(namespace, fmt.Append(nil, "erased", entity, part)).String()
		if err := a.state(ctx, entity, jti, statement.RecordErased{Digests: part, Reason: reason, LegalBasis: basis}); err != nil {
			return Erased{}, err
		}
	}
	return done, nil
}

// namedByOthers are the documents that stay when these attestations are erased: another one, which is not, names them too.
func (a *Archive) namedByOthers(ctx context.Context, id envelope.ID, erased []statement.Entry) (map[string]bool, error) {
	names := func(e statement.Entry) (string, bool) {
		said, is := e.Statement.(statement.CIPAttestation)
		if !is || said.Copy == nil {
			return "", false
		}
		return said.Copy.SHA256, true
	}
	if !slices.ContainsFunc(erased, func(e statement.Entry) bool { _, is := names(e); return is }) {
		return nil, nil //nolint:nilnil // no document is at stake
	}
	gone := map[int64]bool{}
	for _, e := range erased {
		gone[e.LeafIndex] = true
	}
	kept := map[string]bool{}
	err := a.each(ctx, id, func(e statement.Entry) bool {
		if document, is := names(e); is && !e.Erased && !gone[e.LeafIndex] {
			kept[document] = true
		}
		return true
	})
	return kept, err
}
