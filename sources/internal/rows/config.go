// Package rows turns rows of text, of a file or a query, into records: it maps
// columns to the fields of a record kind, and rejects the rows that it cannot read.
package rows

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Config says how rows become records of one kind. Sources inline it into their own options.
type Config struct {
	// Record is the kind of record that each row holds.
	Record record.Kind `yaml:"record" required:"the kind of record, such as order"`
	// Columns maps a field to the name of a column, or to "=" and a constant. Without
	// it a column fills the field of its own name.
	Columns map[string]string `yaml:"columns"`
	// TimeFormat is a layout of package time, or "unix" or "unix_ms" for the seconds or
	// milliseconds since 1970; empty: RFC 3339, "2006-01-02 15:04:05",
	// "2006-01-02T15:04:05" or a date.
	TimeFormat string `yaml:"time_format"`
	// Timezone is the zone of times without an offset; nil: the report zone.
	Timezone *time.Location `yaml:"timezone"`
	// Decimal is the decimal separator of amounts: "." or ","; empty: ".".
	Decimal string `yaml:"decimal"`
	// ListSeparator separates the values of a list; empty: ";".
	ListSeparator string `yaml:"list_separator"`
}

// Problem is a mistake in a Config.
type Problem struct {
	Path string // the key, such as columns.placed_at
	Text string
}

// Validate returns the mistakes that show without a header, in a stable order.
func (c Config) Validate() []Problem {
	table, ok := kindOf(c.Record)
	if !ok {
		names := make([]string, 0, len(record.Kinds()))
		for _, k := range record.Kinds() {
			names = append(names, string(k))
		}
		return []Problem{{"record", fmt.Sprintf("%q is none of %s%s", c.Record, strings.Join(names, ", "), suggestion(string(c.Record), names))}}
	}
	var problems []Problem
	p, err := c.parser(time.UTC)
	if err != nil {
		problems = append(problems, *err)
	}
	if len(c.Columns) == 0 {
		return problems
	}
	for _, name := range slices.Sorted(maps.Keys(c.Columns)) {
		if text := c.columnProblem(table, name, p); text != "" {
			problems = append(problems, Problem{"columns." + name, text})
		}
	}
	if err := complete(c.Record, table, c.Columns); err != nil {
		problems = append(problems, Problem{"columns", err.Error()})
	}
	return problems
}

// columnProblem returns what is wrong with the column of a field; p may be nil.
func (c Config) columnProblem(table kind, name string, p *parser) string {
	i := slices.IndexFunc(table.fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		names := make([]string, 0, len(table.fields))
		for _, f := range table.fields {
			names = append(names, f.Name)
		}
		return fmt.Sprintf("%s has no field %q%s", c.Record, name, suggestion(name, names))
	}
	field, column := table.fields[i], strings.TrimSpace(c.Columns[name])
	constant, isConstant := strings.CutPrefix(column, "=")
	switch constant = strings.TrimSpace(constant); {
	case column == "":
		return `names no column; write a column's name, or "=" and a constant`
	case !isConstant:
		return ""
	case name == "id":
		return "is the same for all rows; it must name a column"
	case constant == "" && field.Required:
		return "is empty, and " + string(c.Record) + " needs it"
	case constant == "" || p == nil:
		return ""
	}
	if bad := field.set(p, record.New(c.Record), cell{text: constant}); bad != nil {
		return bad.detail
	}
	return ""
}

// parser returns the parser of c's options.
func (c Config) parser(reportZone *time.Location) (*parser, *Problem) {
	p := &parser{
		time:       timeReader{zone: reportZone},
		comma:      c.Decimal == ",",
		separator:  c.ListSeparator,
		currencies: map[string]string{},
	}
	if p.separator == "" {
		p.separator = ";"
	}
	if c.Decimal != "" && c.Decimal != "." && c.Decimal != "," {
		return nil, &Problem{"decimal", fmt.Sprintf(`%q is neither "." nor ","`, c.Decimal)}
	}
	if c.Timezone != nil {
		p.time.zone = c.Timezone
	}
	var err error
	if p.time.layout, err = newLayout(c.TimeFormat); err != nil {
		return nil, &Problem{"time_format", fmt.Sprintf("%q %v", c.TimeFormat, err)}
	}
	return p, nil
}

// complete reports what is missing among the fields that have a column.
func complete[V any](k record.Kind, table kind, columns map[string]V) error {
	var missing []string
	money := ""
	for _, f := range table.fields {
		_, mapped := columns[f.Name]
		switch {
		case f.Required && !mapped:
			missing = append(missing, f.Name)
		case mapped && f.Type == TypeAmount:
			money = f.Name
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s needs a column for %s", k, strings.Join(missing, ", "))
	}
	_, hasCurrency := columns["currency"]
	_, hasOrder := columns["order"]
	if money != "" && !hasCurrency && (k != record.KindRefund || !hasOrder) {
		return errors.New(money + ` needs a column for currency, or a constant: currency: "=EUR"`)
	}
	return nil
}
