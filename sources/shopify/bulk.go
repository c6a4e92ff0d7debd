package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

const (
	bulkPage    = 250 // orders in a page
	bulkDetails = 25  // orders that are asked for again at once
	// bulkBeat is how often a page without records says that the wait is not a standstill.
	bulkBeat = 5 * time.Minute

	bulkCompleted = "COMPLETED"
)

// bulkOperation is the state of a bulk operation.
type bulkOperation struct {
	ID              string      `json:"id"`
	Status          string      `json:"status"`
	ErrorCode       string      `json:"errorCode"`
	CreatedAt       time.Time   `json:"createdAt"`
	RootObjectCount json.Number `json:"rootObjectCount"`
	URL             string      `json:"url"`
	Query           string      `json:"query"`
}

func (b bulkOperation) running() bool {
	return b.Status == "CREATED" || b.Status == "RUNNING" || b.Status == "CANCELING"
}

// readBulk lets Shopify write all orders into a file, and emits them from it. It
// returns since when changes may not be in it. Done is false where the file is not ready (unless wait is
// true), and where there will be none: then the cursor names no operation any more.
func (r *reading) readBulk(ctx context.Context, wait bool) (since time.Time, done bool, err error) {
	if r.c.Bulk == "" {
		if err := r.startBulk(ctx); err != nil {
			return time.Time{}, false, err
		}
	}
	op, err := r.awaitBulk(ctx, wait)
	if err != nil || op.running() {
		return time.Time{}, false, err
	}
	if op.Status == bulkCompleted && op.URL == "" {
		return time.Time{}, false, r.forgetBulk(ctx) // no orders, which one small page confirms
	}
	if op.Status == bulkCompleted {
		err = r.readFile(ctx, op)
		if !refused(err) {
			return op.CreatedAt.Add(-overlap), err == nil, err
		}
		op.ErrorCode = "the file is not there any more"
	}
	r.logger.Warn("a bulk operation has failed, orders are read page by page", "status", op.Status, "reason", op.ErrorCode)
	return time.Time{}, false, r.forgetBulk(ctx)
}

// refused says that there is no file at the address, or not any more.
func refused(err error) bool {
	if e, ok := errors.AsType[*apiclient.APIError](err); ok {
		return e.Status < 500
	}
	_, forbidden := errors.AsType[*apiclient.ScopeError](err)
	return forbidden
}

