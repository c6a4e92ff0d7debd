package oracle

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// fixture is a company for tests: a shop, a CRM and rates, in EUR and UTC.
type fixture struct {
	t        *testing.T
	sealer   *record.Sealer
	settings Settings
	records  []Record
}

func newFixture(t *testing.T) *fixture {
	sealer := record.NewSealer([]byte("key"))
	return &fixture{t: t, sealer: sealer, settings: Settings{
		Zone: time.UTC, Currency: "EUR", Windows: allWindows(), Basis: BasisOrders, InactiveDays: 180,
		LifetimeMinimum: 30, LabelMax: 50, FreeMail: map[record.Hash]bool{sealer.DomainHash("gmail.com"): true},
		Sources: []Source{
			{Name: "shop", Kinds: []record.Kind{record.KindOrder, record.KindRefund, record.KindCustomer, record.KindSubscription}, Read: true},
			{Name: "crm", Kinds: []record.Kind{record.KindCustomer, record.KindAccount, record.KindLead, record.KindDeal}, Read: true},
			{Name: "ecb", Kinds: []record.Kind{record.KindRate}, Read: true},
		},
	}}
}

// add puts a record of source under id.
func (f *fixture) add(source, id string, r record.Record) {
	r.RecordMeta().ID = id
	f.records = append(f.records, Step{source, r}.Seal(f.sealer))
}

func (f *fixture) moment(text string) time.Time {
	f.t.Helper()
	at, err := time.ParseInLocation(time.DateTime, text, f.settings.Zone)
	if err != nil {
		f.t.Fatal(err)
	}
	return at
}

func (f *fixture) at(text string) record.Instant { return record.At(f.moment(text)) }

// order puts an order of the shop, in EUR where it names no currency.
func (f *fixture) order(id, customer, placed string, o record.Order) {
	f.t.Helper()
	o.Customer, o.PlacedAt = record.RefTo(customer), f.at(placed)
	if o.Currency == "" {
		o.Currency = "EUR"
	}
	f.add("shop", id, &o)
}

func (f *fixture) compute(asOf string) Result { return Compute(f.records, f.settings, f.moment(asOf)) }

// check compares samples; none stands for no sample.
func (f *fixture) check(r Result, want map[string]string) {
	f.t.Helper()
	for key, w := range want {
		got := none
		if number, ok := r.Series[key]; ok {
			got = number.RatString()
		}
		if w != none {
			number, ok := new(big.Rat).SetString(w)
			if !ok {
				f.t.Fatalf("%s: %q is no number", key, w)
			}
			w = number.RatString()
		}
		if got != w {
			f.t.Errorf("%s = %s, want %s", key, got, w)
		}
	}
}

const none = "none"

func units(n float64) record.Amount { return record.Micros(int64(n * record.MicrosPerUnit)) }

func numbered(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, n) }
