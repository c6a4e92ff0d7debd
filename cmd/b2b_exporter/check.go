package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

func (c *command) checkCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("check", "Validate the configuration and try each source, and exit: 1 where something fails.")
	return cmd.FullCommand(), c.check
}

// check prints what it finds as a table.
func (c *command) check(ctx context.Context) error {
	cfg, err := c.loadConfig()
	if err != nil {
		return err
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics(), Logger: c.log})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tCHECKED\tRESULT\tDETAIL")
	failed := false
	row := func(subject string, f sources.Finding) {
		result, detail := "ok", f.Detail
		if f.Err != nil {
			failed = true
			result = "FAILED"
			detail = strings.ReplaceAll(f.Err.Error(), "\n", "; ")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", subject, f.Subject, result, detail)
	}
	row("configuration", sources.Finding{Subject: c.configFile, Detail: fmt.Sprintf("%d sources, zone %s, currency %s",
		len(cfg.Sources), cfg.Timezone, cfg.Currency)})
	row("ledger", a.checkLedger(ctx))
	env := sources.Environment{
		Zone: cfg.Timezone, Currency: cfg.Currency, Now: c.now(), Windows: cfg.Windows, History: cfg.History,
	}
	for _, j := range a.jobs {
		for _, f := range j.source.Check(ctx, env) {
			row(j.source.Name(), f)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

// checkLedger looks at the ledger without writing to it.
func (a *app) checkLedger(ctx context.Context) sources.Finding {
	path := a.config.Ledger.Path
	f := sources.Finding{Subject: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.Detail = "will be created by the first poll"
		return f
	}
	l, err := ledger.Open(ctx, a.ledgerOptions(true))
	if err != nil {
		f.Err = err
		return f
	}
	stale, err := l.Stale(ctx)
	f.Detail = "usable"
	if stale {
		f.Detail = "usable; the changed configuration makes the next command derive everything again"
	}
	f.Err = errors.Join(err, l.Close())
	return f
}
