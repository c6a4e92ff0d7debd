package endpoint

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/go-cleanhttp"
)

const maxRedirects = 5

// redirects follows redirects to the hosts that are configured. The client itself
// follows none to another host, for that is mostly a login page. It stands below what adds
// the credentials, and sends none of them to another host.
type redirects struct {
	next  http.RoundTripper
	hosts []string
}

func newRedirects(next http.RoundTripper, hosts []string) *redirects {
	if next == nil {
		next = cleanhttp.DefaultPooledTransport()
	}
	return &redirects{next: next, hosts: hosts}
}

func (t *redirects) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	for range maxRedirects {
		if err != nil {
			return nil, err
		}
		target := t.target(r, resp)
		if target == nil {
			break
		}
		resp.Body.Close()
		follow, newErr := http.NewRequestWithContext(r.Context(), http.MethodGet, target.String(), nil)
		if newErr != nil {
			return nil, fmt.Errorf("follow a redirect to %s: the address is not valid", target.Host)
		}
		follow.Header.Set("User-Agent", r.Header.Get("User-Agent"))
		resp, err = t.next.RoundTrip(follow)
	}
	return resp, err
}

// target returns where an answer leads, if it is to be followed there.
func (t *redirects) target(r *http.Request, resp *http.Response) *url.URL {
	if r.Method != http.MethodGet || resp.StatusCode < 300 || resp.StatusCode == http.StatusNotModified || resp.StatusCode >= 400 {
		return nil
	}
	target, err := resp.Location()
	if err != nil || target.Scheme != "https" && target.Scheme != r.URL.Scheme {
		return nil
	}
	host := strings.ToLower(target.Hostname())
	for _, allowed := range t.hosts {
		allowed = strings.ToLower(allowed)
		if host != r.URL.Hostname() && (host == allowed || strings.HasSuffix(host, "."+allowed)) {
			return target
		}
	}
	return nil
}
