package findings_test

import (
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/findings"
)

func TestFindings(t *testing.T) {
	env := sources.Environment{Zone: time.UTC, Currency: "EUR"}
	for _, test := range []struct {
		got     sources.Finding
		subject string
		want    string
	}{
		{findings.Zone("the shop", "UTC", "so what", env), "time zone", "UTC"},
		{findings.Zone("the shop", "Asia/Tokyo", "so what", env), "time zone", "the shop's days are in Asia/Tokyo, the reports' in UTC: so what"},
		{findings.Zone("the shop", "Asia/Tokyo", "so what", sources.Environment{}), "time zone", "Asia/Tokyo"},
		{findings.Currency("the costs", "EUR", env), "currency", "EUR"},
		{findings.Currency("the costs", "USD", env), "currency", "the costs are in USD and are converted into EUR: a source of exchange rates is needed"},
	} {
		if test.got.Subject != test.subject || test.got.Detail != test.want || test.got.Err != nil {
			t.Errorf("got %+v, want %s: %s", test.got, test.subject, test.want)
		}
	}
}

func TestRejected(t *testing.T) {
	if err := findings.Rejected(nil); err != nil {
		t.Error(err)
	}
	err := findings.Rejected([]sources.Rejection{{Where: "order 3", Reason: "bad amount", Detail: "total: none"}, {Where: "order 4"}})
	if want := "2 records would be rejected; the first: order 3: bad amount: total: none"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
