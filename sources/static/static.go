// Package static serves the costs and exchange rates that stand in the
// configuration itself as a source.
package static

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// Type is what Source.Type returns.
const Type = "static"

// Source delivers a fixed list of records.
type Source struct {
	name  string
	costs []record.Cost
	rates []record.Rate
}

// New returns a source of costs and rates, which must have their IDs and must not be changed.
func New(name string, costs []record.Cost, rates []record.Rate) *Source {
	return &Source{name: name, costs: costs, rates: rates}
}

// Name returns the name given to New.
func (s *Source) Name() string { return s.name }

// Type returns "static".
func (s *Source) Type() string { return Type }

// Streams returns a stream of costs and one of rates. They are there also where
// there are no records, so that those of an earlier configuration are deleted.
func (s *Source) Streams() []sources.Stream {
	return []sources.Stream{
		{Name: string(record.KindCost), Kinds: []record.Kind{record.KindCost}, Whole: true},
		{Name: string(record.KindRate), Kinds: []record.Kind{record.KindRate}, Whole: true},
	}
}

// Fetch emits all records of a stream in one page, unless they are those of the cursor.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	var records []record.Record // copies: the ledger changes records in place
	switch record.Kind(req.Stream) {
	case record.KindCost:
		for _, c := range s.costs {
			records = append(records, &c)
		}
	case record.KindRate:
		for _, r := range s.rates {
			records = append(records, &r)
		}
	default:
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	content, err := json.Marshal(records)
	if err != nil {
		return fmt.Errorf("identify the configured %ss: %w", req.Stream, err)
	}
	sum := sha256.Sum256(content)
	cursor := hex.EncodeToString(sum[:])
	if cursor == req.Cursor {
		return nil
	}
	return emit(ctx, sources.Page{Records: records, Cursor: cursor, Progress: 1, Sweep: true})
}

// Check says what is configured; there is nothing to try.
func (s *Source) Check(context.Context, sources.Environment) []sources.Finding {
	return []sources.Finding{{
		Subject: "configuration", Detail: fmt.Sprintf("%d costs, %d exchange rates", len(s.costs), len(s.rates)),
	}}
}

var _ sources.Source = (*Source)(nil)
