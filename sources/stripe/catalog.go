package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// catalog holds the prices and coupons that were needed. What is used of them never changes.
type catalog struct {
	client *apiclient.Client

	mu      sync.Mutex
	prices  map[string]*price  // by priceKey; nil for one that does not exist
	coupons map[string]*coupon // by ID; nil for one that was deleted
}

func newCatalog(client *apiclient.Client) *catalog {
	return &catalog{client: client, prices: map[string]*price{}, coupons: map[string]*coupon{}}
}

// unread says that a price or a coupon has to be read first.
type unread struct {
	coupon       string
	price, money string // money is the currency in which the price is wanted
}

func (u *unread) Error() string {
	return fmt.Sprintf("price %s or coupon %s was not read", u.price, u.coupon)
}

func priceKey(id, currency string) string { return id + " " + currency }

// price returns a price with its tiers and its amounts in a currency; an *unread where it
// must be loaded.
func (c *catalog) price(id, currency string) (*price, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, known := c.prices[priceKey(id, currency)]
	switch {
	case !known:
		return nil, &unread{price: id, money: currency}
	case p == nil:
		return nil, &valueError{"unknown price", "items", "price " + id + " does not exist any more"}
	}
	return p, nil
}

// coupon returns a coupon; embedded, which may be nil, is what the vendor has given of it in
// case it was deleted since.
func (c *catalog) coupon(id string, embedded *coupon) (*coupon, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, known := c.coupons[id]
	switch {
	case !known:
		return nil, &unread{coupon: id}
	case found != nil:
		return found, nil
	case embedded != nil:
		return embedded, nil
	}
	return nil, &valueError{"unknown coupon", "discounts", "a coupon does not exist any more"}
}

// resolve calls compute until it needs nothing more that must be read.
func (c *catalog) resolve(ctx context.Context, compute func() error) error {
	for {
		err := compute()
		u, ok := errors.AsType[*unread](err)
		if !ok {
			return err
		}
		if err := c.load(ctx, u); err != nil {
			return err
		}
	}
}

func (c *catalog) load(ctx context.Context, u *unread) error {
	if u.coupon != "" {
		query := expanding(url.Values{}, "", []string{"applies_to", "currency_options"})
		found, err := loaded(ctx, c.client, "/v1/coupons/"+url.PathEscape(u.coupon), query, &coupon{})
		if err != nil {
			return fmt.Errorf("read the coupon of a discount: %w", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.coupons[u.coupon] = found
		return nil
	}
	fields := []string{"tiers", "currency_options"}
	found, err := loaded(ctx, c.client, "/v1/prices/"+url.PathEscape(u.price), expanding(url.Values{}, "", fields), &price{})
	if err == nil && found != nil && found.BillingScheme == "tiered" && !strings.EqualFold(found.Currency, u.money) {
		fields = append(fields, "currency_options."+strings.ToLower(u.money)+".tiers")
		found, err = loaded(ctx, c.client, "/v1/prices/"+url.PathEscape(u.price), expanding(url.Values{}, "", fields), &price{})
	}
	if err != nil {
		return fmt.Errorf("read a price: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prices[priceKey(u.price, u.money)] = found
	return nil
}

// loaded reads an object into into, and returns nil for one that does not exist.
func loaded[T any](ctx context.Context, client *apiclient.Client, path string, query url.Values, into *T) (*T, error) {
	_, err := client.JSON(ctx, apiclient.Request{Path: path, Query: query}, into)
	if isMissing(err) {
		return nil, nil
	}
	return into, err
}

func asAPIError(err error) (*apiclient.APIError, bool) {
	return errors.AsType[*apiclient.APIError](err)
}

// valueError says what is wrong with an object. Its reason is one of a small set.
type valueError struct{ reason, field, detail string }

func (e *valueError) Error() string { return e.field + ": " + e.detail }
