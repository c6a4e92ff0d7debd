package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Basis says what counts as an order wherever customers are counted.
type Basis string

// The bases.
const (
	BasisOrders Basis = "orders"
	BasisDeals  Basis = "deals"
	BasisBoth   Basis = "both"
)

// Settings decide how records become customers' histories. When they change, what
// is derived is rebuilt.
type Settings struct {
	Zone      *time.Location
	Currency  string // the reporting currency, ISO 4217
	Basis     Basis
	CountPaid bool // an order counts from its payment instead of its placing
	Channels  record.ChannelRules
	// Territories maps a country, as the vendor gives it, to a sales territory.
	Territories map[string]string
	FreeMail    []string // domains that identify nobody, beyond the embedded list
	// Delivered says which kinds of record each configured source delivers: what the ledger
	// holds of others (a source that was removed) is kept and does not count. Nil: all count.
	Delivered map[string][]record.Kind
}

// counts reports whether records of a kind from a source count.
func (s *Settings) counts(source string, kind record.Kind) bool {
	return s.Delivered == nil || slices.Contains(s.Delivered[source], kind)
}

// derivation is raised whenever the code derives something else from the same
// records, so that ledgers of older versions are rebuilt.
const derivation = 5

// fingerprint identifies everything that derived state depends on besides the records.
func (s *Settings) fingerprint() string {
	rules := make([][6]string, 0, len(s.Channels))
	for _, r := range s.Channels {
		texts := [6]string{3: r.Class.Channel, r.Class.Program, r.Class.Campaign}
		if r.Source != nil {
			texts[0] = r.Source.String()
		}
		if r.Medium != nil {
			texts[1] = r.Medium.String()
		}
		if r.Campaign != nil {
			texts[2] = r.Campaign.String()
		}
		rules = append(rules, texts)
	}
	territories := make([][2]string, 0, len(s.Territories))
	for _, country := range slices.Sorted(maps.Keys(s.Territories)) {
		territories = append(territories, [2]string{country, s.Territories[country]})
	}
	// A slice of plain strings, numbers and slices of them: it cannot fail to marshal.
	text, _ := json.Marshal([]any{
		derivation, s.Zone.String(), s.Currency, s.Basis, s.CountPaid, rules, territories, slices.Sorted(slices.Values(s.FreeMail)),
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
