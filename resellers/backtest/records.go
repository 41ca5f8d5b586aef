package backtest

import (
	"container/heap"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

// records are what one reseller states of its customers, kept as the docket keeps them in its tables.
type records struct {
	customers map[string]history.Customer
	owners    map[part]history.Owner
	accounts  map[part]history.Account
	trainings map[string]history.Training
	queues    map[history.Queue]*line
}

// part is what is one customer's.
type part struct{ customer, id string }

func newRecords() records {
	r := records{
		customers: map[string]history.Customer{}, owners: map[part]history.Owner{}, accounts: map[part]history.Account{},
		trainings: map[string]history.Training{}, queues: map[history.Queue]*line{},
	}
	for _, q := range history.Queues() {
		r.queues[q] = &line{}
	}
	return r
}

// with folds an entry into the history, and into the records that it names.
func (r *records) with(h history.History, e statement.Entry) history.History {
	names := history.NamesIn(e)
	if names.Customer == "" {
		return h.With(e)
	}
	owner, account := part{names.Customer, names.Owner}, part{names.Customer, names.Account}
	before := history.Records{Customer: r.customers[names.Customer]}
	switch {
	case names.Owner != "":
		before.Owner = r.owners[owner]
	case names.Account != "":
		before.Account = r.accounts[account]
	case names.Training != "":
		before.Training = r.trainings[names.Training]
	}
	h, after := h.WithRecords(before, e)
	r.customers[names.Customer] = after.Customer
	switch {
	case names.Owner != "":
		r.owners[owner] = after.Owner
	case names.Account != "":
		r.accounts[account] = after.Account
	case names.Training != "":
		r.trainings[names.Training] = after.Training
	}
	if q, waiter, waits := after.Customer.Waits(); waits {
		heap.Push(r.queues[q], waiter)
	}
	waiting, gone := h.Waiting.With([]history.Customer{after.Customer})
	for _, q := range gone {
		if first, found := r.first(q); found {
			waiting.Join(q, first)
		}
	}
	h.Waiting = waiting
	return h
}

// first is who has waited longest in a queue. Who stands there no more, or otherwise, is passed over for good.
func (r *records) first(q history.Queue) (history.Waiter, bool) {
	queue := r.queues[q]
	for queue.Len() > 0 {
		first := (*queue)[0]
		if now, waiter, waits := r.customers[first.Customer].Waits(); waits && now == q && waiter == first {
			return first, true
		}
		heap.Pop(queue)
	}
	return history.Waiter{}, false
}

// line is a heap of who waits, the longest first, and of those who waited equally long the first by id.
type line []history.Waiter

func (l line) Len() int { return len(l) }
func (l line) Less(i, j int) bool {
	if !l[i].Since.Equal(l[j].Since) {
		return l[i].Since.Before(l[j].Since)
	}
	return l[i].Customer < l[j].Customer
}
func (l line) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *line) Push(x any)   { *l = append(*l, x.(history.Waiter)) }
func (l *line) Pop() any {
	last := len(*l) - 1
	out := (*l)[last]
	*l = (*l)[:last]
	return out
}
