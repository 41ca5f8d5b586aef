package ledger

import (
	"reflect"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// weightOf is how much memory an entry holds beside itself, in bytes: its texts, and what it states. What several entries share is
// counted with each, so it is never less than what is held.
func weightOf(entry statement.Entry) int {
	bytes := allocated(len(entry.About)) + allocated(len(entry.By)) + allocated(len(entry.Customer)) + allocated(len(entry.JTI))
	said := reflect.ValueOf(entry.Statement)
	return bytes + allocated(int(said.Type().Size())) + weigh(said)
}

var moment = reflect.TypeFor[time.Time]()

// weigh is how much memory hangs on a value, in bytes, the value itself not counted. Statements are made of texts, numbers, times, lists,
// structs and pointers to them.
func weigh(of reflect.Value) (bytes int) {
	switch of.Kind() {
	case reflect.String:
		return allocated(of.Len())
	case reflect.Pointer:
		if !of.IsNil() {
			return allocated(int(of.Type().Elem().Size())) + weigh(of.Elem())
		}
	case reflect.Slice:
		bytes = allocated(of.Cap() * int(of.Type().Elem().Size()))
		if hangs(of.Type().Elem().Kind()) {
			for i := range of.Len() {
				bytes += weigh(of.Index(i))
			}
		}
	case reflect.Struct:
		if of.Type() == moment { // its zone is shared by all
			return 0
		}
		for i := range of.NumField() {
			if field := of.Field(i); hangs(field.Kind()) {
				bytes += weigh(field)
			}
		}
	}
	return bytes
}

// hangs says whether memory may hang on a value of this kind.
func hangs(kind reflect.Kind) bool {
	return kind == reflect.String || kind == reflect.Struct || kind == reflect.Slice || kind == reflect.Pointer
}

// allocated is what so many bytes take: sizes are rounded up, the larger ones by an eighth at most.
func allocated(bytes int) int {
	const step, small = 16, 128
	if bytes > small {
		bytes += bytes / 8
	}
	return (bytes + step - 1) / step * step
}
