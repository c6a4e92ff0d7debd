package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

type propertyAnswer struct {
	Name    string         `json:"name"`
	Options []optionAnswer `json:"options"`
}

type optionAnswer struct {
	Value string `json:"value"`
}

// Check reads the names, the list of properties and one record of each kind, and compares the
// properties with the options.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	d, err := s.directory(ctx, env.Now, true, true)
	if _, refused := errors.AsType[*apiclient.AuthError](err); refused {
		return []sources.Finding{{Subject: "credentials", Err: err}}
	}
	found := sources.Finding{Subject: "owners and pipelines", Err: err}
	if err == nil {
		found.Detail = fmt.Sprintf("%d owners, %d pipelines", len(d.owners), len(d.pipelines))
	} else {
		d = &directory{}
	}
	findings := []sources.Finding{found}
	for _, st := range streams() {
		detail, err := s.checkStream(ctx, st, d)
		if st.kind == record.KindDeal && err == nil {
			currency := s.options.Currency
			if currency == "" {
				currency = env.Currency
			}
			detail += "; deals without a currency are taken to be in " + currency
		}
		findings = append(findings, sources.Finding{Subject: "stream " + string(st.kind), Err: err, Detail: detail})
	}
	return findings
}

func (s *Source) checkStream(ctx context.Context, st stream, d *directory) (detail string, err error) {
	wanted := s.properties(st, d)
	if _, err := s.list(ctx, st.object, 1, "", false, wanted, st.history); err != nil {
		return "", fmt.Errorf("list %s: %w", st.object, err)
	}
	body, err := get[propertyAnswer](ctx, s.client, apiclient.Request{Method: http.MethodGet, Path: s.path("properties", "/"+st.object)})
	if err != nil {
		return "", fmt.Errorf("list the properties of %s: %w", st.object, err)
	}
	known := map[string]bool{}
	var problems []string
	for _, p := range body.Results {
		known[p.Name] = true
		if st.kind == record.KindLead && len(p.Options) > 0 {
			problems = append(problems, s.options.Lifecycle.unknown(p)...)
		}
	}
	var absent []string
	for _, name := range wanted {
		if known[name] {
			continue
		}
		if option := s.options.configured(name); option != "" {
			problems = append(problems, fmt.Sprintf("%s: %s have no property %q", option, st.object, name))
		} else {
			absent = append(absent, name)
		}
	}
	if len(problems) > 0 {
		return "", fmt.Errorf("the options do not fit the account: %s; take the internal names from HubSpot's property settings", strings.Join(problems, "; "))
	}
	detail = fmt.Sprintf("%d properties are read", len(wanted)-len(absent))
	if len(absent) > 0 {
		detail += ", the account has no " + strings.Join(absent, ", ")
	}
	return detail, nil
}

// unknown returns what the lifecycle names and a property does not offer.
func (l Lifecycle) unknown(p propertyAnswer) []string {
	var problems []string
	lists := l.stages()
	if p.Name == "hs_lead_status" {
		lists = []stageList{{"disqualified_status", l.DisqualifiedStatus}}
	} else if p.Name != "lifecyclestage" {
		return nil
	}
	for _, list := range lists {
		for _, value := range list.values {
			if !slices.Contains(p.Options, optionAnswer{value}) {
				problems = append(problems, fmt.Sprintf("lifecycle.%s: %s has no value %q", list.name, p.Name, value))
			}
		}
	}
	return problems
}

// configured returns the option that names a property and is not the default.
func (o *Options) configured(property string) string {
	defaults := DefaultOptions().named()
	for option, name := range o.named() {
		if name == property && defaults[option] != name {
			return option
		}
	}
	for i, e := range o.ExternalIDs {
		if e.Property == property {
			return fmt.Sprintf("external_ids[%d].property", i)
		}
	}
	return ""
}
