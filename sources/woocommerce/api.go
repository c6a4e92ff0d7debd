package woocommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

const (
	pathIndex     = "/wp-json/"
	pathAPI       = "/wp-json/wc/v3"
	pathOrders    = pathAPI + "/orders"
	pathCustomers = pathAPI + "/customers"
	pathCurrency  = pathAPI + "/settings/general/woocommerce_currency"
)

// refusal is an error of the API.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Status int `json:"status"`
	} `json:"data"`
}

// classify looks for errors that come with another status: where a server makes its own of
// the shop's.
func classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	if r.Status == http.StatusForbidden && strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "html") {
		return apiclient.Verdict{Class: apiclient.ClassPermanent, Message: "an HTML page: something before the shop, such as a firewall, refuses the exporter"}
	}
	if v.Class != apiclient.ClassOK {
		return v
	}
	var e refusal
	if !bytes.Contains(r.Body[:min(len(r.Body), 4096)], []byte(`"code"`)) || json.Unmarshal(r.Body, &e) != nil || e.Code == "" || e.Data.Status < 400 {
		return v // the client says what is wrong with it
	}
	v = apiclient.ClassifyStatus(&apiclient.Response{Status: e.Data.Status})
	v.Code, v.Message = e.Code, e.Message
	return v
}

// stamp is what every record of a list has. Times are UTC without saying so.
type stamp struct {
	ID       int64  `json:"id"`
	Created  string `json:"date_created_gmt"`
	Modified string `json:"date_modified_gmt"`
}

// row is a record of a list.
type row struct {
	stamp
	raw json.RawMessage
}

// rows reads a page of a list, and how many records the list has (negative where the shop
// does not say).
func (s *Source) rows(ctx context.Context, path string, query url.Values) ([]row, int, error) {
	var page []json.RawMessage
	r, err := s.client.JSON(ctx, apiclient.Request{Path: path, Query: query}, &page)
	if err != nil {
		if ctx.Err() == nil && slow(err) && s.size.halve() {
			s.logger.Info("the shop is too slow, the next poll asks for less at once", "records", s.size.get())
		}
		return nil, 0, err
	}
	list := make([]row, len(page))
	for i, raw := range page {
		list[i].raw = raw
		if err := json.Unmarshal(raw, &list[i].stamp); err != nil || list[i].ID == 0 {
			return nil, 0, &apiclient.FormatError{Endpoint: "GET " + path, Detail: fmt.Sprintf("record %d of the list has no ID", i+1)}
		}
	}
	total, err := strconv.Atoi(r.Header.Get("X-WP-Total"))
	if err != nil {
		total = -1
	}
	return list, total, nil
}

// slow says whether less at once may help.
func slow(err error) bool {
	if failed, ok := errors.AsType[*apiclient.APIError](err); ok {
		return failed.Status >= 500
	}
	_, cut := errors.AsType[*apiclient.TruncatedError](err)
	return cut || errors.Is(err, context.DeadlineExceeded)
}

// gone says whether the shop answers that what was asked for is not there.
func gone(err error) bool {
	failed, ok := errors.AsType[*apiclient.APIError](err)
	return ok && failed.Status == http.StatusNotFound && failed.Code != "rest_no_route"
}

// pageSize is how many records are asked for at once: less after the shop has failed.
type pageSize struct {
	mu        sync.Mutex
	now, last int
}

// newPageSize returns a size that can be halved down to an eighth. Two is the least:
// each page of a list repeats the last record of the one before.
func newPageSize(size int) *pageSize { return &pageSize{now: max(size, 2), last: max(size/8, 2)} }

func (p *pageSize) get() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// halve reports whether the size has become smaller.
func (p *pageSize) halve() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.now
	p.now = max(p.now/2, p.last)
	return p.now < before
}
