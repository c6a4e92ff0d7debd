package apiclient

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachElement(t *testing.T) {
	type order struct {
		ID    string
		Total *json.Number
	}
	read := func(doc string, path ...string) (string, error) {
		var got []string
		err := EachElement(strings.NewReader(doc), path, func(dec *json.Decoder) error {
			var o order
			if err := dec.Decode(&o); err != nil {
				return err
			}
			total := "null"
			if o.Total != nil {
				total = o.Total.String()
			}
			got = append(got, o.ID+"="+total)
			return nil
		})
		return strings.Join(got, " "), err
	}
	const doc = `{"meta":{"data":[9]},"data":{"x":[1,[2]],"orders":[{"id":"a","total":0.10},{"id":"b","total":null}],"after":"c"},"done":true}`
	for _, tt := range []struct{ doc, path, want string }{
		{doc, "data.orders", "a=0.10 b=null"},
		{`[{"id":"a","total":12345678901234567890.123456789}]`, "", "a=12345678901234567890.123456789"},
		{`{"data":null}`, "data.orders", ""},
		{`{"data":{"orders":null}}`, "data.orders", ""},
		{`{"data":{"orders":[]}}`, "data.orders", ""},
		{`{}`, "data", ""},
	} {
		var path []string
		if tt.path != "" {
			path = strings.Split(tt.path, ".")
		}
		if got, err := read(tt.doc, path...); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.doc, got, err, tt.want)
		}
	}
	for cut := 1; cut < len(doc); cut++ {
		if _, err := read(doc[:cut], "data", "orders"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: got %v, want an unexpected end", cut, err)
		}
	}
	for _, bad := range []string{doc + "x", doc + "{}", `{"data":{"orders":{}}}`, `{"data":3}`, `<html>`} {
		if _, err := read(bad, "data", "orders"); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	stop := errors.New("stop")
	if err := EachElement(strings.NewReader("[1,2]"), nil, func(*json.Decoder) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the callback's error", err)
	}
}

func TestUsualError(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":"a","message":"b"}`:                                                  "a|b",
		`{"error":{"code":429,"message":"b","status":"X"}}`:                           "|b",
		`{"error":"invalid_grant","error_description":"b"}`:                           "invalid_grant|b",
		`{"errors":[{"code":"a","title":"t","detail":"b"}]}`:                          "a|b",
		`{"errors":"[API] Invalid API key"}`:                                          "|[API] Invalid API key",
		`[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]`: "INVALID_SESSION_ID|Session expired or invalid",
		`{"title":"API Key Invalid","status":401,"detail":"b"}`:                       "API Key Invalid|b",
		`[]`:          "|",
		`null`:        "|",
		`3`:           "|",
		`not JSON`:    "|",
		`<html></p>`:  "|an HTML page",
		`{"error":{}`: "|",
	} {
		code, message := usualError(&Response{Header: http.Header{}, Body: []byte(body)})
		if got := code + "|" + message; got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestPageGuard(t *testing.T) {
	var g PageGuard
	for _, cursor := range []string{"", "a", "b"} {
		if err := g.Next(cursor); err != nil {
			t.Fatal(err)
		}
	}
	loop, ok := errors.AsType[*LoopError](g.Next("a"))
	if !ok || loop.Pages != 3 {
		t.Errorf("got %v, want a LoopError after 3 pages", loop)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "120": 2 * time.Minute, " 2.5 ": 2500 * time.Millisecond, "1e30": maxHint, "inf": maxHint,
		"Mon, 02 Mar 2026 12:00:30 GMT": 30 * time.Second, "Mon, 02 Mar 2026 11:00:00 GMT": 0,
		"2026-03-02T13:00:00+01:00": 0, "2026-03-02T12:01:00Z": time.Minute,
	} {
		if got, ok := RetryAfter(http.Header{"Retry-After": {value}}, now); !ok || got != want {
			t.Errorf("%q: got %v, %v; want %v", value, got, ok, want)
		}
	}
	for _, value := range []string{"", "-1", "NaN", "tomorrow"} {
		if got, ok := RetryAfter(http.Header{"Retry-After": {value}}, now); ok {
			t.Errorf("%q: got %v, want nothing", value, got)
		}
	}
}

func TestJSONIsDecodedBeforeItIsClassified(t *testing.T) {
	type body struct {
		Errors []string
		Orders []int
	}
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{
			{body: `{"errors":["busy"],"orders":[1,2]}`}, {body: `{"errors":["busy"`}, {body: `{"orders":[3]}`},
		}}
		var into body
		var seen []any
		c := newClient(t, s, func(c *Config) {
			c.Classify = func(r *Response) Verdict {
				seen = append(seen, r.Decoded)
				if got, ok := r.Decoded.(*body); ok && len(got.Errors) > 0 {
					return Verdict{Class: ClassRetry}
				}
				return ClassifyStatus(r)
			}
		})
		if _, err := c.JSON(t.Context(), Request{}, &into); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 3 || seen[0] != &into || seen[1] != nil || seen[2] != &into {
			t.Errorf("classified by %v; want the value, nothing for what is cut short, and the value again", seen)
		}
		if len(into.Errors) != 0 || !slices.Equal(into.Orders, []int{3}) {
			t.Errorf("got %v: an earlier try has left its traces", into)
		}
		c = newClient(t, &script{answers: []answer{{body: `{"orders":"none"}`}}}, nil)
		if _, err := c.JSON(t.Context(), Request{}, &into); !is[*FormatError](err) {
			t.Errorf("got %v, want a FormatError for another type", err)
		}
	})
}

// Also an answer without a body replaces what the value holds.
func TestNoContentAfterAnotherTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{http.StatusNoContent, http.StatusNotModified} {
			s := &script{answers: []answer{{status: http.StatusServiceUnavailable, body: `[1,2]`}, {status: status}}}
			var into []int
			if r, err := newClient(t, s, nil).JSON(t.Context(), Request{}, &into); err != nil || r.Status != status || into != nil {
				t.Errorf("status %d: got %v and %v: an earlier try has left its traces", status, into, err)
			}
		}
	})
}
