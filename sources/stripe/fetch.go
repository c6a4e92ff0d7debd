package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

const (
	// overlap is read again each time: an event may be listed late.
	overlap = 600
	// eventsKept is how long the vendor keeps events, less a day.
	eventsKept = 29 * 86400
	// idle is after how long a cursor without events moves on.
	idle = 3600
)

// cursor is what the ledger keeps. Times are in seconds since 1970-01-01 UTC.
type cursor struct {
	// Began and After are a first read that is under way.
	Began int64  `json:"began,omitempty"`
	After string `json:"after,omitempty"`
	// Read is the time before which every event was read; 0 before the first read is done.
	Read int64 `json:"read,omitempty"`
	// Swept is when everything was listed last.
	Swept int64 `json:"swept,omitempty"`
	// Known is what was learned of subscriptions, by their IDs.
	Known map[string]past `json:"known,omitempty"`
}

// fetch is one Fetch of a stream.
type fetch struct {
	*Source
	stream
	now    int64
	cursor cursor
	emit   sources.Emit

	// told are the changes of subscriptions that events tell of, newest first, by their IDs.
	told      map[string][]revision
	discounts map[string]discount
	schedules map[string][]schedule // by the ID of their subscription
	planned   map[string]bool       // the customers whose schedules were read
}

func (f *fetch) run(ctx context.Context) error {
	f.told, f.discounts = map[string][]revision{}, map[string]discount{}
	began := f.now
	switch {
	case f.cursor.Read == 0:
		if err := f.first(ctx); err != nil {
			return fmt.Errorf("read all objects of the type %s: %w", f.object, err)
		}
	case f.now-f.cursor.Read > eventsKept, f.now-f.cursor.Swept >= int64(f.options.SweepEvery/time.Second):
		// What happens meanwhile is told by events after it.
		if f.now-f.cursor.Read <= eventsKept {
			if err := f.changes(ctx, began); err != nil {
				return fmt.Errorf("read changed objects of the type %s: %w", f.object, err)
			}
		}
		if err := f.sweep(ctx, began); err != nil {
			return fmt.Errorf("sweep objects of the type %s: %w", f.object, err)
		}
		return nil
	}
	if err := f.changes(ctx, began); err != nil {
		return fmt.Errorf("read changed objects of the type %s: %w", f.object, err)
	}
	return nil
}

// first lists everything. It goes on where it was interrupted; then deletions in the part that
// was read before wait for the next sweep.
func (f *fetch) first(ctx context.Context) error {
	whole := f.cursor.After == ""
	if whole {
		f.cursor.Began = f.now
	}
	if f.object == "subscription" {
		if err := f.events(ctx, f.eventTypes, f.now-eventsKept, f.note); err != nil {
			return fmt.Errorf("read the events of the last weeks: %w", err)
		}
	}
	err := f.list(ctx, whole)
	if e, ok := asAPIError(err); ok && e.Code == "resource_missing" && f.cursor.After != "" {
		f.cursor.After = "" // the last object that was read is gone: all is read again
		err = f.list(ctx, true)
	}
	return err
}

// list lists what a first read has not read yet.
func (f *fetch) list(ctx context.Context, whole bool) error {
	return f.all(ctx, f.cursor.After, func(page *sources.Page, last string, more bool) {
		if f.cursor.After = last; !more {
			f.cursor.Read, f.cursor.Swept = f.cursor.Began, f.cursor.Began
			f.cursor.Began, f.cursor.After = 0, ""
			page.Sweep, page.Progress = whole, 1
		}
		page.Cursor = cursors.Text(f.cursor)
	})
}

// sweep lists everything again: what is not there any more was deleted, and a change that no
// event has told of is found here.
func (f *fetch) sweep(ctx context.Context, began int64) error {
	return f.all(ctx, "", func(page *sources.Page, _ string, more bool) {
		if !more {
			f.cursor.Swept, f.cursor.Read = began, max(f.cursor.Read, began)
			page.Sweep, page.Cursor, page.Progress = true, cursors.Text(f.cursor), 1
		}
	})
}

// all lists the objects behind after; finish completes each page.
func (f *fetch) all(ctx context.Context, after string, finish func(page *sources.Page, last string, more bool)) error {
	f.forgetSchedules()
	if f.object == "subscription" {
		if err := f.readSchedules(ctx, url.Values{}); err != nil {
			return err
		}
	}
	listed := f.object == "subscription"
	return f.each(ctx, f.path, f.object, f.listQuery(), after, func(part []object, more bool) error {
		page, err := f.page(ctx, part, listed)
		if err != nil {
			return err
		}
		last := after
		if len(part) > 0 {
			last = part[len(part)-1].ID
		}
		finish(&page, last, more)
		return f.emit(ctx, page)
	})
}

// subject is an object that an event tells of, or the customer all of whose objects it does.
type subject struct{ id, customer string }

