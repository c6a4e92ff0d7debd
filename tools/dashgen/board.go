package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// tag is what all dashboards have, and what the links between them go by.
const tag = "b2b_exporter"

// board is a dashboard.
type board struct {
	uid, title string
	// question is what the reader wants to know, answer how to read it from the dashboard.
	question, answer string
	windowed         bool    // the reader chooses a window
	from             string  // how far back lines go
	panels           []panel // in reading order; a line of them is 24 wide
}

// JSON returns the dashboard as Grafana reads it from a file.
func (b board) JSON() ([]byte, error) {
	d, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("build dashboard %s: %w", b.uid, err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("encode dashboard %s: %w", b.uid, err)
	}
	return out.Bytes(), nil
}

func (b board) build() (dashboard.Dashboard, error) {
	builder := dashboard.NewDashboardBuilder("B2B / "+b.title).Uid(b.uid).Description(b.question+" "+b.answer).
		Tags([]string{tag}).Readonly().Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Refresh("5m").Time(b.from, "now").Timezone("browser").
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Prometheus").Type("prometheus")).
		WithVariable(dashboard.NewQueryVariableBuilder("job").Label("Exporter").
			Description("Job of the exporter in Prometheus: one company, however many replicas of the exporter serve it.").
			Datasource(datasource()).Query(dashboard.StringOrMap{Map: map[string]any{
			"qryType": 1, "query": "label_values(b2b_exporter_build_info, job)", "refId": "job",
		}}).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc)).
		Annotation(dashboard.NewAnnotationQueryBuilder().Name("Alerts").Datasource(datasource()).Enable(true).IconColor("red").
			Expr(firing).
			TitleFormat("{{alertname}}").TextFormat("{{severity}} {{kpi}} {{window}} {{source}} {{stream}}").
			Step("5m").Target(prometheus.NewDataqueryBuilder().RefId("Anno"))).
		Link(dashboard.NewDashboardLinkBuilder("B2B dashboards").Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{tag}).
			AsDropdown(true).IncludeVars(true).KeepTime(true))
	if b.windowed {
		builder = builder.WithVariable(windowVariable())
	}
	d, err := builder.Build()
	if err != nil {
		return d, err
	}
	d.Panels, err = b.layout()
	// Without a placement they are shown below the title, not in a menu.
	for i := range d.Links {
		d.Links[i].Placement = nil
	}
	for i := range d.Annotations.List {
		d.Annotations.List[i].Placement = nil
		d.Annotations.List[i].Target = nil
	}
	return d, err
}

// windowVariable lets the reader choose one of the windows that are computed by default.
func windowVariable() *dashboard.CustomVariableBuilder {
	const chosen = "30d"
	var options []dashboard.VariableOption
	list := ""
	for _, w := range []string{"today", "1d", "7d", "30d", "90d", "365d", "mtd", "qtd", "ytd"} {
		options = append(options, dashboard.VariableOption{
			Selected: new(w == chosen),
			Text:     dashboard.StringOrArrayOfString{String: new(w)}, Value: dashboard.StringOrArrayOfString{String: new(w)},
		})
		if list != "" {
			list += ","
		}
		list += w
	}
	return dashboard.NewCustomVariableBuilder("window").Label("Window").
		Description("What the figures cover: Nd are the last N whole days, mtd, qtd and ytd the month, quarter and year so far.").
		Values(dashboard.StringOrMap{String: new(list)}).Options(options).
		Current(dashboard.VariableOption{
			Selected: new(true),
			Text:     dashboard.StringOrArrayOfString{String: new(chosen)}, Value: dashboard.StringOrArrayOfString{String: new(chosen)},
		})
}

// layout puts the panels beside each other until a line is full, and numbers them.
func (b board) layout() ([]dashboard.PanelOrRowPanel, error) {
	var list []dashboard.PanelOrRowPanel
	var x, y, height uint32
	panels := append([]panel{note("#### " + b.question + "\n" + b.answer)}, b.panels...)
	for i := range panels {
		p := &panels[i]
		if p.link == b.uid {
			p.link = "" // it is here
		}
		built, err := p.shape(p)
		if err != nil {
			return nil, fmt.Errorf("panel %q: %w", p.title, err)
		}
		if x+p.w > 24 {
			x, y, height = 0, y+height, 0
		}
		built.Id = new(uint32(i + 1))
		built.GridPos = &dashboard.GridPos{X: x, Y: y, W: p.w, H: p.h}
		x, height = x+p.w, max(height, p.h)
		for j := range built.Links {
			built.Links[j].Placement = nil
		}
		list = append(list, dashboard.PanelOrRowPanel{Panel: &built})
	}
	return list, nil
}
