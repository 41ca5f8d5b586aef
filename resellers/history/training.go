package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Training is one transaction that trains, or could train, a large AI model, as a reseller reported it. Whether it is a
// covered one the policy says. The zero Training is one that no entry has named.
type Training struct {
	Transaction string         `json:"transaction,omitzero"` // opaque, the reseller's own
	Customer    string         `json:"customer,omitzero"`    // that the newest report names
	State       string         `json:"state,omitzero"`       // planned, occurred
	StartedOn   statement.Date `json:"started_on,omitzero"`
	CompletedOn statement.Date `json:"completed_on,omitzero"`
	Operations  string         `json:"operations,omitzero"` // such as 1.2e26
	Modalities  []string       `json:"modalities,omitzero"` // text, code, image, audio, video, biological, other
	Country     string         `json:"country,omitzero"`    // of the cluster, ISO 3166-1 alpha-2

	// KnewAt is the earliest time of which any report says that somebody knew, and KnewBy who: the earliest governs, and no
	// correction moves it later (15 CFR 7.308, proposed).
	KnewAt     time.Time `json:"knew_at,omitzero"`
	KnewBy     string    `json:"knew_by,omitzero"`     // reseller, subordinate, superior, provider
	ReportedAt time.Time `json:"reported_at,omitzero"` // when the ledger took the first report

	FirstLeaf int64  `json:"first_leaf,omitzero"` // of the first report
	LeafIndex int64  `json:"leaf_index,omitzero"` // of the newest
	JTI       string `json:"jti,omitzero"`
	Reports   int    `json:"reports,omitzero"`
}

// What a Training's State can be.
const (
	Planned  = "planned"
	Occurred = "occurred"
)

// with takes one more report about the transaction.
func (t Training) with(said statement.AITraining, e statement.Entry) Training {
	if t.Transaction == "" {
		t.Transaction, t.ReportedAt, t.FirstLeaf = said.Transaction, e.AcceptedAt.UTC(), e.LeafIndex
	}
	for _, knew := range said.Knowledge {
		if t.KnewAt.IsZero() || knew.KnewAt.Before(t.KnewAt) {
			t.KnewAt, t.KnewBy = knew.KnewAt.UTC(), knew.Actor
		}
	}
	t.Reports++
	if t.State == Occurred && said.State == Planned && said.Supersedes != t.JTI {
		return t // a plan that came late: what has occurred is planned no more
	}
	t.Customer, t.State, t.StartedOn, t.CompletedOn = e.Customer, said.State, said.StartedOn, said.CompletedOn
	t.Operations, t.Modalities, t.Country = "", nil, ""
	if p := said.Parameters; p != nil {
		t.Operations, t.Modalities = p.Operations, p.Modalities
		if p.Cluster != nil {
			t.Country = p.Cluster.Country
		}
	}
	t.LeafIndex, t.JTI = e.LeafIndex, e.JTI
	return t
}
