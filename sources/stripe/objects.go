package stripe

import (
	"bytes"
	"encoding/json"
)

// reference is an object that the vendor gives as its ID, or as a whole where it was asked to.
type reference[T any] struct {
	ID     string
	Object *T
}

// UnmarshalJSON reads "id", an object or null.
func (r *reference[T]) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("{")) {
		return json.Unmarshal(text, &r.ID)
	}
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	r.ID, r.Object = head.ID, new(T)
	return json.Unmarshal(text, r.Object)
}

// list is a part of a list of objects.
type list[T any] struct {
	Object  string `json:"object"`
	Data    []T    `json:"data"`
	HasMore bool   `json:"has_more"`
}

// Times are seconds since 1970-01-01 UTC; 0 where the vendor gives null. Amounts are in the
// currency's smallest unit.

type customer struct {
	ID       string            `json:"id"`
	Deleted  bool              `json:"deleted"`
	Created  int64             `json:"created"`
	Email    string            `json:"email"`
	Metadata map[string]string `json:"metadata"`
	Address  *struct {
		Country string `json:"country"`
	} `json:"address"`
	Discount *discount `json:"discount"`
}

type subscription struct {
	ID                string                `json:"id"`
	Status            string                `json:"status"`
	Currency          string                `json:"currency"`
	Customer          reference[customer]   `json:"customer"`
	StartDate         int64                 `json:"start_date"`
	TrialStart        int64                 `json:"trial_start"`
	TrialEnd          int64                 `json:"trial_end"`
	CancelAt          int64                 `json:"cancel_at"`
	CancelAtPeriodEnd bool                  `json:"cancel_at_period_end"`
	CanceledAt        int64                 `json:"canceled_at"`
	EndedAt           int64                 `json:"ended_at"`
	PauseCollection   *pause                `json:"pause_collection"`
	Discounts         []reference[discount] `json:"discounts"`
	// Discount is in events of accounts whose version of the API is older than 2025-03.
	Discount        *discount  `json:"discount"`
	Items           list[item] `json:"items"`
	DefaultTaxRates []taxRate  `json:"default_tax_rates"`
}

type pause struct {
	Behavior  string `json:"behavior"`
	ResumesAt int64  `json:"resumes_at"`
}

type item struct {
	ID               string                `json:"id"`
	Quantity         *int64                `json:"quantity"`
	Price            price                 `json:"price"`
	Discounts        []reference[discount] `json:"discounts"`
	TaxRates         []taxRate             `json:"tax_rates"`
	CurrentPeriodEnd int64                 `json:"current_period_end"`
	// CurrentPeriodStart is the beginning of the period that runs.
	CurrentPeriodStart int64 `json:"current_period_start"`
}

type taxRate struct {
	Inclusive  bool        `json:"inclusive"`
	Percentage json.Number `json:"percentage"`
}

type price struct {
	ID       string              `json:"id"`
	Currency string              `json:"currency"`
	Product  reference[struct{}] `json:"product"`
	priceAmounts
	BillingScheme string     `json:"billing_scheme"`
	TiersMode     string     `json:"tiers_mode"`
	Transform     *transform `json:"transform_quantity"`
	Recurring     *recurring `json:"recurring"`
	// CurrencyOptions are the amounts in other currencies, where asked for.
	CurrencyOptions map[string]priceAmounts `json:"currency_options"`
}

type priceAmounts struct {
	UnitAmount        *json.Number `json:"unit_amount"`
	UnitAmountDecimal *json.Number `json:"unit_amount_decimal"`
	Tiers             []tier       `json:"tiers"`
}

type tier struct {
	UpTo              *int64       `json:"up_to"` // null for the last one
	UnitAmount        *json.Number `json:"unit_amount"`
	UnitAmountDecimal *json.Number `json:"unit_amount_decimal"`
	FlatAmount        *json.Number `json:"flat_amount"`
	FlatAmountDecimal *json.Number `json:"flat_amount_decimal"`
}

type transform struct {
	DivideBy int64  `json:"divide_by"`
	Round    string `json:"round"`
}

type recurring struct {
	Interval      string `json:"interval"`
	IntervalCount int64  `json:"interval_count"`
	UsageType     string `json:"usage_type"`
}

type discount struct {
	ID           string              `json:"id"`
	Start        int64               `json:"start"`
	End          int64               `json:"end"`
	Customer     reference[struct{}] `json:"customer"`
	Subscription string              `json:"subscription"`
	Source       struct {
		Coupon reference[coupon] `json:"coupon"`
	} `json:"source"`
	// Coupon is in events of accounts whose version of the API is older than 2025-09.
	Coupon *coupon `json:"coupon"`
}

type coupon struct {
	ID               string       `json:"id"`
	Duration         string       `json:"duration"`
	DurationInMonths int          `json:"duration_in_months"`
	PercentOff       *json.Number `json:"percent_off"`
	AmountOff        *json.Number `json:"amount_off"`
	Currency         string       `json:"currency"`
	CurrencyOptions  map[string]struct {
		AmountOff json.Number `json:"amount_off"`
	} `json:"currency_options"`
	AppliesTo *struct {
		Products []string `json:"products"`
	} `json:"applies_to"`
}

type schedule struct {
	ID                   string              `json:"id"`
	Status               string              `json:"status"`
	Subscription         reference[struct{}] `json:"subscription"`
	ReleasedSubscription string              `json:"released_subscription"`
	Created              int64               `json:"created"`
	CanceledAt           int64               `json:"canceled_at"`
	CompletedAt          int64               `json:"completed_at"`
	ReleasedAt           int64               `json:"released_at"`
	EndBehavior          string              `json:"end_behavior"`
	CurrentPhase         *struct {
		StartDate int64 `json:"start_date"`
		EndDate   int64 `json:"end_date"`
	} `json:"current_phase"`
	Phases []phase `json:"phases"`
}

type phase struct {
	StartDate int64 `json:"start_date"`
	EndDate   int64 `json:"end_date"`
	// Trial says that all of the phase is a trial, TrialEnd that a part of it is.
	Trial           bool            `json:"trial"`
	TrialEnd        int64           `json:"trial_end"`
	Discounts       []phaseDiscount `json:"discounts"`
	DefaultTaxRates []taxRate       `json:"default_tax_rates"`
	Items           []phaseItem     `json:"items"`
}

type phaseItem struct {
	Price     reference[struct{}] `json:"price"`
	Quantity  *int64              `json:"quantity"`
	Discounts []phaseDiscount     `json:"discounts"`
	TaxRates  []taxRate           `json:"tax_rates"`
}

// phaseDiscount is a discount that exists, or a coupon from which one will be made.
type phaseDiscount struct {
	Coupon    reference[coupon]   `json:"coupon"`
	Discount  reference[discount] `json:"discount"`
	Promotion reference[struct{}] `json:"promotion_code"`
}

type event struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Created int64  `json:"created"`
	Data    struct {
		Object   json.RawMessage            `json:"object"`
		Previous map[string]json.RawMessage `json:"previous_attributes"`
	} `json:"data"`
}
