package stripe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fault is an answer that is an error.
type fault struct {
	status int
	body   object
}

func failure(status int, kind, code, format string, args ...any) *fault {
	o := object{"type": kind, "message": fmt.Sprintf(format, args...)}
	if code != "" {
		o["code"], o["doc_url"] = code, "https://stripe.com/docs/error-codes/"+code
	}
	return &fault{status, object{"error": o}}
}

func invalid(code, format string, args ...any) *fault {
	return failure(http.StatusBadRequest, "invalid_request_error", code, format, args...)
}

// endpoint is a path of the API.
type endpoint struct {
	kind       string
	permission string
	filters    []string // of its list
}

func endpoints() map[string]endpoint {
	return map[string]endpoint{
		"customers":              {typeCustomer, "rak_customer_read", []string{"created[gte]", "email"}},
		"prices":                 {typePrice, "rak_plan_read", nil},
		"coupons":                {typeCoupon, "rak_coupon_read", nil},
		"subscriptions":          {typeSubscription, "rak_subscription_read", []string{"customer", "status"}},
		"subscription_schedules": {typeSchedule, "rak_subscription_read", []string{"customer"}},
		"invoices":               {typeInvoice, "rak_invoice_read", []string{"customer", "subscription"}},
		"credit_notes":           {typeCreditNote, "rak_credit_note_read", []string{"invoice"}},
		"events":                 {typeEvent, "rak_event_read", []string{"created[gte]", "types[]"}},
	}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	w.Header().Set("Request-Id", fmt.Sprintf("req_%08d", s.made))
	w.Header().Set("Stripe-Version", Version)
	body, bad := s.answer(w.Header(), r)
	status := http.StatusOK
	if bad != nil {
		status, body = bad.status, bad.body
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // the client has gone
	}
}

func (s *Server) answer(header http.Header, r *http.Request) (object, *fault) {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "v1" {
		return nil, failure(http.StatusNotFound, "invalid_request_error", "", "Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)
	}
	to, ok := endpoints()[parts[1]]
	if !ok && parts[1] != "subscription_items" || r.Method != http.MethodGet {
		return nil, failure(http.StatusNotFound, "invalid_request_error", "", "Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)
	}
	if bad := s.authorize(r, to); bad != nil {
		return nil, bad
	}
	if bad := s.limit(header, parts[1]); bad != nil {
		return nil, bad
	}
	if len(parts) == 3 {
		s.requests["/v1/"+parts[1]+"/{id}"]++
		id, err := url.PathUnescape(parts[2])
		if err != nil {
			return nil, invalid("", "the ID is malformed")
		}
		return s.one(to, id, r.URL.Query())
	}
	s.requests["/v1/"+parts[1]]++
	if parts[1] == "subscription_items" {
		return s.items(r.URL.Query())
	}
	return s.some(to, parts[1], r.URL.Query())
}

func (s *Server) authorize(r *http.Request, to endpoint) *fault {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !bearer:
		return failure(http.StatusUnauthorized, "invalid_request_error", "", "You did not provide an API key.")
	case s.Key != "" && key != s.Key:
		return failure(http.StatusUnauthorized, "invalid_request_error", "", "Invalid API Key provided: %.8s***", key)
	case r.Header.Get("Stripe-Version") != Version:
		return invalid("", "Invalid Stripe API version: %s", r.Header.Get("Stripe-Version"))
	case s.Permissions != nil && to.permission != "" && !slices.Contains(s.Permissions, to.permission):
		return failure(http.StatusForbidden, "invalid_request_error", "more_permissions_required",
			"The provided key does not have the required permissions for this endpoint. Having the '%s' permission would allow this request to continue.", to.permission)
	}
	return nil
}

// limit refuses a request that is too many in its second.
func (s *Server) limit(header http.Header, path string) *fault {
	now := s.now()
	s.sent[path] = slices.DeleteFunc(s.sent[path], func(t time.Time) bool { return now.Sub(t) >= time.Second })
	if len(s.sent[path]) >= s.PerSecond {
		header.Set("Stripe-Rate-Limited-Reason", "endpoint-rate")
		header.Set("Stripe-Should-Retry", "true")
		return failure(http.StatusTooManyRequests, "invalid_request_error", "rate_limit", "Request rate limit exceeded.")
	}
	s.sent[path] = append(s.sent[path], now)
	return nil
}

// parameters checks the names of parameters and returns what is to be expanded.
func parameters(query url.Values, kind, prefix string, known ...string) (expansion, *fault) {
	for name := range query {
		if name != "expand[]" && !slices.Contains(known, name) {
			return nil, invalid("parameter_unknown", "Received unknown parameter: %s", name)
		}
	}
	var x expansion
	for _, path := range query["expand[]"] {
		if strings.Count(path, ".") >= 4 {
			return nil, invalid("", "You cannot expand more than 4 levels of a property. Property: %s", path)
		}
		field, ok := strings.CutPrefix(path, prefix)
		if !ok || !slices.ContainsFunc(expandable(kind), func(f string) bool { return f == field || strings.HasPrefix(field, "currency_options.") }) {
			return nil, invalid("", "This property cannot be expanded (%s).", path)
		}
		x = append(x, field)
	}
	return x, nil
}

func (s *Server) one(to endpoint, id string, query url.Values) (object, *fault) {
	x, bad := parameters(query, to.kind, "")
	if bad != nil {
		return nil, bad
	}
	e := s.objects[to.kind][id]
	if e == nil {
		return nil, failure(http.StatusNotFound, "invalid_request_error", "resource_missing", "No such %s: '%s'", to.kind, id)
	}
	return s.render(to.kind, e, x), nil
}

func (s *Server) some(to endpoint, path string, query url.Values) (object, *fault) {
	x, bad := parameters(query, to.kind, "data.", append(to.filters, "limit", "starting_after")...)
	if bad != nil {
		return nil, bad
	}
	limit := 10
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			return nil, invalid("parameter_invalid_integer", "Invalid limit: must be between 1 and 100")
		}
		limit = n
	}
	wanted, bad := s.filter(to.kind, query)
	if bad != nil {
		return nil, bad
	}
	data, more, begun := []any{}, false, query.Get("starting_after") == ""
	for _, e := range s.list(to.kind) {
		switch {
		case !begun:
			begun = e.id == query.Get("starting_after")
		case !wanted(e):
		case len(data) == limit:
			more = true
		default:
			data = append(data, s.render(to.kind, e, x))
		}
		if more {
			break
		}
	}
	if !begun {
		return nil, invalid("resource_missing", "No such %s: '%s'", to.kind, query.Get("starting_after"))
	}
	body := all(data, "/v1/"+path)
	body["has_more"] = more
	return body, nil
}

