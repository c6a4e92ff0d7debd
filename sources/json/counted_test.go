package json

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
)

// shelf is an API of numbered rows that counts its pages, or the rows before them.
type shelf struct {
	ids     []int
	cap     int            // rows of a page, whatever is asked for
	clamps  bool           // beyond the last page that one comes again
	changed bool           // since is ignored: all rows have changed
	then    map[int]func() // after a request, by its number from 1 on
	asked   int
	refused int // the number of a request
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.asked++; s.asked == s.refused {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	first, _ := strconv.Atoi(r.FormValue("skip")) // none is 0
	if page, err := strconv.Atoi(r.FormValue("page")); err == nil {
		first = (page - 1) * s.cap
	}
	if s.clamps && first >= len(s.ids) {
		first = max(0, (len(s.ids)-1)/s.cap*s.cap)
	}
	list := s.ids[min(first, len(s.ids)):min(first+s.cap, len(s.ids))]
	if r.FormValue("since") != "" && !s.changed {
		list = nil
	}
	answer := answerRows(list...)
	if then := s.then[s.asked]; then != nil {
		then()
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(answer)) // an error means that the client has gone
}

// held is what a ledger keeps of a list.
type held struct {
	t      *testing.T
	source *Source
	cursor string
	ids    map[string]int // how often each was emitted
}

func (s *shelf) open(t *testing.T, paging Paging, increment *Increment) *held {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return &held{t: t, ids: map[string]int{}, source: newSource(t, List{
		Options: endpoint.Options{URL: server.URL}, Paging: paging, Increment: increment, Config: rows.Config{Record: record.KindSurvey},
	})}
}

// fetch keeps what a Fetch some hours later emits, and reports whether it has swept.
func (h *held) fetch(hours int) (swept bool, err error) {
	h.t.Helper()
	emitted := map[string]int{}
	err = h.source.Fetch(h.t.Context(), sources.Request{
		Environment: sources.Environment{Zone: time.UTC, Now: now().Add(time.Duration(hours) * time.Hour)}, Stream: "survey", Cursor: h.cursor,
	}, func(_ context.Context, p sources.Page) error {
		for _, id := range ids([]sources.Page{p}) {
			emitted[id]++
		}
		if p.Cursor != "" {
			h.cursor = p.Cursor
		}
		swept = swept || p.Sweep
		return nil
	})
	if swept {
		maps.DeleteFunc(h.ids, func(id string, _ int) bool { return emitted[id] == 0 })
	}
	maps.Copy(h.ids, emitted)
	return swept, err
}

func (h *held) text() string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(h.ids)) {
		list = append(list, fmt.Sprintf("%s:%d", id, h.ids[id]))
	}
	return strings.Join(list, " ")
}

func countings() map[string]Paging {
	return map[string]Paging{"page": {By: byPage, Parameter: "page"}, "offset": {By: byOffset, Parameter: "skip"}}
}

// A row that moves up, for others before it are deleted, is not missed, let alone deleted.
func TestRowsThatMoveUp(t *testing.T) {
	for name, paging := range countings() {
		for _, test := range []struct {
			name  string
			after int   // requests of the reading
			left  []int // rows
			want  string
		}{
			{"one", 1, []int{2, 3, 4, 5, 6}, "1:1 2:2 3:1 4:1 5:1 6:1"},
			{"a page, and so the last is gone", 2, []int{3, 4, 5, 6}, "1:1 2:1 3:2 4:2 5:1 6:1"},
			{"all", 2, nil, "1:1 2:1 3:1 4:1"},
			{"the last", 3, []int{1, 2, 3, 4, 5}, "1:1 2:1 3:1 4:1 5:2 6:1"},
		} {
			for _, increment := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, increment %v", name, test.name, increment), func(t *testing.T) {
					s := &shelf{ids: []int{1, 2, 3, 4, 5, 6}, cap: 2, changed: true}
					h := s.open(t, paging, &Increment{Parameter: "since"})
					hours := 0
					if increment {
						if _, err := h.fetch(0); err != nil || h.text() != "1:1 2:1 3:1 4:1 5:1 6:1" {
							t.Fatalf("first held %s, error %v", h.text(), err)
						}
						clear(h.ids)
						hours = 1
					}
					s.asked, s.then = 0, map[int]func(){test.after: func() { s.ids = test.left }}
					swept, err := h.fetch(hours)
					if err != nil || swept == increment || h.text() != test.want {
						t.Errorf("swept %v, held %s, want %s; error %v", swept, h.text(), test.want, err)
					}
				})
			}
		}
	}
}

