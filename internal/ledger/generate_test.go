package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// world makes records of all kinds over few IDs and keys, so that they edit, join,
// name and contradict each other.
type world struct {
	r *rand.Rand
	// ids is how many IDs each kind has; one in so many records, sharing, has a key of each
	// sort: where many have, nearly all are one customer.
	ids, sharing int
}

func (w world) of(texts ...string) string { return texts[w.r.IntN(len(texts))] }

func (w world) id() string { return fmt.Sprint(w.r.IntN(w.ids)) }

func (w world) source() string { return w.of("shop", "shop", "crm", "erp") }

// customer returns the ID of a customer or account, now and then none.
func (w world) customer() string {
	switch n := w.r.IntN(10); {
	case n < 2:
		return ""
	case n < 3:
		return fmt.Sprintf("p%d@d%d.example", w.r.IntN(w.ids), w.r.IntN(w.ids))
	}
	return w.id()
}

// at returns a moment, a date or nothing.
func (w world) at() record.Instant {
	switch w.r.IntN(6) {
	case 0:
		return record.Instant{}
	case 1:
		return record.OnDate(record.DateDay(2024, time.Month(w.r.IntN(12)+1), w.r.IntN(28)+1))
	}
	return moment(w.r.IntN(8000))
}

func (w world) amount() record.Amount {
	if w.r.IntN(3) == 0 {
		return record.Amount{}
	}
	return record.Micros(w.r.Int64N(1000) * 10_000)
}

func (w world) touch() record.Touch {
	return record.Touch{
		Source: w.of("", "google", "facebook"), Medium: w.of("", "cpc", "email"), Campaign: w.of("", "fair"),
		Channel: w.of("", "", "partner"),
	}
}

func (w world) keys() record.Keys {
	var k record.Keys
	if w.r.IntN(w.sharing) == 0 {
		k.Domain = fmt.Sprintf("d%d.example", w.r.IntN(w.ids))
	}
	if w.r.IntN(w.sharing) == 0 {
		k.Email = fmt.Sprintf("p%d@%s", w.r.IntN(w.ids), w.of("gmail.com", fmt.Sprintf("d%d.example", w.r.IntN(w.ids))))
	}
	if w.r.IntN(w.sharing) == 0 {
		k.ExternalIDs = []string{w.of("shop:", "crm:", "x:", "") + w.id()}
	}
	return k
}

// record returns a record of any kind but rates, deleted now and then.
func (w world) record() record.Record {
	r := w.live()
	*r.RecordMeta() = record.Meta{ID: w.id(), Deleted: w.r.IntN(8) == 0}
	return r
}

func (w world) live() record.Record {
	customer, country, currency := record.RefTo(w.customer()), w.of("", "DE", "AT"), w.of("EUR", "EUR", "USD")
	switch w.r.IntN(12) {
	case 0, 1:
		return &record.Customer{
			Keys: w.keys(), Company: w.r.IntN(2) == 0, Parent: customer, CreatedAt: w.at(), Country: country, Touch: w.touch(),
		}
	case 2, 3, 4:
		return &record.Order{
			Customer: customer, PlacedAt: w.at(), PaidAt: w.at(), Currency: currency, Gross: w.amount(), Discount: w.amount(),
			State: w.of("", record.StateCounted, record.StateCancelled), Cost: w.amount(), CostedNet: w.amount(),
			Country: country, Touch: w.touch(),
		}
	case 5:
		return &record.Refund{
			Order: w.of("", w.id(), w.id()), Customer: customer, Country: country, At: w.at(), Currency: w.of("", currency),
			Amount: w.amount(), Cost: w.amount(), CostedAmount: w.amount(),
		}
	case 6:
		return &record.Checkout{Customer: customer, StartedAt: w.at(), ChangedAt: w.at(), CompletedAt: w.at()}
	case 7:
		return &record.Quote{
			Customer: customer, SentAt: w.at(), DecidedAt: w.at(), State: w.of(record.QuoteSent, record.QuoteAccepted, record.QuoteDraft),
		}
	case 8:
		s := &record.Subscription{
			Customer: customer, State: w.of(record.SubscriptionActive, record.SubscriptionTrialing),
			StartedAt: w.at(), EndedAt: w.at(), Currency: currency,
		}
		for range w.r.IntN(4) {
			s.History = append(s.History, record.MRRChange{At: w.at(), MRR: w.amount()})
		}
		return s
	case 9:
		return &record.Lead{Keys: w.keys(), CreatedAt: w.at(), Touch: w.touch(), MQLAt: w.at(), Account: customer}
	case 10:
		return &record.Account{Keys: w.keys(), Parent: customer, CreatedAt: w.at(), Target: w.r.IntN(2) == 0}
	}
	return &record.Deal{
		Account: customer, Lead: w.of("", w.id()), CreatedAt: w.at(), ClosedAt: w.at(), State: w.of(record.DealWon, record.DealLost),
		Currency: currency, Amount: w.amount(), Margin: w.amount(), Order: w.of("", w.id(), "shop:"+w.id()),
	}
}

// anySettings draws settings that differ in what the derived state depends on.
func (w world) anySettings() option {
	drawn := ledger.Settings{Zone: time.UTC, Currency: "EUR", CountPaid: w.r.IntN(3) == 0}
	if w.r.IntN(2) == 0 {
		drawn.Zone = time.FixedZone("west", -5*3600)
	}
	drawn.Basis = []ledger.Basis{ledger.BasisOrders, ledger.BasisDeals, ledger.BasisBoth, ledger.BasisBoth}[w.r.IntN(4)]
	if w.r.IntN(2) == 0 {
		drawn.Channels = record.ChannelRules{{Campaign: regexp.MustCompile("fair"), Class: record.Class{Channel: "event"}}}
		drawn.Territories = map[string]string{"DE": "dach", "AT": "dach"}
		drawn.FreeMail = []string{"d1.example"}
	}
	return settings(func(s *ledger.Settings) { *s = drawn })
}
