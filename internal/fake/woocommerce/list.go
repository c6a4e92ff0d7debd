package woocommerce

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// problem is an error of the API.
type problem struct {
	status        int
	code, message string
}

func refuse(w http.ResponseWriter, p problem) {
	reply(w, p.status, object{"code": p.code, "message": p.message, "data": object{"status": p.status}})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	// An error means that the client has gone.
	_ = json.NewEncoder(w).Encode(body)
}

func badParameter(name string) *problem {
	return &problem{400, "rest_invalid_param", "Invalid parameter(s): " + name}
}

// arguments are those of a list. What it does not know the API ignores.
type arguments struct {
	page, perPage, offset int
	descending            bool
	orderby               string
	query                 url.Values
}

// arguments reads those of a list that can be sorted by the first of orders, or by the others.
func (s *Server) arguments(r *http.Request, descending bool, orders ...string) (arguments, *problem) {
	a := arguments{query: r.URL.Query(), page: 1, perPage: 10, offset: -1, descending: descending, orderby: orders[0]}
	for name, into := range map[string]*int{"page": &a.page, "per_page": &a.perPage, "offset": &a.offset} {
		text := a.query.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || name != "offset" && n < 1 || name == "per_page" && n > 100 {
			return a, badParameter(name)
		}
		*into = n
	}
	switch a.query.Get("order") {
	case "":
	case "asc":
		a.descending = false
	case "desc":
		a.descending = true
	default:
		return a, badParameter("order")
	}
	if by := a.query.Get("orderby"); by != "" {
		if !slices.Contains(orders, by) {
			return a, badParameter("orderby")
		}
		a.orderby = by
	}
	if a.offset < 0 {
		a.offset = (a.page - 1) * a.perPage
	}
	return a, nil
}

// send sends a page of a list that is sorted and filtered.
func send[T any](w http.ResponseWriter, a arguments, list []T, render func(T) object) {
	total := len(list)
	w.Header().Set("X-WP-Total", strconv.Itoa(total))
	w.Header().Set("X-WP-TotalPages", strconv.Itoa((total+a.perPage-1)/a.perPage))
	from := min(a.offset, total)
	page := make([]object, 0, a.perPage)
	for _, record := range list[from:min(from+a.perPage, total)] {
		page = append(page, fields(render(record), a.query.Get("_fields")))
	}
	reply(w, http.StatusOK, page)
}

// fields leaves of an object what was asked for: names and, after a dot, names within.
func fields(o object, names string) object {
	if names == "" {
		return o
	}
	out := object{}
	for name := range strings.SplitSeq(names, ",") {
		outer, inner, nested := strings.Cut(name, ".")
		value, ok := o[outer]
		switch {
		case !ok:
		case !nested:
			out[outer] = value
		default:
			part, _ := out[outer].(object)
			if part == nil {
				part = object{}
			}
			if whole, isObject := value.(object); isObject {
				maps.Copy(part, fields(whole, inner))
			}
			out[outer] = part
		}
	}
	return out
}

func (s *Server) listOrders(w http.ResponseWriter, r *http.Request) *problem {
	a, refused := s.arguments(r, true, "date", "id", "include", "title", "slug", "modified")
	if refused != nil {
		return refused
	}
	dp := places(2)
	if text := a.query.Get("dp"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return badParameter("dp")
		}
		dp = places(n)
	}
	after, refused := s.after(a.query)
	if refused != nil {
		return refused
	}
	statuses := strings.Split(cmp.Or(a.query.Get("status"), "any"), ",")
	list := slices.Collect(maps.Values(s.orders))
	list = slices.DeleteFunc(list, func(o Order) bool {
		if slices.Contains(statuses, "any") { // which also hides what is asked for beside it
			return o.status() == "trash" || o.status() == "auto-draft" || !after(o)
		}
		return !slices.Contains(statuses, o.status()) || !after(o)
	})
	s.lists++
	ties := 1
	if s.Posts && a.orderby != "id" && s.lists%2 == 0 {
		ties = -1
	}
	slices.SortFunc(list, func(x, y Order) int {
		byID := ties * cmp.Compare(x.ID, y.ID)
		order := byID
		switch a.orderby {
		case "date":
			order = cmp.Or(second(x.Created).Compare(second(y.Created)), byID)
		case "modified":
			order = cmp.Or(second(x.Modified).Compare(second(y.Modified)), byID)
		}
		if a.descending {
			return -order
		}
		return order
	})
	send(w, a, list, func(o Order) object { return s.order(o, dp) })
	return nil
}

func second(t time.Time) time.Time { return t.Truncate(time.Second) }

// after reads modified_after: what it says is compared as text of the zone that the shop takes
// it for.
func (s *Server) after(query url.Values) (func(Order) bool, *problem) {
	text := query.Get("modified_after")
	if text == "" || s.Old {
		return func(Order) bool { return true }, nil
	}
	const naive = "2006-01-02T15:04:05"
	at, err := time.Parse(naive, text)
	if err != nil {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, badParameter("modified_after")
		}
		// A zone is turned into the shop's, whatever dates_are_gmt says.
		at, _ = time.Parse(naive, moment.In(s.Zone).Format(naive))
	}
	zone := s.Zone
	if gmt := query.Get("dates_are_gmt"); gmt == "true" || gmt == "1" {
		zone = time.UTC
	}
	bound := at.Format(naive)
	return func(o Order) bool { return o.Modified.In(zone).Format(naive) > bound }, nil
}

func (s *Server) listRefunds(w http.ResponseWriter, r *http.Request, id string) *problem {
	a, refused := s.arguments(r, true, "date", "id", "include", "title", "slug", "modified")
	if refused != nil {
		return refused
	}
	n, err := strconv.ParseInt(id, 10, 64)
	o, ok := s.orders[n]
	if err != nil || !ok {
		return &problem{404, "woocommerce_rest_invalid_order_id", "Invalid order ID."}
	}
	dp := places(2)
	if n, err := strconv.Atoi(a.query.Get("dp")); err == nil {
		dp = places(n)
	}
	list := slices.Clone(o.Refunds)
	slices.SortFunc(list, func(x, y Refund) int {
		order := cmp.Compare(x.ID, y.ID)
		if a.descending {
			return -order
		}
		return order
	})
	send(w, a, list, func(f Refund) object { return s.refund(f, dp) })
	return nil
}

// listCustomers knows no time of change.
func (s *Server) listCustomers(w http.ResponseWriter, r *http.Request) *problem {
	a, refused := s.arguments(r, false, "name", "id", "include", "registered_date")
	if refused != nil {
		return refused
	}
	role := cmp.Or(a.query.Get("role"), "customer")
	list := slices.Collect(maps.Values(s.customers))
	list = slices.DeleteFunc(list, func(c Customer) bool { return role != "all" && c.role() != role })
	slices.SortFunc(list, func(x, y Customer) int {
		order := cmp.Compare(x.ID, y.ID)
		switch a.orderby {
		case "name":
			order = cmp.Or(cmp.Compare(x.Email, y.Email), order)
		case "registered_date":
			order = cmp.Or(second(x.Created).Compare(second(y.Created)), order)
		}
		if a.descending {
			return -order
		}
		return order
	})
	send(w, a, list, s.customer)
	return nil
}
