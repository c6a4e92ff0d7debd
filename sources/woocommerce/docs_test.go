package woocommerce

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
)

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/sources/woocommerce.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section returns the rows of the table under a heading, without its head.
func section(t *testing.T, heading string) []string {
	t.Helper()
	_, text, found := strings.Cut(page(t), "\n"+heading+"\n")
	_, text, table := strings.Cut(text, "|---|")
	_, text, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, "\n\n")
	if !found || !table {
		t.Fatalf("no table under %q", heading)
	}
	return strings.Split(text, "\n")
}

var quoted = regexp.MustCompile("`([^`]+)`")

// cells returns the quoted names of a row's first cell, and the rest of the row.
func cells(row string) (names []string, rest string) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(row, "| "), " | ")
	for _, m := range quoted.FindAllStringSubmatch(first, -1) {
		names = append(names, m[1])
	}
	return names, rest
}

func TestDocumentedStatuses(t *testing.T) {
	s := newRig(t, streamOrder, 10, nil, nil).source
	n := 0
	for _, row := range section(t, "### Statuses") {
		statuses, state := cells(row)
		if len(statuses) == 0 {
			statuses = []string{"of-a-plugin"}
		}
		for _, status := range statuses {
			n++
			if got := s.state(status); !strings.HasPrefix(state, got) {
				t.Errorf("%s is %s, and documented as %s", status, got, state)
			}
		}
	}
	if n != 12 {
		t.Errorf("%d statuses are documented", n)
	}
}

func TestDocumentedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		for _, stream := range []string{streamOrder, streamCustomer} {
			r := newRig(t, stream, maxPageSize, nil, nil)
			for n := range 300 { // an import: all at the same time
				r.put(n+1, begin().Add(-72*time.Hour), nil)
				r.shop.PutCustomer(fakewoo.Customer{ID: int64(n + 1), Created: begin().Add(-72 * time.Hour)})
			}
			r.poll()
			// A page repeats the last record of the one before; one request looks for what is newest, and another into the trash.
			if got := len(r.asked); got > 6 {
				t.Errorf("stream %s: %d requests for the first 300 records", stream, got)
			}
			for range 2 {
				r.now = r.now.Add(overlap)
				r.poll()
			}
			for range 24 * 60 / 5 {
				r.now = r.now.Add(4 * time.Minute) // a day of polls without the sweep
				r.poll()
				requests += len(r.asked)
			}
		}
		if !strings.Contains(page(t), fmt.Sprintf("customers: %d a day", requests)) {
			t.Errorf("a day without changes takes %d requests, and something else is documented", requests)
		}
	})
}
