package screening

import (
	"slices"
	"strings"

	"github.com/mozillazg/go-unidecode"
	"github.com/xrash/smetrics"
)

// foldedName is a name as it is compared: in Latin letters without marks, in small letters, without punctuation and legal forms, its
// words in alphabetical order, since in half of the world the family's name comes first.
type foldedName struct {
	text    string
	letters [36]uint16 // how often each letter and digit occurs in text
}

func folded(names []string) []foldedName {
	var all []foldedName
	for _, name := range names {
		if f := fold(name); f.text != "" {
			all = append(all, f)
		}
	}
	return all
}

func fold(name string) foldedName {
	words := strings.FieldsFunc(strings.ToLower(unidecode.Unidecode(name)), func(r rune) bool { return place(r) < 0 && !inWord(r) })
	var kept []string
	for _, word := range words {
		if word = strings.Map(onlyLetters, word); word != "" {
			kept = append(kept, word)
		}
	}
	if telling := slices.DeleteFunc(slices.Clone(kept), func(word string) bool { return legalForms[word] }); len(telling) > 0 {
		kept = telling // a name of legal forms alone is a name
	}
	slices.Sort(kept)
	f := foldedName{text: strings.Join(kept, " ")}
	for _, r := range f.text {
		if i := place(r); i >= 0 {
			f.letters[i]++
		}
	}
	return f
}

// inWord is true for what stands inside a word and says nothing: the soft sign of Cyrillic, the apostrophe of O'Neil, the dots of S.A.
func inWord(r rune) bool { return r == '\'' || r == '`' || r == '"' || r == '.' }

func onlyLetters(r rune) rune {
	if place(r) < 0 {
		return -1
	}
	return r
}

func place(r rune) int {
	switch {
	case 'a' <= r && r <= 'z':
		return int(r - 'a')
	case '0' <= r && r <= '9':
		return 26 + int(r-'0')
	}
	return -1
}

// legalForms are words that say how somebody is organised and not who it is, as they are folded. With them Alpha GmbH would be more
// like Beta GmbH than like Alpha Ltd.
var legalForms = func() map[string]bool {
	forms := map[string]bool{}
	for form := range strings.FieldsSeq("ab ag aps as asa bhd bv co company corp corporation cv ev fze fzco gmbh inc incorporated kft kg kk " +
		"lda limited limitada llc llp lp ltd ltda mbh nv oao od oo ooo oy oyj pao pjsc plc pte pty pvt sa sae sal sarl sas sasu sdn se " +
		"spa spol sro srl tbk ug uab zao zoo") {
		forms[form] = true
	}
	return forms
}()

// alike returns how alike two names are, in percent, rounded down, or 0 if that is below the bound: the Jaro-Winkler similarity of
// what they are folded to. It is Full for the same name alone, and the same in both directions.
func alike(a, b *foldedName, bound int) int {
	if a.text == b.text {
		return Full
	}
	if a.text > b.text { // the measure prefers the first of two letters that could match, so the order of its arguments matters
		a, b = b, a
	}
	if ceiling(a, b)*Full < float64(bound) {
		return 0
	}
	score := min(int(smetrics.JaroWinkler(a.text, b.text, boostFrom, boostPrefix)*Full), Full-1)
	if score < bound {
		return 0
	}
	return score
}

// Winkler's own constants: from this similarity on, names that begin alike are more alike.
const (
	boostFrom   = 0.7
	boostPrefix = 4
)

// ceiling is the most that the similarity of two names can be, from their lengths and letters alone. Nearly all pairs of names end
// here, at a tenth of the cost of comparing them.
func ceiling(a, b *foldedName) float64 {
	if a.text == "" || b.text == "" {
		return 0
	}
	var common int
	for i := range a.letters {
		common += int(min(a.letters[i], b.letters[i]))
	}
	common += min(strings.Count(a.text, " "), strings.Count(b.text, " "))
	prefix := 0
	for prefix < min(boostPrefix, len(a.text), len(b.text)) && a.text[prefix] == b.text[prefix] {
		prefix++
	}
	jaro := (float64(common)/float64(len(a.text)) + float64(common)/float64(len(b.text)) + 1) / 3
	return jaro + 0.1*float64(prefix)*(1-jaro)
}

// Likeness is how alike two names are, in percent: Full if they are the same but for script, case, punctuation, legal form and the
// order of their words. It is a hint for an officer, and decides nothing.
func Likeness(a, b string) int {
	x, y := fold(a), fold(b)
	if x.text == "" || y.text == "" {
		return 0
	}
	return alike(&x, &y, 1)
}
