package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// directoryAge is how long names of owners and pipelines are kept.
const directoryAge = time.Hour

// directory holds the names that records refer to by ID.
type directory struct {
	read      time.Time
	owners    map[string]string
	pipelines map[string]pipeline // nil where they were not asked for
}

type pipeline struct {
	label  string
	stages map[string]stage
}

type stage struct {
	label       string
	probability record.Amount // 0 to 1; null where it is not known
	// closed is nil where the vendor does not say.
	closed *bool
}

type ownerAnswer struct {
	ID        string `json:"id"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
}

type pipelineAnswer struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Stages []struct {
		ID       string            `json:"id"`
		Label    string            `json:"label"`
		Metadata map[string]string `json:"metadata"`
	} `json:"stages"`
}

// directory returns the names, not older than directoryAge; fresh reads them anew.
func (s *Source) directory(ctx context.Context, now time.Time, pipelines, fresh bool) (*directory, error) {
	s.mu.Lock()
	d := s.known
	s.mu.Unlock()
	if d != nil && !fresh && now.Sub(d.read).Abs() < directoryAge && (d.pipelines != nil || !pipelines) {
		return d, nil
	}
	old := d
	d = &directory{read: now, owners: map[string]string{}}
	// A user who has left still owns what was sold.
	for _, archived := range []bool{true, false} {
		if err := s.readOwners(ctx, archived, d.owners); err != nil {
			return nil, fmt.Errorf("read the owners: %w", err)
		}
	}
	if pipelines || old != nil && old.pipelines != nil {
		list, err := get[pipelineAnswer](ctx, s.client, apiclient.Request{Method: http.MethodGet, Path: s.path("pipelines", "/deals")})
		if err != nil {
			return nil, fmt.Errorf("read the pipelines: %w", err)
		}
		d.pipelines = readPipelines(list.Results)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = d
	return d, nil
}

func (s *Source) readOwners(ctx context.Context, archived bool, into map[string]string) error {
	var guard apiclient.PageGuard
	for after := ""; ; {
		if err := guard.Next(after); err != nil {
			return err
		}
		query := url.Values{"limit": {strconv.Itoa(mostListed)}, "archived": {strconv.FormatBool(archived)}}
		if after != "" {
			query.Set("after", after)
		}
		body, err := get[ownerAnswer](ctx, s.client, apiclient.Request{Method: http.MethodGet, Path: s.path("owners", ""), Query: query})
		if err != nil {
			return err
		}
		for _, o := range body.Results {
			// The address would be personal data in a label: without a name the ID must do.
			into[o.ID] = o.ID
			if name := strings.Join(strings.Fields(o.FirstName+" "+o.LastName), " "); name != "" && !strings.Contains(name, "@") {
				into[o.ID] = name
			}
		}
		if after = body.Paging.Next.After; after == "" {
			return nil
		}
	}
}

func readPipelines(list []pipelineAnswer) map[string]pipeline {
	pipelines := map[string]pipeline{}
	for _, p := range list {
		stages := map[string]stage{}
		for _, answer := range p.Stages {
			st := stage{label: answer.Label, probability: probability(answer.Metadata["probability"])}
			if text := answer.Metadata["isClosed"]; text != "" {
				closed := text == "true"
				st.closed = &closed
			}
			stages[answer.ID] = st
		}
		pipelines[p.ID] = pipeline{label: p.Label, stages: stages}
	}
	return pipelines
}

// probability reads a decimal between 0 and 1; null for anything else.
func probability(text string) record.Amount {
	a, _, err := record.ParseAmount(text)
	if err != nil || a.Micros < 0 || a.Micros > record.MicrosPerUnit {
		return record.Amount{}
	}
	return a
}

// entered returns the properties that date the entry into the closed stages.
func (d *directory) entered() []string {
	var names []string
	for _, p := range d.pipelines {
		for id, st := range p.stages {
			if st.closed == nil || *st.closed {
				names = append(names, enteredProperty(id))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func enteredProperty(stage string) string { return "hs_v2_date_entered_" + stage }
