package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// secured sets the headers that keep a browser from doing more than showing the answer.
// Those that the web configuration file sets stay.
func (s *Server) secured(next http.Handler) http.Handler {
	headers := map[string]string{
		"Content-Security-Policy": s.page.policy,
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			if w.Header().Get(name) == "" {
				w.Header().Set(name, value)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// recovered answers 500 when h panics, which must be before it writes anything.
func (s *Server) recovered(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				s.opts.Logger.Error("request failed with a panic", "endpoint", r.Pattern, "panic", v, "stack", string(debug.Stack()))
				http.Error(w, "internal error: the log says more", http.StatusInternalServerError)
			}
		}()
		h(w, r)
	})
}

func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) {
	writeText(w, []byte("b2b_exporter is healthy.\n"))
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.notReady(); err != nil {
		http.Error(w, fmt.Sprintf("b2b_exporter is not ready: %s", err), http.StatusServiceUnavailable)
		return
	}
	writeText(w, []byte("b2b_exporter is ready.\n"))
}

// notReady returns why the exporter is not ready, nil where it is.
func (s *Server) notReady() error {
	if s.opts.Ready == nil {
		return nil
	}
	return s.opts.Ready()
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if !s.opts.EnableLifecycle {
		http.Error(w, "Lifecycle API is not enabled: start b2b_exporter with --web.enable-lifecycle.", http.StatusForbidden)
		return
	}
	// A reload takes as long as it takes. A writer without deadlines needs none lifted.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	select {
	case s.reloading <- struct{}{}:
		defer func() { <-s.reloading }()
	case <-r.Context().Done():
		return // The client has gone before its turn came.
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	defer cancel(nil)
	if stop, ok := r.Context().Value(stopKey{}).(context.Context); ok {
		defer context.AfterFunc(stop, func() { cancel(context.Cause(stop)) })()
	}
	if err := s.opts.Reload(ctx); err != nil {
		http.Error(w, fmt.Sprintf("failed to reload the configuration: %s", err), http.StatusInternalServerError)
		return
	}
	writeText(w, []byte("The configuration was reloaded.\n"))
}

func (s *Server) config(w http.ResponseWriter, _ *http.Request) {
	text, err := s.opts.Config()
	if err != nil {
		http.Error(w, fmt.Sprintf("failed to show the configuration: %s", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeText(w, text)
}

func (s *Server) index(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	data := pageData{
		Style:         s.page.style,
		Version:       s.opts.Version,
		TelemetryPath: s.opts.TelemetryPath,
		Docs:          s.opts.Docs,
		HasConfig:     s.opts.Config != nil,
		NotReady:      s.notReady(),
		Refresh:       query.Has("refresh"),
	}
	if s.opts.Status != nil {
		data.Status = s.opts.Status(query.Get("window"))
	}
	// Into memory first: a template that fails must not leave half a page behind.
	var b bytes.Buffer
	if err := s.page.template.Execute(&b, data); err != nil {
		http.Error(w, fmt.Sprintf("failed to show the page: %s", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// Figures of a business are nothing for a proxy's cache, and never shown unasked.
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b.Bytes())))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b.Bytes()))
}

func writeText(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	write(w, text)
}

// write writes the whole answer. An error means that the client has gone, which is
// nobody's fault and of which nobody is left to be told.
func write(w io.Writer, b []byte) { _, _ = w.Write(b) }

// forgivingWrites lets a scrape whose client has gone run to its end, into nothing:
// promhttp would log and count each metric family that is left as an error of ours.
func forgivingWrites(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&forgivingWriter{ResponseWriter: w, logger: logger}, r)
	})
}

type forgivingWriter struct {
	http.ResponseWriter
	logger *slog.Logger
	gone   bool
}

func (w *forgivingWriter) Write(b []byte) (int, error) {
	if !w.gone {
		if _, err := w.ResponseWriter.Write(b); err != nil {
			w.gone = true
			w.logger.Debug("the client of a scrape has gone", "err", err)
		}
	}
	return len(b), nil
}
