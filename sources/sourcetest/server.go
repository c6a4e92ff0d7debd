package sourcetest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// server is an HTTP server without a network: its connections are pipes, so that time
// can be simulated while they wait (testing/synctest).
type server struct {
	http      *http.Server
	listener  *pipeListener
	transport *http.Transport
	done      chan struct{}
}

// startServer serves handler; every host name leads to it.
func startServer(handler http.Handler) *server {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := &server{
		listener: l,
		http:     &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)},
		transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) },
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // it ends by Close, which it says
	}()
	return s
}

func (s *server) close() {
	s.transport.CloseIdleConnections()
	s.http.Close()
	<-s.done
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	client, vendor := net.Pipe()
	select {
	case l.conns <- vendor:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "vendor.test:80" }
