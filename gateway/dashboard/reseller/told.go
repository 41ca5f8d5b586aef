package reseller

import (
	"context"
	"time"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/notices"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// told is how the notice of the step that was taken last goes, and whether it is proved; it has no roads where no case is open.
type told struct {
	Step  string
	At    frame.Moment
	Roads []notices.Road
}

var stepWords = map[string]string{
	escalation.StepWarn: "the warning", escalation.StepRestrict: "the order to open no new accounts", escalation.StepClose: "the order to close accounts",
}

// told reads it.
func (from Sources) told(ctx context.Context, file docket.File, now time.Time) (told, error) {
	last := file.Case.Told
	words, known := stepWords[last.Step]
	if from.Outbox == nil || !known || len(last.Notices) == 0 {
		return told{}, nil
	}
	ways, err := from.Outbox.Channels(ctx, file.Entity, last.Notices[:1])
	if err != nil {
		return told{}, err
	}
	return told{Step: words, At: frame.MomentOf(last.At, now), Roads: notices.RoadsOf(ways[last.Notices[0]], now)}, nil
}
