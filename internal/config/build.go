package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// build checks what the types cannot say and returns the configuration that f
// means; it is of use only where v has no problems then.
func build(f *file, v *Validator, schema Schema) *Config {
	b := builder{Validator: v, file: f, schema: schema}
	b.currency("currency", f.Currency)
	b.ledger()
	b.customers()
	if f.Labels.Max < 1 || f.Labels.Max > 1000 {
		v.Errorf("labels.max", "expected 1 to 1000, found %d", f.Labels.Max)
	}
	b.windows()
	return &Config{
		Timezone:    f.Timezone,
		Currency:    f.Currency,
		History:     f.History,
		Staleness:   f.Staleness,
		Ledger:      f.Ledger,
		Customers:   f.Customers,
		Orders:      f.Orders,
		Attribution: f.Attribution,
		Windows:     f.Windows,
		Sources:     b.sources(),
		Channels:    b.channels(),
		Territories: b.territories(),
		Costs:       b.costs(),
		Rates:       b.rates(),
		Thresholds:  b.thresholds(),
		Labels:      f.Labels,
		Marketing:   b.marketing(),
		CAC:         b.cac(),
		Funnel:      b.funnel(),
		Recurring:   b.recurring(),
		file:        f,
		schema:      schema,
	}
}

type builder struct {
	*Validator
	file   *file
	schema Schema
}

func (b builder) currency(path, code string) {
	if err := checkCurrency(code); err != nil {
		b.Errorf(path, "%v", err)
	}
}

// currencyOrOwn checks an optional currency, by default the reporting one.
func (b builder) currencyOrOwn(path string, code *string) {
	if *code == "" {
		*code = b.file.Currency
		return
	}
	b.currency(path, *code)
}

func (b builder) ledger() {
	l := &b.file.Ledger
	if l.Path == "" {
		b.Errorf("ledger.path", "must not be empty; give the ledger's file or remove the key")
	}
	if l.PostgresDSNFile != "" {
		b.Errorf("ledger.postgres_dsn_file", "PostgreSQL is not supported yet; use ledger.path")
	}
	l.Path = b.Path(l.Path)
}

func (b builder) customers() {
	c := &b.file.Customers
	if c.LifetimeMinimum < 1 {
		b.Errorf("customers.lifetime_minimum", "expected 1 or more, found %d", c.LifetimeMinimum)
	}
	for i, text := range c.FreeMail {
		path := element("customers.free_mail", i)
		domain := record.RegistrableDomain(text)
		switch {
		case domain == "" || strings.ContainsAny(text, "@:/?# "):
			b.Errorf(path, "%q is not a domain; give what follows the @, such as example.com", shorten(text))
		case strings.Count(domain, ".") != strings.Count(text, "."):
			b.Errorf(path, "%q is below the registrable domain %s; customers are told apart by that one: give it instead", shorten(text), domain)
		}
		c.FreeMail[i] = domain
	}
}

func (b builder) windows() {
	if len(b.file.Windows) == 0 {
		b.Errorf("windows", "must not be empty; give windows such as [30d, ytd], or remove the key to have all")
	}
	for i, w := range b.file.Windows {
		if first := slices.Index(b.file.Windows, w); first < i {
			b.Errorf(element("windows", i), "%s is listed twice; remove it", w)
		}
	}
}

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (b builder) sources() []Source {
	var list []Source
	first := map[string]int{}
	for i, s := range b.file.Sources {
		path := element("sources", i)
		line, used := first[s.Name]
		switch {
		case !sourceName.MatchString(s.Name):
			b.Errorf(path+".name", "%q is not a source's name; use lower-case letters, digits, - and _, a letter or digit first, at most 63", shorten(s.Name))
		case used:
			b.Errorf(path+".name", "another source is named %s (line %d); names must differ", s.Name, line)
		default:
			first[s.Name] = b.report.line(path + ".name")
		}
		if s.Interval >= b.file.Staleness && !b.report.isFailed("staleness") {
			b.Errorf(path+".interval", "%v is not below staleness (%v): the source would be stale before its next poll; lower it or raise staleness",
				window.Span{Elapsed: s.Interval}, window.Span{Elapsed: b.file.Staleness})
		}
		if s.options != nil {
			s.options.Validate(&Validator{report: b.report, dir: b.dir, prefix: path})
		}
		list = append(list, Source{Name: s.Name, Type: s.Type, Interval: s.Interval, Options: s.options, Line: s.line})
	}
	return list
}

func (b builder) channels() record.ChannelRules {
	var rules record.ChannelRules
	for i, c := range b.file.Channels {
		path := element("channels", i)
		if c.Source == "" && c.Medium == "" && c.Campaign == "" {
			b.Errorf(path, "matches everything; give at least one of source, medium and campaign")
		}
		switch {
		case c.Channel != "":
			b.channel(path+".channel", c.Channel)
		case c.Program == "" && c.Name == "":
			b.Errorf(path+".channel", "is missing; give what matching touches are counted under: channel, program or campaign_name")
		}
		rules = append(rules, record.ChannelRule{
			Source:   b.expression(path+".source", c.Source),
			Medium:   b.expression(path+".medium", c.Medium),
			Campaign: b.expression(path+".campaign", c.Campaign),
			Class:    record.Class{Channel: c.Channel, Program: c.Program, Campaign: c.Name},
		})
	}
	return rules
}

func (b builder) channel(path, name string) {
	if !record.IsChannel(name) {
		b.Errorf(path, "unknown channel %q; %s", shorten(name), suggestion(name, record.Channels()))
	}
}

// expression compiles a regular expression for a whole text without case; nil
// for an empty one.
func (b builder) expression(path, text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	// By itself first: "a)|(b" would be valid only with what is put around it.
	_, err := regexp.Compile(text)
	if err == nil {
		var re *regexp.Regexp
		if re, err = regexp.Compile(`(?i)\A(?:` + text + `)\z`); err == nil {
			return re
		}
	}
	if syntaxErr, ok := errors.AsType[*syntax.Error](err); ok {
		err = fmt.Errorf("%s in %q", syntaxErr.Code, shorten(syntaxErr.Expr))
	}
	b.Errorf(path, `not a regular expression: %v; escape special characters with \`, err)
	return nil
}

func (b builder) territories() map[string]string {
	for country, territory := range b.file.Territories {
		if strings.TrimSpace(country) == "" || strings.TrimSpace(territory) == "" {
			b.Errorf(join("territories", country), "a country and its territory must not be empty; write them as COUNTRY: TERRITORY")
		}
	}
	return b.file.Territories
}
