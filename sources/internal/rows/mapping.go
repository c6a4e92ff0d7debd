package rows

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// The reasons for which rows are rejected.
const (
	ReasonMissing  = "missing value"
	ReasonTime     = "bad time"
	ReasonAmount   = "bad amount"
	ReasonCurrency = "bad currency"
	ReasonValue    = "bad value"
	ReasonEncoding = "bad encoding"
	ReasonColumns  = "wrong column count"
	ReasonQuoting  = "bad quoting"
)

// ErrNoHeader says that what was given as a header has no mapped column at all.
var ErrNoHeader = errors.New("the first line has none of the mapped columns")

// Mapping turns the rows under one header into records. It is not safe for
// concurrent use.
type Mapping struct {
	kind     record.Kind
	table    kind
	bindings []binding
	width    int // columns of the header
	id       int // the column of the ID, or -1
	parser   *parser
}

// binding fills a field from a column, or with a constant where column is negative.
type binding struct {
	field    Field
	column   int
	name     string // the column's
	constant string
	deletes  bool // the field is "deleted"
}

// Compile returns the mapping for rows under header; zone is the report zone. The
// error says what the header lacks, without showing a first line that is no header.
func (c Config) Compile(header []string, zone *time.Location) (*Mapping, error) {
	table, ok := kindOf(c.Record)
	if !ok {
		return nil, fmt.Errorf("unknown record kind %q", c.Record)
	}
	p, bad := c.parser(zone)
	if bad != nil {
		return nil, fmt.Errorf("%s: %s", bad.Path, bad.Text)
	}
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.TrimSpace(name)
	}
	columns := c.Columns
	if len(columns) == 0 {
		columns = map[string]string{}
		for _, f := range table.fields {
			if slices.Contains(names, f.Name) {
				columns[f.Name] = f.Name
			}
		}
	}
	if err := checkHeader(names, columns); err != nil {
		return nil, err
	}
	if err := complete(c.Record, table, columns); err != nil {
		return nil, fmt.Errorf("%w; the header has %s", err, quoted(names))
	}
	m := &Mapping{kind: c.Record, table: table, width: len(header), id: -1, parser: p}
	for _, f := range table.fields {
		column, mapped := columns[f.Name]
		if !mapped {
			continue
		}
		b := binding{field: f, column: -1, deletes: f.Name == "deleted"}
		if constant, ok := strings.CutPrefix(strings.TrimSpace(column), "="); ok {
			b.constant = strings.TrimSpace(constant)
		} else {
			b.name = strings.TrimSpace(column)
			b.column = slices.Index(names, b.name)
		}
		if f.Name == "id" {
			m.id = b.column
		}
		m.bindings = append(m.bindings, b)
	}
	return m, nil
}

// checkHeader finds the mapped columns in a header.
func checkHeader(names []string, columns map[string]string) error {
	var found, missing []string
	for _, field := range slices.Sorted(maps.Keys(columns)) {
		column := strings.TrimSpace(columns[field])
		switch {
		case strings.HasPrefix(column, "="):
		case slices.Contains(names, column):
			found = append(found, column)
		default:
			missing = append(missing, column)
		}
	}
	// Names are shown only of what is surely a header: a first row of data may hold personal data.
	if len(found) == 0 {
		return fmt.Errorf("%w among its %d", ErrNoHeader, len(names))
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no column %s%s; the header has %s", quoted(missing), suggestion(missing[0], names), quoted(names))
	}
	for i, name := range names {
		if name == "" {
			return fmt.Errorf("column %d of the header has no name", i+1)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("column %q occurs twice in the header", name)
		}
	}
	return nil
}

func quoted(names []string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(shown, ", ")
}

// Columns returns the names of the columns that fill a field.
func (m *Mapping) Columns() []string {
	var names []string
	for _, b := range m.bindings {
		if b.column >= 0 && !slices.Contains(names, b.name) {
			names = append(names, b.name)
		}
	}
	return names
}

// Convert returns the record that a row of text holds and how many of its amounts were
// rounded to 10^-6, or why the row is rejected. where names the row, such as
// orders.csv:17. Surrounding spaces do not count; an empty cell is null. The record
// may share memory with fields' strings but not with the slice.
func (m *Mapping) Convert(fields []string, where string) (record.Record, int, *sources.Rejection) {
	return m.convert(row{texts: fields}, where)
}

