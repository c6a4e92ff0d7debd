package demo

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// token is what the fakes want to be sent. They are reached from this machine alone.
const token = "demo"

// credentials are those of an OAuth client and of a user, as the fakes of Google want them.
const credentials = "client_id: " + token + ", client_secret: " + token + ", refresh_token: " + token

// system is one of the company's systems: a fake that holds its part of what happens.
type system interface {
	http.Handler
	// source returns the source's block in the configuration, for a system at an address.
	source(url string) string
	// changes returns what a batch changes in the system; what happens to one record is in
	// the order of time.
	changes(b *Batch) []change
}

// systems returns all systems of the company: a new one is an entry here.
func systems(c *Company, now func() time.Time) []system {
	// The CRM first: its reading takes longest.
	list := []system{newCRM(now)}
	for _, s := range c.shops {
		list = append(list, newStore(s, now))
	}
	return append(list, newBilling(c.shops, now), newAds(c.Market, now), newSite(c.Market, now))
}

// change is something that happens in a system.
type change struct {
	at    time.Time
	apply func()
}

// schedule holds the changes to come; the next one is the first.
type schedule []change

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s schedule) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

// Push adds a change; heap calls it.
func (s *schedule) Push(x any) {
	if c, ok := x.(change); ok {
		*s = append(*s, c)
	}
}

// Pop removes the last change; heap calls it.
func (s *schedule) Pop() any {
	last := (*s)[len(*s)-1]
	(*s)[len(*s)-1] = change{}
	*s = (*s)[:len(*s)-1]
	return last
}

// Demo is the company's systems at work. Time goes on in them: what has happened since
// is there when they are asked.
type Demo struct {
	systems []system
	now     func() time.Time
	config  []byte
	servers []*http.Server
	serving sync.WaitGroup

	mu    sync.Mutex
	live  *Live
	to    schedule
	until time.Time // what has happened up to then is in the systems
}

// Start makes the company with its history up to what now returns, and serves its
// systems on free ports of the loopback interface until Close is called. The clock of the systems
// is now.
func Start(ctx context.Context, o Options, now func() time.Time) (*Demo, error) {
	o.Now = now()
	c, err := New(o)
	if err != nil {
		return nil, err
	}
	d := &Demo{systems: systems(c, now), now: now}
	d.load(c)
	var sources []string
	for _, s := range d.systems {
		address, err := d.serve(ctx, s)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("serve the demo's systems: %w", err), d.Close())
		}
		sources = append(sources, s.source("http://"+address))
	}
	if d.config, err = configuration(c, sources); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// load brings the history into the systems, into each at the same time.
func (d *Demo) load(c *Company) {
	history := c.History()
	d.until, d.live = c.Now, c.Live()
	var loading sync.WaitGroup
	for _, s := range d.systems {
		loading.Go(func() {
			var later []change
			for _, x := range s.changes(history) {
				if x.at.After(d.until) {
					later = append(later, x)
				} else {
					x.apply()
				}
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.to = append(d.to, later...)
		})
	}
	loading.Wait()
	heap.Init(&d.to)
}

// advance lets happen what has happened since the last time.
func (d *Demo) advance() {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !now.After(d.until) {
		return
	}
	d.until = now
	begun := d.live.Until(now)
	for _, s := range d.systems {
		for _, x := range s.changes(begun) {
			heap.Push(&d.to, x)
		}
	}
	for len(d.to) > 0 && !d.to[0].at.After(now) {
		if x, ok := heap.Pop(&d.to).(change); ok {
			x.apply()
		}
	}
}

// serve serves a system and returns its address.
func (d *Demo) serve(ctx context.Context, s system) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.advance()
			s.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	d.servers = append(d.servers, server)
	d.serving.Go(func() {
		// It ends by Close. If it ends otherwise, its source says what is wrong.
		_ = server.Serve(listener)
	})
	return listener.Addr().String(), nil
}

// Config returns the configuration of an exporter that reads the systems. Paths in it
// are relative.
func (d *Demo) Config() []byte { return d.config }

// Close ends the systems.
func (d *Demo) Close() error {
	var errs []error
	for _, s := range d.servers {
		errs = append(errs, s.Close())
	}
	d.serving.Wait()
	return errors.Join(errs...)
}
