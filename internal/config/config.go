// Package config reads the exporter's YAML configuration: defaults, strict
// parsing and validation. A configuration with errors is refused with all of
// them at once, each with its file, line and field path.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Config is a valid configuration. It is not changed after it has been read.
type Config struct {
	Timezone    *time.Location
	Currency    string      // the reporting currency, ISO 4217
	History     window.Span // how far back daily figures and activities are read
	Staleness   time.Duration
	Ledger      Ledger
	Customers   Customers
	Orders      Orders
	Attribution Attribution
	Windows     []window.Name
	Sources     []Source
	Channels    record.ChannelRules
	Territories map[string]string // an order's country to its territory
	Costs       []record.Cost
	Rates       []record.Rate
	Thresholds  []Threshold
	Labels      Labels
	// Marketing are the channels of marketing: customers that come by them are its own.
	Marketing []string
	CAC       CAC
	Funnel    Funnel
	Recurring Recurring

	file   *file
	schema Schema
}

// Source is one configured source.
type Source struct {
	Name     string
	Type     string
	Interval time.Duration // 0 where the type's default holds
	Options  Options
	Line     int // where the block starts
}

// Recurring says how recurring revenue is broken down.
type Recurring struct {
	// Tiers are the bounds between tiers of customers by their monthly recurring revenue in
	// the reporting currency, ascending.
	Tiers []record.Amount
}

// Threshold is the value of a headline KPI at which an alert fires.
type Threshold struct {
	KPI               string
	Window            window.Name    // empty where the KPI has none
	Warning, Critical record.Decimal // null where not given; at least one is
}

// Options are the settings of one type of source. The pointed-to struct holds
// its defaults when it is made and is filled from the source's block by its
// tags:
//
//	yaml:"KEY"       the key; fields without it are not settings
//	yaml:",inline"   the struct's keys belong to the block itself
//	required:"TEXT"  the key must be given and not be empty; TEXT says what to give
//	enum:"a,b,c"     the strings that are allowed
//
// Fields are strings, bools, whole numbers, float64, time.Duration,
// window.Span, window.Name, *time.Location, record.Day, SecretRef, types with
// UnmarshalText and MarshalText, and structs, pointers, slices and string maps
// of these; another type panics. The keys name, type and interval are taken.
type Options interface {
	// Validate reports what is wrong beyond the types and may complete the options. Its
	// calls of v.Errorf are added to the errors of the file.
	Validate(v *Validator)
}

// Schema is what a configuration may refer to.
type Schema struct {
	// Sources returns new options with their defaults for every type of source.
	Sources map[string]func() Options
	// KPIs are the KPIs that thresholds may name.
	KPIs []KPI
}

// KPI is a headline KPI.
type KPI struct {
	Name          string
	HasWindow     bool // it has the label "window"
	HigherIsWorse bool // thresholds are crossed upwards
}

// Load reads the configuration file at path. What is wrong with its content is
// returned as *Errors.
func Load(path string, schema Schema) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, data, schema)
}

// Parse reads a configuration from data. The name is the one in errors, and
// relative paths in the configuration are taken from its directory. What is
// wrong with the content is returned as *Errors.
func Parse(name string, data []byte, schema Schema) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("find the directory of %s: %w", name, err)
	}
	r := newReport(name)
	root := parseDocument(r, data)
	if root == nil {
		return nil, r.errors()
	}
	d := &decoder{report: r, dir: dir, schema: schema}
	f := defaultFile()
	d.value(root, "", fieldOf(f))
	c := build(f, &Validator{report: r, dir: dir}, schema)
	if len(r.problems) > 0 {
		return nil, r.errors()
	}
	return c, nil
}
