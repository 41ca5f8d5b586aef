package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// A commit goes past GORM and database/sql to pgx itself, whose encoders then write into memory that is used again for the next one: grown
// anew for each commit, it was as much as everything else that a submission leaves to the garbage collector.

// What the server knows the statements by, once a connection has prepared them.
const (
	appendName   = "cipgate_append"
	trustingName = "cipgate_append_trusting"
)

// message holds the parameters of a statement as they are sent, binary.
type message struct {
	values [][]byte
	spent  []byte // memory of all values, one behind the other
}

// messageKept bounds the memory that is kept for the next commit. One that is larger is rare.
const messageKept = 1 << 20

// inBinary is PostgreSQL's format code, for all parameters and for all columns.
var inBinary = []int16{pgx.BinaryFormatCode}

// encode writes the values as the server wants its parameters.
func (m *message) encode(types *pgtype.Map, oids []uint32, arguments ...any) error {
	if len(arguments) != len(oids) {
		return fmt.Errorf("the statement has %d parameters, got %d", len(oids), len(arguments))
	}
	m.values, m.spent = m.values[:0], m.spent[:0]
	if cap(m.spent) > messageKept {
		m.spent = nil
	}
	ends := make([]int, len(arguments))
	for i, argument := range arguments {
		with, err := types.Encode(oids[i], pgx.BinaryFormatCode, argument, m.spent)
		if err != nil {
			return fmt.Errorf("encode parameter %d: %w", i+1, err)
		}
		if with == nil { // how NULL is written, for which no commit has a use
			return fmt.Errorf("parameter %d is NULL", i+1)
		}
		m.spent, ends[i] = with, len(with)
	}
	from := 0
	for _, end := range ends {
		m.values, from = append(m.values, m.spent[from:end:end]), end
	}
	return nil
}

// append commits a batch in one statement. Trusting, it does not look for duplicates: metDuplicate tells whether there was one.
func (p *postgres) append(ctx context.Context, conn *sql.Conn, b *batch, trusting bool) (result verdict, err error) {
	name, text := appendName, appendStatement
	if trusting {
		name, text = trustingName, appendTrusting
	}
	err = onPgx(conn, func(conn *pgx.Conn) error {
		statement, err := conn.Prepare(ctx, name, text) // asks the server once for each connection
		if err != nil {
			return fmt.Errorf("prepare the commit: %w", err)
		}
		if err := p.message.encode(conn.TypeMap(), statement.ParamOIDs, parametersOf(b)...); err != nil {
			return fmt.Errorf("prepare the commit: %w", err)
		}
		answer := conn.PgConn().ExecStatement(ctx, statement, p.message.values, inBinary, inBinary)
		result, err = readVerdict(conn.TypeMap(), answer)
		return err
	})
	switch {
	case len(result.duplicates) > 0 || metDuplicate(err):
		p.fresh = 0
	case result.committed:
		p.fresh++
	}
	return result, err
}

// bytesArray are encoded without reflection.
type bytesArray = pgtype.FlatArray[[]byte]

// parametersOf are those of appendStatement, in order.
func parametersOf(b *batch) []any {
	var (
		count                         = len(b.items)
		abouts, keys, digests, bodies = make(bytesArray, count), make(bytesArray, count), make(bytesArray, count), make(bytesArray, count)
		kinds                         = make(pgtype.FlatArray[string], count)
		levels                        = make(pgtype.FlatArray[int16], len(b.tiles))
		numbers                       = make(pgtype.FlatArray[int64], len(b.tiles))
		hashes, datas                 = make(bytesArray, len(b.tiles)), make(bytesArray, len(b.tiles))
		guards                        = make(bytesArray, len(b.guarded))
		seens                         = make(pgtype.FlatArray[int64], len(b.guarded))
	)
	for i, next := range b.items {
		abouts[i], keys[i], digests[i], bodies[i] = next.about[:], next.key[:], next.entry.Digest[:], next.sealed
		kinds[i] = string(next.entry.Statement.Kind())
	}
	for i := range b.tiles {
		t := &b.tiles[i]
		levels[i], numbers[i], hashes[i], datas[i] = int16(t.level), t.n, t.hash[:], t.data
	}
	for i, r := range b.guarded {
		guards[i], seens[i] = r.seen.About[:], r.seen.LeafIndex
	}
	return []any{
		keys, guards, seens,
		b.after.size, string(b.after.checkpoint), b.after.acceptedAt, b.before.size, string(b.before.checkpoint),
		abouts, kinds, digests, bodies,
		levels, numbers, hashes, datas,
	}
}

// readVerdict reads the answer to appendStatement to its end, without which nothing is known.
func readVerdict(types *pgtype.Map, answer *pgconn.ResultReader) (verdict, error) {
	result := verdict{duplicates: make(map[jtiKey]int64)}
	var misread error
	for answer.NextRow() && misread == nil {
		misread = result.read(types, answer.Values())
	}
	if _, err := answer.Close(); err != nil {
		return result, err
	}
	return result, misread
}

func (v *verdict) read(types *pgtype.Map, row [][]byte) error {
	if len(row) != 3 || len(row[0]) == 0 {
		return fmt.Errorf("the commit was answered with %d columns", len(row))
	}
	what, key := string(row[0]), row[1]
	var n int64
	if err := types.Scan(pgtype.Int8OID, pgx.BinaryFormatCode, row[2], &n); err != nil {
		return fmt.Errorf("read the answer to the commit: %w", err)
	}
	switch what {
	case "committed":
		v.committed = true
	case "duplicate":
		if len(key) != len(jtiKey{}) {
			return fmt.Errorf("the commit was answered with a key of %d bytes", len(key))
		}
		v.duplicates[jtiKey(key)] = n
	case "moved":
		v.moved = append(v.moved, int(n))
	default:
		return fmt.Errorf("the commit was answered with %q", what)
	}
	return nil
}
