package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

const (
	quotaCost = "cost"

	// maxQueryCost is what one query may cost, whatever the plan.
	maxQueryCost = 1000
	// aimQueryCost is what a page is made to cost: above it little is won.
	aimQueryCost = 800
	// maxPageSize is what the API gives at once.
	maxPageSize = 250

	codeMaxCost   = "MAX_COST_EXCEEDED"
	codeThrottled = "THROTTLED"
	codeDenied    = "ACCESS_DENIED"
)

// costReport is what the API says about a query's cost. The numbers may have decimals.
type costReport struct {
	Requested float64  `json:"requestedQueryCost"`
	Actual    *float64 `json:"actualQueryCost"`
	Throttle  *struct {
		Maximum   float64 `json:"maximumAvailable"`
		Available float64 `json:"currentlyAvailable"`
		Restore   float64 `json:"restoreRate"`
	} `json:"throttleStatus"`
}

// envelope is what is around the data of every answer.
type envelope struct {
	Errors     json.RawMessage `json:"errors"` // a list, or a text where the token is refused
	Extensions struct {
		Cost *costReport `json:"cost"`
	} `json:"extensions"`
}

// answer is an answer to a query: its data are null only where there are errors.
type answer[T any] struct {
	envelope
	Data *T `json:"data"`
}

func (a *answer[T]) around() (envelope, bool) { return a.envelope, a.Data != nil }

// enveloped is an answer with data of any type.
type enveloped interface {
	// around returns the envelope, and whether there are data in it.
	around() (envelope, bool)
}

// read returns the envelope of an answer; ok is false where it has none.
func read(r *apiclient.Response) (e envelope, data, ok bool) {
	a, ok := r.Decoded.(enveloped)
	if !ok { // it was not asked for, or does not fit
		a = &answer[json.RawMessage]{}
		if json.Unmarshal(r.Body, a) != nil {
			return envelope{}, false, false
		}
	}
	e, data = a.around()
	return e, data, true
}

type queryError struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code           string `json:"code"`
		RequiredAccess string `json:"requiredAccess"`
	} `json:"extensions"`
}

// optional are the fields that a missing permission may leave out: what they hold
// becomes null.
func (e queryError) optional() bool {
	for _, p := range e.Path {
		switch p {
		case "variant", "inventoryItem", "unitCost", "sellingPlan", "customerJourneySummary", "defaultEmailAddress":
			return true
		}
	}
	return false
}

func (e envelope) errors() []queryError {
	if e.Errors == nil {
		return nil
	}
	var list []queryError
	if json.Unmarshal(e.Errors, &list) == nil {
		return list
	}
	var text string
	if json.Unmarshal(e.Errors, &text) == nil && text != "" {
		return []queryError{{Message: text}}
	}
	return nil
}

// classify looks for the errors that come with the status 200.
func classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	v.RequestID = r.Header.Get("X-Request-Id")
	switch r.Status {
	case http.StatusPaymentRequired:
		v.Message = "the shop is frozen until its bill is paid"
	case http.StatusLocked:
		v.Message = "the shop is locked; ask Shopify's support"
	case 430: // Shopify's own: it takes the requests for an attack
		v.Class, v.RetryAfter = apiclient.ClassThrottled, time.Minute
	}
	if v.Class != apiclient.ClassOK {
		return v
	}
	a, data, ok := read(r)
	if !ok {
		return v // the client says what is wrong with it
	}
	list := a.errors()
	for _, e := range list {
		v.Code, v.Message = e.Extensions.Code, e.Message
		switch e.Extensions.Code {
		case codeThrottled:
			v.Class, v.Quota, v.RetryAfter = apiclient.ClassThrottled, quotaCost, a.Extensions.Cost.wait()
		case "INTERNAL_SERVER_ERROR", "TIMEOUT":
			v.Class = apiclient.ClassRetry
		case codeDenied:
			if e.optional() {
				continue
			}
			v.Class, v.Scope = apiclient.ClassScope, scopeIn(e.Extensions.RequiredAccess)
		default:
			v.Class = apiclient.ClassPermanent
		}
		return v
	}
	v.Code, v.Message = "", ""
	if !data {
		v.Class, v.Message = apiclient.ClassPermanent, "the answer has neither data nor errors"
	}
	return v
}

