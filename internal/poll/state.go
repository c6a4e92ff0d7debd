package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
)

// State is how the reading of a stream goes. Times are zero where there is none yet.
type State struct {
	Source, Vendor, Stream string
	// Up: the last poll succeeded.
	Up bool
	// Error is that of the last poll; empty where it succeeded or none has ended.
	Error string
	// Failures counts the polls that failed since the last that did not. After a restart it
	// is 1 where the last failed.
	Failures                           int
	LastAttempt, LastSuccess, NextPoll time.Time
	// DataTime is the newest business time that was delivered.
	DataTime time.Time
	// Complete: the stream has been read to its end at least once.
	Complete bool
	// Backfill is the share of the stream that has been read: 1 where it is complete,
	// negative where that is not known.
	Backfill float64
	// Truncated: the vendor cut its last answer short.
	Truncated bool
}

// States returns the state of every stream, by source in the order of the jobs. It is
// safe for concurrent use.
func (s *Scheduler) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	var states []State
	for _, j := range s.jobs {
		for _, st := range j.streams {
			states = append(states, st.state)
		}
	}
	return states
}

// restore takes over what the ledger knows of the streams.
func (s *Scheduler) restore(ctx context.Context) (err error) {
	snapshot, err := s.poller.Ledger.Snapshot(ctx, nil)
	if err != nil {
		return fmt.Errorf("restore the state of the sources: %w", err)
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	known, err := snapshot.Streams(ctx)
	if err != nil {
		return fmt.Errorf("restore the state of the sources: %w", err)
	}
	held := map[[2]string]ledger.Stream{}
	for _, stream := range known {
		held[[2]string{stream.Source, stream.Name}] = stream
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		for _, st := range j.streams {
			if stream, ok := held[[2]string{st.state.Source, st.state.Stream}]; ok {
				st.state.restore(stream)
			}
		}
	}
	return nil
}

func (s *State) restore(stream ledger.Stream) {
	s.LastAttempt, s.LastSuccess, s.DataTime = stream.LastAttempt, stream.LastSuccess, stream.DataTime
	s.Error, s.Truncated = stream.Error, stream.Truncated
	s.Up = stream.Complete && stream.Error == ""
	if s.Complete = stream.Complete; s.Complete {
		s.Backfill = 1
	}
	if stream.Error != "" {
		s.Failures = 1
	}
}

// committed notes a page.
func (s *State) committed(c Commit) {
	if !s.Complete {
		s.Backfill = c.Progress
	}
	if c.DataTime.After(s.DataTime) {
		s.DataTime = c.DataTime
	}
	s.Truncated = s.Truncated || c.Truncated
}

// ended notes the end of a poll that was not interrupted.
func (s *State) ended(e End) {
	if e.Err != nil {
		s.Up, s.Error = false, e.Err.Error()
		s.Failures++
		return
	}
	s.Up, s.Error, s.Failures = true, "", 0
	s.LastSuccess, s.Truncated = e.At, e.Truncated
	s.Complete, s.Backfill = true, 1
}