// What was deleted while a list was read is found when everything is read again.
func TestDeletedWhileRead(t *testing.T) {
	s := &shelf{ids: []int{1, 2, 3, 4, 5, 6}, cap: 2}
	s.then = map[int]func(){1: func() { s.ids = s.ids[1:] }}
	h := s.open(t, Paging{By: byPage, Parameter: "page"}, &Increment{Parameter: "since"})
	for _, poll := range []struct {
		hours int
		sweep bool
		want  string
	}{
		{0, true, "1:1 2:2 3:1 4:1 5:1 6:1"}, {6, false, "1:1 2:2 3:1 4:1 5:1 6:1"}, {24, true, "2:1 3:1 4:1 5:1 6:1"},
	} {
		if swept, err := h.fetch(poll.hours); err != nil || swept != poll.sweep || h.text() != poll.want {
			t.Errorf("after %d h: swept %v, held %s, want %s; error %v", poll.hours, swept, h.text(), poll.want, err)
		}
	}
}

// A server that gives fewer rows than a page should have is read to its end all the same.
func TestPagesBelowTheirSize(t *testing.T) {
	for name, paging := range countings() {
		for _, clamps := range []bool{false, true} {
			if clamps && paging.By == byOffset {
				continue
			}
			for n, size := range []int{4, 4, 4, 4, 2, 2, 0} {
				t.Run(fmt.Sprintf("%s, %d rows, size %d, clamps %v", name, n, size, clamps), func(t *testing.T) {
					s := &shelf{cap: 2, clamps: clamps, changed: true}
					for i := range n {
						s.ids = append(s.ids, i)
					}
					paging.Size = size
					h := s.open(t, paging, &Increment{Parameter: "since"})
					for hours := range 2 {
						swept, err := h.fetch(hours)
						// Such a page, come again, cannot be told from one that is given for any number.
						if clamps && n > 0 && n%2 == 0 && size <= 2 {
							if err == nil || swept || !strings.Contains(err.Error(), "the paging does not end") {
								t.Errorf("swept %v, error %v", swept, err)
							}
							continue
						}
						if err != nil || swept != (hours == 0) || len(h.ids) != n {
							t.Errorf("after %d h: swept %v, held %s; error %v", hours, swept, h.text(), err)
						}
					}
				})
			}
		}
	}
}

func TestSecondReadingFails(t *testing.T) {
	s := &shelf{ids: []int{1, 2, 3, 4, 5, 6}, cap: 2}
	h := s.open(t, Paging{By: byPage, Parameter: "page"}, nil)
	if _, err := h.fetch(0); err != nil || s.asked != 7 {
		t.Fatalf("error %v after %d requests", err, s.asked)
	}
	cursor := h.cursor
	s.asked, s.refused = 0, 6
	swept, err := h.fetch(1)
	if err == nil || !strings.Contains(err.Error(), "read again: page 2: ") || swept || h.cursor != cursor {
		t.Errorf("swept %v, error %v", swept, err)
	}
}

// Some APIs have no page beyond the last one. That a page was not full tells the last one from
// one that was not found for another reason.
func TestNotFoundBeyondTheLastPage(t *testing.T) {
	for rows, ends := range map[int]bool{3: true, 4: false} {
		s := &shelf{cap: 2, refused: 3}
		for i := range rows {
			s.ids = append(s.ids, i)
		}
		h := s.open(t, Paging{By: byPage, Parameter: "page", Size: 2}, nil)
		if swept, err := h.fetch(0); swept != ends || (err == nil) != ends || len(h.ids) != rows {
			t.Errorf("%d rows: swept %v, held %s; error %v", rows, swept, h.text(), err)
		}
	}
}
