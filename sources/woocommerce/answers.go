package woocommerce

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The fields that are asked for: no names, no addresses of streets.
const (
	orderFields = "id,status,currency,date_created_gmt,date_modified_gmt,date_paid_gmt,created_via,customer_id,total," +
		"billing.email,billing.country,shipping.country,meta_data,line_items,refunds"
	refundFields   = "id,date_created_gmt,amount,line_items,shipping_lines,fee_lines"
	customerFields = "id,date_created_gmt,role,email,billing.email,billing.company,billing.country,meta_data"
)

// order is an order. Its amounts are without tax but the total.
type order struct {
	ID         int64  `json:"id"`
	Status     string `json:"status"`
	Currency   string `json:"currency"`
	Created    string `json:"date_created_gmt"`
	Paid       string `json:"date_paid_gmt"`
	CreatedVia string `json:"created_via"`
	Customer   int64  `json:"customer_id"`
	Total      string `json:"total"`
	Billing    struct {
		Email   string `json:"email"`
		Country string `json:"country"`
	} `json:"billing"`
	Shipping struct {
		Country string `json:"country"`
	} `json:"shipping"`
	Meta    metaData `json:"meta_data"`
	Lines   []line   `json:"line_items"`
	Refunds []struct {
		ID int64 `json:"id"`
	} `json:"refunds"`
}

// line is a product line of an order or, with negative amounts, of a refund.
type line struct {
	ID       int64       `json:"id"`
	Quantity json.Number `json:"quantity"`
	Subtotal string      `json:"subtotal"`
	Total    string      `json:"total"`
	TotalTax string      `json:"total_tax"`
	Cost     *struct {
		Total json.Number `json:"total_value"`
		Value json.Number `json:"value"` // in the first versions
	} `json:"cost_of_goods_sold"`
	Meta metaData `json:"meta_data"`
}

// refund is a refund: its amount is positive and with tax, its lines are negative.
type refund struct {
	ID       int64  `json:"id"`
	Created  string `json:"date_created_gmt"`
	Amount   string `json:"amount"`
	Lines    []line `json:"line_items"`
	Shipping []line `json:"shipping_lines"`
	Fees     []line `json:"fee_lines"`
}

type customer struct {
	ID      int64  `json:"id"`
	Created string `json:"date_created_gmt"`
	Role    string `json:"role"`
	Email   string `json:"email"`
	Billing struct {
		Email   string `json:"email"`
		Company string `json:"company"`
		Country string `json:"country"`
	} `json:"billing"`
	Meta metaData `json:"meta_data"`
}

// metaData are the fields of the shop's and of plugins, whose values may be any JSON.
type metaData []struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// text returns the value of a field that is a text or a number; empty for others.
func (m metaData) text(key string) string {
	if key == "" {
		return ""
	}
	for _, field := range m {
		if field.Key != key {
			continue
		}
		var text string
		if json.Unmarshal(field.Value, &text) == nil {
			return strings.TrimSpace(text)
		}
		var number json.Number
		if json.Unmarshal(field.Value, &number) == nil {
			return number.String()
		}
	}
	return ""
}

// has says whether there is such a field.
func (m metaData) has(key string) bool {
	for _, field := range m {
		if field.Key == key {
			return true
		}
	}
	return false
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
