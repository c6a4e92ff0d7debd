// Package stripe reads customers, subscriptions and, where wanted, invoices and credit notes
// of Stripe Billing.
package stripe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// Type is what Source.Type returns.
const Type = "stripe"

// apiVersion decides the shape of all answers; without it the account's own default would.
const apiVersion = "2026-08-26.dahlia"

// Source delivers customers and subscriptions, and orders and refunds of invoices.
type Source struct {
	name    string
	options Options
	client  *apiclient.Client
	catalog *catalog
}

// New returns a source. An error says which option is wrong.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	for _, p := range options.problems() {
		return nil, fmt.Errorf("source %s: %s: %s", name, p[0], p[1])
	}
	header := http.Header{"Accept": {"application/json"}, "Stripe-Version": {apiVersion}}
	if options.Account != "" {
		header["Stripe-Account"] = []string{options.Account}
	}
	client, err := apiclient.New(apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL, Header: header,
		Auth:     apiclient.Header("Authorization", "Bearer ", apiclient.FromConfig(options.APIKey)),
		Limits:   []apiclient.Limit{apiclient.Window(quotaRequests, options.RequestsPerSecond, time.Second)},
		Classify: classify,
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	return &Source{name: name, options: options, client: client, catalog: newCatalog(client)}, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "stripe".
func (s *Source) Type() string { return Type }

// stream is what differs between the kinds of object that are read.
type stream struct {
	name       string
	kind       record.Kind
	object     string // the vendor's name of the type
	path       string
	expand     []string // what is wanted as an object instead of its ID
	eventTypes []string // the types of events that tell of a change
}

func (s *Source) streams() []stream {
	list := []stream{
		{
			name: "customer", kind: record.KindCustomer, object: "customer", path: "/v1/customers",
			eventTypes: []string{"customer.created", "customer.updated", "customer.deleted"},
		},
		{
			name: "subscription", kind: record.KindSubscription, object: "subscription", path: "/v1/subscriptions",
			expand: []string{"customer", "discounts.source.coupon", "items.data.discounts"},
			eventTypes: []string{
				"customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
				"customer.subscription.paused", "customer.subscription.resumed",
				"customer.discount.created", "customer.discount.updated", "customer.discount.deleted",
				"subscription_schedule.created", "subscription_schedule.updated", "subscription_schedule.canceled",
				"subscription_schedule.released", "subscription_schedule.completed", "subscription_schedule.aborted",
			},
		},
	}
	if s.options.Invoices {
		list = append(list, stream{
			name: "order", kind: record.KindOrder, object: "invoice", path: "/v1/invoices",
			eventTypes: []string{
				"invoice.created", "invoice.updated", "invoice.finalized", "invoice.paid", "invoice.voided",
				"invoice.marked_uncollectible", "invoice.deleted",
			},
		}, stream{
			name: "refund", kind: record.KindRefund, object: "credit_note", path: "/v1/credit_notes",
			eventTypes: []string{"credit_note.created", "credit_note.updated", "credit_note.voided"},
		})
	}
	return list
}

// Streams returns a stream for each kind, with the kind's name.
func (s *Source) Streams() []sources.Stream {
	var list []sources.Stream
	for _, st := range s.streams() {
		list = append(list, sources.Stream{Name: st.name, Kinds: []record.Kind{st.kind}})
	}
	return list
}

// Fetch reads everything the first time, then what events tell of, and from time to time
// everything again.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	all := s.streams()
	i := slices.IndexFunc(all, func(st stream) bool { return st.name == req.Stream })
	if i < 0 {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	c := cursor{Known: map[string]past{}}
	if err := cursors.Read(req, &c); err != nil {
		return err
	}
	f := &fetch{Source: s, stream: all[i], now: req.Now.Unix(), cursor: c, emit: emit}
	return f.run(ctx)
}

var _ sources.Source = (*Source)(nil)
