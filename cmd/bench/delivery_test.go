package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestDeliveryIsMeasuredToTheEndThoughSomeReceiversAreDead(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"delivery", "--stores=sqlite", "--notices=65", "--receivers=10", "--dead=3", "--slow=1", "--folder=" + t.TempDir(), "--json"}, &out, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var runs []drained
	if err := json.Unmarshal(out.Bytes(), &runs); err != nil {
		t.Fatal(err)
	}
	// The first five receivers have seven notices each, the others six.
	if d := runs[0]; len(runs) != 1 || d.Live != 5*7+6 || d.Kept < d.Live || d.Kept > 65 || d.Cipgate <= 0 || d.Bare <= 0 || d.Memory.Start.Heap <= 0 || d.Memory.Tenths[tenths-1].RSS <= 0 || d.Memory.Most.RSS < d.Memory.Start.RSS {
		t.Errorf("%+v", runs)
	}
	if text := runs[0].String(); !strings.Contains(text, "65 notices wait for 10 receivers, 3 of them dead, 1 slow; 41 are for the others") {
		t.Error(text)
	}
}

func TestEachWrongFlagOfDeliveryIsNamed(t *testing.T) {
	for _, c := range []struct{ arg, want string }{
		{"--stores=mysql", "--stores"},
		{"--dead=1000", "--dead"},
		{"--notices=5", "--notices"},
		{"--slow=-1", "--slow"},
		{"--nonsense", "nonsense"},
		{"serve", "serve"},
	} {
		if _, err := readDeliveryPlan([]string{c.arg}, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that names %s", c.arg, err, c.want)
		}
	}
}
