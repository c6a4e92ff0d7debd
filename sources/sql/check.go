package sql

import (
	"context"
	"errors"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Check runs each query, reads its first 100 rows and gives it up.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	findings := make([]sources.Finding, 0, len(s.queries))
	for _, q := range s.queries {
		finding := sources.Finding{Subject: fmt.Sprintf("%s %s", q.Record, q.name)}
		finding.Detail, finding.Err = s.checkQuery(ctx, q, env)
		findings = append(findings, finding)
	}
	return findings
}

func (s *Source) checkQuery(ctx context.Context, q query, env sources.Environment) (string, error) {
	db, err := s.open()
	if err != nil {
		return "", err
	}
	defer db.Close()
	var sample rows.Sample
	err = s.read(ctx, db, q, q.start(), env.Zone, sink{columns: sample.Header, row: func(row rows.Row, _ mark) error {
		sample.Add(row)
		if sample.Full() {
			return errEnough
		}
		return nil
	}})
	if err != nil && !errors.Is(err, errEnough) {
		return "", err
	}
	return sample.Describe()
}
