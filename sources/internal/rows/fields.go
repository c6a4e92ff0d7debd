package rows

import (
	"fmt"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Type is how the text of a column is read.
type Type string

// The types of fields.
const (
	TypeText     Type = "text"
	TypeList     Type = "list"
	TypeTime     Type = "time"
	TypeDate     Type = "date"
	TypeAmount   Type = "amount"
	TypeNumber   Type = "number"
	TypeCurrency Type = "currency"
	TypeBoolean  Type = "boolean"
	TypeChoice   Type = "choice"
	TypeChannel  Type = "channel"
)

// Field is a field of a record that a column can fill.
type Field struct {
	Name     string
	Type     Type
	Required bool
	// Empty: the column must be there, but a cell may be empty.
	Empty   bool
	Choices []string // the values of a TypeChoice or TypeChannel
	Doc     string

	set func(p *parser, r record.Record, c cell) *problem
}

// required returns f as a field without which a row is rejected.
func required(f Field) Field {
	f.Required = true
	return f
}

// mapped returns f as a field that needs a column, whose cells may be empty.
func mapped(f Field) Field {
	f.Required, f.Empty = true, true
	return f
}

func text[R record.Record](name, doc string, at func(R) *string) Field {
	return Field{Name: name, Type: TypeText, Doc: doc, set: func(_ *parser, r record.Record, c cell) *problem {
		*at(r.(R)) = c.text
		return nil
	}}
}

func ref[R record.Record](name, doc string, at func(R) *record.Ref) Field {
	return Field{Name: name, Type: TypeText, Doc: doc, set: func(_ *parser, r record.Record, c cell) *problem {
		*at(r.(R)) = record.RefTo(c.text)
		return nil
	}}
}

func list[R record.Record](name, doc string, at func(R) *[]string) Field {
	return Field{Name: name, Type: TypeList, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		if c.form == formList {
			*at(r.(R)) = c.list
			return nil
		}
		var values []string
		for part := range strings.SplitSeq(c.text, p.separator) {
			if part = strings.TrimSpace(part); part != "" {
				values = append(values, part)
			}
		}
		*at(r.(R)) = values
		return nil
	}}
}

func moment[R record.Record](name, doc string, at func(R) *record.Instant) Field {
	return Field{Name: name, Type: TypeTime, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		instant, why := p.time.instantOf(c)
		if why != "" {
			return &problem{reason: ReasonTime, detail: show(c.text) + " " + why}
		}
		*at(r.(R)) = instant
		return nil
	}}
}

func day[R record.Record](name, doc string, at func(R) *record.Day) Field {
	return Field{Name: name, Type: TypeDate, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		d, why := p.time.dayOf(c)
		if why != "" {
			return &problem{reason: ReasonTime, detail: show(c.text) + " " + why}
		}
		*at(r.(R)) = d
		return nil
	}}
}

func amount[R record.Record](name, doc string, at func(R) *record.Amount) Field {
	return Field{Name: name, Type: TypeAmount, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		a, bad := p.amount(c)
		if bad == nil {
			*at(r.(R)) = a
		}
		return bad
	}}
}

// between is an amount without a currency, from low to high.
func between[R record.Record](name, doc string, low, high int64, at func(R) *record.Amount) Field {
	return Field{Name: name, Type: TypeNumber, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		a, bad := p.amount(c)
		if bad != nil {
			return bad
		}
		if a.Micros < low*record.MicrosPerUnit || a.Micros > high*record.MicrosPerUnit {
			return &problem{reason: ReasonAmount, detail: fmt.Sprintf("%s is not within %d and %d", show(c.text), low, high)}
		}
		*at(r.(R)) = a
		return nil
	}}
}

// count is a number of things, seconds too: fractions are kept, for tools attribute parts.
func count[R record.Record](name, doc string, at func(R) *record.Amount) Field {
	return Field{Name: name, Type: TypeNumber, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		a, bad := p.amount(c)
		if bad != nil {
			return bad
		}
		if a.Micros < 0 {
			return &problem{reason: ReasonAmount, detail: show(c.text) + " is below 0"}
		}
		*at(r.(R)) = a
		return nil
	}}
}

func number[R record.Record](name, doc string, at func(R) *record.Decimal) Field {
	return Field{Name: name, Type: TypeNumber, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		d, bad := p.number(c)
		if bad == nil {
			*at(r.(R)) = d
		}
		return bad
	}}
}

func currencyCode[R record.Record](name, doc string, at func(R) *string) Field {
	return Field{Name: name, Type: TypeCurrency, Doc: doc, set: func(p *parser, r record.Record, c cell) *problem {
		code, bad := p.currency(c.text)
		if bad == nil {
			*at(r.(R)) = code
		}
		return bad
	}}
}

func boolean[R record.Record](name, doc string, at func(R) *bool) Field {
	return Field{Name: name, Type: TypeBoolean, Doc: doc, set: func(_ *parser, r record.Record, c cell) *problem {
		b, bad := parseBool(c.text)
		if bad == nil {
			*at(r.(R)) = b
		}
		return bad
	}}
}

// unless is a boolean that is true where it is null: at holds its opposite.
func unless[R record.Record](name, doc string, at func(R) *bool) Field {
	return Field{Name: name, Type: TypeBoolean, Doc: doc, set: func(_ *parser, r record.Record, c cell) *problem {
		b, bad := parseBool(c.text)
		if bad == nil {
			*at(r.(R)) = !b
		}
		return bad
	}}
}

func choice[R record.Record](name, doc string, choices []string, at func(R) *string) Field {
	return Field{Name: name, Type: TypeChoice, Choices: choices, Doc: doc, set: func(_ *parser, r record.Record, c cell) *problem {
		for _, known := range choices {
			if strings.EqualFold(known, c.text) {
				*at(r.(R)) = known
				return nil
			}
		}
		return &problem{reason: ReasonValue, detail: show(c.text) + " is none of " + strings.Join(choices, ", ")}
	}}
}

func channel[R record.Record](doc string, at func(R) *string) Field {
	f := choice("channel", doc, record.Channels(), at)
	f.Type = TypeChannel
	return f
}
