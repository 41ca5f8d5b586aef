package notices

import (
	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Hearers are the resellers that an entry is told to: the one that it concerns, and of a hand-over the successor too, which carries it out.
// The gateway itself, where the provider is the successor, is told by its own systems.
func Hearers(entry statement.Entry) []envelope.Entity {
	told := []envelope.Entity{ToldEntity(entry)}
	if said, is := entry.Statement.(statement.HandOverOrdered); is && entry.By != entry.About && said.Successor != entry.By && said.Successor != entry.About {
		told = append(told, said.Successor)
	}
	return told
}
