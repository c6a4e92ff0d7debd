package sql

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// defaultTimeout is long: a first reading of everything is one query.
const defaultTimeout = time.Hour

// Options are the settings of a source of type sql.
type Options struct {
	// Driver is the engine.
	Driver string `yaml:"driver" enum:"postgres,mysql,clickhouse" required:"the engine: postgres, mysql (also MariaDB) or clickhouse"`
	// DSN is how the driver connects; it holds a password.
	DSN config.SecretRef `yaml:"dsn_file" required:"the file that holds the DSN"`
	// Timeout is how long a query may take until its last row is read; 1 h where 0.
	Timeout time.Duration `yaml:"timeout"`
	Queries []Query       `yaml:"queries" required:"the queries to run"`
}

func (o Options) timeout() time.Duration {
	if o.Timeout == 0 {
		return defaultTimeout
	}
	return o.Timeout
}

// Query is a statement that gives records of one kind.
type Query struct {
	// Query is a SELECT statement. With an increment it holds ":cursor".
	Query     string     `yaml:"query" required:"the SELECT statement"`
	Increment *Increment `yaml:"increment"`

	rows.Config `yaml:",inline"`
}

// Defaults of Increment.
const (
	defaultOverlap    = 10 * time.Minute
	defaultSweepEvery = 24 * time.Hour
)

// Increment says how a query gives only what has changed.
type Increment struct {
	// Column is the column that the rows are ordered by and that :cursor is compared with.
	Column string `yaml:"column" required:"the column that the query is ordered by"`
	// From is a value of Column before all others: a date, a time or a whole number.
	From string `yaml:"from" required:"the value that everything is read from"`
	// Overlap is how far before the last row that was read a column of times is read again;
	// 10 min where nil.
	Overlap *time.Duration `yaml:"overlap"`
	// SweepEvery is how often everything is read; daily where 0.
	SweepEvery time.Duration `yaml:"sweep_every"`
}

func (i Increment) overlap() time.Duration {
	if i.Overlap == nil {
		return defaultOverlap
	}
	return *i.Overlap
}

func (i Increment) sweepEvery() time.Duration {
	if i.SweepEvery == 0 {
		return defaultSweepEvery
	}
	return i.SweepEvery
}

// start returns the mark that everything is read from; none without an increment.
func (q Query) start() mark {
	if q.Increment == nil {
		return mark{}
	}
	m, err := parseStart(q.Increment.From)
	if err != nil {
		return mark{} // problems has refused it
	}
	return m
}

// parameter is where the cursor goes in a query. What PostgreSQL casts to a type of that
// name is none.
var parameter = regexp.MustCompile(`(^|[^:\w]):cursor\b`)

// bound returns the query with the engine's own placeholder.
func (q Query) bound(placeholder string) string {
	return parameter.ReplaceAllString(q.Query, "${1}"+strings.ReplaceAll(placeholder, "$", "$$"))
}

// Validate reports what is wrong.
func (o *Options) Validate(v *config.Validator) {
	for _, p := range o.problems() {
		v.Errorf(p.Path, "%s", p.Text)
	}
}

// check reports the first mistake: for options that no configuration file holds.
func (o Options) check() error {
	if len(o.Queries) == 0 {
		return errors.New("there are no queries")
	}
	for _, p := range o.problems() {
		return fmt.Errorf("%s: %s", p.Path, p.Text)
	}
	return nil
}

func (o Options) problems() []rows.Problem {
	var list []rows.Problem
	if o.Timeout < 0 || o.Timeout > 0 && o.Timeout < time.Second {
		list = append(list, rows.Problem{Path: "timeout", Text: "must be a second or more"})
	}
	incremental := map[record.Kind]bool{}
	for i, q := range o.Queries {
		for _, p := range q.problems() {
			list = append(list, rows.Problem{Path: strings.TrimSuffix(fmt.Sprintf("queries[%d].%s", i, p.Path), "."), Text: p.Text})
		}
		if other, ok := incremental[q.Record]; ok && other != (q.Increment != nil) {
			list = append(list, rows.Problem{
				Path: fmt.Sprintf("queries[%d].increment", i),
				Text: fmt.Sprintf("all queries of the record %s need one, or none: together they are one stream", q.Record),
			})
		}
		incremental[q.Record] = q.Increment != nil
	}
	return list
}

func (q Query) problems() []rows.Problem {
	list := q.Config.Validate()
	add := func(path, format string, args ...any) {
		list = append(list, rows.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
	switch has := parameter.MatchString(q.Query); {
	case has && q.Increment == nil:
		add("increment", "is missing: the query holds :cursor; say which column it is compared with")
	case !has && q.Increment != nil:
		add("query", "must hold :cursor, as in WHERE %s >= :cursor ORDER BY %s", q.Increment.Column, q.Increment.Column)
	}
	if q.Increment == nil {
		return list
	}
	start, err := parseStart(q.Increment.From)
	if err != nil {
		add("increment.from", "%v", err)
	}
	switch {
	case q.Increment.overlap() < 0:
		add("increment.overlap", "must not be below 0")
	case q.Increment.Overlap != nil && start.form == formInteger:
		add("increment.overlap", "is for columns of times; from is a number")
	}
	if q.Increment.SweepEvery < 0 {
		add("increment.sweep_every", "must be above 0")
	}
	return list
}

var _ config.Options = (*Options)(nil)
