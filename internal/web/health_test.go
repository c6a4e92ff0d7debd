package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	cert, _ := certificate(t)
	for _, test := range []struct{ name, webConfig, scheme string }{
		{"plain", "", "http"},
		{"TLS", cert, "https"},
		{"TLS asked without", cert, "http"},
		{"password", basicAuth(t, "correct horse"), "http"},
		{"password and TLS", cert + basicAuth(t, "correct horse"), "http"},
		{"client certificate", cert + "  client_auth_type: RequireAnyClientCert\n", "https"},
		{"client certificate, TLS 1.2", cert + "  client_auth_type: RequireAnyClientCert\n  max_version: TLS12\n", "http"},
		{"rate limit", "rate_limit:\n  interval: 1h\n  burst: 0\n", "http"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := ""
			if test.webConfig != "" {
				file = webConfigFile(t, test.webConfig)
			}
			r := serve(t, file, 1, Options{}, nil)
			if err := Health(t.Context(), test.scheme+"://"+r.addresses[0]); err != nil {
				t.Errorf("Health: %v", err)
			}
			r.stop()
			if err := r.wait(t); err != nil {
				t.Errorf("Serve: %v", err)
			}
			if err := Health(t.Context(), test.scheme+"://"+r.addresses[0]); err == nil {
				t.Error("Health: nil after the server has ended")
			}
		})
	}
}

func TestHealthFails(t *testing.T) {
	answer := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/-/healthy" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.Header().Set("Location", "/elsewhere")
			http.Error(w, body, status)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	for _, test := range []struct{ address, want string }{
		{answer(500, "Internal Server Error"), "/-/healthy: 500 Internal Server Error: Internal Server Error"},
		{answer(404, "404 page not found"), "404 Not Found: 404 page not found"},
		{answer(302, "moved"), "302 Found: moved"},
		{answer(400, "bad"), "400 Bad Request: bad"},
		{"127.0.0.1:9846", "first path segment in URL cannot contain colon"},
		{"ftp://127.0.0.1", `address "ftp://127.0.0.1": want one such as http://127.0.0.1:9846`},
		{"http://", `address "http://": want one`},
		{"http://127.0.0.1:1", "connection refused"},
	} {
		err := Health(t.Context(), test.address)
		if err == nil || !strings.HasPrefix(err.Error(), "check health: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Health(%s): %v, want %s", test.address, err, test.want)
		}
	}
}

func TestHealthOfSlowServer(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	start := time.Now()
	if err := Health(ctx, server.URL); err == nil || time.Since(start) > healthTimeout {
		t.Errorf("Health: %v after %s", err, time.Since(start))
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "10.0.0.1": false, "::": false, "localhost.example": false, "exporter.example": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("isLoopback(%q) = %t", host, got)
		}
	}
}
