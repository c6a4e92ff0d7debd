// Package shopify is a fake of the GraphQL Admin API of a Shopify shop: it runs the
// queries that it is sent on an account in memory, with costs, throttling, permissions
// and bulk operations.
package shopify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Options describe a shop.
type Options struct {
	// Now is the shop's clock.
	Now func() time.Time
	// ClientID and ClientSecret get tokens; AccessToken is one that does not expire. An
	// empty one is not accepted.
	ClientID, ClientSecret, AccessToken string
	// Scopes are the app's; all that there are where nil.
	Scopes []string
	// Currency is the shop's (EUR where empty), Zone its time zone (UTC where empty).
	Currency, Zone string
	// BucketSize and Restore are the size of the bucket of cost points and how many come
	// back in a second; 2000 and 100 where 0.
	BucketSize, Restore float64
	// MaxCost is what a query may cost; 1000 where 0.
	MaxCost int
	// CostShare is the part of the usual cost that queries have; 1 where 0.
	CostShare float64
	// BulkDelay is how long a bulk operation takes.
	BulkDelay time.Duration
	// Schema, where not nil, is what queries and answers must agree with.
	Schema *ast.Schema
}

// Server is the API of one shop. It is safe for concurrent use.
type Server struct {
	Options

	mu        sync.Mutex
	orders    map[int64]Order
	customers map[int64]Customer
	companies map[int64]Company
	checkouts map[int64]Checkout
	listings  map[string]*listing
	tokens    map[string]time.Time // issued, with their ends
	bulks     map[int64]*bulk
	bucket    bucket
	calls     map[string]int
	documents map[string]*ast.QueryDocument // by their text
	spent     float64
	buffer    []byte // of the last answer's data, used again for the next
}

// New returns the API of a shop without any records.
func New(o Options) *Server {
	if o.Scopes == nil {
		o.Scopes = []string{
			"read_orders", "read_all_orders", "read_customers", "read_companies", "read_products", "read_inventory",
		}
	}
	o.Currency, o.Zone = cmp.Or(o.Currency, "EUR"), cmp.Or(o.Zone, "UTC")
	o.BucketSize, o.Restore, o.MaxCost = cmp.Or(o.BucketSize, 2000), cmp.Or(o.Restore, 100), cmp.Or(o.MaxCost, 1000)
	o.CostShare = cmp.Or(o.CostShare, 1)
	s := &Server{
		Options: o,
		orders:  map[int64]Order{}, customers: map[int64]Customer{}, companies: map[int64]Company{}, checkouts: map[int64]Checkout{},
		tokens: map[string]time.Time{}, bulks: map[int64]*bulk{}, calls: map[string]int{}, documents: map[string]*ast.QueryDocument{},
		bucket: bucket{left: o.BucketSize, at: o.Now()},
	}
	s.listings = s.newListings()
	return s
}

func (s *Server) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func put[T any](s *Server, list string, records map[int64]T, id int64, record T) {
	s.locked(func() {
		records[id] = record
		s.listings[list].changed()
	})
}

func remove[T any](s *Server, list string, records map[int64]T, id int64) {
	s.locked(func() {
		delete(records, id)
		s.listings[list].changed()
	})
}

// PutOrder adds or replaces an order.
func (s *Server) PutOrder(o Order) { put(s, "orders", s.orders, o.ID, o) }

// PutCustomer adds or replaces a customer.
func (s *Server) PutCustomer(c Customer) { put(s, "customers", s.customers, c.ID, c) }

// PutCompany adds or replaces a company.
func (s *Server) PutCompany(c Company) { put(s, "companies", s.companies, c.ID, c) }

// PutCheckout adds or replaces a checkout.
func (s *Server) PutCheckout(c Checkout) { put(s, "abandonedCheckouts", s.checkouts, c.ID, c) }

// DeleteOrder removes an order without a trace, as the shop does.
func (s *Server) DeleteOrder(id int64) { remove(s, "orders", s.orders, id) }

// DeleteCustomer removes a customer.
func (s *Server) DeleteCustomer(id int64) { remove(s, "customers", s.customers, id) }

// DeleteCompany removes a company.
func (s *Server) DeleteCompany(id int64) { remove(s, "companies", s.companies, id) }

// DeleteCheckout removes a checkout.
func (s *Server) DeleteCheckout(id int64) { remove(s, "abandonedCheckouts", s.checkouts, id) }

// MergeCustomers makes one customer of two: from is no more, and its orders are into's.
func (s *Server) MergeCustomers(from, into int64, at time.Time) {
	s.locked(func() {
		kept := s.customers[into]
		kept.Updated = at
		s.customers[into] = kept
		delete(s.customers, from)
		for id, o := range s.orders {
			if o.Customer == from {
				o.Customer, o.Updated = into, at
				s.orders[id] = o
			}
		}
		s.listings["customers"].changed()
		s.listings["orders"].changed()
	})
}

// RevokeTokens makes all tokens that were issued invalid.
func (s *Server) RevokeTokens() { s.locked(func() { clear(s.tokens) }) }

// Calls returns how often each operation was asked for, and "token".
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Spent returns the cost points of all queries.
func (s *Server) Spent() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spent
}

// Tokens returns the tokens that were issued and not revoked, sorted.
func (s *Server) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.tokens))
}

const tokenLife = 86399 // seconds

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	version, isGraph := strings.CutPrefix(r.URL.Path, "/admin/api/")
	version, isGraph2 := strings.CutSuffix(version, "/graphql.json")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/admin/oauth/access_token":
		s.issue(w, r)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/bulk/"):
		s.file(w, r)
	case !isGraph || !isGraph2 || r.Method != http.MethodPost:
		reply(w, http.StatusNotFound, map[string]any{"errors": "Not Found"})
	case !s.known(r.Header.Get("X-Shopify-Access-Token")):
		reply(w, http.StatusUnauthorized, map[string]any{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})
	default:
		w.Header().Set("X-Shopify-API-Version", version)
		s.graph(w, r)
	}
}

func (s *Server) known(token string) bool {
	if token == "" {
		return false
	}
	end, issued := s.tokens[token]
	return token == s.AccessToken || issued && s.Now().Before(end)
}

// issue grants a token for an app's credentials.
func (s *Server) issue(w http.ResponseWriter, r *http.Request) {
	s.calls["token"]++
	if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "client_credentials" {
		reply(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	if s.ClientID == "" || r.Form.Get("client_id") != s.ClientID || r.Form.Get("client_secret") != s.ClientSecret {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_client", "error_description": "The client credentials are not valid"})
		return
	}
	token := fmt.Sprintf("shpat_fake%026d", s.calls["token"])
	s.tokens[token] = s.Now().Add(tokenLife * time.Second)
	reply(w, http.StatusOK, map[string]any{"access_token": token, "scope": strings.Join(s.Scopes, ","), "expires_in": tokenLife})
}

func (s *Server) has(scope string) bool { return slices.Contains(s.Scopes, scope) }

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// An error means that the client has gone.
	_ = json.NewEncoder(w).Encode(body)
}
