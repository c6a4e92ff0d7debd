package stripe

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// quotaRequests is the name of the limit on requests a second.
const quotaRequests = "requests"

// permission is how the vendor names a permission that a restricted key lacks.
var permission = regexp.MustCompile(`'(rak_[a-z0-9_]+)'`)

// classify reads an answer by Stripe's own signs.
func classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	v.RequestID = r.Header.Get("Request-Id")
	var body struct {
		Error *struct{ Type, Code, Message string } `json:"error"`
	}
	if v.Class == apiclient.ClassOK && !bytes.Contains(r.Body[:min(len(r.Body), 64)], []byte(`"error"`)) {
		return v
	}
	// A proxy's page is no JSON: the status alone counts.
	if json.Unmarshal(r.Body, &body) == nil && body.Error != nil {
		if v.Code = body.Error.Code; v.Code == "" {
			v.Code = body.Error.Type
		}
		v.Message = body.Error.Message
		if v.Class == apiclient.ClassOK {
			v.Class = apiclient.ClassPermanent
		}
	}
	switch {
	case r.Status == http.StatusForbidden:
		if m := permission.FindStringSubmatch(v.Message); m != nil {
			v.Scope = m[1]
		}
	case v.Code == "lock_timeout":
		v.Class = apiclient.ClassRetry
	case r.Status == http.StatusTooManyRequests:
		if v.Quota = r.Header.Get("Stripe-Rate-Limited-Reason"); v.Quota == "" {
			v.Quota = quotaRequests
		}
	case r.Header.Get("Stripe-Should-Retry") == "true" && v.Class == apiclient.ClassPermanent:
		v.Class = apiclient.ClassRetry
	case r.Header.Get("Stripe-Should-Retry") == "false" && v.Class == apiclient.ClassRetry:
		v.Class = apiclient.ClassPermanent
	}
	return v
}
