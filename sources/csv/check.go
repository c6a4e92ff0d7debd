package csv

import (
	"context"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Check reads the header of each file and the first 100 rows of each entry of files.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	findings := make([]sources.Finding, 0, len(s.files))
	for _, entry := range s.files {
		detail, err := checkEntry(ctx, entry, env)
		findings = append(findings, sources.Finding{
			Subject: fmt.Sprintf("%s %s", entry.Record, entry.Path), Detail: detail, Err: err,
		})
	}
	return findings
}

func checkEntry(ctx context.Context, entry File, env sources.Environment) (string, error) {
	files, err := glob(entry.Path)
	if err != nil {
		return "", err
	}
	var s rows.Sample
	var bytes int64
	for _, f := range files {
		bytes += f.info.Size()
		if err := sample(ctx, &s, f, entry, env); err != nil {
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
