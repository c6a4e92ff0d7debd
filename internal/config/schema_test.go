package config

import (
	"regexp"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// shopOptions are options as an API's source has them.
type shopOptions struct {
	URL          string      `yaml:"url" required:"the shop's address"`
	ClientID     string      `yaml:"client_id"`
	ClientSecret SecretRef   `yaml:"client_secret" required:"the app's secret"`
	Webhook      SecretRef   `yaml:"webhook_secret"`
	Region       string      `yaml:"region" enum:"eu,us"`
	PageSize     int         `yaml:"page_size"`
	Budget       float64     `yaml:"budget"`
	Sandbox      bool        `yaml:"sandbox"`
	Lag          window.Span `yaml:"lag"`
	Paging       paging      `yaml:",inline"`
	Retries      *retries    `yaml:"retries"`

	derived string // no setting
}

type paging struct {
	Pause time.Duration `yaml:"pause"`
}

type retries struct {
	Max int `yaml:"max"`
}

func (o *shopOptions) Validate(v *Validator) {
	if o.PageSize < 1 {
		v.Errorf("page_size", "expected 1 or more, found %d", o.PageSize)
	}
	o.derived = o.URL + "/api"
}

// csvOptions are options as a generic source has them.
type csvOptions struct {
	Files []csvFile `yaml:"files"`
}

type csvFile struct {
	Path     string            `yaml:"path" required:"a file or a pattern such as data/*.csv"`
	Columns  map[string]string `yaml:"columns"`
	Timezone *time.Location    `yaml:"timezone"`
	Pattern  *regexp.Regexp    `yaml:"pattern"`
	Since    *record.Day       `yaml:"since"`
}

func (o *csvOptions) Validate(v *Validator) {
	if len(o.Files) == 0 {
		v.Errorf("files", "at least one file is needed")
	}
	for i := range o.Files {
		f := &o.Files[i]
		f.Path = v.Path(f.Path)
		for name, column := range f.Columns {
			if column == "" {
				v.Errorf(join(element("files", i), "columns."+name), "names no column; give one or remove the key")
			}
		}
	}
}

func testSchema() Schema {
	return Schema{
		Sources: map[string]func() Options{
			"shop": func() Options { return &shopOptions{Region: "eu", PageSize: 100, Budget: 0.5} },
			"csv":  func() Options { return &csvOptions{} },
		},
		KPIs: []KPI{
			{Name: "b2b_customer_churn_ratio", HasWindow: true, HigherIsWorse: true},
			{Name: "b2b_mrr"},
			{Name: "b2b_revenue_net", HasWindow: true},
		},
	}
}
