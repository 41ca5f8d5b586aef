package officer

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/sync/delivery"
)

// later is a channel that a step's notice takes while nothing proves that the reseller knows of it.
type later struct {
	Channel   string          `json:"channel" enum:"second-contact,phone,superior"`
	State     string          `json:"state" enum:"due,taken,spared"`
	DueAt     *time.Time      `json:"due_at" doc:"by the policy's case.proof; null while that is not known"`
	SettledAt *time.Time      `json:"settled_at" doc:"when it was taken or spared; null while it is due"`
	Why       string          `json:"why,omitempty" doc:"why it was spared, or what it waits for"`
	Superior  envelope.Entity `json:"superior,omitempty" doc:"who was told"`
	Ways      []mailing       `json:"ways,omitempty" doc:"to the superior: its software, without a contact, and its contacts"`
}

func latersOf(all []delivery.Later) (shown []later) {
	for _, one := range all {
		l := later{Channel: string(one.Channel), State: string(one.State), DueAt: timeOf(one.DueAt), SettledAt: timeOf(one.SettledAt), Why: one.Why, Superior: one.Superior}
		for _, way := range one.Ways {
			l.Ways = append(l.Ways, mailingOf(way))
		}
		shown = append(shown, l)
	}
	return shown
}
