package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// direct answers requests by a handler, without a network.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// BenchmarkFetch reads contacts with their history into records. The fake's share, which
// the demo pays too, is in it.
func BenchmarkFetch(b *testing.B) {
	const contacts = 1000
	account := fakehubspot.New(time.Now)
	account.Burst, account.Daily = 1_000_000, 100_000_000
	from := time.Now().Add(-30 * 24 * time.Hour)
	for i := range uint64(contacts) {
		at := from.Add(time.Duration(i) * time.Minute)
		account.Put(fakehubspot.Contacts, i+1, at, map[string]string{
			"email": fmt.Sprintf("buyer%d@firm%d.example.com", i, i), "lifecyclestage": "lead", "hs_lead_status": "NEW",
			"hs_analytics_source": "PAID_SEARCH", "hs_analytics_source_data_1": "spring",
			"hs_analytics_first_url": "https://shop.example/?utm_campaign=spring&utm_medium=cpc&utm_source=google",
		})
		account.Put(fakehubspot.Contacts, i+1, at.Add(time.Hour), map[string]string{"lifecyclestage": "marketingqualifiedlead"})
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := New("crm", testOptions("http://crm.test", nil), apiclient.Deps{Transport: direct{account}})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		now := time.Now()
		req := sources.Request{
			Environment: sources.Environment{Zone: time.UTC, Currency: "EUR", Now: now}, Stream: string(record.KindLead),
		}
		err = s.Fetch(b.Context(), req, func(_ context.Context, p sources.Page) error {
			n += len(p.Records)
			return nil
		})
		if err != nil || n != contacts {
			b.Fatalf("%d records and %v, want %d", n, err, contacts)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/contacts, "ns/contact")
}
