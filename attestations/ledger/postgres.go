package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// postgres commits with one statement in one round trip, and so without a transaction that waits for the network between its
// parts while it holds the head.
type postgres struct {
	db *gorm.DB
	// contended is set by a lost race and cleared by a lock that found the head where this process had left it. While it is set
	// the head is locked first: PostgreSQL queues those who wait for a row, so each gateway's turn comes, where comparing alone
	// would let the one win that had won before and need not load the head.
	contended bool
	// fresh is how many commits there were since one met a duplicate.
	fresh   int
	message message // the parameters of the last commit, whose memory the next one uses again
}

// trustAfter is after how many commits without a duplicate none is looked for any more. Whoever sends again what it has sent does so with
// much else, so that it costs few errors, and a process that has just begun looks for what was sent before it ended.
var trustAfter = 256

// appendStatement compares the head, sets it and inserts, all or nothing. Why nothing can slip between its parts, at READ
// COMMITTED and with any number of writers:
//
// All parts of a statement see one snapshot, taken when it began, and data-modifying parts do not see each other's effects.
//   - Only who updates the head inserts (all INSERTs read from head), and the update locks the row until its commit. So writers
//     commit one after the other, and the snapshot that shows a head of a size shows exactly the entries below that size, their
//     keys and tiles: these were inserted by the same transactions that set the heads up to it.
//   - If the snapshot shows another head than expected, the row does not match: nothing is updated, nothing inserted.
//   - If it shows the expected head and nobody is writing, the duplicates and guards were judged on exactly the entries below
//     the head that is replaced.
//   - If it shows the expected head, but another writer has updated the row since, or holds it, the UPDATE waits for that
//     writer's end. If that one rolled back, the row is as the snapshot shows it, as above. If it committed, PostgreSQL fetches
//     the row's new version and asks the conditions again (EvalPlanQual): the size has grown, since every commit adds entries and
//     a trigger refuses a smaller one, so it does not match, although duplicates and guards are still judged on the old snapshot.
//   - The checkpoint is compared beside the size, for a database that was restored under running gateways and has grown again:
//     the same size, another log.
//
// Looking for duplicates takes a twelfth of the server's time, and nearly always there is none. While there was none for long, they are
// not looked for: then the primary key of ledger_jtis refuses the first, which undoes the statement, and the same is sent again to look
// for all of them. Otherwise a primary key that refuses an insert would be a bug, or rows written by hand.
//
// Looking up keys and guards is spelled with ORDER BY and LIMIT 1, so that the planner takes the index even while a table is
// small: the plan is cached, and would stay when the table has grown a thousandfold before the next ANALYZE.
const (
	appendStatement = `
WITH duplicate AS MATERIALIZED (
  SELECT k.key, j.leaf_index
  FROM unnest($1::bytea[]) AS k(key)
  CROSS JOIN LATERAL (SELECT key, leaf_index FROM ledger_jtis WHERE key >= k.key ORDER BY key LIMIT 1) AS j
  WHERE j.key = k.key` + appendFound
	appendTrusting = `
WITH duplicate AS MATERIALIZED (
  SELECT NULL::bytea AS key, NULL::bigint AS leaf_index WHERE FALSE` + appendFound
	appendFound = `
), moved AS MATERIALIZED (
  SELECT g.ordinality - 1 AS n
  FROM unnest($2::bytea[], $3::bigint[]) WITH ORDINALITY AS g(about, seen, ordinality)
  CROSS JOIN LATERAL (SELECT leaf_index FROM ledger_entries WHERE about = g.about ORDER BY about DESC, leaf_index DESC LIMIT 1) AS e
  WHERE e.leaf_index > g.seen
), head AS (
  UPDATE ledger_head SET size = $4::bigint, checkpoint = $5::text, accepted_at = $6::timestamptz
  WHERE id = 1 AND size = $7::bigint AND checkpoint = $8::text AND NOT EXISTS (SELECT FROM duplicate) AND NOT EXISTS (SELECT FROM moved)
  RETURNING accepted_at
), entries AS (
  INSERT INTO ledger_entries (leaf_index, accepted_at, about, kind, digest, body)
  SELECT $7::bigint + e.ordinality - 1, head.accepted_at, e.about, e.kind, e.digest, e.body
  FROM head, unnest($9::bytea[], $10::text[], $11::bytea[], $12::bytea[]) WITH ORDINALITY AS e(about, kind, digest, body, ordinality)
), jtis AS (
  INSERT INTO ledger_jtis (key, leaf_index)
  SELECT k.key, $7::bigint + k.ordinality - 1 FROM head, unnest($1::bytea[]) WITH ORDINALITY AS k(key, ordinality)
), tiles AS (
  INSERT INTO ledger_tiles (level, n, hash, data)
  SELECT t.level, t.n, t.hash, t.data FROM head, unnest($13::smallint[], $14::bigint[], $15::bytea[], $16::bytea[]) AS t(level, n, hash, data)
)
SELECT 'committed' AS what, NULL::bytea AS key, 0::bigint AS n FROM head
UNION ALL SELECT 'duplicate', key, leaf_index FROM duplicate
UNION ALL SELECT 'moved', NULL, n FROM moved`
)

