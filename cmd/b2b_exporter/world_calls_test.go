package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// purpose is why a call is made.
type purpose int

const (
	readNew     purpose = iota // a day is read that was not read before
	readRunning                // else: the running day is read
	readAgain                  // else: only days that are over and were read before
	readOther                  // settings, lists, users of windows, tokens of access
	purposes
)

// calls sends requests to the vendors of a world and counts them. Requests for access tokens cost
// nothing and do not count.
type calls struct {
	world *world
	read  map[string]bool // days of reports
	// requests are by host, and tokens GA4's, since the last reset.
	requests map[string]*[purposes]int
	tokens   [purposes]int
	// operations are Google Ads' by the day of UTC; daily and hourly are GA4's tokens by the day of
	// California and the hour.
	operations, daily, hourly map[string]int
	refused                   []string
}

func newCalls(w *world) *calls {
	c := &calls{world: w, read: map[string]bool{}, operations: map[string]int{}, daily: map[string]int{}, hourly: map[string]int{}}
	c.reset()
	return c
}

// reset begins to count requests and tokens anew.
func (c *calls) reset() {
	c.requests, c.tokens = map[string]*[purposes]int{adsHost: {}, siteHost: {}}, [purposes]int{}
}

func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	handler, asked, zone := c.world.ads.server.Handler(), asOfAds, c.world.ads.zone
	if r.URL.Host == siteHost {
		handler, asked, zone = c.world.site.server.Handler(), asOfSite, c.world.site.zone
	}
	now, before := time.Now(), c.world.site.server.Requests()["tokens"]
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		c.refused = append(c.refused, fmt.Sprintf("%s: %s: %d %s", now, r.URL, answer.Code, answer.Body))
	}
	if r.URL.Path == "/token" {
		return answer.Result(), nil
	}
	days, err := asked(body)
	if err != nil {
		return nil, err
	}
	why, tokens := c.why(days, record.DayOf(now.In(zone))), c.world.site.server.Requests()["tokens"]-before
	c.requests[r.URL.Host][why]++
	c.tokens[why] += tokens
	c.daily[now.In(c.world.pacific).Format(time.DateOnly)] += tokens
	c.hourly[now.UTC().Format("2006-01-02 15h")] += tokens
	if r.URL.Host == adsHost {
		c.operations[now.UTC().Format(time.DateOnly)]++
	}
	return answer.Result(), nil
}

// askedDays are the days of a report that a request asks for.
type askedDays struct {
	report      string
	first, last record.Day
}

// why returns why a request is made, and takes its days for read.
func (c *calls) why(list []askedDays, today record.Day) purpose {
	why := readOther
	for _, asked := range list {
		why = min(why, readAgain)
		if asked.last >= today {
			why = min(why, readRunning)
		}
		for day := asked.first; day <= asked.last; day++ {
			key := asked.report + " " + day.String()
			if !c.read[key] {
				c.read[key], why = true, readNew
			}
		}
	}
	return why
}

var adsDays = regexp.MustCompile(`FROM (campaign|keyword_view) WHERE segments\.date BETWEEN '([0-9-]+)' AND '([0-9-]+)'`)

// asOfAds returns the days that a request to Google Ads asks for.
func asOfAds(body []byte) ([]askedDays, error) {
	m := adsDays.FindSubmatch(body)
	if m == nil {
		return nil, nil
	}
	return between(string(m[1]), string(m[2]), string(m[3]))
}

// asOfSite returns the days that a request to GA4 asks for. Reports that do not tell days apart
// have none.
func asOfSite(body []byte) ([]askedDays, error) {
	type report struct {
		DateRanges          []struct{ StartDate, EndDate string }
		Dimensions, Metrics []struct{ Name string }
		DimensionFilter     json.RawMessage
	}
	var request struct {
		report
		Requests []report
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	if len(request.Requests) == 0 {
		request.Requests = []report{request.report}
	}
	var list []askedDays
	for _, r := range request.Requests {
		if len(r.Dimensions) == 0 {
			continue
		}
		name := fmt.Sprint(r.Dimensions, r.Metrics, string(r.DimensionFilter))
		days, err := between(name, r.DateRanges[0].StartDate, r.DateRanges[0].EndDate)
		if err != nil {
			return nil, err
		}
		list = append(list, days...)
	}
	return list, nil
}

func between(report, first, last string) ([]askedDays, error) {
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return nil, err
	}
	to, err := time.Parse(time.DateOnly, last)
	return []askedDays{{report, record.DayOf(from), record.DayOf(to)}}, err
}

// most returns the largest of some sums.
func most(sums map[string]int) int {
	largest := 0
	for _, n := range sums {
		largest = max(largest, n)
	}
	return largest
}

// perDay returns a table of what was made in some days, for each of them.
func (c *calls) perDay(days int) string {
	var text strings.Builder
	for _, row := range []struct {
		what string
		n    *[purposes]int
	}{{"google_ads, requests", c.requests[adsHost]}, {"ga4, requests", c.requests[siteHost]}, {"ga4, tokens", &c.tokens}} {
		per := func(p purpose) float64 { return float64(row.n[p]) / float64(days) }
		fmt.Fprintf(&text, "%s a day: %.1f for a new day, %.1f for the running day, %.1f for days read before only, %.1f others\n",
			row.what, per(readNew), per(readRunning), per(readAgain), per(readOther))
	}
	return text.String()
}
