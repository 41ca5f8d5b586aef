package audit

import (
	"slices"

	"github.com/go-json-experiment/json"
)

// leaves are the entries that something follows from, by their leaf indexes. A warning names each as an object, so that it can be
// described to whoever is told; all else names numbers.
type leaves []int64

// UnmarshalJSON reads either.
func (l *leaves) UnmarshalJSON(text []byte) error {
	var plain []int64
	if err := json.Unmarshal(text, &plain); err == nil {
		*l = plain
		return nil
	}
	var named []struct {
		Entry int64 `json:"entry"`
	}
	if err := json.Unmarshal(text, &named); err != nil {
		return err //nolint:wrapcheck // whoever reads the statement says which
	}
	*l = nil
	for _, one := range named {
		*l = append(*l, one.Entry)
	}
	return nil
}

// restsOn is what the findings behind the case follow from: each entry once, in the ledger's order.
func (d *dossier) restsOn() leaves {
	var all leaves
	for _, o := range d.behind() {
		all = append(all, o.evidence...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
