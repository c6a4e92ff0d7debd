package csv

import (
	"context"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Check reads the header of each file and the first 100 rows of each entry of files.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	findings := make([]sources.Finding, 0, len(s.entries))
	for _, e := range s.entries {
		detail, err := checkEntry(ctx, e, env)
		findings = append(findings, sources.Finding{
			Subject: fmt.Sprintf("%s %s", e.Record, e.name()), Detail: detail, Err: err,
		})
	}
	return findings
}

func checkEntry(ctx context.Context, e entry, env sources.Environment) (string, error) {
	found, err := list(ctx, []entry{e})
	if err != nil {
		return "", err
	}
	if err := load(ctx, found); err != nil {
		return "", err
	}
	files := found[0].files
	var s rows.Sample
	var bytes int64
	for _, f := range files {
		bytes += f.size()
		if err := sample(ctx, &s, f, e.File, env); err != nil {
			return "", err
		}
	}
	described, err := s.Describe()
	return fmt.Sprintf("%d file(s) of %d bytes; %s", len(files), bytes, described), err
}

// sample adds the first rows of a file to s.
func sample(ctx context.Context, s *rows.Sample, f file, entry File, env sources.Environment) error {
	r, err := openRows(f, entry, env.Zone)
	if err != nil {
		return err
	}
	defer r.close()
	s.Header(r.mapping.Columns(), r.header)
	for !s.Full() {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
		converted, more, err := r.next()
		if err != nil || !more {
			return err
		}
		s.Add(converted)
	}
	return nil
}
