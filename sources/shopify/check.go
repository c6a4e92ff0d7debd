package shopify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/findings"
)

const scopeAllOrders = "read_all_orders"

// settings are what the shop says about itself and the app.
type settings struct {
	Shop struct {
		Domain   string `json:"myshopifyDomain"`
		Currency string `json:"currencyCode"`
		Zone     string `json:"ianaTimezone"`
		Plan     struct {
			Name string `json:"publicDisplayName"`
		} `json:"plan"`
	} `json:"shop"`
	App struct {
		Scopes []struct {
			Handle string `json:"handle"`
		} `json:"accessScopes"`
	} `json:"currentAppInstallation"`
	// version of the API that has answered; empty where it did not say.
	version string
}

// has reports whether one of the scopes is granted.
func (s settings) has(scopes ...string) bool {
	for _, granted := range s.App.Scopes {
		if slices.Contains(scopes, granted.Handle) {
			return true
		}
	}
	return false
}

func (s *Source) settings(ctx context.Context) (settings, error) {
	data, _, header, err := post[settings](ctx, s, querySettings, map[string]any{}, 10)
	data.version = header.Get("X-Shopify-API-Version")
	return data, err
}

// Check reads the shop's settings and one page of each stream.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	found, err := s.settings(ctx)
	if err != nil {
		return []sources.Finding{{Subject: "credentials", Err: err}}
	}
	list := []sources.Finding{
		{Subject: "credentials", Detail: fmt.Sprintf("%s, plan %s", found.Shop.Domain, found.Shop.Plan.Name)},
		{Subject: "API version", Detail: checkVersion(found.version, s.options.Version)},
		s.checkScopes(found),
		findings.Zone("the shop", found.Shop.Zone, "Shopify's own reports end their days at other times", env),
		findings.Currency("the shop's amounts", found.Shop.Currency, env),
	}
	for _, st := range s.streams {
		list = append(list, s.checkStream(ctx, st))
	}
	return list
}

func (s *Source) checkStream(ctx context.Context, st *stream) sources.Finding {
	f := sources.Finding{Subject: "stream " + st.Name}
	var page sources.Page
	r := &reading{Source: s, st: st}
	found, err := r.list(ctx, "", "")
	if err != nil {
		f.Err = err
		return f
	}
	for _, raw := range found.Nodes {
		if _, f.Err = st.add(ctx, raw, &page); f.Err != nil {
			return f
		}
	}
	f.Err = findings.Rejected(page.Rejected)
	f.Detail = fmt.Sprintf("%d records in the first page", len(page.Records))
	return f
}

// checkScopes compares the granted scopes with what the streams need.
func (s *Source) checkScopes(found settings) sources.Finding {
	f := sources.Finding{Subject: "scopes"}
	var missing []string
	need := func(why string, anyOf ...string) {
		if !found.has(anyOf...) {
			missing = append(missing, strings.Join(anyOf, " or ")+" ("+why+")")
		}
	}
	for _, st := range s.streams {
		switch st.Name {
		case streamOrder:
			need("stream order", "read_orders")
			need("without it orders older than 60 days are hidden, and their customers count as new", scopeAllOrders)
			need("whose order it is", "read_customers")
		case streamCustomer:
			need("stream customer", "read_customers")
		case streamCompany:
			need("stream company", "read_companies", "read_customers")
		case streamCheckout:
			need("stream checkout", "read_orders")
		}
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	if len(missing) > 0 {
		f.Err = errors.New("the app lacks " + strings.Join(missing, ", ") + "; grant them in the app's configuration and install its new version")
	}
	var details []string
	for _, scope := range []string{"read_products", "read_inventory"} {
		if !found.has(scope) {
			details = append(details, scope+" is not granted: the cost of goods stays unknown")
		}
	}
	f.Detail = strings.Join(details, "; ")
	if f.Detail == "" && f.Err == nil {
		f.Detail = "all that is needed"
	}
	return f
}

func checkVersion(answered, asked string) string {
	if answered == asked || answered == "" {
		return asked
	}
	return fmt.Sprintf("%s was asked for and %s has answered: a version that is no longer supported is replaced by the oldest that is; set api_version", asked, answered)
}
