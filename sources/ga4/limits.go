package ga4

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Names of the limits.
const (
	quotaDay          = "tokens_per_day"
	quotaHour         = "tokens_per_hour"
	quotaProject      = "tokens_per_project_per_hour"
	quotaServerErrors = "server_errors"
	quotaThresholded  = "potentially_thresholded_requests"
	quotaConcurrent   = "concurrent_requests"
)

// Tokens of a standard property. One of Analytics 360 has ten times as many.
const (
	tokensDay     = 200_000
	tokensHour    = 40_000
	tokensProject = 14_000
	premium       = 10
)

// tokensReport is what a report is taken to cost until an answer says what is left.
const tokensReport = 10

// The vendor blocks a project after ten failures of its own in an hour. The last ones are
// left to other tools.
const (
	mostServerErrors    = 8
	serverErrorsReserve = 2
)

// hourly leaves a tenth of an hour's tokens to other tools.
func hourly(tokens int) int { return tokens - tokens/10 }

func limits(share float64, pacific *time.Location) []apiclient.Limit {
	return []apiclient.Limit{
		apiclient.Window(quotaProject, hourly(tokensProject), time.Hour),
		apiclient.Window(quotaHour, hourly(tokensHour), time.Hour),
		apiclient.Daily(quotaDay, tokensDay, share, pacific),
		// It limits nothing by itself: signals say that the vendor's failures are used up.
		apiclient.Daily(quotaServerErrors, 1<<30, 1, time.UTC),
	}
}

// classify reads an answer by Google's own signs.
func classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	if v.Class == apiclient.ClassOK && !bytes.HasPrefix(bytes.TrimSpace(r.Body[:min(len(r.Body), 64)]), []byte(`{"error"`)) {
		return v
	}
	var body struct {
		Error struct {
			Status, Message string
			Details         []struct{ Reason string }
		}
	}
	if json.Unmarshal(r.Body, &body) != nil {
		return v // a proxy's page: the status alone counts
	}
	v.Code, v.Message = body.Error.Status, body.Error.Message
	for _, d := range body.Error.Details {
		switch d.Reason {
		case "":
		case "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
			v.Scope = scope
		default:
			v.Code = d.Reason // such as SERVICE_DISABLED
		}
	}
	switch {
	case r.Status == http.StatusTooManyRequests:
		v.Quota, v.RetryAfter = exhausted(v.Message)
		if r.Header.Get("Retry-After") != "" {
			v.RetryAfter = 0
		}
	case v.Class == apiclient.ClassOK:
		v.Class = apiclient.ClassPermanent
	}
	return v
}

// exhausted returns which limit was exceeded and how long to wait: the vendor says the
// first in words and the second not at all.
func exhausted(message string) (quota string, wait time.Duration) {
	m := strings.ToLower(message)
	switch {
	case strings.Contains(m, "concurrent"):
		return quotaConcurrent, 0
	case strings.Contains(m, "server error"):
		return quotaServerErrors, time.Hour
	case strings.Contains(m, "threshold"):
		return quotaThresholded, time.Hour
	case strings.Contains(m, "per day"):
		// The day ends at midnight in California. One request an hour finds out.
		return quotaDay, time.Hour
	case strings.Contains(m, "for a project"):
		return quotaProject, time.Hour
	case strings.Contains(m, "per hour"):
		return quotaHour, time.Hour
	}
	return "", 0
}

// quotaStatus says what a request has left of a limit; a zero is omitted.
type quotaStatus struct {
	Remaining int `json:"remaining"`
}

type propertyQuota struct {
	Day          *quotaStatus `json:"tokensPerDay"`
	Hour         *quotaStatus `json:"tokensPerHour"`
	Project      *quotaStatus `json:"tokensPerProjectPerHour"`
	ServerErrors *quotaStatus `json:"serverErrorsPerProjectPerHour"`
}

// quotas remembers what single answers do not say: the limits' sizes and how often the
// vendor has failed. It is safe for concurrent use.
type quotas struct {
	mu       sync.Mutex
	factor   int // of a standard property's tokens
	failures int // in a row
}

// signals reads what an answer says about the limits.
func (q *quotas) signals(r *apiclient.Response) []apiclient.Signal {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.Status >= http.StatusInternalServerError {
		if q.failures++; q.failures < mostServerErrors {
			return nil
		}
		q.failures = 0
		return []apiclient.Signal{{Quota: quotaServerErrors, Remaining: 0, Reset: time.Hour}}
	}
	if r.Status != http.StatusOK {
		return nil
	}
	var answer struct {
		Quota   *propertyQuota `json:"propertyQuota"`
		Reports []struct {
			Quota *propertyQuota `json:"propertyQuota"`
		} `json:"reports"`
	}
	if json.Unmarshal(r.Body, &answer) != nil {
		return nil // whoever decodes the answer says so
	}
	q.failures = 0
	left := answer.Quota
	for _, report := range answer.Reports {
		if report.Quota != nil {
			left = report.Quota
		}
	}
	if left == nil {
		return nil
	}
	return q.tell(left)
}

// tell turns what is left into signals.
func (q *quotas) tell(left *propertyQuota) []apiclient.Signal {
	q.factor = max(q.factor, 1)
	for _, l := range []struct {
		status *quotaStatus
		size   int
	}{{left.Day, tokensDay}, {left.Hour, tokensHour}, {left.Project, tokensProject}} {
		if l.status != nil && l.status.Remaining > l.size {
			q.factor = premium
		}
	}
	var list []apiclient.Signal
	if left.Day != nil {
		list = append(list, apiclient.Signal{Quota: quotaDay, Size: tokensDay * q.factor, Remaining: left.Day.Remaining})
	}
	for _, l := range []struct {
		quota  string
		status *quotaStatus
		size   int
	}{{quotaHour, left.Hour, tokensHour * q.factor}, {quotaProject, left.Project, tokensProject * q.factor}} {
		if l.status != nil {
			reserve := l.size - hourly(l.size)
			list = append(list, apiclient.Signal{Quota: l.quota, Size: hourly(l.size), Remaining: max(l.status.Remaining-reserve, 0)})
		}
	}
	if left.ServerErrors != nil && left.ServerErrors.Remaining <= serverErrorsReserve {
		list = append(list, apiclient.Signal{Quota: quotaServerErrors, Remaining: 0, Reset: time.Hour})
	}
	return list
}
