package rows

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// PageRows is how many rows a Pager puts into a page, rejected ones included.
const PageRows = 5000

// Row is what one row became: a record, or the reason why it is rejected.
type Row struct {
	Where    string // such as orders.csv:17
	Record   record.Record
	Rounded  int // amounts
	Rejected *sources.Rejection
}

// Pager gathers rows into pages. Its user flushes it when it is Full and there are
// more rows, so that the last page can carry the cursor, however many rows there are.
type Pager struct {
	// Emit takes the pages.
	Emit sources.Emit
	// Currency is the reporting currency.
	Currency string

	page  sources.Page
	where []string // of the page's records
	seen  int
	good  int
	first *sources.Rejection
}

// Full reports whether the page must be flushed before a row is added.
func (p *Pager) Full() bool { return len(p.page.Records)+len(p.page.Rejected) >= PageRows }

// Add adds a row. The error names a row that shows that the whole list is not what it
// is said to be.
func (p *Pager) Add(r Row) error {
	p.seen++
	p.page.Rounded += r.Rounded
	if r.Rejected != nil {
		if p.first == nil {
			p.first = r.Rejected
		}
		p.page.Rejected = append(p.page.Rejected, *r.Rejected)
		return nil
	}
	p.good++
	if err := measured(r.Record, p.Currency); err != nil {
		return fmt.Errorf("%s: %w", r.Where, err)
	}
	if p.page.Records == nil {
		p.page.Records = make([]record.Record, 0, PageRows)
		p.where = make([]string, 0, PageRows)
	}
	p.page.Records = append(p.page.Records, r.Record)
	p.where = append(p.where, r.Where)
	return nil
}

// Flush emits the page, and with it the cursor unless it is empty, and begins the next.
// sweep says that all rows there are have been added. A page that says nothing is not
// emitted. An error is Emit's.
func (p *Pager) Flush(ctx context.Context, progress float64, cursor string, sweep bool) error {
	page, where := p.page, p.where
	if len(page.Records) == 0 && len(page.Rejected) == 0 && cursor == "" && !sweep {
		return nil
	}
	page.Progress, page.Cursor, page.Sweep = progress, cursor, sweep
	page.Where = func(i int) string { return where[i] }
	p.page, p.where = sources.Page{}, nil
	return p.Emit(ctx, page)
}

// AllRejected returns an error where there were rows and not one of them was good:
// sweeping then would delete all that was read before.
func (p *Pager) AllRejected() error {
	if p.seen == 0 || p.good > 0 {
		return nil
	}
	return fmt.Errorf("all %d rows are rejected, the first at %s, %s: %s; check the columns", p.seen, p.first.Where, p.first.Reason, p.first.Detail)
}

// measured refuses rates without a reference, which are taken to be per unit of the
// reporting currency, where the list gives that currency a rate of its own.
func measured(rec record.Record, reporting string) error {
	rate, ok := rec.(*record.Rate)
	if !ok || rate.Reference != "" || rate.Currency != reporting || rate.PerReference.Rat().Cmp(big.NewRat(1, 1)) == 0 {
		return nil
	}
	return fmt.Errorf("the rates are per unit of another currency than %s, which has a rate of its own; map reference, as in reference: \"=EUR\"", reporting)
}

// SampleRows is how many rows of a list a check reads.
const SampleRows = 100

// Sample is what a check has read of a list. The zero value is ready to use.
type Sample struct {
	rows, rejected, rounded int
	first                   *sources.Rejection
	columns, unused         []string
}

// Header notes the columns that are used, of those there are; the first call counts.
func (s *Sample) Header(used, all []string) {
	if s.columns != nil {
		return
	}
	s.columns = used
	for _, name := range all {
		if name = strings.TrimSpace(name); !slices.Contains(used, name) {
			s.unused = append(s.unused, name)
		}
	}
}

// Full reports whether enough rows were read.
func (s *Sample) Full() bool { return s.rows >= SampleRows }

// Add notes a row.
func (s *Sample) Add(r Row) {
	s.rows++
	s.rounded += r.Rounded
	if r.Rejected == nil {
		return
	}
	s.rejected++
	if s.first == nil {
		s.first = r.Rejected
	}
}

// Describe says what was found, and returns an error where every row was rejected.
func (s *Sample) Describe() (string, error) {
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
	if s.rows > 0 && s.rejected == s.rows {
		return strings.Join(parts, "; "), errors.New("every row that was read is rejected")
	}
	return strings.Join(parts, "; "), nil
}
