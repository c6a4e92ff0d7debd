package shopify

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hiddenAfter is how long an order can be seen without the scope read_all_orders.
const hiddenAfter = 60 * 24 * time.Hour

// root is what queries start from.
func (s *Server) root() object {
	var scopes []object
	for _, scope := range s.Scopes {
		scopes = append(scopes, object{{"__typename", "AccessScope"}, {"handle", scope}})
	}
	return object{
		{"__typename", "QueryRoot"},
		{"shop", object{
			{"__typename", "Shop"},
			{"myshopifyDomain", "example.myshopify.com"},
			{"currencyCode", s.Currency},
			{"ianaTimezone", s.Zone},
			{"plan", object{{"__typename", "ShopPlan"}, {"publicDisplayName", "Plus"}}},
		}},
		{"currentAppInstallation", object{{"__typename", "AppInstallation"}, {"accessScopes", scopes}}},
		{"orders", s.guarded("read_orders", s.list("orders"))},
		{"customers", s.guarded("read_customers", s.list("customers"))},
		{"companies", s.guarded("read_customers", s.list("companies"))},
		{"abandonedCheckouts", s.guarded("read_orders", s.list("abandonedCheckouts"))},
		{"order", resolver(func(_ *execution, args map[string]any) (any, error) {
			return s.node(args["id"])
		})},
		{"refund", resolver(func(_ *execution, args map[string]any) (any, error) {
			return s.node(args["id"])
		})},
		{"nodes", resolver(func(_ *execution, args map[string]any) (any, error) {
			ids, ok := args["ids"].([]any)
			if !ok {
				return nil, errors.New("ids is not a list")
			}
			var nodes []any
			for _, id := range ids {
				n, err := s.node(id)
				if err != nil {
					return nil, err
				}
				nodes = append(nodes, n)
			}
			return nodes, nil
		})},
		{"bulkOperations", resolver(func(x *execution, args map[string]any) (any, error) {
			var entries []entry
			for _, b := range s.bulks {
				entries = append(entries, entry{id: b.id, created: b.created})
			}
			entries = sorted(entries, sortKey(args))
			if args["reverse"] == true {
				if args["after"] != nil {
					return nil, errors.New("this fake does not page backwards")
				}
				slices.Reverse(entries)
			}
			return paged(entries, args, everything, func(id int64) object { return s.bulkObject(s.bulks[id], x.host) })
		})},
		{"bulkOperation", resolver(func(x *execution, args map[string]any) (any, error) {
			return s.bulkNode(x.host, args["id"])
		})},
	}
}

func (s *Server) list(name string) resolver { return s.listings[name].resolve }

// newListings returns the lists of the root by their fields' names.
func (s *Server) newListings() map[string]*listing {
	orders := newListing(s.orders, func(o Order) entry { return entry{id: o.ID, created: o.Created, updated: o.Updated} },
		func(o Order) object { return o.order(s) })
	orders.shown = func(e entry) bool { return s.visible(e.created) }
	customers := newListing(s.customers, func(c Customer) entry { return entry{id: c.ID, created: c.Created, updated: c.Updated} }, Customer.customer)
	customers.wholeDays = true
	return map[string]*listing{
		"orders": orders, "customers": customers,
		"companies": newListing(s.companies, func(c Company) entry { return entry{id: c.ID, created: c.Created, updated: c.Updated} }, Company.company),
		"abandonedCheckouts": newListing(s.checkouts, func(c Checkout) entry { return entry{id: c.ID, created: c.Created, updated: c.Updated} },
			Checkout.checkout),
	}
}

func newListing[T any](records map[int64]T, of func(T) entry, node func(T) object) *listing {
	return &listing{
		entries: func() []entry {
			list := make([]entry, 0, len(records))
			for _, r := range records {
				list = append(list, of(r))
			}
			return list
		},
		object: func(id int64) object { return node(records[id]) }, shown: everything, sorted: map[string][]entry{},
	}
}

// visible reports whether an order created at a time can be seen.
func (s *Server) visible(created time.Time) bool {
	return s.has("read_all_orders") || s.Now().Sub(created) < hiddenAfter
}

// node returns an order or a refund by its ID, or nil.
func (s *Server) node(id any) (any, error) {
	rest, ok := strings.CutPrefix(fmt.Sprint(id), "gid://shopify/")
	typ, digits, ok2 := strings.Cut(rest, "/")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !ok2 || err != nil {
		return nil, fmt.Errorf("%v is no ID", id)
	}
	switch typ {
	case "Order":
		if o, ok := s.orders[n]; ok && s.visible(o.Created) {
			return o.order(s), nil
		}
	case "Refund":
		for _, o := range s.orders {
			for _, r := range o.Refunds {
				if r.ID == n && s.visible(o.Created) {
					return r.refund(s), nil
				}
			}
		}
	}
	return nil, nil
}
