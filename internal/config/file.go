package config

import (
	"maps"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Basis says what makes a customer.
type Basis string

// The bases of customers.
const (
	BasisOrders Basis = "orders"
	BasisDeals  Basis = "deals" // won deals
	BasisBoth   Basis = "both"
)

// ChurnDenominator says what lost customers are divided by.
type ChurnDenominator string

// The denominators of churn: the customers active at the window's start, or
// those of them that are still active at its end.
const (
	ChurnStart     ChurnDenominator = "start"
	ChurnRemaining ChurnDenominator = "remaining"
)

// OrderCount says from when an order counts.
type OrderCount string

// The moments from which orders count.
const (
	CountPlaced OrderCount = "placed"
	CountPaid   OrderCount = "paid"
)

// Attribution says which touch gives a customer its channel.
type Attribution string

// The attributions.
const (
	FirstTouch Attribution = "first_touch"
	LastTouch  Attribution = "last_touch"
)

// Ledger says where the ledger is.
type Ledger struct {
	Path string `yaml:"path"` // absolute
	// Key is the key of the hashes of personal data; not set where the ledger keeps its own.
	Key             SecretRef `yaml:"key_file"`
	PostgresDSNFile string    `yaml:"postgres_dsn_file"` // always empty
}

// Customers says who is a customer.
type Customers struct {
	Basis            Basis            `yaml:"basis" enum:"orders,deals,both"`
	InactiveAfter    window.Span      `yaml:"inactive_after"`
	ChurnDenominator ChurnDenominator `yaml:"churn_denominator" enum:"start,remaining"`
	FreeMail         []string         `yaml:"free_mail"` // registrable domains
	LifetimeMinimum  int              `yaml:"lifetime_minimum"`
}

// Orders says which orders count.
type Orders struct {
	Count OrderCount `yaml:"count" enum:"placed,paid"`
}

// Labels bounds the values of labels.
type Labels struct {
	Max int `yaml:"max"`
}

// CAC says what new customers are held against.
type CAC struct {
	// Lag is how many days before the window the costs of its new customers lie.
	Lag window.Span `yaml:"lag"`
}

// Funnel says where visits turn into customers.
type Funnel struct {
	Site string `yaml:"site"` // the only site there is where empty
}

// file is the configuration as it is written.
type file struct {
	Timezone    *time.Location    `yaml:"timezone" required:"the IANA time zone of all days and windows, such as Europe/Berlin"`
	Currency    string            `yaml:"currency" required:"the reporting currency, such as EUR"`
	History     window.Span       `yaml:"history"`
	Staleness   time.Duration     `yaml:"staleness"`
	Ledger      Ledger            `yaml:"ledger"`
	Customers   Customers         `yaml:"customers"`
	Orders      Orders            `yaml:"orders"`
	Attribution Attribution       `yaml:"attribution" enum:"first_touch,last_touch"`
	Windows     []window.Name     `yaml:"windows"`
	Sources     []sourceBlock     `yaml:"sources"`
	Channels    []channelBlock    `yaml:"channels"`
	Territories map[string]string `yaml:"territories"`
	Costs       []costBlock       `yaml:"costs"`
	Rates       []rateBlock       `yaml:"rates"`
	Thresholds  []thresholdBlock  `yaml:"thresholds"`
	Labels      Labels            `yaml:"labels"`
	Marketing   []string          `yaml:"marketing_channels"`
	CAC         CAC               `yaml:"cac"`
	Funnel      Funnel            `yaml:"funnel"`
	Recurring   recurringBlock    `yaml:"recurring"`
}

type recurringBlock struct {
	Tiers []number `yaml:"tiers"`
}

type sourceBlock struct {
	Name     string        `yaml:"name" required:"a unique name, the label source of its metrics"`
	Type     string        `yaml:"type" required:"the type of the source"`
	Interval time.Duration `yaml:"interval"`

	options Options // nil where the type is unknown
	line    int
}

type channelBlock struct {
	Source   string `yaml:"source"`
	Medium   string `yaml:"medium"`
	Campaign string `yaml:"campaign"`
	Channel  string `yaml:"channel"`
	Program  string `yaml:"program"`
	Name     string `yaml:"campaign_name"`
}

type costBlock struct {
	Name     string      `yaml:"name" required:"a name"`
	Category string      `yaml:"category" required:"marketing or sales" enum:"marketing,sales"`
	Amount   number      `yaml:"amount" required:"the amount"`
	Currency string      `yaml:"currency"`
	Period   string      `yaml:"period" required:"month or once" enum:"month,once"`
	From     *record.Day `yaml:"from" required:"the first day, such as 2026-01-01"`
	To       *record.Day `yaml:"to"`
	Channel  string      `yaml:"channel"`
	Program  string      `yaml:"program"`
	Campaign string      `yaml:"campaign"`
}

type rateBlock struct {
	Currency     string      `yaml:"currency" required:"the currency that is valued, such as USD"`
	PerReference number      `yaml:"per_reference" required:"how many units of the currency one unit of the reference is worth"`
	Reference    string      `yaml:"reference"`
	From         *record.Day `yaml:"from"`
}

type thresholdBlock struct {
	KPI      string      `yaml:"kpi" required:"a KPI such as b2b_customer_churn_ratio"`
	Window   window.Name `yaml:"window"`
	Warning  number      `yaml:"warning"`
	Critical number      `yaml:"critical"`
}

func defaultFile() *file {
	return &file{
		History:   window.Span{Days: 1100},
		Staleness: 26 * time.Hour,
		Ledger:    Ledger{Path: "data/b2b.db"},
		Customers: Customers{
			Basis:            BasisOrders,
			InactiveAfter:    window.Span{Days: 180},
			ChurnDenominator: ChurnStart,
			LifetimeMinimum:  30,
		},
		Orders:      Orders{Count: CountPlaced},
		Attribution: FirstTouch,
		Windows:     window.Names(),
		Labels:      Labels{Max: 50},
		Marketing:   marketingChannels(),
		Recurring:   recurringBlock{Tiers: []number{"100", "1000"}},
	}
}

// types lists the types of sources.
func (s Schema) types() []string { return slices.Sorted(maps.Keys(s.Sources)) }