// ConvertValues is Convert for a row of values as databases and JSON have them. What
// text is to Convert, these are here: nil and nil pointers (null), string, []byte,
// json.Number, decimal.Decimal, *big.Int, booleans and integers of any size. Times need
// no time_format: a time.Time is a moment, a LocalTime a time of the configured zone, a
// record.Day a date. Floating-point numbers fill numbers but no amounts. A slice fills a list.
func (m *Mapping) ConvertValues(values []any, where string) (record.Record, int, *sources.Rejection) {
	return m.convert(row{values: values}, where)
}

// Row converts a row of text as Convert does.
func (m *Mapping) Row(fields []string, where string) Row {
	r, rounded, rejected := m.Convert(fields, where)
	return Row{where, r, rounded, rejected}
}

// RowOfValues converts a row of values as ConvertValues does.
func (m *Mapping) RowOfValues(values []any, where string) Row {
	r, rounded, rejected := m.ConvertValues(values, where)
	return Row{where, r, rounded, rejected}
}

func (m *Mapping) convert(cells row, where string) (record.Record, int, *sources.Rejection) {
	if n := cells.width(); n != m.width {
		return nil, 0, m.reject(cells, where, ReasonColumns, fmt.Sprintf("the row has %d columns, the header %d", n, m.width))
	}
	r := record.New(m.kind)
	if m.table.start != nil {
		m.table.start(r)
	}
	meta := r.RecordMeta()
	m.parser.rounded = 0
	for i := range m.bindings {
		b := &m.bindings[i]
		if bad := m.set(r, b, cells); bad != nil {
			return nil, 0, m.rejection(r, b, where, bad)
		}
		if b.deletes && meta.Deleted && meta.ID != "" {
			return r, 0, nil
		}
	}
	if m.table.finish != nil {
		if bad := m.table.finish(r); bad != nil {
			return nil, 0, m.rejection(r, nil, where, bad)
		}
	}
	if meta.ID == "" {
		meta.ID = m.table.deriveID(r)
	}
	return r, m.parser.rounded, nil
}

func (m *Mapping) set(r record.Record, b *binding, cells row) *problem {
	c := cell{text: b.constant}
	if b.column >= 0 {
		var bad *problem
		if c, bad = cells.cell(b.column); bad == nil {
			bad = c.fits(b.field.Type)
		}
		if bad != nil {
			return bad
		}
		if !utf8.ValidString(c.text) || slices.ContainsFunc(c.list, func(text string) bool { return !utf8.ValidString(text) }) {
			return &problem{reason: ReasonEncoding, detail: "is not valid UTF-8"}
		}
	}
	if !c.isNull() {
		return b.field.set(m.parser, r, c)
	}
	if b.field.Required && !b.field.Empty {
		return &problem{reason: ReasonMissing, detail: "is empty"}
	}
	return nil
}

// rejection describes a problem with the field of b, or with the one that it names.
func (m *Mapping) rejection(r record.Record, b *binding, where string, bad *problem) *sources.Rejection {
	id := r.RecordMeta().ID
	if id == "" && m.table.deriveID != nil && (b == nil || m.position(b.field.Name) >= 2+m.table.named) {
		id = m.table.deriveID(r)
	}
	if bad.field != "" {
		i := slices.IndexFunc(m.bindings, func(b binding) bool { return b.field.Name == bad.field })
		if b = nil; i >= 0 {
			b = &m.bindings[i]
		}
	}
	subject := bad.field
	switch {
	case b == nil:
	case b.column < 0 || b.name == b.field.Name:
		subject = b.field.Name
	default:
		subject = fmt.Sprintf("%s (column %q)", b.field.Name, b.name)
	}
	return &sources.Rejection{Kind: m.kind, ID: id, Reason: bad.reason, Where: where, Detail: subject + " " + bad.detail}
}

func (m *Mapping) position(field string) int {
	return slices.IndexFunc(m.table.fields, func(f Field) bool { return f.Name == field })
}

// Reject returns the rejection of a row of text that could not be split into fields;
// fields may be some of them.
func (m *Mapping) Reject(fields []string, where, reason, detail string) *sources.Rejection {
	return m.reject(row{texts: fields}, where, reason, detail)
}

func (m *Mapping) reject(cells row, where, reason, detail string) *sources.Rejection {
	rejected := &sources.Rejection{Kind: m.kind, Reason: reason, Where: where, Detail: detail}
	if m.id >= 0 && m.id < cells.width() {
		if c, bad := cells.cell(m.id); bad == nil && utf8.ValidString(c.text) {
			rejected.ID = c.text
		}
	}
	return rejected
}
