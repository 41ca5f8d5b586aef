package main

import (
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/resellers/policy"
)

// contentOf is what the policy asks of a statement, as intake asks for it: intake lies below the policy and does not know it.
func contentOf(rules policy.Intake) intake.Content {
	fields := rules.AITrainingFields
	return intake.Content{
		Identity:       intake.Choice{Yes: rules.Identity.Value == policy.AcceptIt, Source: rules.Identity.Source},
		TrainingFields: intake.TrainingFields{Required: fields.Required, Optional: fields.Optional, Source: fields.Source},
		MaxPathLength:  intake.Hops{Most: rules.MaxPathLength.Value, Source: rules.MaxPathLength.Source},
	}
}
