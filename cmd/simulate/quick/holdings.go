package quick

import (
	"github.com/cipgate/cipgate/cmd/simulate/life"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// handsOver says whether what is decided about a file's case may depend on its customers' accounts, as the docket does: then it is judged
// anew as soon as it is folded. Customers that findings name are not modelled: no policy of a life closes their accounts alone.
func handsOver(p *policy.Policy, f *file) bool {
	return f.c.Successor != nil && p.Case.Close.Known() && f.c.TerminatedAt.IsZero()
}

// holdings is what a successor would take.
func (e *Engine) holdings(p *policy.Policy, f *file) (h escalation.Holdings) {
	if !handsOver(p, f) {
		return h
	}
	for _, c := range f.customers {
		if c.Verification.Result == history.Verified {
			h.HandOver += c.AccountsOpen
		}
	}
	if f.c.Successor.Entity == life.Gateway {
		return h
	}
	h.SuccessorGone = true
	for _, other := range e.files {
		if other.entity == f.c.Successor.Entity {
			h.SuccessorGone = other.c.Standing == escalation.Closing || other.c.Standing == escalation.Terminated
		}
	}
	return h
}
