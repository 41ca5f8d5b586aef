package screening

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/xrash/smetrics"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

func TestNamesAreFoldedToWhatTellsThemApart(t *testing.T) {
	for name, want := range map[string]string{
		"Alpha GmbH":               "alpha",
		"ALPHA, Ltd.":              "alpha",
		"alpha Co. Ltd":            "alpha",
		"ООО «Ромашка»":            "romashka",
		"Société Générale S.A.":    "generale societe",
		"Жуков, Пётр":              "piotr zhukov",
		"王小明":                      "ming wang xiao",
		"O'Neil":                   "oneil",
		"Müller-Lüdenscheidt":      "ludenscheidt muller",
		"Şirket Çelik A.Ş.":        "celik sirket",
		"SA":                       "sa", // nothing would be left of it
		"  ":                       "",
		"3M Company":               "3m",
		"Kim Jong-un":              "jong kim un",
		"Ελλάδα Α.Ε.":              "ae ellada",
		"محمد":                     "mhmd",
		"Straße":                   "strasse",
		"e-Trade  e.V.":            "e trade",
		"J. R. R. Tolkien":         "j r r tolkien",
		"Ghost\u00a0Hosting\tLLC ": "ghost hosting",
	} {
		if got := fold(name).text; got != want {
			t.Errorf("%q is folded to %q, wanted %q", name, got, want)
		}
	}
}

func TestHowAlikeNamesAre(t *testing.T) {
	for _, c := range []struct {
		a, b     string
		from, to int
	}{
		{"Пётр Ильич Чайковский", "Chaikovskii Piotr Il'ich", Full, Full},
		{"Mohammed al-Rashid", "Al Rashid, Muhammad", 85, 99},
		{"Wladimir Petrow", "Vladimir Petrov", 85, 99},
		{"Alpha GmbH", "Alpha Limited", Full, Full},
		{"Alpha GmbH", "Beta GmbH", 0, 70},
		{"王小明", "Wang Xiao Ming", Full, Full},
		{"José García", "Jose Garcia", Full, Full},
		{"Smith", "Smyth", 85, 99},
		{"Ghost Hosting LLC", "Goast Hostings", 85, 95},
		{"Ghost Hosting LLC", "Sunflower Meadows Inc", 0, 65},
		{"", "", 0, 0},
		{"", "Alpha", 0, 0},
	} {
		if got := Likeness(c.a, c.b); got < c.from || got > c.to {
			t.Errorf("%q and %q: %d, wanted %d to %d", c.a, c.b, got, c.from, c.to)
		}
	}
}

func anyName(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.StringMatching(`[A-Za-z]{1,9}( [A-Za-z]{1,9}){0,3}`), rapid.String(),
		rapid.SampledFrom([]string{"Алексей Иванов", "Ghost Hosting LLC", "Gost Hosting", "Ghost Hostin"})).Draw(t, label)
}

func TestLikenessIsTheSameInBothDirectionsAndFullForTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyName(t, "a"), anyName(t, "b")
		if Likeness(a, b) != Likeness(b, a) {
			t.Fatalf("%q and %q: %d and %d", a, b, Likeness(a, b), Likeness(b, a))
		}
		if fold(a).text != "" && Likeness(a, a) != Full {
			t.Fatalf("%q is not like itself: %d", a, Likeness(a, a))
		}
		if got := Likeness(a, b); got < 0 || got > Full || (got == Full) != (fold(a).text == fold(b).text && fold(a).text != "") {
			t.Fatalf("%q and %q: %d", a, b, got)
		}
	})
}

func TestWhatIsNotComparedWouldNotHaveCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := fold(anyName(t, "a")), fold(anyName(t, "b"))
		if a.text == "" || b.text == "" {
			return
		}
		if most, got := ceiling(&a, &b), smetrics.JaroWinkler(a.text, b.text, boostFrom, boostPrefix); got > most+1e-9 {
			t.Fatalf("%q and %q: %f, and at most %f", a.text, b.text, got, most)
		}
	})
}

func BenchmarkAPartyAgainstTenThousandNames(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		syllables := []string{"ka", "mo", "ri", "sten", "vo", "lu", "dra", "pe", "shi", "an", "gor", "bel", "tu", "wei", "min", "ov"}
		text := ""
		for range 2 + random.IntN(3) {
			text += syllables[random.IntN(len(syllables))]
		}
		return text
	}
	var imposed []statement.Entry
	for i := range int64(10_000) {
		imposed = append(imposed, statement.Entry{LeafIndex: i, Statement: named(fmt.Sprint("m", i), word()+" "+word())})
	}
	m := Measures{}.With(imposed...)
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	p := StatedParty(reseller, "c", "", history.Verification{Home: "DE"}, &statement.Identity{Name: "Karimo Stenvolu"})
	hits := 0
	for b.Loop() {
		hits = len(Match(m, p, likeness, now))
	}
	b.ReportMetric(float64(hits), "hits")
}
