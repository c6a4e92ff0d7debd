package sql

import (
	"context"
	dbsql "database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// mysql is MySQL and MariaDB. Rows come off the connection one by one; the server stops
// sending while nobody reads.
type mysql struct{}

func (mysql) open(dsn string) (*database, error) {
	config, err := driver.ParseDSN(dsn)
	if err != nil {
		return nil, errDSN
	}
	// Times are read in the zone that the session shows them in.
	config.ParseTime = true
	config.Loc = time.UTC
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	config.Params["time_zone"] = "'+00:00'"
	// A second statement would run outside the transaction.
	config.MultiStatements = false
	config.Logger = &driver.NopLogger{} // what it says is also an error
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, errDSN
	}
	return &database{
		DB:       dbsql.OpenDB(connector),
		identity: config.Addr + "/" + config.DBName,
		secrets:  []string{config.Passwd},
	}, nil
}

func (mysql) begin(ctx context.Context, tx *dbsql.Tx, timeout time.Duration) (context.Context, error) {
	var version string
	if err := tx.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return nil, fmt.Errorf("ask for the version: %w", err)
	}
	limit := fmt.Sprintf("max_execution_time = %d", timeout.Milliseconds())
	if strings.Contains(version, "MariaDB") {
		limit = fmt.Sprintf("max_statement_time = %d", int(timeout.Seconds()))
	}
	// The server gives up on a reader that pauses for longer than net_write_timeout.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET SESSION %s, net_write_timeout = %d", limit, int(timeout.Seconds()))); err != nil {
		return nil, fmt.Errorf("set timeouts: %w", err)
	}
	return ctx, nil
}

func (mysql) placeholder() string { return "?" }

func (mysql) argument(m mark) any {
	if m.form == formInteger {
		return m.number
	}
	m.at = m.at.Truncate(time.Microsecond)
	return m.text()
}

func (mysql) converter(databaseType string) (func(any) any, error) {
	switch databaseType {
	case "TIMESTAMP":
		return unlessZero(func(v any) any { return v }), nil
	case "DATETIME":
		return unlessZero(local), nil
	case "DATE":
		return unlessZero(date), nil
	case "DECIMAL":
		return number, nil
	case "BIT":
		return bits, nil
	}
	return nil, nil
}

// unlessZero returns a converter that takes 0000-00-00, which stands for no date, for null.
func unlessZero(convert func(any) any) func(any) any {
	return func(v any) any {
		if t, ok := v.(time.Time); ok && t.IsZero() {
			return nil
		}
		return convert(v)
	}
}

func bits(v any) any {
	b, ok := v.([]byte)
	if !ok || len(b) > 8 {
		return v
	}
	var padded [8]byte
	copy(padded[8-len(b):], b)
	return binary.BigEndian.Uint64(padded[:])
}

// Errors of the class HY000, which holds many, that say nothing of rows.
const (
	errLockWaitTimeout = 1205
	errReadOnly        = 1290
	errMaxExecution    = 3024
)

func (mysql) explain(err error) (string, bool) {
	failure, ok := errors.AsType[*driver.MySQLError](err)
	if !ok {
		return "", false
	}
	state := string(failure.SQLState[:])
	text := fmt.Sprintf("MySQL error %d (%s)", failure.Number, state)
	switch {
	case showsNoValues(state), failure.Number == errLockWaitTimeout, failure.Number == errReadOnly, failure.Number == errMaxExecution:
		text += ": " + failure.Message
	default:
		text += hidden
	}
	return text, true
}
