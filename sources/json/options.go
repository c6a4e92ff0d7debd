package json

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
)

// Options are the settings of a source of type json.
type Options struct {
	Lists []List `yaml:"lists" required:"the lists to read"`
}

// List says which address lists records of one kind, and how.
type List struct {
	endpoint.Options `yaml:",inline"`

	// Method is GET where empty.
	Method string `yaml:"method" enum:"GET,POST"`
	// Body is the JSON object that is sent with POST.
	Body string `yaml:"body"`
	// Rows is the path of the array of rows in an answer; empty: the answer is the array.
	Rows string `yaml:"rows"`
	// OmitsEmpty says that an answer without that field has no rows.
	OmitsEmpty bool `yaml:"omits_empty"`
	// Error is the path of what is there, and not empty, only in answers that are errors.
	Error string `yaml:"error"`

	Paging    Paging     `yaml:"paging"`
	Increment *Increment `yaml:"increment"`

	rows.Config `yaml:",inline"`
}

// Ways of paging.
const (
	byNone   = ""
	byLink   = "link"
	byURL    = "url"
	byCursor = "cursor"
	byPage   = "page"
	byOffset = "offset"
)

// inBody is where a parameter stands that is not in the query.
const inBody = "body"

// Paging says how the next page is found. Without By there is one page.
type Paging struct {
	By string `yaml:"by" enum:"link,url,cursor,page,offset"`
	// Field is the path of the next page's URL or cursor in an answer.
	Field string `yaml:"field"`
	// More is the path of what is true while there are more pages.
	More string `yaml:"more"`
	// Parameter takes the cursor, number or offset of a page, In the query or the body.
	Parameter string `yaml:"parameter"`
	In        string `yaml:"in" enum:"query,body"`
	// First is the number of the first page; 1 where nil.
	First *int `yaml:"first"`
	// Size is how many rows a full page has: one with fewer that comes again is the last.
	Size int `yaml:"size"`
}

// Defaults of Increment.
const (
	defaultOverlap    = 10 * time.Minute
	defaultSweepEvery = 24 * time.Hour
)

// since stands in Increment.Value for the moment.
const since = "{since}"

// Increment says how an address is asked for what has changed since a moment.
type Increment struct {
	// Parameter takes the value, In the query or the body.
	Parameter string `yaml:"parameter" required:"the parameter that takes the moment"`
	In        string `yaml:"in" enum:"query,body"`
	// Value holds "{since}" where the moment stands; empty: the moment alone.
	Value string `yaml:"value"`
	// Format is the moment's layout as of package time, "unix" or "unix_ms"; RFC 3339 where empty.
	Format string `yaml:"format"`
	// From is what everything is asked for with; nil: no parameter.
	From *record.Day `yaml:"from"`
	// Overlap is how far before the last request changes are asked for; 10 min where 0.
	Overlap time.Duration `yaml:"overlap"`
	// SweepEvery is how often everything is read; daily where 0.
	SweepEvery time.Duration `yaml:"sweep_every"`
}

func (i Increment) overlap() time.Duration {
	if i.Overlap == 0 {
		return defaultOverlap
	}
	return i.Overlap
}

func (i Increment) sweepEvery() time.Duration {
	if i.SweepEvery == 0 {
		return defaultSweepEvery
	}
	return i.SweepEvery
}

// counted reports whether pages are told apart by a count alone.
func (p Paging) counted() bool { return p.By == byPage || p.By == byOffset }

// endsWith reports whether a page of so many rows is the last where it comes again: some
// APIs answer with it where there is no page any more.
func (p Paging) endsWith(rows int) bool { return p.More == "" && rows > 0 && rows < p.Size }

func (p Paging) firstPage() int {
	if p.First == nil {
		return 1
	}
	return *p.First
}

// Validate reports what is wrong.
func (o *Options) Validate(v *config.Validator) {
	for i, l := range o.Lists {
		for _, p := range l.problems() {
			v.Errorf(strings.TrimSuffix(fmt.Sprintf("lists[%d].%s", i, p.Path), "."), "%s", p.Text)
		}
	}
}

// check reports the first mistake: for options that no configuration file holds.
func (o Options) check() error {
	if len(o.Lists) == 0 {
		return errors.New("there are no lists")
	}
	for i, l := range o.Lists {
		for _, p := range l.problems() {
			return fmt.Errorf("lists[%d].%s: %s", i, p.Path, p.Text)
		}
	}
	return nil
}

func (l List) problems() []rows.Problem {
	problems := append(l.Config.Validate(), l.Options.Problems()...)
	add := func(path, format string, args ...any) {
		problems = append(problems, rows.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
	post := l.Method == "POST"
	if l.Body != "" {
		if _, err := parseBody(l.Body); err != nil {
			add("body", "is not a JSON object: %v", err)
		} else if !post {
			add("body", "is sent with the method POST only; set method: POST")
		}
	}
	for path, in := range map[string]string{"paging.in": l.Paging.In, "increment.in": l.incrementIn()} {
		if in == inBody && !post {
			add(path, "there is a body with the method POST only; set method: POST")
		}
	}
	for path, text := range map[string]string{"rows": l.Rows, "error": l.Error, "paging.field": l.Paging.Field, "paging.more": l.Paging.More} {
		if strings.HasPrefix(text, ".") || strings.HasSuffix(text, ".") || strings.Contains(text, "..") {
			add(path, "%q is not a path of names with dots between them", text)
		}
	}
	problems = append(problems, l.Paging.problems()...)
	if l.Increment != nil {
		problems = append(problems, l.Increment.problems()...)
	}
	return problems
}

func (l List) incrementIn() string {
	if l.Increment == nil {
		return ""
	}
	return l.Increment.In
}

func (p Paging) problems() []rows.Problem {
	var list []rows.Problem
	field, parameter := p.By == byURL || p.By == byCursor, p.By == byCursor || p.counted()
	for _, rule := range []struct {
		option, value string
		wanted        bool
	}{{"field", p.Field, field}, {"parameter", p.Parameter, parameter}} {
		switch {
		case rule.wanted && rule.value == "":
			list = append(list, rows.Problem{Path: "paging." + rule.option, Text: "is missing; paging by " + p.By + " needs it"})
		case !rule.wanted && rule.value != "":
			list = append(list, rows.Problem{Path: "paging." + rule.option, Text: "has no use here; set paging.by to what needs it"})
		}
	}
	if p.By == byNone && (p.More != "" || p.Size != 0) {
		list = append(list, rows.Problem{Path: "paging.by", Text: "is missing; give one of link, url, cursor, page, offset"})
	}
	if p.Size < 0 {
		list = append(list, rows.Problem{Path: "paging.size", Text: "must be above 0"})
	}
	return list
}

func (i Increment) problems() []rows.Problem {
	var list []rows.Problem
	if i.Value != "" && !strings.Contains(i.Value, since) {
		list = append(list, rows.Problem{Path: "increment.value", Text: "must hold " + since + " where the moment stands"})
	}
	if err := rows.CheckTimeFormat(i.Format); err != nil {
		list = append(list, rows.Problem{Path: "increment.format", Text: fmt.Sprintf("%q %v", i.Format, err)})
	}
	if i.Overlap < 0 {
		list = append(list, rows.Problem{Path: "increment.overlap", Text: "must be above 0"})
	}
	if i.SweepEvery < 0 {
		list = append(list, rows.Problem{Path: "increment.sweep_every", Text: "must be above 0"})
	}
	return list
}

var _ config.Options = (*Options)(nil)