// changes reads the objects that events tell of.
func (f *fetch) changes(ctx context.Context, until int64) error {
	var subjects []subject
	met := map[subject]bool{{}: true}
	f.told = map[string][]revision{}
	err := f.events(ctx, f.eventTypes, f.cursor.Read-overlap, func(e event) {
		f.note(e)
		if s := f.affected(e); !met[s] {
			met[s] = true
			subjects = append(subjects, s)
		}
	})
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	f.forgetSchedules()
	var found []object
	for _, s := range subjects {
		objects, err := f.read(ctx, s)
		if err != nil {
			return err
		}
		found = append(found, objects...)
	}
	if len(found) == 0 && until-f.cursor.Read < idle {
		return nil
	}
	for {
		part := found[:min(len(found), mostListed)]
		found = found[len(part):]
		page, err := f.page(ctx, part, false)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			f.cursor.Read = max(f.cursor.Read, until)
			page.Cursor = cursors.Text(f.cursor)
		}
		if err := f.emit(ctx, page); err != nil {
			return err
		}
		if len(found) == 0 {
			return nil
		}
	}
}

// read reads the objects of a subject.
func (f *fetch) read(ctx context.Context, s subject) (found []object, err error) {
	if s.id != "" {
		o, err := f.get(ctx, f.stream, s.id)
		return []object{o}, err
	}
	query := f.listQuery()
	query.Set("customer", s.customer)
	err = f.each(ctx, f.path, f.object, query, "", func(part []object, _ bool) error {
		found = append(found, part...)
		return nil
	})
	return found, err
}

func (f *fetch) affected(e event) subject {
	var o struct {
		ID           string              `json:"id"`
		Customer     reference[struct{}] `json:"customer"`
		Subscription reference[struct{}] `json:"subscription"`
		Released     string              `json:"released_subscription"`
	}
	if json.Unmarshal(e.Data.Object, &o) != nil {
		return subject{}
	}
	switch {
	case strings.HasPrefix(e.Type, "subscription_schedule.") && o.Subscription.ID == "":
		return subject{id: o.Released}
	case strings.HasPrefix(e.Type, "subscription_schedule."), strings.HasPrefix(e.Type, "customer.discount.") && o.Subscription.ID != "":
		return subject{id: o.Subscription.ID}
	case strings.HasPrefix(e.Type, "customer.discount."):
		return subject{customer: o.Customer.ID}
	}
	return subject{id: o.ID}
}

// page makes a page of records.
func (f *fetch) page(ctx context.Context, objects []object, scheduled bool) (sources.Page, error) {
	page := sources.Page{Progress: -1}
	for _, o := range objects {
		if o.Deleted {
			page.Records = append(page.Records, record.Tombstone(f.kind, o.ID))
			continue
		}
		r, rounded, err := f.record(ctx, o, scheduled)
		if rejection, bad := rejected(f.stream, o.ID, err); bad {
			page.Rejected = append(page.Rejected, rejection)
			continue
		}
		if err != nil {
			return page, err
		}
		if r != nil {
			page.Records = append(page.Records, r)
			page.Rounded += rounded
		}
	}
	return page, nil
}

// rejected makes a rejection of an error that is the object's own.
func rejected(st stream, id string, err error) (sources.Rejection, bool) {
	r := sources.Rejection{Kind: st.kind, ID: id, Where: st.object + " " + id}
	if bad, ok := errors.AsType[*valueError](err); ok {
		r.Reason, r.Detail = bad.reason, bad.Error()
		return r, true
	}
	if errors.Is(err, errDiscount) {
		r.Reason, r.Detail = "unknown coupon", err.Error()
		return r, true
	}
	return r, false
}

func (f *fetch) record(ctx context.Context, o object, scheduled bool) (record.Record, int, error) {
	switch f.object {
	case "customer":
		r, err := f.customerRecord(o)
		return r, 0, err
	case "subscription":
		return f.subscriptionRecord(ctx, o, scheduled)
	case "invoice":
		return invoiceRecord(o)
	}
	return creditRecord(o)
}

// decode reads an object. The error does not quote it.
func decode(o object, into any) error {
	err := json.Unmarshal(o.text, into)
	if field, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &valueError{"bad value", field.Field, "is a " + field.Value}
	}
	if err != nil {
		return &valueError{"bad value", o.Type, "a number or text is malformed"}
	}
	return nil
}

func (f *fetch) forgetSchedules() {
	f.schedules, f.planned = map[string][]schedule{}, map[string]bool{}
}

// readSchedules reads the schedules that query selects.
func (f *fetch) readSchedules(ctx context.Context, query url.Values) error {
	const path = "/v1/subscription_schedules"
	err := f.each(ctx, path, "subscription_schedule", query, "", func(part []object, _ bool) error {
		for _, o := range part {
			var s schedule
			if err := json.Unmarshal(o.text, &s); err != nil {
				return &apiclient.FormatError{Endpoint: "GET " + path, Detail: fmt.Sprintf("schedule %s: %v", o.ID, err)}
			}
			id := s.Subscription.ID
			if id == "" {
				id = s.ReleasedSubscription
			}
			// They come newest first.
			if id != "" {
				f.schedules[id] = append([]schedule{s}, f.schedules[id]...)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the schedules of subscriptions: %w", err)
	}
	return nil
}
