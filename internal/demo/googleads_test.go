package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// adsSum asks the account for a metric of all campaigns from some days to the present one.
func adsSum(t *testing.T, s *ads, metric string, first, last time.Time) float64 {
	t.Helper()
	query := "SELECT campaign.id, segments.date, " + metric + " FROM campaign WHERE segments.date BETWEEN '" +
		first.Format(time.DateOnly) + "' AND '" + last.Format(time.DateOnly) + "'"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v26/customers/"+adsAccount+"/googleAds:searchStream",
		strings.NewReader(`{"query":"`+query+`"}`))
	r.Header.Set("Authorization", "Bearer "+s.account.AccessToken)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s %v", w.Code, body, err)
	}
	sum := 0.0
	for _, found := range regexp.MustCompile(`"(?:costMicros|conversions|clicks)": ?"?([0-9.]+)`).FindAllSubmatch(body, -1) {
		n, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// The account has what the market has, as far as the day has gone; conversions come later.
func TestAds(t *testing.T) {
	c := newCompany(t, Options{Seed: 1})
	now := present().Add(-4 * time.Hour)
	s := newAds(c.Market, func() time.Time { return now })
	yesterday := now.AddDate(0, 0, -1)
	cost, leads := int64(0), 0
	for d := c.Market.days - 90; d < c.Market.days; d++ {
		for _, a := range c.Market.day(d) {
			if a.Platform == "google" {
				cost += a.Cost
				leads += a.Leads
			}
		}
	}
	from := now.AddDate(0, 0, -90)
	if got := adsSum(t, s, "metrics.cost_micros", from, yesterday); got != float64(cost)*10_000 {
		t.Errorf("the account has costs of %f, the market of %d cents", got, cost)
	}
	conversions := adsSum(t, s, "metrics.conversions", from, yesterday)
	if share := conversions / float64(leads); share < 0.8 || share > 1 {
		t.Errorf("%f conversions of %d leads", conversions, leads)
	}
	morning := adsSum(t, s, "metrics.clicks", now, now)
	now = now.Add(4 * time.Hour)
	if afternoon := adsSum(t, s, "metrics.clicks", now, now); morning <= 0 || afternoon <= morning {
		t.Errorf("%f clicks in the afternoon, %f in the morning", afternoon, morning)
	}
	now = now.AddDate(0, 0, conversionDays+1)
	final := adsSum(t, s, "metrics.conversions", from, yesterday)
	if final <= conversions {
		t.Errorf("%f conversions four weeks later, %f before: none has come", final, conversions)
	}
	now = now.AddDate(0, 2, 0)
	if got := adsSum(t, s, "metrics.conversions", from, yesterday); got != final {
		t.Errorf("%f conversions two months later, want %f still", got, final)
	}
}