// scopeIn returns the scope that a text such as "`read_orders` access scope." names.
func scopeIn(text string) string {
	if _, rest, ok := strings.Cut(text, "`"); ok {
		scope, _, _ := strings.Cut(rest, "`")
		return scope
	}
	return text
}

// wait returns how long it takes until the query can be paid for.
func (c *costReport) wait() time.Duration {
	if c == nil || c.Throttle == nil || c.Throttle.Restore <= 0 {
		return time.Second
	}
	seconds := (c.Requested - c.Throttle.Available) / c.Throttle.Restore
	return max(time.Duration(seconds*float64(time.Second)), time.Second)
}

// signals reads the bucket of cost points, which the answers to all of the app's
// queries in the shop tell.
func signals(r *apiclient.Response) []apiclient.Signal {
	a, _, ok := read(r)
	if !ok || a.Extensions.Cost == nil || a.Extensions.Cost.Throttle == nil {
		return nil
	}
	t := a.Extensions.Cost.Throttle
	return []apiclient.Signal{{
		Quota: quotaCost, Size: int(t.Maximum), Remaining: max(int(t.Available), 0), PerSecond: t.Restore,
	}}
}

// query sends a query and decodes its data. It returns what the API reserved for it.
func query[T any](ctx context.Context, s *Source, document string, variables map[string]any, cost int) (data T, paid int, err error) {
	data, a, _, err := post[T](ctx, s, document, variables, cost)
	if err != nil || a.Extensions.Cost == nil {
		return data, 0, err
	}
	return data, int(math.Ceil(a.Extensions.Cost.Requested)), nil
}

func post[T any](ctx context.Context, s *Source, document string, variables map[string]any, cost int) (data T, e envelope, header http.Header, err error) {
	name := operation(document)
	body, err := json.Marshal(map[string]any{"query": document, "operationName": name, "variables": variables})
	if err != nil {
		return data, e, nil, fmt.Errorf("query %s: %w", name, err)
	}
	var a answer[T]
	r, err := s.client.JSON(ctx, apiclient.Request{Method: http.MethodPost, Path: s.path, Body: body, Cost: cost}, &a)
	if err != nil {
		return data, e, nil, fmt.Errorf("query %s: %w", name, err)
	}
	if a.Data == nil { // a success without a body
		return data, e, nil, fmt.Errorf("query %s: %w", name, &apiclient.FormatError{Endpoint: "POST " + s.path, Detail: "there are no data"})
	}
	return *a.Data, a.envelope, r.Header, nil
}

// pacer finds out how many records a query may ask for.
type pacer struct {
	mu   sync.Mutex
	size int
	cost int // of a query of that size, as far as known
	most int // a size that was not too much
}

func newPacer(size, most int) *pacer { return &pacer{size: size, cost: maxQueryCost / 2, most: most} }

func (p *pacer) next() (size, cost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size, p.cost
}

// paid is told what a query of a size cost and adapts the size to it.
func (p *pacer) paid(size, cost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cost <= 0 {
		return
	}
	p.cost = cost
	next := min(max(size*aimQueryCost/cost, 1), p.most)
	// At most doubled: the cost need not grow in step with the size.
	next = min(next, 2*size)
	p.cost = min(max(cost*next/size, 1), maxQueryCost)
	p.size = next
}

// tooMuch halves the size. It reports false where that is not possible.
func (p *pacer) tooMuch(size int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if size <= 1 {
		return false
	}
	p.size = size / 2
	p.most, p.cost = p.size, maxQueryCost
	return true
}

// sized sends a query whose size follows its cost; variables must hold what else it needs.
func sized[T any](ctx context.Context, s *Source, p *pacer, document string, variables map[string]any) (T, error) {
	for {
		size, cost := p.next()
		variables["first"] = size
		data, paid, err := query[T](ctx, s, document, variables, cost)
		if refused, ok := errors.AsType[*apiclient.APIError](err); ok && refused.Code == codeMaxCost && p.tooMuch(size) {
			s.logger.Debug("a query was too costly, asking for less", "operation", operation(document), "size", size)
			continue
		}
		if err != nil {
			return data, err
		}
		p.paid(size, paid)
		return data, nil
	}
}
