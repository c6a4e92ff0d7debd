// Package woocommerce is a fake of the REST API (version 3) of a WooCommerce shop: lists of
// orders, refunds and customers with the shop's own credentials, filters, pages and traps.
package woocommerce

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options describe a shop.
type Options struct {
	// Now is the shop's clock.
	Now func() time.Time
	// Key and Secret are those of an API key that may read.
	Key, Secret string
	// HTTPS says that the shop knows its requests to come by HTTPS: only then it takes the key and
	// the secret as they are.
	HTTPS bool
	// URL is the address that the shop takes for its own, and that requests are signed for; the
	// request's where empty.
	URL string
	// Posts says that orders are stored as posts: those that were changed at the same time
	// are then listed now in one order and now in another.
	Posts bool
	// Old says that the shop does not know modified_after, and ignores it (before version 5.8).
	Old bool
	// NoSettings says that the key's owner may not read settings.
	NoSettings bool
	// Currency is the shop's; EUR where empty.
	Currency string
	// Zone is the shop's time zone; UTC where nil.
	Zone *time.Location
}

// Server is the API of one shop. It is safe for concurrent use.
type Server struct {
	Options

	mu        sync.Mutex
	orders    map[int64]Order
	customers map[int64]Customer
	nonces    map[string]bool
	lists     int
}

// New returns the API of a shop without any records.
func New(o Options) *Server {
	o.Currency = cmp.Or(o.Currency, "EUR")
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return &Server{
		Options: o, orders: map[int64]Order{}, customers: map[int64]Customer{}, nonces: map[string]bool{},
	}
}

func (s *Server) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// PutOrder adds or replaces an order.
func (s *Server) PutOrder(o Order) { s.locked(func() { s.orders[o.ID] = o }) }

// PutCustomer adds or replaces a customer.
func (s *Server) PutCustomer(c Customer) { s.locked(func() { s.customers[c.ID] = c }) }

// DeleteOrder removes an order for good, without a trace.
func (s *Server) DeleteOrder(id int64) { s.locked(func() { delete(s.orders, id) }) }

// DeleteCustomer removes a customer.
func (s *Server) DeleteCustomer(id int64) { s.locked(func() { delete(s.customers, id) }) }

const (
	root      = "/wp-json/"
	namespace = "wc/v3/"
)

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, root)
	if !ok || r.Method != http.MethodGet {
		refuse(w, problem{404, "rest_no_route", "No route was found matching the URL and request method."})
		return
	}
	if path == "" {
		s.index(w)
		return
	}
	if refused := s.authenticate(r); refused != nil {
		refuse(w, *refused)
		return
	}
	path, _ = strings.CutPrefix(path, namespace)
	var refused *problem
	switch parts := strings.Split(path, "/"); {
	case path == "orders":
		refused = s.listOrders(w, r)
	case path == "customers":
		refused = s.listCustomers(w, r)
	case len(parts) == 3 && parts[0] == "orders" && parts[2] == "refunds":
		refused = s.listRefunds(w, r, parts[1])
	case path == "settings/general/woocommerce_currency":
		refused = s.setting(w)
	default:
		refused = &problem{404, "rest_no_route", "No route was found matching the URL and request method."}
	}
	if refused != nil {
		refuse(w, *refused)
	}
}

// index is what everybody may know about the site.
func (s *Server) index(w http.ResponseWriter) {
	_, offset := s.Now().In(s.Zone).Zone()
	reply(w, http.StatusOK, object{
		"name": "Shop", "url": s.URL, "gmt_offset": strconv.FormatFloat(float64(offset)/3600, 'f', -1, 64),
		"timezone_string": s.Zone.String(), "namespaces": []string{"oembed/1.0", "wc/v3", "wp/v2"},
	})
}

func (s *Server) setting(w http.ResponseWriter) *problem {
	if s.NoSettings {
		return &problem{403, "woocommerce_rest_cannot_view", "Sorry, you cannot view this resource."}
	}
	reply(w, http.StatusOK, object{"id": "woocommerce_currency", "value": s.Currency})
	return nil
}
