package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// healthTimeout bounds a health check; it is less than the 5 s or more that
// container runtimes give one.
const healthTimeout = 3 * time.Second

// Health asks the exporter at address, such as http://127.0.0.1:9846, whether it is
// alive, and returns an error after 3 s at most where it is not.
//
// It has no credentials, so these count as alive, too: the web configuration file asks
// for a password (401), limits the rate (429), or asks for a client certificate (a TLS
// alert). The answer is then the listener's, of the same process. A plain address of a
// server with TLS is asked again with TLS. The certificate is verified unless the
// host is a loopback address, which its names seldom hold and where nothing secret is sent.
func Health(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("check health: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("check health: address %q: want one such as http://127.0.0.1:9846", address)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: isLoopback(u.Hostname())}, //nolint:gosec // loopback only, see above
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	u = u.JoinPath("/-/healthy")
	err = askHealth(ctx, client, u)
	if errors.Is(err, errWantsTLS) {
		u.Scheme = "https"
		err = askHealth(ctx, client, u)
	}
	if err != nil {
		return fmt.Errorf("check health: %w", err)
	}
	return nil
}

// errWantsTLS is returned for a plain request that met a server with TLS.
var errWantsTLS = errors.New("the server wants HTTPS")

func askHealth(ctx context.Context, client *http.Client, u *url.URL) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	var operation *net.OpError
	if errors.As(err, &operation) && operation.Op == "remote error" {
		return nil // crypto/tls: an alert that the server sent
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusTooManyRequests:
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("GET %s: %s: read the answer: %w", u, resp.Status, err)
	}
	text := strings.TrimSpace(string(body))
	// What net/http's server answers, as text only.
	if resp.StatusCode == http.StatusBadRequest && u.Scheme == "http" && strings.HasSuffix(text, "HTTP request to an HTTPS server.") {
		return errWantsTLS
	}
	return fmt.Errorf("GET %s: %s: %s", u, resp.Status, text)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