func (p *postgres) close() error { return nil }

func (p *postgres) commit(ctx context.Context, known *head, load loader, build builder) (result verdict, err error) {
	failed := p.db.WithContext(ctx).Connection(func(db *gorm.DB) error {
		conn, isConn := db.Statement.ConnPool.(*sql.Conn)
		if !isConn {
			return fmt.Errorf("wanted a connection, got %T", db.Statement.ConnPool)
		}
		before, err := notices(conn)
		if err != nil {
			return err
		}
		if result, err = p.commitOn(ctx, db, conn, known, load, build); err != nil || !result.committed {
			return err
		}
		after, err := notices(conn)
		if err == nil && len(after) > len(before) {
			// A commit that could not be replicated is reported as a warning: it stands here, and may be lost with this server.
			err = fmt.Errorf("the server answered the commit with %q", after[len(before):])
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
		return nil
	})
	return result, failed
}

func (p *postgres) commitOn(ctx context.Context, db *gorm.DB, conn *sql.Conn, known *head, load loader, build builder) (verdict, error) {
	if known == nil || p.contended {
		// The transaction is the connection's: what goes past GORM on the same one is in it.
		add := func(_ *gorm.DB, b *batch) (verdict, error) { return p.append(ctx, conn, b, false) }
		t := turn{lock: selectHead + " FOR UPDATE", known: known, load: load, build: build, add: add}
		result, err := t.take(ctx, db)
		p.contended = t.moved
		_, atCommit := errors.AsType[*commitError](err)
		return result, outcomeOf(err, atCommit)
	}
	b, err := build(ctx, db, known)
	if err != nil || len(b.items) == 0 {
		return verdict{}, err
	}
	result, err := p.append(ctx, conn, b, p.fresh >= trustAfter)
	if metDuplicate(err) {
		result, err = p.append(ctx, conn, b, false)
	}
	if lostRace(err) {
		err = nil
	}
	p.contended = err == nil && !result.committed && len(result.duplicates) == 0 && len(result.moved) == 0
	return result, outcomeOf(err, true)
}

// metDuplicate: the server itself has undone the statement, for a key that stands; that of ledger_jtis, unless something is badly wrong.
func metDuplicate(err error) bool {
	refused, fromServer := errors.AsType[*pgconn.PgError](err)
	return fromServer && refused.Code == "23505" // unique violation
}

// lostRace: the server itself has undone the statement for the sake of another, and asks to try again.
func lostRace(err error) bool {
	refused, fromServer := errors.AsType[*pgconn.PgError](err)
	return fromServer && (refused.Code == "40001" || refused.Code == "40P01") // serialization failure, deadlock
}

// outcomeOf says what an error of a commit means. Until the commit was sent, nothing was stored. After that only the server's own
// word counts: an ERROR has undone the transaction. Anything else, a FATAL or a broken connection, may have come after the commit.
func outcomeOf(err error, sent bool) error {
	if err == nil || !sent {
		return err
	}
	refused, fromServer := errors.AsType[*pgconn.PgError](err)
	switch {
	case fromServer && (refused.SeverityUnlocalized == "ERROR"),
		pgconn.SafeToRetry(err), errors.Is(err, driver.ErrBadConn), // nothing was sent
		errors.Is(err, gorm.ErrDuplicatedKey), errors.Is(err, gorm.ErrForeignKeyViolated), errors.Is(err, gorm.ErrCheckConstraintViolated):
		return fmt.Errorf("commit: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
}

// noticesKey is where migrations.Open keeps what the server said beside its answers (migrations.NoticesKey).
const noticesKey = "cipgate.notices"

func notices(conn *sql.Conn) (said []string, err error) {
	err = onPgx(conn, func(conn *pgx.Conn) error {
		said, _ = conn.PgConn().CustomData()[noticesKey].([]string)
		return nil
	})
	return said, err
}

// onPgx lends the connection to what database/sql has no words for.
func onPgx(conn *sql.Conn, use func(*pgx.Conn) error) error {
	return conn.Raw(func(driverConn any) error {
		lent, is := driverConn.(*stdlib.Conn)
		if !is {
			return fmt.Errorf("wanted a connection of pgx, got %T", driverConn)
		}
		return use(lent.Conn())
	})
}
