package statement

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// AITraining reports a transaction that trains, or could train, a large AI model for the customer in sub_id (15 CFR 7.308,
// proposed). Whether it is a covered one is judged by the policy, again each time that the definition moves; so the facts
// are stated and not the verdict.
type AITraining struct {
	Transaction    string              `json:"transaction"` // opaque, the same in every report about it
	State          string              `json:"state"`       // planned, occurred
	Knowledge      []Knowledge         `json:"knowledge"`   // who knew when; the earliest starts the clock
	StartedOn      Date                `json:"started_on,omitzero"`
	CompletedOn    Date                `json:"completed_on,omitzero"`
	Parameters     *TrainingParameters `json:"parameters,omitzero"`
	Concerns       []string            `json:"concerns,omitzero"`        // capabilities of the model
	Practices      string              `json:"practices,omitzero"`       // how it is trained
	WeightSecurity string              `json:"weight_security,omitzero"` // who gets at the weights, and incidents
	Fields         []Field             `json:"fields,omitzero"`          // what else the policy asks for
	Supersedes     string              `json:"supersedes,omitzero"`
}

// Knowledge says when somebody knew of the transaction. The provider's 15 days run from when it or its reseller knew.
type Knowledge struct {
	Actor  string          `json:"actor"` // reseller, subordinate, superior, provider
	Entity envelope.Entity `json:"entity,omitzero"`
	KnewAt time.Time       `json:"knew_at"`
}

// TrainingParameters are the technical parameters of a training. The rule names no threshold, and none is here.
type TrainingParameters struct {
	Operations   string        `json:"operations,omitzero"` // such as 1.2e26: no number, since JSON libraries round those
	Modalities   []string      `json:"modalities,omitzero"` // text, code, image, audio, video, biological, other
	Accelerators []Accelerator `json:"accelerators,omitzero"`
	Cluster      *Cluster      `json:"cluster,omitzero"`
}

// Accelerator is how many of one model are used.
type Accelerator struct {
	Model string `json:"model"`
	Count int64  `json:"count"`
}

// Cluster is where the training runs.
type Cluster struct {
	PeakOperationsPerSecond string `json:"peak_operations_per_second,omitzero"` // such as 1.2e20
	NetworkGbitPerSecond    int64  `json:"network_gbit_per_second,omitzero"`    // between its machines
	Country                 string `json:"country,omitzero"`                    // ISO 3166-1 alpha-2
}

// Field is a member that is named by a policy and not by the schema.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Kind returns KindAITraining.
func (AITraining) Kind() Kind { return KindAITraining }
