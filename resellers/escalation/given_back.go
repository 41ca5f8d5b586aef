package escalation

import "strings"

// outagesOf are the gateway's own outages that moved the next step of an open case: those within the stage in which the case is, of each the
// part since the stage began.
func (s *situation) outagesOf(next Step) []Span {
	if s.c.ID == "" || s.c.Standing < Warned || s.c.Standing > Closing {
		return nil
	}
	var given []Span
	for _, out := range s.house.Outages {
		out.From = latter(out.From, s.began())
		if out.To.After(out.From) && (next.At.IsZero() || out.From.Before(next.At)) {
			given = append(given, out)
		}
	}
	return given
}

// givenBackWords says which time the case was given back, so that nobody has to wonder why a step comes later than was announced.
func givenBackWords(given []Span) string {
	if len(given) == 0 {
		return ""
	}
	words := make([]string, len(given))
	for i, out := range given {
		words[i] = "from " + moment(out.From) + " to " + moment(out.To) + " (" + out.To.Sub(out.From).String() + ")"
	}
	return " Time given back, since the gateway could take no submissions: " + strings.Join(words, "; ") + "."
}
