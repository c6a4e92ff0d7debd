package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is PostgreSQL and what speaks its protocol. Rows come off the connection one
// by one; the server stops sending while nobody reads.
type postgres struct{}

func (postgres) open(dsn string) (*database, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN
	}
	return &database{
		DB:       stdlib.OpenDB(*config),
		identity: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))) + "/" + config.Database,
		secrets:  []string{config.Password},
	}, nil
}

// begin sets what holds for the transaction only: a pool in between may give the
// connection to others afterwards.
func (postgres) begin(ctx context.Context, tx *dbsql.Tx, timeout time.Duration) (context.Context, error) {
	for _, setting := range [][2]string{
		{"statement_timeout", strconv.FormatInt(timeout.Milliseconds(), 10)},
		{"TimeZone", "UTC"},
	} {
		if _, err := tx.ExecContext(ctx, "SELECT set_config($1, $2, true)", setting[0], setting[1]); err != nil {
			return nil, fmt.Errorf("set %s: %w", setting[0], err)
		}
	}
	return ctx, nil
}

func (postgres) placeholder() string { return "$1" }

// argument returns text, which the server reads as the type that it is compared with.
func (postgres) argument(m mark) any { return m.text() }

func (postgres) converter(databaseType string) (func(any) any, error) {
	switch {
	case databaseType == "TIMESTAMP":
		return local, nil
	case databaseType == "DATE":
		return date, nil
	case databaseType == "NUMERIC":
		return number, nil
	case strings.HasPrefix(databaseType, "_"):
		return nil, errors.New("is an array; make a text of it, with array_to_string(..., ';') for a list")
	}
	return nil, nil
}

func (postgres) explain(err error) (string, bool) {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return "", false
	}
	text := fmt.Sprintf("PostgreSQL error %s", failure.Code)
	if showsNoValues(failure.Code) {
		text += ": " + failure.Message
	} else {
		text += hidden
	}
	return text, true
}
