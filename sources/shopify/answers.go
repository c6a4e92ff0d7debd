package shopify

import (
	"encoding/json"
	"time"
)

// What the queries return. Pointers are what may be null.

type money struct {
	Amount       string `json:"amount"`
	CurrencyCode string `json:"currencyCode"`
}

// moneyBag is an amount in the shop's currency; what the buyer saw is not asked for.
type moneyBag struct {
	ShopMoney money `json:"shopMoney"`
}

type reference struct {
	ID string `json:"id"`
}

type items[T any] struct {
	PageInfo pageInfo `json:"pageInfo"`
	Nodes    []T      `json:"nodes"`
}

// stamp is what every record of a list has; the list of orders has no time of creation.
type stamp struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

type order struct {
	stamp
	ProcessedAt            time.Time  `json:"processedAt"`
	CancelledAt            *time.Time `json:"cancelledAt"`
	Test                   bool       `json:"test"`
	DisplayFinancialStatus string     `json:"displayFinancialStatus"`
	CurrencyCode           string     `json:"currencyCode"`
	TaxesIncluded          bool       `json:"taxesIncluded"`
	Customer               *reference `json:"customer"`
	PurchasingEntity       *struct {
		Company *reference `json:"company"`
	} `json:"purchasingEntity"`
	ShippingAddress *struct {
		CountryCode string `json:"countryCodeV2"`
	} `json:"shippingAddress"`
	CustomerJourneySummary *struct {
		FirstVisit *visit `json:"firstVisit"`
	} `json:"customerJourneySummary"`
	Transactions []struct {
		Kind        string     `json:"kind"`
		Status      string     `json:"status"`
		ProcessedAt *time.Time `json:"processedAt"`
	} `json:"transactions"`
	LineItems items[line] `json:"lineItems"`
	Refunds   []*refund   `json:"refunds"`
}

type visit struct {
	Source        string `json:"source"`
	SourceType    string `json:"sourceType"`
	UTMParameters *struct {
		Source   string `json:"source"`
		Medium   string `json:"medium"`
		Campaign string `json:"campaign"`
	} `json:"utmParameters"`
}

type line struct {
	ID                  string    `json:"id"`
	Quantity            int64     `json:"quantity"`
	CurrentQuantity     int64     `json:"currentQuantity"`
	IsGiftCard          bool      `json:"isGiftCard"`
	SellingPlan         *struct{} `json:"sellingPlan"`
	OriginalTotalSet    moneyBag  `json:"originalTotalSet"`
	DiscountAllocations []struct {
		AllocatedAmountSet moneyBag `json:"allocatedAmountSet"`
	} `json:"discountAllocations"`
	TaxLines []struct {
		Rate     json.Number `json:"rate"`
		PriceSet moneyBag    `json:"priceSet"`
	} `json:"taxLines"`
	Variant *struct {
		InventoryItem *struct {
			UnitCost *money `json:"unitCost"`
		} `json:"inventoryItem"`
	} `json:"variant"`
}

type refund struct {
	ID               string            `json:"id"`
	ProcessedAt      time.Time         `json:"processedAt"`
	RefundLineItems  items[refundLine] `json:"refundLineItems"`
	OrderAdjustments items[adjustment] `json:"orderAdjustments"`
}

type refundLine struct {
	Quantity    int64     `json:"quantity"`
	RestockType string    `json:"restockType"`
	SubtotalSet moneyBag  `json:"subtotalSet"`
	TotalTaxSet moneyBag  `json:"totalTaxSet"`
	LineItem    reference `json:"lineItem"`
}

type adjustment struct {
	AmountSet moneyBag `json:"amountSet"`
}

type customer struct {
	stamp
	DefaultEmailAddress *struct {
		EmailAddress string `json:"emailAddress"`
	} `json:"defaultEmailAddress"`
	DefaultAddress *struct {
		CountryCode string `json:"countryCodeV2"`
	} `json:"defaultAddress"`
	CompanyContactProfiles []struct {
		Company reference `json:"company"`
	} `json:"companyContactProfiles"`
}

type company struct {
	stamp
	ExternalID    string     `json:"externalId"`
	CustomerSince *time.Time `json:"customerSince"`
	Locations     struct {
		Nodes []struct {
			BillingAddress  *address `json:"billingAddress"`
			ShippingAddress *address `json:"shippingAddress"`
		} `json:"nodes"`
	} `json:"locations"`
}

type address struct {
	CountryCode string `json:"countryCode"`
}

type checkout struct {
	stamp
	CompletedAt *time.Time `json:"completedAt"`
	Customer    *reference `json:"customer"`
}
