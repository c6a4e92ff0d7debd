package csv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/sources"
)

// sampleRows is how many rows of an entry a check reads.
const sampleRows = 100

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

// sample is what a check has read of an entry.
type sample struct {
	rows, rejected, rounded int
	first                   *sources.Rejection
	columns, unused         []string // of the first file
}

func checkEntry(ctx context.Context, entry File, env sources.Environment) (string, error) {
	files, err := glob(entry.Path)
	if err != nil {
		return "", err
	}
	var s sample
	var bytes int64
	for _, f := range files {
		bytes += f.info.Size()
		if err := s.read(ctx, f, entry, env); err != nil {
			return "", err
		}
	}
	detail := fmt.Sprintf("%d file(s) of %d bytes; %s", len(files), bytes, s.describe())
	if s.rows > 0 && s.rejected == s.rows {
		return detail, errors.New("every row that was read is rejected")
	}
	return detail, nil
}

func (s *sample) read(ctx context.Context, f file, entry File, env sources.Environment) error {
	r, err := openRows(f, entry, env.Zone)
	if err != nil {
		return err
	}
	defer r.close()
	if s.columns == nil {
		s.columns = r.mapping.Columns()
		for _, name := range r.header {
			if name = strings.TrimSpace(name); !slices.Contains(s.columns, name) {
				s.unused = append(s.unused, name)
			}
		}
	}
	for s.rows < sampleRows {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
		converted, more, err := r.next()
		if err != nil || !more {
			return err
		}
		s.rows++
		s.rounded += converted.rounded
		if converted.rejected == nil {
			continue
		}
		s.rejected++
		if s.first == nil {
			s.first = converted.rejected
		}
	}
	return nil
}

func (s *sample) describe() string {
	parts := []string{"columns " + strings.Join(s.columns, ", ")}
	if len(s.unused) > 0 {
		parts = append(parts, "not used "+strings.Join(s.unused, ", "))
	}
	parts = append(parts, fmt.Sprintf("of the first %d rows %d rejected", s.rows, s.rejected))
	if s.first != nil {
		parts = append(parts, fmt.Sprintf("first at %s, %s: %s", s.first.Where, s.first.Reason, s.first.Detail))
	}
	if s.rounded > 0 {
		parts = append(parts, fmt.Sprintf("%d amounts rounded to 10^-6", s.rounded))
	}
	return strings.Join(parts, "; ")
}
