package quick

import (
	"fmt"
	"reflect"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/cmd/simulate/life"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
)

// catchUp folds what is new, and judges the files that it is about.
func (e *Engine) catchUp(now time.Time) error {
	if e.folded == len(e.entries) {
		return nil
	}
	before := e.houseFor("", now).Counts.MaybeBeside()   // the docket reads them before it folds
	wakes, touched := false, map[*file]map[string]bool{} // with the customers that are named
	for ; e.folded < len(e.entries); e.folded++ {
		entry := e.entries[e.folded]
		if entry.About == life.Gateway {
			wakes = e.bears(entry) || wakes
			continue
		}
		f := e.fileOf(entry.About)
		if touched[f] == nil {
			touched[f] = map[string]bool{}
		}
		e.count(f, entry)
		f.c = f.c.With(entry)
		names := history.NamesIn(entry)
		if names.Customer == "" {
			f.history = f.history.With(entry)
			continue
		}
		f.record(names, entry)
		touched[f][names.Customer] = true
	}
	for f, named := range touched {
		f.queue(named)
		e.unreserve(func(c *counted) bool { return c.entity == f.entity }) // what was decided before is in the ledger, or never will be
		house := e.house
		house.Counts = before
		if err := e.judge(f, house, now); err != nil {
			return fmt.Errorf("fold what is about %s: %w", f.entity, err)
		}
		f.due, f.wake = len(f.judged.drafts) > 0 || handsOver(e.policyOf(f), f), f.judged.wake
	}
	for _, f := range e.files {
		f.due = f.due || wakes && f.c.Standing != escalation.Terminated
	}
	return nil
}

// bears folds an entry about the gateway, and says whether it bears on anybody: then every file is judged anew.
func (e *Engine) bears(entry statement.Entry) bool {
	before := e.house
	e.house = e.house.With(entry)
	if entry.Statement.Kind() != statement.KindPolicyActivated && reflect.DeepEqual(before, e.house) {
		return false
	}
	e.changed++
	if n, last := len(e.house.Releases), len(before.Releases); n > 0 && e.house.Releases[n-1].Guard == escalation.GuardFindings &&
		(last == 0 || before.Releases[last-1] != e.house.Releases[n-1]) {
		e.tripped = false // two people say that these findings are no fault of ours
	}
	return true
}

func (e *Engine) fileOf(entity envelope.Entity) *file {
	for _, f := range e.files {
		if f.entity == entity {
			return f
		}
	}
	f := &file{entity: entity, customers: map[string]history.Customer{}, parts: map[string]history.Records{}}
	e.files = append(e.files, f)
	return f
}

// record folds an entry that names a customer.
func (f *file) record(names history.Names, entry statement.Entry) {
	part := ""
	switch {
	case names.Owner != "":
		part = names.Customer + " owner " + names.Owner
	case names.Account != "":
		part = names.Customer + " account " + names.Account
	case names.Training != "":
		part = "training " + names.Training
	}
	before := f.parts[part] // of no part it is zero
	before.Customer = f.customers[names.Customer]
	h, after := f.history.WithRecords(before, entry)
	f.history, f.customers[names.Customer] = h, after.Customer
	if part != "" {
		f.parts[part] = after
	}
}

// queue keeps who has waited longest.
func (f *file) queue(named map[string]bool) {
	if len(named) == 0 {
		return
	}
	var changed []history.Customer
	for id := range named {
		if c := f.customers[id]; c.ID != "" {
			changed = append(changed, c)
		}
	}
	waiting, gone := f.history.Waiting.With(changed)
	for _, q := range gone {
		for _, c := range f.customers {
			if in, waiter, waits := c.Waits(); waits && in == q {
				waiting.Join(q, waiter)
			}
		}
	}
	f.history.Waiting = waiting
}

// read reads a statement back, as the ledger does.
func read(kind statement.Kind, text []byte) (statement.Statement, error) {
	into, known := kinds[kind]
	if !known {
		return nil, fmt.Errorf("a kind that the simulation does not know: %s", kind)
	}
	return into(text)
}

func as[S statement.Statement](text []byte) (statement.Statement, error) {
	var s S
	err := json.Unmarshal(text, &s, json.RejectUnknownMembers(true))
	return s, err
}

var kinds = map[statement.Kind]func([]byte) (statement.Statement, error){
	statement.KindCIPAttestation:         as[statement.CIPAttestation],
	statement.KindCustomerVerification:   as[statement.CustomerVerification],
	statement.KindAccountStatus:          as[statement.AccountStatus],
	statement.KindSuspiciousActivity:     as[statement.SuspiciousActivity],
	statement.KindAITraining:             as[statement.AITraining],
	statement.KindRemediation:            as[statement.Remediation],
	statement.KindOrderConfirmation:      as[statement.OrderConfirmation],
	statement.KindNoticeProved:           as[statement.NoticeProved],
	statement.KindFindingOpened:          as[statement.FindingOpened],
	statement.KindFindingCured:           as[statement.FindingCured],
	statement.KindStandingChanged:        as[statement.StandingChanged],
	statement.KindWarningIssued:          as[statement.WarningIssued],
	statement.KindRestrictionOrdered:     as[statement.RestrictionOrdered],
	statement.KindClosureOrdered:         as[statement.ClosureOrdered],
	statement.KindHandOverOrdered:        as[statement.HandOverOrdered],
	statement.KindOrderWithdrawn:         as[statement.OrderWithdrawn],
	statement.KindRelationshipTerminated: as[statement.RelationshipTerminated],
	statement.KindLimitPassed:            as[statement.LimitPassed],
	statement.KindRelationshipReinstated: as[statement.RelationshipReinstated],
	statement.KindAppealDecided:          as[statement.AppealDecided],
	statement.KindInformationRequested:   as[statement.InformationRequested],
	statement.KindCIPRequested:           as[statement.CIPRequested],
	statement.KindDocumentReceived:       as[statement.DocumentReceived],
	statement.KindExemptionGranted:       as[statement.ExemptionGranted],
	statement.KindExemptionWithdrawn:     as[statement.ExemptionWithdrawn],
	statement.KindPolicyActivated:        as[statement.PolicyActivated],
	statement.KindEntityEnrolled:         as[statement.EntityEnrolled],
	statement.KindOfficerAction:          as[statement.OfficerAction],
	statement.KindOutageRecorded:         as[statement.OutageRecorded],
}
