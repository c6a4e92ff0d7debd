package sql

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"time"
)

// engine is what differs between databases.
type engine interface {
	// open returns the database that a DSN leads to, without connecting. Its error does
	// not hold the DSN.
	open(dsn string) (*database, error)
	// begin prepares a transaction that was begun read-only: the server is to give up
	// after timeout. What runs in it uses the context that is returned.
	begin(ctx context.Context, tx *dbsql.Tx, timeout time.Duration) (context.Context, error)
	// placeholder is what :cursor becomes, and argument what is given for a mark.
	placeholder() string
	argument(m mark) any
	// converter returns what makes values of a column fit for rows; nil where they are.
	// The error says why there are no such values.
	converter(databaseType string) (func(any) any, error)
	// explain returns what an error of the server says, without values of rows; false
	// where it is none.
	explain(err error) (string, bool)
}

// database is a database as a DSN describes it.
type database struct {
	*dbsql.DB
	identity string // server and database, without credentials
	secrets  []string
}

// errDSN stands for what the drivers say of a DSN, which may repeat a part of it.
var errDSN = errors.New("the driver does not understand it; look for characters that must be escaped")

func engineOf(driver string) (engine, error) {
	switch driver {
	case "postgres":
		return postgres{}, nil
	case "mysql":
		return mysql{}, nil
	case "clickhouse":
		return clickHouse{}, nil
	}
	return nil, fmt.Errorf("driver: %q is none of postgres, mysql, clickhouse", driver)
}

// open reads the DSN, which may have changed, and opens its database for one connection.
func (s *Source) open() (*database, error) {
	dsn, err := s.options.DSN.Get()
	if err != nil {
		return nil, fmt.Errorf("dsn_file: %w", err)
	}
	db, err := s.engine.open(dsn.Reveal())
	if err != nil {
		return nil, fmt.Errorf("DSN in %s: %w", s.options.DSN, err)
	}
	db.secrets = append(db.secrets, dsn.Reveal())
	db.SetMaxOpenConns(1)
	return db, nil
}
