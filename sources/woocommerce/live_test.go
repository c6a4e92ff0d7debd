package woocommerce

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// TestRealShop reads a real shop, which WOO_URL, WOO_KEY and WOO_SECRET name: it only reads, and says how
// much it has found.
func TestRealShop(t *testing.T) {
	address, key, secret := os.Getenv("WOO_URL"), os.Getenv("WOO_KEY"), os.Getenv("WOO_SECRET")
	if address == "" || key == "" || secret == "" {
		t.Skip("WOO_URL, WOO_KEY and WOO_SECRET name no shop")
	}
	o := *DefaultOptions()
	o.URL, o.Key, o.Secret = address, config.LiteralSecret(key), config.LiteralSecret(secret)
	s, err := New("shop", o, apiclient.Deps{UserAgent: "b2b_exporter"})
	if err != nil {
		t.Fatal(err)
	}
	env := sources.Environment{Zone: time.UTC, Currency: "EUR", Now: time.Now()}
	for _, f := range s.Check(t.Context(), env) {
		t.Logf("check: %s: %s", f.Subject, f.Detail)
		if f.Err != nil {
			t.Errorf("check: %s: %v", f.Subject, f.Err)
		}
	}
	for _, st := range s.Streams() {
		held, cursor := map[string]bool{}, ""
		for range 2 { // the second finds nothing that the first has not
			records := 0
			err := s.Fetch(t.Context(), sources.Request{Environment: env, Stream: st.Name, Cursor: cursor}, func(_ context.Context, p sources.Page) error {
				for _, r := range p.Records {
					held[string(r.RecordKind())+r.RecordMeta().ID] = true
				}
				for _, j := range p.Rejected {
					t.Errorf("rejected: %s: %s: %s", j.Where, j.Reason, j.Detail)
				}
				records += len(p.Records)
				cursor = p.Cursor
				return nil
			})
			if err != nil {
				t.Fatalf("stream %s: %v", st.Name, err)
			}
			t.Logf("stream %s: %d records, %d by now", st.Name, records, len(held))
		}
	}
}
