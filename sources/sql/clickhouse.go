package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// clickHouse is ClickHouse by its native protocol. Blocks of rows come off the
// connection two ahead of the reader.
type clickHouse struct{}

// errHTTP says why one of the driver's protocols is not used: what reads it takes the end
// of an answer that was cut between blocks for the end of the rows, and what was not read
// would be deleted.
var errHTTP = errors.New("it names the HTTP interface, whose answers may be cut short without an error; use clickhouse:// and the native port, 9000 or 9440 with TLS")

func (clickHouse) open(dsn string) (*database, error) {
	options, err := driver.ParseDSN(dsn)
	if err != nil {
		return nil, errDSN
	}
	if options.Protocol != driver.Native {
		return nil, errHTTP
	}
	options.Logger = slog.New(slog.DiscardHandler) // what it says is also an error
	return &database{
		DB:       driver.OpenDB(options),
		identity: strings.Join(options.Addr, ",") + "/" + options.Auth.Database,
		secrets:  []string{options.Auth.Password},
	}, nil
}

// begin makes the session read-only, for there are no transactions. The driver itself
// turns the context's deadline into max_execution_time.
func (clickHouse) begin(ctx context.Context, tx *dbsql.Tx, _ time.Duration) (context.Context, error) {
	var readonly string
	err := tx.QueryRowContext(ctx, "SELECT value FROM system.settings WHERE name = 'readonly'").Scan(&readonly)
	if err != nil {
		return nil, fmt.Errorf("ask whether the user can write: %w", err)
	}
	if readonly != "0" {
		return ctx, nil
	}
	return driver.Context(ctx, driver.WithSettings(driver.Settings{"readonly": 2})), nil
}

func (clickHouse) placeholder() string { return "$1" }

func (clickHouse) argument(m mark) any {
	switch m.form {
	case formInteger:
		return m.number
	case formMoment:
		return m.at
	}
	return m.text()
}

func (clickHouse) converter(databaseType string) (func(any) any, error) {
	for _, wrapper := range []string{"LowCardinality(", "Nullable("} {
		if inner, ok := strings.CutPrefix(databaseType, wrapper); ok {
			databaseType = strings.TrimSuffix(inner, ")")
		}
	}
	name, _, _ := strings.Cut(databaseType, "(")
	switch name {
	case "Date", "Date32":
		return date, nil
	case "Decimal":
		return number, nil
	case "FixedString":
		return func(v any) any {
			if text, ok := v.(string); ok {
				return strings.TrimRight(text, "\x00")
			}
			return v
		}, nil
	}
	return nil, nil
}

func (clickHouse) explain(err error) (string, bool) {
	failure, ok := errors.AsType[*driver.Exception](err)
	if !ok {
		return "", false
	}
	text := fmt.Sprintf("ClickHouse error %d", failure.Code)
	if slices.Contains(clickHouseShown(), failure.Code) {
		text += ": " + failure.Message
	} else {
		text += hidden
	}
	if failure.Code == errClickHouseReadOnly {
		text += "; give the user a profile with readonly = 2, so that a query's time can be limited"
	}
	return text, true
}

const errClickHouseReadOnly = 164

// clickHouseShown lists the errors that say nothing of rows: names, types and grammar of
// the query, limits, and who may do what.
func clickHouseShown() []int32 {
	return []int32{
		10, 16, 42, 43, 46, 47, 53, 60, 62, 81, 159, 160, errClickHouseReadOnly, 181, 184, 192, 193, 194, 202, 209, 210, 215, 241, 252,
		279, 307, 352, 386, 396, 452, 497, 516,
	}
}
