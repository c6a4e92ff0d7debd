package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Check reads one object of each kind, and what else the streams need.
func (s *Source) Check(ctx context.Context, _ sources.Environment) []sources.Finding {
	var findings []sources.Finding
	for _, st := range s.streams() {
		detail, err := s.checkStream(ctx, st)
		if _, refused := errors.AsType[*apiclient.AuthError](err); refused {
			return []sources.Finding{{Subject: "credentials", Err: err}}
		}
		findings = append(findings, sources.Finding{Subject: "stream " + st.name, Err: err, Detail: detail})
	}
	return findings
}

func (s *Source) checkStream(ctx context.Context, st stream) (detail string, err error) {
	query := st.listQuery()
	query.Set("limit", "1")
	body, err := s.part(ctx, st.path, st.object, query)
	if err != nil {
		return "", fmt.Errorf("list objects of the type %s: %w", st.object, err)
	}
	events := url.Values{"limit": {"1"}, "types[]": st.eventTypes}
	if _, err := s.part(ctx, "/v1/events", "event", events); err != nil {
		return "", fmt.Errorf("list events: %w", err)
	}
	parts := []string{st.path + " and its events can be read"}
	if st.object == "subscription" {
		for _, kind := range []string{"subscription_schedule", "price", "coupon"} {
			if _, err := s.part(ctx, "/v1/"+kind+"s", kind, url.Values{"limit": {"1"}}); err != nil {
				return "", fmt.Errorf("list objects of the type %s: %w", kind, err)
			}
		}
	}
	if len(body.Data) == 0 {
		return strings.Join(append(parts, "there is none yet"), "; "), nil
	}
	var one struct {
		Livemode bool   `json:"livemode"`
		Currency string `json:"currency"`
	}
	if json.Unmarshal(body.Data[0].text, &one) == nil {
		if !one.Livemode {
			parts = append(parts, "these are test data")
		}
		if one.Currency != "" {
			parts = append(parts, "the newest is in "+strings.ToUpper(one.Currency))
		}
	}
	return strings.Join(parts, "; "), nil
}