// filter returns what selects the objects of a list.
func (s *Server) filter(kind string, query url.Values) (func(*entry) bool, *fault) {
	var since time.Time
	if text := query.Get("created[gte]"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, invalid("parameter_invalid_integer", "Invalid integer: created")
		}
		since = time.Unix(n, 0)
	}
	types := query["types[]"]
	if len(types) > 20 {
		return nil, invalid("", "You can only filter by up to 20 types")
	}
	if oldest := s.now().Add(-s.KeepEvents); kind == typeEvent && since.Before(oldest) {
		since = oldest
	}
	return func(e *entry) bool {
		if e.created.Truncate(time.Second).Before(since.Truncate(time.Second)) {
			return false
		}
		switch v := e.value.(type) {
		case object:
			return len(types) == 0 || slices.Contains(types, v["type"].(string))
		case Subscription:
			status := query.Get("status")
			return (query.Get("customer") == "" || query.Get("customer") == v.Customer) &&
				(status == "all" || status == v.Status || status == "" && v.Status != "canceled")
		case Schedule:
			return query.Get("customer") == "" || query.Get("customer") == v.Customer
		}
		return true
	}, nil
}

// items lists the items of a subscription.
func (s *Server) items(query url.Values) (object, *fault) {
	for name := range query {
		if !slices.Contains([]string{"subscription", "limit", "starting_after", "expand[]"}, name) {
			return nil, invalid("parameter_unknown", "Received unknown parameter: %s", name)
		}
	}
	e := s.objects[typeSubscription][query.Get("subscription")]
	if e == nil {
		return nil, invalid("resource_missing", "No such subscription: '%s'", query.Get("subscription"))
	}
	whole := s.subscription(e.value.(Subscription), expansion{"items", "items.data.discounts"})
	return whole["items"].(object), nil
}
