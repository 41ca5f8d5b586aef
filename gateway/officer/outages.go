package officer

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

func (a API) registerOutages(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/outages", "list-outages", "Times in which the gateway could take no submissions, as the ledger has them, in leaf order", http.StatusOK, a.outages)
}

// Outage is a time in which the gateway could take no submissions, as the API tells it.
type Outage struct {
	LeafIndex  int64     `json:"leaf_index"`
	RecordedAt time.Time `json:"recorded_at"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Seconds    int64     `json:"seconds" doc:"how long it lasted: every deadline that it overlapped moved by as much of it as fell before the deadline"`
	Why        string    `json:"why,omitempty"`
	Digest     string    `json:"digest" doc:"its receipt is at /receipts/{digest}"`
}

// Chronicle is what is read of the entries about the gateway.
type Chronicle interface {
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
}

// Outages are up to limit outages that stand in the ledger from a leaf index on. more is the cursor of the rest, empty at the end.
func Outages(ctx context.Context, ledger Chronicle, self envelope.Entity, from int64, limit int) (found []Outage, more string, err error) {
	found = []Outage{}
	for {
		entries, err := ledger.About(ctx, self.ID(), from, gatewayPage)
		if err != nil || len(entries) == 0 {
			return found, "", err
		}
		for _, e := range entries {
			from = e.LeafIndex + 1
			said, is := e.Statement.(statement.OutageRecorded)
			if !is || e.By != self {
				continue
			}
			if len(found) == limit {
				return found, strconv.FormatInt(found[limit-1].LeafIndex, 10), nil
			}
			found = append(found, Outage{LeafIndex: e.LeafIndex, RecordedAt: e.AcceptedAt, From: said.From, To: said.To,
				Seconds: int64(said.To.Sub(said.From) / time.Second), Why: said.Why, Digest: e.Digest.String()})
		}
	}
}

// gatewayPage is how many entries about the gateway are read at once. They are few.
const gatewayPage = 1000

func (a API) outages(ctx context.Context, in *page) (*list[Outage], error) {
	from, err := leafAfter(in.After)
	if err != nil {
		return nil, err
	}
	out := &list[Outage]{}
	out.Body.Items, out.Body.Next, err = Outages(ctx, a.Ledger, a.Entity, from, in.Limit)
	return out, err
}
