package audit

import (
	"fmt"
	"testing"
)

func TestOfAnswersThatWereRepeatedTheOldestWaitsNoMoreAndNoOtherGoesForThem(t *testing.T) {
	d := dossier{open: map[string]*finding{"f": {id: "f"}, "g": {id: "g"}}}
	says := func(id, kind, finding string) { d.answered(Entry{JTI: id}, answer{Kind: kind, Finding: finding}) }
	says("first", "dispute", "g")
	for i := range 40 {
		says(fmt.Sprint("cure ", i), "cure", "f")
	}
	says("last", "dispute", "f")
	held := d.file.people.reviews
	if len(held) != mostReviews || held[0].id != "first" || held[1].id != "cure 10" || held[mostReviews-1].id != "last" {
		t.Errorf("%d wait: %+v", len(held), held)
	}
	for i := range mostReviews {
		d.open[fmt.Sprint(i)] = &finding{}
	}
	d.file.people.reviews = nil
	for i := range mostReviews {
		says(fmt.Sprint("answer ", i), "cure", fmt.Sprint(i))
	}
	if says("one more", "dispute", "f"); len(d.file.people.reviews) != mostReviews || d.file.people.reviews[mostReviews-1].id != fmt.Sprint("answer ", mostReviews-1) {
		t.Errorf("none was repeated: %+v", d.file.people.reviews)
	}
}
