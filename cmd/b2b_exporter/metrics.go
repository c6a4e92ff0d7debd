package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/b2bexporter/b2b_exporter/collector"
)

func (c *command) metricsCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("metrics", "Print the metric reference.")
	return cmd.FullCommand(), func(context.Context) error {
		_, err := fmt.Fprint(c.stdout, collector.Reference())
		return err
	}
}
