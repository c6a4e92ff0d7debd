package json

import (
	"bytes"
	"context"
	"crypto/sha256"
	encjson "encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// reader reads the pages of one list.
type reader struct {
	list
	header  []string // the paths of the columns
	found   []bool   // a row had something there
	mapping *rows.Mapping
	zone    *time.Location // of moments without an offset
	since   time.Time      // zero: everything
}

func newReader(l list, zone *time.Location) (*reader, error) {
	r := &reader{list: l, zone: zone}
	if l.Timezone != nil {
		r.zone = l.Timezone
	}
	if len(l.Columns) == 0 {
		for _, f := range rows.Fields(l.Record) {
			r.header = append(r.header, f.Name)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(l.Columns)) {
		path := strings.TrimSpace(l.Columns[field])
		if !strings.HasPrefix(path, "=") && !slices.Contains(r.header, path) {
			r.header = append(r.header, path)
		}
	}
	r.found = make([]bool, len(r.header))
	var err error
	if r.mapping, err = l.Compile(r.header, zone); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Name(), err)
	}
	return r, nil
}

// position is where a page is.
type position struct {
	number int    // counted from 0, for messages
	url    string // the page's own; empty where it is the list's
	cursor any    // nil for the first page
	page   int
	offset int
}

// page is what was read of one answer.
type page struct {
	rows   int
	digest [sha256.Size]byte // of the columns
	header http.Header
	body   []byte
}

// readAll adds the rows of all pages. All but the last are flushed, and the last one too
// unless it ends the stream: then it is the caller's, who has the cursor.
func (r *reader) readAll(ctx context.Context, p *rows.Pager, ends bool) error {
	if r.Paging.counted() {
		return r.readCounted(ctx, p, ends)
	}
	var guard apiclient.PageGuard
	var at position
	for {
		if key, ok := r.loopKey(at); ok {
			if err := guard.Next(key); err != nil {
				return err
			}
		}
		got, err := r.readPage(ctx, at, func(row rows.Row) error { return add(ctx, p, row) })
		if err != nil {
			return fmt.Errorf("page %d: %w", at.number+1, err)
		}
		next, more, err := r.next(at, got)
		if err != nil {
			return fmt.Errorf("page %d: %w", at.number+1, err)
		}
		if !more && ends {
			return nil
		}
		if err := p.Flush(ctx, -1, "", false); err != nil || !more {
			return err
		}
		at = next
	}
}

// loopKey returns what names a page before it is read.
func (r *reader) loopKey(at position) (string, bool) {
	switch r.Paging.By {
	case byLink, byURL:
		return at.url, true
	case byCursor:
		return fmt.Sprint(at.cursor), true
	}
	return "", false
}

// readPage reads one page and hands each row to add.
func (r *reader) readPage(ctx context.Context, at position, add func(rows.Row) error) (page, error) {
	req, err := r.request(at)
	if err != nil {
		return page{}, err
	}
	answer, err := r.client.JSON(ctx, req, &unread{})
	if err != nil {
		return page{}, err
	}
	got := page{header: answer.Header, body: bytes.TrimPrefix(answer.Body, []byte("\xef\xbb\xbf"))}
	if answer.Status == http.StatusNoContent {
		return got, nil
	}
	array, ok := find(got.body, r.Rows)
	if !ok {
		if r.OmitsEmpty {
			return got, nil
		}
		return got, fmt.Errorf("the answer has no field %s, where rows says that the rows are; correct rows, or set omits_empty if the API leaves an empty list out", r.Rows)
	}
	h := sha256.New()
	values := make([]any, len(r.header))
	err = apiclient.EachElement(bytes.NewReader(array), nil, func(dec *encjson.Decoder) error {
		var element any
		if err := dec.Decode(&element); err != nil {
			return err
		}
		got.rows++
		for i, path := range r.header {
			values[i] = lookup(element, path)
			r.found[i] = r.found[i] || values[i] != nil
		}
		if r.Paging.counted() {
			fmt.Fprintln(h, values...)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return add(r.mapping.RowOfValues(values, fmt.Sprintf("page %d, row %d", at.number+1, got.rows)))
	})
	h.Sum(got.digest[:0])
	return got, err
}

// unread is what an answer is decoded into that only has to be JSON: its rows are read
// one by one.
type unread struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*unread) UnmarshalJSON([]byte) error { return nil }

// request makes the request for a page.
func (r *reader) request(at position) (apiclient.Request, error) {
	address := r.URL
	if at.url != "" {
		address = at.url
	}
	target, err := url.Parse(address)
	if err != nil {
		return apiclient.Request{}, errors.New("the address of the page is not a URL")
	}
	body, err := parseBody(r.Body)
	if err != nil {
		return apiclient.Request{}, fmt.Errorf("body: %w", err)
	}
	query := target.Query()
	set := func(in, parameter string, value any) {
		if in == inBody {
			put(body, parameter, value)
			return
		}
		query.Set(parameter, fmt.Sprint(value))
	}
	// The URL of a further page holds all that it needs.
	if value := r.sinceValue(); value != nil && at.url == "" {
		set(r.Increment.In, r.Increment.Parameter, value)
	}
	switch {
	case r.Paging.By == byCursor && at.cursor != nil:
		set(r.Paging.In, r.Paging.Parameter, at.cursor)
	case r.Paging.By == byPage:
		set(r.Paging.In, r.Paging.Parameter, at.page)
	case r.Paging.By == byOffset:
		set(r.Paging.In, r.Paging.Parameter, at.offset)
	}
	// What was not changed is sent as it is written.
	if query.Encode() != target.Query().Encode() {
		target.RawQuery = query.Encode()
	}
	req := apiclient.Request{Method: r.Method, Path: target.String(), Header: http.Header{"Accept": {"application/json"}}}
	if r.Method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		if req.Body, err = encjson.Marshal(body); err != nil {
			return apiclient.Request{}, fmt.Errorf("body: %w", err)
		}
	}
	return req, nil
}

// sinceValue returns the value of the increment's parameter; nil where it is not sent.
func (r *reader) sinceValue() any {
	i := r.Increment
	if i == nil {
		return nil
	}
	at := r.since
	if at.IsZero() {
		if i.From == nil {
			return nil
		}
		year, month, day := i.From.Date()
		at = time.Date(year, month, day, 0, 0, 0, 0, r.zone)
	}
	var text string
	switch i.Format {
	case "unix":
		text = strconv.FormatInt(at.Unix(), 10)
	case "unix_ms":
		text = strconv.FormatInt(at.UnixMilli(), 10)
	case "":
		text = at.UTC().Format(time.RFC3339)
	default:
		text = at.In(r.zone).Format(i.Format)
	}
	if i.Value != "" {
		return strings.ReplaceAll(i.Value, since, text)
	}
	if strings.HasPrefix(i.Format, "unix") {
		return encjson.Number(text)
	}
	return text
}

// classify finds the errors inside answers that look like successes.
func (l List) classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	if l.Error == "" || v.Class != apiclient.ClassOK {
		return v
	}
	part, ok := find(r.Body, l.Error)
	if !ok {
		return v
	}
	value, err := decode(part)
	if err != nil || isEmpty(value) {
		return v
	}
	v.Class = apiclient.ClassPermanent
	if text, ok := value.(string); ok {
		v.Message = text
	} else if text, ok := lookup(value, "message").(string); ok {
		v.Message = text
	} else if text, ok := lookup(value, "0.message").(string); ok {
		v.Message = text
	}
	return v
}
