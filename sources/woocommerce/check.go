package woocommerce

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/findings"
)

// site is what the shop says about itself to everybody.
type site struct {
	URL        string   `json:"url"`
	Zone       string   `json:"timezone_string"` // empty where it has only an offset
	Namespaces []string `json:"namespaces"`
}

// Check reads what the shop says about itself, tries the filter of changes, and reads one page of each
// stream.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	list := []sources.Finding{s.checkSite(ctx, env)}
	if list[0].Err != nil {
		return list
	}
	list = append(list, s.checkCurrency(ctx, env))
	for _, st := range s.streams {
		if st.filtered {
			list = append(list, s.checkFilter(ctx, st))
		}
		list = append(list, s.checkStream(ctx, st))
	}
	return list
}

func (s *Source) checkSite(ctx context.Context, env sources.Environment) sources.Finding {
	f := sources.Finding{Subject: "shop"}
	var found site
	if _, err := s.client.JSON(ctx, apiclient.Request{Path: pathIndex}, &found); err != nil {
		f.Err = fmt.Errorf("read what the site says about itself (is the url the shop's, and are its permalinks not plain?): %w", err)
		return f
	}
	if !slices.Contains(found.Namespaces, "wc/v3") {
		f.Err = errors.New("the site has no REST API of WooCommerce: install or activate WooCommerce 5.8 or later")
		return f
	}
	var details []string
	// A signature is for the address that the shop knows.
	if configured := strings.TrimRight(s.options.URL, "/"); found.URL != "" && strings.TrimRight(found.URL, "/") != configured {
		details = append(details, "the shop takes "+found.URL+" for its address: set url to it where credentials are refused")
	}
	switch {
	case found.Zone == "":
		details = append(details, "the shop's time zone is an offset without a name: its own reports may end their days at other times")
	case env.Zone != nil && found.Zone != env.Zone.String():
		details = append(details, fmt.Sprintf("the shop's days are in %s, the reports' in %s: its own reports end their days at other times", found.Zone, env.Zone))
	default:
		details = append(details, "time zone "+found.Zone)
	}
	f.Detail = strings.Join(details, "; ")
	return f
}

func (s *Source) checkCurrency(ctx context.Context, env sources.Environment) sources.Finding {
	var setting struct {
		Value string `json:"value"`
	}
	_, err := s.client.JSON(ctx, apiclient.Request{Path: pathCurrency, Query: url.Values{"_fields": {"value"}}}, &setting)
	switch {
	case hidden(err):
		return sources.Finding{Subject: "currency", Detail: "the key's owner may not read settings; orders tell their own currencies"}
	case err != nil:
		return sources.Finding{Subject: "currency", Err: err}
	}
	return findings.Currency("the shop's amounts", setting.Value, env)
}

// hidden says whether the settings are not for the key. Where it is not good at all, the
// streams tell.
func hidden(err error) bool {
	_, auth := errors.AsType[*apiclient.AuthError](err)
	_, scope := errors.AsType[*apiclient.ScopeError](err)
	return auth || scope
}

// checkFilter asks for what will have changed in the far future: a shop that lists something does not
// know the filter.
func (s *Source) checkFilter(ctx context.Context, st *stream) sources.Finding {
	f := sources.Finding{Subject: "changes"}
	r := &reading{Source: s, st: st}
	rows, _, err := s.rows(ctx, st.path, r.query(st.lists[0], time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), "id", "asc", 0, 1))
	switch {
	case err != nil:
		f.Err = err
	case len(rows) > 0:
		f.Err = errors.New("the shop ignores modified_after, and each poll would read all orders: update WooCommerce to 5.8 or later")
	default:
		f.Detail = "orders are listed by their last change"
	}
	return f
}

func (s *Source) checkStream(ctx context.Context, st *stream) sources.Finding {
	f := sources.Finding{Subject: "stream " + st.Name}
	r := &reading{Source: s, st: st}
	var page sources.Page
	total := 0
	for _, l := range st.lists {
		rows, n, err := s.rows(ctx, st.path, r.query(l, time.Time{}, st.newest, "desc", 0, s.size.get()))
		for i := 0; i < len(rows) && err == nil; i++ {
			err = st.add(ctx, rows[i].raw, &page)
		}
		if err != nil {
			f.Err = err
			return f
		}
		total += max(n, len(rows))
	}
	f.Err = findings.Rejected(page.Rejected)
	f.Detail = strconv.Itoa(len(page.Records)) + " records in the first pages; the shop lists " + strconv.Itoa(total)
	return f
}
