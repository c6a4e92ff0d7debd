package sourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

const (
	toyKey  = "k3y/with+odd=signs"
	toyPage = 10
)

// toyVendor is a shop whose API lists orders by the time of their last change, with a
// tombstone for each deleted one.
type toyVendor struct {
	mu     sync.Mutex
	orders map[int]*toyOrder
}

type toyOrder struct {
	ID        string       `json:"id"`
	UpdatedAt time.Time    `json:"updated_at"`
	Total     *json.Number `json:"total"`
	Deleted   bool         `json:"deleted,omitempty"`
	amount    record.Amount
}

type toyAnswer struct {
	Orders []*toyOrder `json:"orders"`
	Next   string      `json:"next"`
	Error  string      `json:"error,omitempty"`
}

func (o *toyOrder) key() string { return o.UpdatedAt.UTC().Format("2006-01-02T15:04:05") + "|" + o.ID }

func (v *toyVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Query().Get("key") != toyKey {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	after := max(r.URL.Query().Get("after"), r.URL.Query().Get("since"))
	var list []*toyOrder
	for _, o := range v.orders {
		if o.key() > after {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *toyOrder) int { return strings.Compare(a.key(), b.key()) })
	answer := toyAnswer{Orders: list}
	if len(list) > toyPage {
		answer.Orders = list[:toyPage]
		answer.Next = list[toyPage-1].key()
	}
	_ = json.NewEncoder(w).Encode(answer) // an error means that the client has gone
}

func toyAccount() Account {
	v := &toyVendor{orders: map[int]*toyOrder{}}
	locked := func(f func()) {
		v.mu.Lock()
		defer v.mu.Unlock()
		f()
	}
	return Account{
		Handler: v,
		Put: func(n int, value record.Amount, at time.Time) {
			o := &toyOrder{ID: fmt.Sprintf("o%05d", n), UpdatedAt: at, amount: value}
			if !value.IsNull() {
				total := json.Number(fmt.Sprintf("%d.%06d", value.Micros/1e6, value.Micros%1e6))
				o.Total = &total
			}
			locked(func() { v.orders[n] = o })
		},
		Delete: func(n int, at time.Time) {
			locked(func() { v.orders[n].Deleted, v.orders[n].UpdatedAt = true, at })
		},
		Merge: func(from, into int, at time.Time) {
			locked(func() {
				v.orders[from].Deleted, v.orders[from].UpdatedAt = true, at
				v.orders[into].UpdatedAt = at
			})
		},
		Want: func() []record.Record {
			var want []record.Record
			locked(func() {
				for _, o := range v.orders {
					if !o.Deleted {
						want = append(want, &record.Order{Meta: record.Meta{ID: o.ID}, Currency: "EUR", Gross: o.amount})
					}
				}
			})
			return want
		},
	}
}

// toyBugs are what the source does wrong.
type toyBugs struct {
	stopsAfterPageOne   bool
	nullIsZero          bool
	loops               bool
	leaksInErrors       bool
	leaksInLogs         bool
	cursorBeforePage    bool
	ignoresDeletes      bool
	noOverlap           bool
	swallowsEmitErrors  bool
	ignoresCancellation bool
	swallowsErrors      bool
	ignoresErrorsIn200  bool
	emitsHalfAnswers    bool
	neverGoesDown       bool
	replaysDiffer       bool
	sleepsLong          bool
	neverRetries        bool
	sweepsIncrements    bool
	undeclaredKind      bool
	checkAlwaysGood     bool
	losesEmptyAccount   bool
	takesAnythingAsGood bool
}

type toySource struct {
	bugs   toyBugs
	client *apiclient.Client
	deps   apiclient.Deps
	most   map[string]int64
}

func openToy(bugs toyBugs) func(url string, deps apiclient.Deps) (sources.Source, error) {
	return func(base string, deps apiclient.Deps) (sources.Source, error) {
		cfg := apiclient.Config{
			Deps: deps, Source: "toy-shop", Vendor: "toy", BaseURL: base,
			Auth: apiclient.Query(map[string]apiclient.SecretFunc{"key": func() (string, error) { return toyKey, nil }}),
			Classify: func(r *apiclient.Response) apiclient.Verdict {
				var body struct{ Error string }
				if !bugs.ignoresErrorsIn200 && r.Status == 200 && json.Unmarshal(r.Body, &body) == nil && body.Error != "" {
					return apiclient.Verdict{Class: apiclient.ClassPermanent, Code: body.Error}
				}
				if bugs.neverRetries && r.Status != 200 {
					return apiclient.Verdict{Class: apiclient.ClassPermanent}
				}
				return apiclient.ClassifyStatus(r)
			},
		}
		client, err := apiclient.New(cfg)
		return &toySource{bugs: bugs, client: client, deps: deps, most: map[string]int64{}}, err
	}
}

func (s *toySource) Name() string { return "toy-shop" }
func (s *toySource) Type() string { return "toy" }

func (s *toySource) Streams() []sources.Stream {
	kinds := []record.Kind{record.KindOrder}
	if s.bugs.undeclaredKind {
		kinds = []record.Kind{record.KindDeal}
	}
	return []sources.Stream{{Name: "order", Kinds: kinds}}
}

func (s *toySource) Check(ctx context.Context, _ sources.Environment) []sources.Finding {
	_, err := s.page(ctx, toyCursor{})
	if s.bugs.checkAlwaysGood {
		err = nil
	}
	return []sources.Finding{{Subject: "credentials", Err: err}}
}

// toyCursor is where a run began and how far it came.
type toyCursor struct {
	Since string    `json:"since,omitempty"`
	After string    `json:"after,omitempty"`
	High  time.Time `json:"high,omitzero"`
}

func (s *toySource) page(ctx context.Context, c toyCursor) (*toyAnswer, error) {
	query := url.Values{"since": {c.Since}, "after": {c.After}}
	if s.bugs.leaksInLogs {
		s.deps.Logger.Debug("list orders", "url", "http://vendor.test/orders?key="+url.QueryEscape(toyKey))
	}
	var answer toyAnswer
	_, err := s.client.JSON(ctx, apiclient.Request{Path: "/orders", Query: query}, &answer)
	if _, ok := errors.AsType[*apiclient.FormatError](err); ok && s.bugs.takesAnythingAsGood {
		return &toyAnswer{}, nil
	}
	if err != nil && s.bugs.leaksInErrors {
		err = fmt.Errorf("list orders with the key %s: %w", toyKey, err)
	}
	return &answer, err
}

func (s *toySource) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	if s.bugs.ignoresCancellation {
		ctx = context.WithoutCancel(ctx)
	}
	err := s.fetch(ctx, req, emit)
	if s.bugs.swallowsErrors && !errors.Is(err, errCrash) {
		return nil
	}
	return err
}

