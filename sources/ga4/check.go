package ga4

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Check runs every report over a week and compares the property's zone and currency.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	today := record.Day(window.New(env.Zone).Day(env.Now.UnixMicro()))
	week := span{today - 7, today - 1}
	var findings []sources.Finding
	for i, r := range s.checked() {
		t, err := s.one(ctx, r.over(week, r.name != streamUsers, s.pageRows))
		if i == 0 {
			if _, refused := errors.AsType[*apiclient.AuthError](err); refused {
				return []sources.Finding{{Subject: "credentials", Err: err}}
			}
			findings = append(findings, s.checkProperty(env, t.meta, err)...)
			if err != nil {
				return findings
			}
		}
		found := sources.Finding{Subject: "report " + r.name, Err: err}
		if err == nil {
			rows := fmt.Sprintf("%d rows of the last 7 days", len(t.rows))
			found.Detail = strings.Join(append([]string{rows}, t.meta.caveats()...), "; ")
		}
		findings = append(findings, found)
	}
	return findings
}

// checked returns every report of every stream, the total first.
func (s *Source) checked() []report {
	return append(s.trafficReports(s.options.Breakdowns), referrerReport(), usersReport())
}

func (s *Source) one(ctx context.Context, q query) (table, error) {
	tables, err := s.run(ctx, []query{q})
	if err != nil {
		return table{}, err
	}
	return tables[0], nil
}

// checkProperty says what the first answer tells of the property.
func (s *Source) checkProperty(env sources.Environment, m metadata, err error) []sources.Finding {
	found := sources.Finding{Subject: "property " + s.options.Property, Err: err}
	if scope, ok := errors.AsType[*apiclient.ScopeError](err); ok {
		found.Err = fmt.Errorf("%w; enable the Google Analytics Data API in the Cloud project, and add the service account as Viewer of the property", scope)
	}
	if err != nil {
		return []sources.Finding{found}
	}
	found.Detail = "can be read"
	zone := sources.Finding{Subject: "time zone", Detail: m.TimeZone + ", as the report's"}
	if !sameZone(m.TimeZone, env.Zone, env.Now) {
		zone.Detail = fmt.Sprintf("the property's days are of %s, the report's of %s: they are taken as report days", m.TimeZone, env.Zone)
	}
	return []sources.Finding{found, zone, {Subject: "currency", Detail: m.Currency + "; no amounts are read"}}
}
