package web

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func (s *Server) gatherer() prometheus.Gatherer {
	return merged{s.opts.Gatherers, s.opts.Logger}
}

// merged gathers the families of gatherers that have checked them. Unlike
// prometheus.Gatherers it neither copies nor checks each metric again, which for
// prepared families is nearly all of the work.
type merged struct {
	gatherers []prometheus.Gatherer
	logger    *slog.Logger
}

// Gather implements prometheus.Gatherer. A gatherer that fails takes nothing from the
// others; a family that an earlier one has is left out and reported.
func (m merged) Gather() ([]*dto.MetricFamily, error) {
	var all []*dto.MetricFamily
	var errs prometheus.MultiError
	for _, g := range m.gatherers {
		families, err := m.gather(g)
		errs.Append(err)
		all = append(all, families...)
	}
	// Stable, so that it is the first that stays.
	slices.SortStableFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	kept := all[:0]
	for _, f := range all {
		if n := len(kept); n > 0 && kept[n-1].GetName() == f.GetName() {
			errs.Append(fmt.Errorf("metric family %s comes from two gatherers: it is exposed from the first only", f.GetName()))
			continue
		}
		kept = append(kept, f)
	}
	return kept, errs.MaybeUnwrap()
}

// gather turns a panic into an error, as a registry does with those of its collectors.
func (m merged) gather(g prometheus.Gatherer) (families []*dto.MetricFamily, err error) {
	defer func() {
		if v := recover(); v != nil {
			m.logger.Error("gathering metrics failed with a panic", "panic", v, "stack", string(debug.Stack()))
			families, err = nil, fmt.Errorf("gather metrics: panic: %v", v)
		}
	}()
	return g.Gather()
}
