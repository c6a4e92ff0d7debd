package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/alecthomas/kingpin/v2"

	"github.com/b2bexporter/b2b_exporter/internal/demo"
)

func (c *command) demoCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("demo", "Serve the metrics of a made-up company. Needs no configuration and no account, and keeps nothing.")
	var o demo.Options
	cmd.Flag("demo.seed", "Which company it is: the same number gives the same one.").Default("1").Uint64Var(&o.Seed)
	cmd.Flag("demo.scale", "Size of the company: 1 is one of 4,000 customers and 60,000 orders.").Default("1").Float64Var(&o.Scale)
	return cmd.FullCommand(), func(ctx context.Context) error { return c.demo(ctx, o) }
}

// demo serves a made-up company, whose ledger lasts as long as the service.
func (c *command) demo(ctx context.Context, o demo.Options) (err error) {
	dir, err := os.MkdirTemp("", "b2b_exporter-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demo's ledger: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Three years are made up and read at once: the collector would run all the time.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	c.log.Info("making up a company")
	d, err := demo.Start(ctx, o, c.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	// There is no such file; paths in the configuration are relative to it.
	c.configFile, c.config = filepath.Join(dir, "b2b.yml"), d.Config()
	// Its vendors are no strangers that keep one waiting: they are here, and share the cores.
	c.concurrency = 3
	c.log.Info("the demo's figures are complete in some seconds: open the page in a browser",
		"url", "http://"+localAddress((*c.serve.web.WebListenAddresses)[0]))
	return c.runService(ctx)
}
