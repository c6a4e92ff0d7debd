package hubspot

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// classify reads an answer by HubSpot's own signs.
func classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	v.RequestID = r.Header.Get("X-HubSpot-Correlation-Id")
	if v.Class == apiclient.ClassOK && !bytes.HasPrefix(bytes.TrimSpace(r.Body[:min(len(r.Body), 32)]), []byte(`{"status":"error"`)) {
		return v
	}
	var body struct {
		Message, Category, CorrelationID, PolicyName string
		Errors                                       []struct{ Context map[string][]string }
	}
	if json.Unmarshal(r.Body, &body) != nil {
		body.Errors = nil // a proxy's page: the status alone counts
	}
	v.Code, v.Message = body.Category, body.Message
	if v.RequestID == "" {
		v.RequestID = body.CorrelationID
	}
	switch {
	case r.Status == http.StatusTooManyRequests:
		v.Quota, v.RetryAfter = throttled(body.PolicyName, r.Header)
	case r.Status == 477: // the account moves to another data centre
		v.Class = apiclient.ClassThrottled
	case r.Status == http.StatusLocked:
		v.Class, v.RetryAfter = apiclient.ClassRetry, 2*time.Second
	case r.Status == http.StatusForbidden:
		for _, e := range body.Errors {
			for _, key := range []string{"requiredGranularScopes", "requiredScopes", "missingScopes"} {
				if v.Scope == "" {
					v.Scope = strings.Join(e.Context[key], " or ")
				}
			}
		}
	case v.Class == apiclient.ClassOK:
		v.Class = apiclient.ClassPermanent
	}
	return v
}

// throttled returns the limit that was exceeded and how long to wait where the vendor does not say.
func throttled(policy string, header http.Header) (quota string, wait time.Duration) {
	switch {
	case header.Get("Retry-After") != "":
		return strings.ToLower(policy), 0
	case policy == "DAILY":
		// It ends at midnight in the account's zone, which the API does not tell with this.
		return quotaDaily, time.Hour
	case strings.HasPrefix(policy, "TEN_SECONDLY"):
		return quotaBurst, 10 * time.Second
	case policy == "SECONDLY":
		return quotaSearch, time.Second
	}
	return strings.ToLower(policy), 0
}

// Names of the limits.
const (
	quotaBurst  = "ten_secondly"
	quotaDaily  = "daily"
	quotaSearch = "search"
)

// signals reads what an answer says about the limits. Searches say nothing.
func signals(r *apiclient.Response) []apiclient.Signal {
	var list []apiclient.Signal
	for _, h := range []apiclient.HeaderSignal{
		{Quota: quotaBurst, Size: "X-HubSpot-RateLimit-Max", Remaining: "X-HubSpot-RateLimit-Remaining"},
		{Quota: quotaDaily, Size: "X-HubSpot-RateLimit-Daily", Remaining: "X-HubSpot-RateLimit-Daily-Remaining"},
	} {
		s, ok := h.Read(r.Header, time.Time{}) // there is no reset among the headers
		if !ok {
			continue
		}
		if h.Quota == quotaDaily {
			// One request an hour finds out when the account's own day has begun.
			s.Reset = time.Hour
		}
		list = append(list, s)
	}
	return list
}
