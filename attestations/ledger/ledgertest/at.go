package ledgertest

import (
	"slices"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

func entriesAtTheirPlaces(t *testing.T, u *User) {
	l := u.open(t)
	author := NewAuthor(t, 1)
	var sets []envelope.Verified
	for n := range 6 {
		sets = append(sets, author.State(t, n))
	}
	appended(t, l, sets...)
	for _, c := range []struct{ asked, want []int64 }{
		{nil, nil}, {[]int64{3}, []int64{3}}, {[]int64{5, 0, 3, 0}, []int64{0, 3, 5}}, {[]int64{-1, 2, 6, 99}, []int64{2}}, {[]int64{6}, nil},
	} {
		entries, err := l.At(t.Context(), c.asked...)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, e := range entries {
			got = append(got, e.LeafIndex)
			if e.Digest != sets[e.LeafIndex].Digest() {
				t.Errorf("entry %d reads back as %+v", e.LeafIndex, e)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("at %v: %v, wanted %v", c.asked, got, c.want)
		}
	}
}
