package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

func (c *command) syncCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("sync", "Poll every source until it is caught up, and exit: 1 where one failed.")
	rebuild := cmd.Flag("rebuild", "Derive everything from the records again first.").Bool()
	reset := cmd.Flag("reset-clock", "Accept that the clock shows an earlier time than when the ledger was last read into.").Bool()
	return cmd.FullCommand(), func(ctx context.Context) error { return c.sync(ctx, *rebuild, *reset) }
}

var errInterrupted = errors.New("interrupted; what was read is kept, and the next sync goes on from there")

// sync polls every source once.
func (c *command) sync(ctx context.Context, rebuild, resetClock bool) (err error) {
	cfg, err := c.loadConfig()
	if err != nil {
		return err
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics(), Logger: c.log})
	if err != nil {
		return err
	}
	l, err := c.openToWrite(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if resetClock {
		err = l.ResetClock(ctx, c.now())
	} else {
		err = checkClock(ctx, l, c.now())
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	if rebuild {
		bar := c.newProgress()
		err := l.Rebuild(ctx, func(share float64) { bar.show("rebuilding", share, 0) })
		bar.clear()
		if err != nil {
			return err
		}
	}
	return c.poll(ctx, a, l, c.stdout)
}

// openToWrite opens the ledger for polls.
func (c *command) openToWrite(ctx context.Context, a *app) (*ledger.Ledger, error) {
	bar := c.newProgress()
	defer bar.clear()
	return a.openLedger(ctx, false, func(share float64) { bar.show("rebuilding for the changed configuration", share, 0) })
}

// poll polls every source once and prints what came of it as a table to w. The error is
// errFailed where a source failed, which has been logged.
func (c *command) poll(ctx context.Context, a *app, l *ledger.Ledger, w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SOURCE\tSTREAM\tINSERTED\tUPDATED\tUNCHANGED\tDELETED\tREJECTED\tROUNDED\tTOOK\tRESULT")
	bar := c.newProgress()
	bar.ended = func(e poll.End) {
		sum := map[ledger.Outcome]int{}
		for _, outcomes := range e.Counts {
			for o, n := range outcomes {
				sum[o] += n
			}
		}
		result := "ok"
		if e.Err != nil {
			result = "FAILED"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", e.Source, e.Stream, sum[ledger.Inserted], sum[ledger.Updated],
			sum[ledger.Unchanged], sum[ledger.Deleted], sum[ledger.Rejected], e.Rounded, e.Took.Round(time.Millisecond), result)
	}
	poller := &poll.Poller{
		Ledger: l, Log: c.log, Observer: bar, Now: c.now, Windows: a.config.Windows, History: a.config.History,
	}
	failed := false
	for _, j := range a.jobs {
		if err := poller.Once(ctx, j.source); err != nil {
			failed = true
			c.log.Error("poll failed", "source", j.source.Name(), "err", err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	if failed {
		return errFailed
	}
	return nil
}
