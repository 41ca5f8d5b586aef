package policy

import (
	"slices"
	"strconv"
	"strings"
)

// Covered is the definition of the trainings that must be reported: which of them train, or could train, a large AI model with
// potential capabilities for malicious cyber-enabled activity (15 CFR 7.301 and 7.308, proposed). The rule names no number, so
// the thresholds are the policy's; a policy with others judges again what was reported before.
type Covered struct {
	Thresholds Thresholds `json:"thresholds"`
	Unstated   Choice     `json:"unstated"` // what a training is whose report states no number of operations: CoveredIt or NotCovered
}

// What a training is that cannot be held against a threshold.
const (
	CoveredIt  = "covered"
	NotCovered = "not-covered"
)

// Thresholds are numbers of operations; from any one of them on a training is covered.
type Thresholds struct {
	Value  []Threshold `json:"value"`
	Source string      `json:"source"`
	Status Origin      `json:"status"`
}

// Threshold is "biological 1e23": a modality, or AnyModality, and the number of operations from which on a training of it is covered.
type Threshold string

// AnyModality is the modality of a threshold that holds for every training.
const AnyModality = "any"

// modalities are those that an ai-training knows.
var modalities = []string{AnyModality, "text", "code", "image", "audio", "video", "biological", "other"}

// read returns the threshold's parts; false for the empty Threshold.
func (t Threshold) read() (modality string, operations float64, ok bool) {
	modality, number, _ := strings.Cut(string(t), " ")
	operations, err := strconv.ParseFloat(number, 64)
	return modality, operations, err == nil && operations > 0 && slices.Contains(modalities, modality)
}

// Covers says whether a training of these modalities with so many operations, "1.2e26", is covered; operations are "" if they were
// not stated. A training whose modalities were not stated may be of any.
func (c Covered) Covers(operations string, of []string) bool {
	stated, err := strconv.ParseFloat(operations, 64)
	if err != nil {
		return c.Unstated.Value == CoveredIt
	}
	return slices.ContainsFunc(c.Thresholds.Value, func(t Threshold) bool {
		modality, from, ok := t.read()
		return ok && stated >= from && (modality == AnyModality || len(of) == 0 || slices.Contains(of, modality))
	})
}

// Definition names the definition: two policies with the same one cover the same trainings. It is "" if the policy has none, and
// covers none.
func (c Covered) Definition() string {
	if c.Unstated.Value == "" {
		return ""
	}
	parts := []string{"unstated " + c.Unstated.Value}
	for _, t := range c.Thresholds.Value {
		parts = append(parts, string(t))
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ", ")
}

func (r *reader) covered(v value) Covered {
	f := r.object(v, "thresholds", "unstated")
	list := r.object(f[0], "value", "source", "status")
	return Covered{
		Thresholds: Thresholds{Value: r.thresholds(list[0]), Source: r.text(list[1]), Status: r.origin(list[2])},
		Unstated:   r.choice(f[1], CoveredIt, NotCovered),
	}
}

// thresholds reads a list of 1 to 20 thresholds.
func (r *reader) thresholds(v value) []Threshold {
	const wanted = "a list of 1 to 20 thresholds, such as [any 1e26, biological 1e23]"
	var all []Threshold
	for _, item := range r.list(v, 20, wanted) {
		t := Threshold(r.text(item))
		if _, _, ok := t.read(); !ok && t != "" {
			r.fault(item, "a modality ("+strings.Join(modalities, ", ")+") and a number of operations, such as any 1e26", describe(item.node))
			continue
		}
		all = append(all, t)
	}
	return all
}