func (s *toySource) fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	if req.Stream != "order" {
		return fmt.Errorf("there is no stream %q", req.Stream)
	}
	var c toyCursor
	if err := cursors.Read(req, &c); err != nil {
		return err
	}
	var guard apiclient.PageGuard
	for {
		if err := guard.Next(c.After); err != nil && !s.bugs.loops {
			return err
		}
		answer, err := s.page(ctx, c)
		if limited, ok := errors.AsType[*apiclient.RateLimitedError](err); ok && s.bugs.sleepsLong {
			select {
			case <-time.After(time.Until(limited.Until)):
			case <-ctx.Done():
			}
		}
		if err != nil {
			if s.bugs.emitsHalfAnswers {
				return errors.Join(err, s.emitHalf(ctx, c, emit))
			}
			return fmt.Errorf("list orders: %w", err)
		}
		if s.bugs.losesEmptyAccount && len(answer.Orders) == 0 && c.Since == "" {
			return errors.New("the vendor has no orders")
		}
		page := sources.Page{Progress: -1, Sweep: s.bugs.sweepsIncrements}
		for _, o := range answer.Orders {
			if o.UpdatedAt.After(c.High) {
				c.High = o.UpdatedAt
			}
			if o.Deleted && s.bugs.ignoresDeletes {
				continue
			}
			page.Records = append(page.Records, s.order(o, req.Now))
		}
		c.After = answer.Next
		last := answer.Next == "" || s.bugs.stopsAfterPageOne
		if last {
			overlap := 10 * time.Minute
			if s.bugs.noOverlap {
				overlap = 0
			}
			c = toyCursor{High: c.High}
			if !c.High.IsZero() {
				c.Since = c.High.Add(-overlap).UTC().Format("2006-01-02T15:04:05") + "|~"
			}
		}
		page.Cursor = cursors.Text(c)
		if s.bugs.cursorBeforePage {
			if err := emit(ctx, sources.Page{Cursor: page.Cursor}); err != nil {
				return err
			}
		}
		if err := emit(ctx, page); err != nil && !s.bugs.swallowsEmitErrors {
			return fmt.Errorf("keep a page: %w", err)
		}
		if last {
			return nil
		}
	}
}

func (s *toySource) order(o *toyOrder, now time.Time) *record.Order {
	r := &record.Order{Meta: record.Meta{ID: o.ID, Deleted: o.Deleted}, Currency: "EUR"}
	if o.Total != nil {
		r.Gross, _, _ = record.ParseAmount(o.Total.String())
	} else if s.bugs.nullIsZero {
		r.Gross = record.Micros(0)
	}
	if s.bugs.neverGoesDown {
		s.most[o.ID] = max(s.most[o.ID], r.Gross.Micros)
		r.Gross.Micros = s.most[o.ID]
	}
	if s.bugs.replaysDiffer {
		r.PlacedAt = record.At(now)
	}
	return r
}

// emitHalf reads the answer as it comes and keeps what it got of it.
func (s *toySource) emitHalf(ctx context.Context, c toyCursor, emit sources.Emit) error {
	var page sources.Page
	var body []byte
	query := url.Values{"since": {c.Since}, "after": {c.After}}
	err := s.client.Stream(ctx, apiclient.Request{Path: "/orders", Query: query}, func(r io.Reader) error {
		var err error
		body, err = io.ReadAll(r)
		return err
	})
	parse := apiclient.EachElement(bytes.NewReader(body), []string{"orders"}, func(dec *json.Decoder) error {
		var o toyOrder
		if err := dec.Decode(&o); err != nil {
			return err
		}
		page.Records = append(page.Records, s.order(&o, time.Time{}))
		return nil
	})
	return errors.Join(err, parse, emit(ctx, page))
}

func toyHarness(bugs toyBugs) Harness {
	return Harness{
		Stream: "order", Account: toyAccount, Open: openToy(bugs), Secrets: []string{toyKey},
		PageSize: toyPage, ErrorInside200: fake.Fault{Status: 200, Body: `{"error":"SHOP_LOCKED"}`},
		Skip: map[string]string{},
	}
}
