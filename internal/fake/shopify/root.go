package shopify

import (
	"errors"
	"fmt"
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
		scopes = append(scopes, object{"__typename": "AccessScope", "handle": scope})
	}
	return object{
		"__typename": "QueryRoot",
		"shop": object{
			"__typename": "Shop", "myshopifyDomain": "example.myshopify.com", "currencyCode": s.Currency, "ianaTimezone": s.Zone,
			"plan": object{"__typename": "ShopPlan", "publicDisplayName": "Plus"},
		},
		"currentAppInstallation": object{"__typename": "AppInstallation", "accessScopes": list(scopes)},
		"orders":                 s.guarded("read_orders", s.list(s.orderEntries, false)),
		"customers":              s.guarded("read_customers", s.list(s.customerEntries, true)),
		"companies":              s.guarded("read_customers", s.list(s.companyEntries, false)),
		"abandonedCheckouts":     s.guarded("read_orders", s.list(s.checkoutEntries, false)),
		"order": resolver(func(_ *execution, args map[string]any) (any, error) {
			return s.node(args["id"])
		}),
		"refund": resolver(func(_ *execution, args map[string]any) (any, error) {
			return s.node(args["id"])
		}),
		"nodes": resolver(func(_ *execution, args map[string]any) (any, error) {
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
		}),
		"bulkOperations": resolver(func(x *execution, args map[string]any) (any, error) {
			var entries []entry
			for _, b := range s.bulks {
				entries = append(entries, entry{b.id, b.created, b.created, func() object { return s.bulkObject(b, x.host) }})
			}
			return paged(entries, args, false)
		}),
		"bulkOperation": resolver(func(x *execution, args map[string]any) (any, error) {
			return s.bulkNode(x.host, args["id"])
		}),
	}
}

func (s *Server) list(entries func() []entry, wholeDays bool) resolver {
	return func(_ *execution, args map[string]any) (any, error) { return paged(entries(), args, wholeDays) }
}

func (s *Server) visible(o Order) bool {
	return s.has("read_all_orders") || s.Now().Sub(o.Created) < hiddenAfter
}

func (s *Server) orderEntries() []entry {
	var list []entry
	for _, o := range s.orders {
		if s.visible(o) {
			list = append(list, entry{o.ID, o.Created, o.Updated, func() object { return o.order(s) }})
		}
	}
	return list
}

func (s *Server) customerEntries() []entry {
	var list []entry
	for _, c := range s.customers {
		list = append(list, entry{c.ID, c.Created, c.Updated, c.customer})
	}
	return list
}

func (s *Server) companyEntries() []entry {
	var list []entry
	for _, c := range s.companies {
		list = append(list, entry{c.ID, c.Created, c.Updated, c.company})
	}
	return list
}

func (s *Server) checkoutEntries() []entry {
	var list []entry
	for _, c := range s.checkouts {
		list = append(list, entry{c.ID, c.Created, c.Updated, c.checkout})
	}
	return list
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
		if o, ok := s.orders[n]; ok && s.visible(o) {
			return o.order(s), nil
		}
	case "Refund":
		for _, o := range s.orders {
			for _, r := range o.Refunds {
				if r.ID == n && s.visible(o) {
					return r.refund(s), nil
				}
			}
		}
	}
	return nil, nil
}