// startBulk starts an operation and commits its ID, so that a restart finds it again.
func (r *reading) startBulk(ctx context.Context) error {
	type started struct {
		Run struct {
			Operation  *bulkOperation `json:"bulkOperation"`
			UserErrors []struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"userErrors"`
		} `json:"bulkOperationRunQuery"`
	}
	data, _, err := query[started](ctx, r.Source, mutationBulk, map[string]any{"query": queryBulkOrders}, 10)
	if err != nil {
		return err
	}
	id := ""
	switch {
	case len(data.Run.UserErrors) > 0:
		if id, err = r.ownBulk(ctx); err != nil {
			return err
		}
		if e := data.Run.UserErrors[0]; id == "" {
			// Others' operations are theirs: they are waited for and not cancelled.
			return fmt.Errorf("start a bulk operation: %s: %s; it is tried again later; or set bulk: false", e.Code, e.Message)
		}
	case data.Run.Operation != nil:
		id = data.Run.Operation.ID
	}
	if id == "" {
		return &apiclient.FormatError{Endpoint: "POST " + r.path, Detail: "a bulk operation was started without an ID"}
	}
	c := r.c
	c.Bulk = id
	return r.send(ctx, sources.Page{Progress: -1}, c)
}

// ownBulk returns the running operation with the same query, if there is one: it was
// started when the answer was lost.
func (r *reading) ownBulk(ctx context.Context) (string, error) {
	type list struct {
		Operations items[bulkOperation] `json:"bulkOperations"`
	}
	data, _, err := query[list](ctx, r.Source, queryBulks, map[string]any{}, 10)
	if err != nil {
		return "", err
	}
	for _, op := range data.Operations.Nodes {
		if op.running() && slices.Equal(strings.Fields(op.Query), strings.Fields(queryBulkOrders)) {
			return op.ID, nil
		}
	}
	return "", nil
}

func (r *reading) forgetBulk(ctx context.Context) error {
	c := r.c
	c.Bulk = ""
	return r.send(ctx, sources.Page{Progress: -1}, c)
}

// awaitBulk returns the state of the operation: at once, or when it has ended.
func (r *reading) awaitBulk(ctx context.Context, wait bool) (bulkOperation, error) {
	var quiet time.Duration
	for pause := 2 * time.Second; ; pause = min(2*pause, 30*time.Second) {
		type one struct {
			Operation *bulkOperation `json:"bulkOperation"`
		}
		data, _, err := query[one](ctx, r.Source, queryBulk, map[string]any{"id": r.c.Bulk}, 1)
		if err != nil {
			return bulkOperation{}, err
		}
		if data.Operation == nil {
			return bulkOperation{Status: "GONE", ErrorCode: "the shop does not know it"}, nil
		}
		if !wait || !data.Operation.running() {
			return *data.Operation, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return bulkOperation{}, fmt.Errorf("wait for a bulk operation: %w", context.Cause(ctx))
		}
		if quiet += pause; quiet >= bulkBeat {
			quiet = 0
			if err := r.send(ctx, sources.Page{Progress: -1}, r.c); err != nil {
				return bulkOperation{}, err
			}
		}
	}
}

// bulkRow is one line of the file: an order, or a line item of the order before it.
type bulkRow struct {
	ParentID string `json:"__parentId"`
}

// bulkOrder is an order as it stands in the file.
type bulkOrder struct {
	order
	lines []line
}

// readFile emits the orders of an operation's file as it arrives. Its URL carries a
// signature: it must not be logged.
func (r *reading) readFile(ctx context.Context, op bulkOperation) error {
	total, err := op.RootObjectCount.Int64()
	if err != nil {
		total = 0 // it only tells the progress and whether the file is whole
	}
	f := &bulkFile{reading: r, total: total}
	err = r.download.Stream(ctx, apiclient.Request{Path: op.URL, Timeout: 24 * time.Hour}, func(body io.Reader) error {
		dec := json.NewDecoder(body)
		for {
			var raw json.RawMessage
			if err := dec.Decode(&raw); err == io.EOF {
				break
			} else if err != nil {
				return &apiclient.TruncatedError{Endpoint: "GET bulk file", Read: dec.InputOffset(), Detail: "not a row: " + err.Error()}
			}
			if err := f.row(ctx, raw); err != nil {
				return err
			}
		}
		if f.orders < f.total {
			return &apiclient.TruncatedError{
				Endpoint: "GET bulk file", Read: dec.InputOffset(), Detail: fmt.Sprintf("%d orders of %d", f.orders, f.total),
			}
		}
		return f.flush(ctx, true)
	})
	if err != nil {
		return fmt.Errorf("read the file of a bulk operation: %w", err)
	}
	return nil
}

// bulkFile collects the rows of a file. It holds one page of orders at most.
type bulkFile struct {
	*reading
	orders, total int64
	current       *bulkOrder
	page          sources.Page
	refunded      []string // IDs of orders with refunds, whose parts the file cannot hold
	held          int
}

func (f *bulkFile) row(ctx context.Context, raw json.RawMessage) error {
	var row bulkRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return &apiclient.FormatError{Endpoint: "GET bulk file", Detail: "a row is not an object"}
	}
	if row.ParentID == "" {
		if err := f.finish(ctx); err != nil {
			return err
		}
		var o bulkOrder
		f.orders++
		if err := json.Unmarshal(raw, &o.order); err != nil {
			f.page.Rejected = append(f.page.Rejected, unreadable(record.KindOrder, raw, err))
			f.current = nil
			return nil
		}
		f.current = &o
		return nil
	}
	if f.current == nil || row.ParentID != f.current.ID {
		if f.current == nil && f.orders > 0 {
			return nil // of the order that was rejected
		}
		return &apiclient.FormatError{Endpoint: "GET bulk file", Detail: "a line item does not follow its order"}
	}
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		f.page.Rejected = append(f.page.Rejected, sources.Rejection{
			Kind: record.KindOrder, ID: f.current.ID, Reason: "bad answer", Where: "bulk file, " + f.current.ID, Detail: err.Error(),
		})
		f.current = nil
		return nil //nolint:nilerr // it is noted as a rejection
	}
	f.current.lines = append(f.current.lines, l)
	return nil
}

// finish takes over the order whose rows are all read.
func (f *bulkFile) finish(ctx context.Context) error {
	o := f.current
	f.current = nil
	if o == nil {
		return nil
	}
	if o.UpdatedAt.After(f.high) {
		f.high = o.UpdatedAt
	}
	f.held++
	if len(o.Refunds) > 0 {
		f.refunded = append(f.refunded, o.ID)
	} else {
		o.LineItems = items[line]{Nodes: o.lines}
		f.mapOrder(&o.order, &f.page)
	}
	if len(f.refunded) >= bulkDetails {
		if err := f.details(ctx); err != nil {
			return err
		}
	}
	if f.held >= bulkPage {
		return f.flush(ctx, false)
	}
	return nil
}

// details asks for the orders with refunds.
func (f *bulkFile) details(ctx context.Context) error {
	for len(f.refunded) > 0 {
		n := min(len(f.refunded), bulkDetails)
		type list struct {
			Nodes []json.RawMessage `json:"nodes"`
		}
		var data list
		for {
			var err error
			data, _, err = query[list](ctx, f.Source, queryOrdersByID, map[string]any{"ids": f.refunded[:n], "lines": linesPerOrder}, maxQueryCost)
			if refused, ok := errors.AsType[*apiclient.APIError](err); ok && refused.Code == codeMaxCost && n > 1 {
				n /= 2
				continue
			}
			if err != nil {
				return err
			}
			break
		}
		for _, raw := range data.Nodes {
			if string(raw) == "null" {
				continue // deleted since
			}
			if _, err := f.addOrder(ctx, raw, &f.page); err != nil {
				return err
			}
		}
		f.refunded = f.refunded[n:]
	}
	return nil
}

// flush emits the page. The cursor stays: what follows an interruption is the whole
// file again, and it is ready.
func (f *bulkFile) flush(ctx context.Context, last bool) error {
	if last {
		if err := f.finish(ctx); err != nil {
			return err
		}
	}
	if err := f.details(ctx); err != nil {
		return err
	}
	f.page.Progress = -1
	if f.total > 0 {
		f.page.Progress = min(float64(f.orders)/float64(f.total), 1)
	}
	page := f.page
	f.page, f.held = sources.Page{}, 0
	return f.send(ctx, page, f.c)
}
