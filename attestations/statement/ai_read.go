package statement

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

type knowledge Knowledge

// MarshalJSONTo writes its time as the schema asks for it.
func (k Knowledge) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, knowledge(k), wholeSeconds)
}

var trainingMembers = members{required: 3, names: []string{
	"transaction", "state", "knowledge",
	"started_on", "completed_on", "parameters", "concerns", "practices", "weight_security", "fields", "supersedes",
}}

// UnmarshalJSONFrom reads a report and refuses what its schema refuses.
func (a *AITraining) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, a) }

func (a *AITraining) read(from *scan) error {
	err := trainingMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &a.Transaction, 255, isID)
		case 1:
			return text(from, &a.State, 20, isTrainingState)
		case 2:
			return list(from, 20, func() error {
				var k Knowledge
				err := k.read(from)
				a.Knowledge = append(a.Knowledge, k)
				return err
			})
		case 3:
			return day(from, &a.StartedOn)
		case 4:
			return day(from, &a.CompletedOn)
		case 5:
			a.Parameters = new(TrainingParameters)
			return a.Parameters.read(from)
		case 6:
			return texts(from, &a.Concerns, 8, 30, isConcern)
		case 7:
			return text(from, &a.Practices, 8000, isText)
		case 8:
			return text(from, &a.WeightSecurity, 8000, isText)
		case 9:
			return list(from, 50, func() error {
				var f Field
				err := f.read(from)
				a.Fields = append(a.Fields, f)
				return err
			})
		default:
			return text(from, &a.Supersedes, 255, isID)
		}
	})
	if err != nil {
		return err
	}
	if a.State == "occurred" && a.StartedOn == (Date{}) {
		return errForm
	}
	return nil
}

var (
	isTrainingState = oneOf("planned", "occurred")
	isActor         = oneOf("reseller", "subordinate", "superior", "provider")
	isConcern       = oneOf("social-engineering", "vulnerability-discovery", "denial-of-service", "data-poisoning", "target-selection", "disinformation", "command-and-control", "other")
	isModality      = oneOf("text", "code", "image", "audio", "video", "biological", "other")
)

var knowledgeMembers = members{required: 2, names: []string{"actor", "knew_at", "entity"}}

func (k *Knowledge) read(from *scan) error {
	return knowledgeMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &k.Actor, 20, isActor)
		case 1:
			return moment(from, &k.KnewAt)
		default:
			return entity(from, &k.Entity)
		}
	})
}

// entity reads what looks like an entity identifier.
func entity(from *scan, into *envelope.Entity) error {
	return text(from, (*string)(into), envelope.MaxEntity, isEntity)
}

var parametersMembers = members{names: []string{"operations", "modalities", "accelerators", "cluster"}}

func (p *TrainingParameters) read(from *scan) error {
	return parametersMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &p.Operations, 20, isScientific)
		case 1:
			return texts(from, &p.Modalities, 7, 20, isModality)
		case 2:
			return list(from, 20, func() error {
				var a Accelerator
				err := a.read(from)
				p.Accelerators = append(p.Accelerators, a)
				return err
			})
		default:
			p.Cluster = new(Cluster)
			return p.Cluster.read(from)
		}
	})
}

var acceleratorMembers = members{required: 2, names: []string{"model", "count"}}

func (a *Accelerator) read(from *scan) error {
	return acceleratorMembers.object(from, func(i int) error {
		if i == 0 {
			return text(from, &a.Model, 200, isLine)
		}
		return count(from, &a.Count)
	})
}

var clusterMembers = members{names: []string{"peak_operations_per_second", "network_gbit_per_second", "country"}}

func (c *Cluster) read(from *scan) error {
	return clusterMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &c.PeakOperationsPerSecond, 20, isScientific)
		case 1:
			return count(from, &c.NetworkGbitPerSecond)
		default:
			return text(from, &c.Country, 2, isCountry)
		}
	})
}

var fieldMembers = members{required: 2, names: []string{"name", "value"}}

func (f *Field) read(from *scan) error {
	return fieldMembers.object(from, func(i int) error {
		if i == 0 {
			return text(from, &f.Name, 64, isFieldName)
		}
		return text(from, &f.Value, 2000, isText)
	})
}
