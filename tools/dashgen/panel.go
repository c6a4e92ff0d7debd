package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// Units. Amounts have no unit of their own: which currency it is, the label says that is
// shown with them.
const (
	number  = units.Short
	amount  = units.Short
	percent = units.PercentUnit
	seconds = units.Seconds
)

// panel is a panel of a dashboard.
type panel struct {
	title string
	// formula says what is shown and how it is computed, source which records it comes from.
	formula, source string
	// now: the panel does not depend on the chosen window.
	now     bool
	w, h    uint32
	unit    string
	digits  *float64
	min     *float64
	max     *float64
	steps   []step // the first is the colour below the others
	queries []query
	names   map[string]look // by the name of a series or column
	texts   map[string]dashboard.ValueMappingResult
	link    string // uid of the dashboard that says more
	shape   shape
}

// query is one query of a panel.
type query struct {
	expr, legend string
	// instant: the present value is enough.
	instant bool
	color   string // of what it gives, where it differs from that of the panel
}

// step is a colour from a value on.
type step struct {
	from  float64
	color string
}

// look is how one series or column of a panel is shown.
type look struct {
	unit   string
	digits *float64
	steps  []step
	color  string
	dashed bool
	cell   string // type of a table's cells
	width  float64
	texts  map[string]dashboard.ValueMappingResult
	max    *float64
}

// shape builds what is particular to a kind of panel.
type shape func(p *panel) (dashboard.Panel, error)

func (p *panel) description() string {
	d := p.formula
	if p.now {
		d += "\n\nWindow: none, as it stands now."
	} else {
		d += "\n\nWindow: $window."
	}
	return d + "\n\nSource: " + p.source
}

func datasource() common.DataSourceRef {
	return common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

// colors returns steps as Grafana's thresholds, of which the first has no value.
func colors(steps []step) []dashboard.Threshold {
	var list []dashboard.Threshold
	for i, s := range steps {
		t := dashboard.Threshold{Color: s.color}
		if i > 0 {
			t.Value = new(s.from)
		}
		list = append(list, t)
	}
	return list
}

func mappings(texts map[string]dashboard.ValueMappingResult) []dashboard.ValueMapping {
	if texts == nil {
		return nil
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: texts}}}
}

// properties returns the overrides of a look, in a fixed order.
func (l look) properties() []dashboard.DynamicConfigValue {
	var list []dashboard.DynamicConfigValue
	add := func(id string, value any) { list = append(list, dashboard.DynamicConfigValue{Id: id, Value: value}) }
	if l.unit != "" {
		add("unit", l.unit)
	}
	if l.digits != nil {
		add("decimals", *l.digits)
	}
	if l.max != nil {
		add("max", *l.max)
	}
	if l.steps != nil {
		add("thresholds", dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: colors(l.steps)})
		add("color", map[string]any{"mode": "thresholds"})
	}
	if l.color != "" {
		add("color", map[string]any{"mode": "fixed", "fixedColor": l.color})
	}
	if l.dashed {
		add("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 8}})
		add("custom.fillOpacity", 0)
		add("custom.lineWidth", 1)
	}
	if l.cell == "gauge" {
		// From 0 to the column's own largest value.
		add("min", 0)
		add("fieldMinMax", true)
	}
	if l.cell != "" {
		cell := map[string]any{"type": l.cell}
		switch l.cell {
		case "gauge":
			cell["mode"], cell["valueDisplayMode"] = "basic", "text"
		case "color-background":
			cell["mode"] = "basic"
		}
		add("custom.cellOptions", cell)
	}
	if l.width != 0 {
		add("custom.width", l.width)
	}
	if l.texts != nil {
		add("mappings", mappings(l.texts))
	}
	return list
}

// builder is what the builders of all kinds of panels can do.
type builder[B any] interface {
	Title(string) B
	Description(string) B
	Datasource(common.DataSourceRef) B
	Interval(string) B
	Unit(string) B
	Decimals(float64) B
	Min(float64) B
	Max(float64) B
	NoValue(string) B
	Mappings([]dashboard.ValueMapping) B
	Thresholds(cog.Builder[dashboard.ThresholdsConfig]) B
	WithTarget(cog.Builder[variants.Dataquery]) B
	OverrideByName(string, []dashboard.DynamicConfigValue) B
	OverrideByQuery(string, []dashboard.DynamicConfigValue) B
	Links([]cog.Builder[dashboard.DashboardLink]) B
	Build() (dashboard.Panel, error)
}

// fill gives a builder what all panels have.
func fill[B builder[B]](p *panel, b B) B {
	if p.steps == nil {
		p.steps = []step{{color: "text"}}
	}
	b = b.Title(p.title).Description(p.description()).Datasource(datasource()).Interval("1m").
		Unit(p.unit).NoValue("–").
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(colors(p.steps)))
	if p.digits != nil {
		b = b.Decimals(*p.digits)
	}
	if p.min != nil {
		b = b.Min(*p.min)
	}
	if p.max != nil {
		b = b.Max(*p.max)
	}
	if p.texts != nil {
		b = b.Mappings(mappings(p.texts))
	}
	for i, q := range p.queries {
		id := string(rune('A' + i))
		if q.color != "" {
			b = b.OverrideByQuery(id, look{color: q.color}.properties())
		}
		t := prometheus.NewDataqueryBuilder().Datasource(datasource()).RefId(id).
			Expr(q.expr).LegendFormat(q.legend).EditorMode(prometheus.QueryEditorModeCode)
		if q.instant {
			t = t.Instant()
		} else {
			t = t.Range()
		}
		if q.legend == "" {
			t = t.Format(prometheus.PromQueryFormatTable)
		}
		b = b.WithTarget(t)
	}
	for _, name := range slices.Sorted(maps.Keys(p.names)) {
		b = b.OverrideByName(name, p.names[name].properties())
	}
	if p.link != "" {
		b = b.Links([]cog.Builder[dashboard.DashboardLink]{
			dashboard.NewDashboardLinkBuilder("More about this").Type(dashboard.DashboardLinkTypeLink).
				Url(fmt.Sprintf("/d/%s?${__url_time_range}&${datasource:queryparam}&${job:queryparam}&${window:queryparam}", p.link)),
		})
	}
	return b
}

func last() cog.Builder[common.ReduceDataOptions] {
	return common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})
}

// figures are big numbers below each other.
func figures(p *panel) (dashboard.Panel, error) {
	return fill(p, stat.NewPanelBuilder()).ReduceOptions(last()).Orientation(common.VizOrientationHorizontal).
		TextMode(common.BigValueTextModeValueAndName).JustifyMode(common.BigValueJustifyModeAuto).
		Text(common.NewVizTextDisplayOptionsBuilder().TitleSize(14).ValueSize(30)).
		ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeNone).Build()
}

// lamps are states, each on a background of its colour.
func lamps(p *panel) (dashboard.Panel, error) {
	return fill(p, stat.NewPanelBuilder()).ReduceOptions(last()).Orientation(common.VizOrientationAuto).
		TextMode(common.BigValueTextModeValueAndName).JustifyMode(common.BigValueJustifyModeCenter).
		Text(common.NewVizTextDisplayOptionsBuilder().TitleSize(14).ValueSize(22)).WideLayout(false).
		ColorMode(common.BigValueColorModeBackground).GraphMode(common.BigValueGraphModeNone).Build()
}

// bars compare values of the same kind.
func bars(p *panel) (dashboard.Panel, error) {
	return fill(p, bargauge.NewPanelBuilder()).ReduceOptions(last()).Orientation(common.VizOrientationHorizontal).
		DisplayMode(common.BarGaugeDisplayModeBasic).ValueMode(common.BarGaugeValueModeText).
		Text(common.NewVizTextDisplayOptionsBuilder().TitleSize(12).ValueSize(16)).
		NamePlacement(common.BarGaugeNamePlacementLeft).ShowUnfilled(false).Build()
}

// lines show a course over time. Points are joined over gaps: figures change slowly.
func lines(p *panel) (dashboard.Panel, error) {
	return fill(p, timeseries.NewPanelBuilder()).LineWidth(2).FillOpacity(8).ShowPoints(common.VisibilityModeAuto).
		SpanNulls(common.BoolOrFloat64{Bool: new(true)}).LineInterpolation(common.LineInterpolationLinear).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).
			ShowLegend(true).Calcs([]string{"lastNotNull", "max"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)).Build()
}

// rows is a table. Its frames are merged by their labels.
func rows(columns []string, titles map[string]string, sort string) shape {
	return func(p *panel) (dashboard.Panel, error) {
		order, hidden := map[string]int{}, map[string]bool{"Time": true}
		for i, c := range columns {
			order[c] = i
		}
		b := fill(p, table.NewPanelBuilder()).ShowHeader(true).CellHeight(common.TableCellHeightSm).MinWidth(50).Filterable(false).
			WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
			WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
				"excludeByName": hidden, "indexByName": order, "renameByName": titles,
			}})
		if sort != "" {
			b = b.WithTransformation(dashboard.DataTransformerConfig{Id: "sortBy", Options: map[string]any{
				"sort": []map[string]any{{"field": sort, "desc": true}},
			}})
		}
		return b.Build()
	}
}

// matrix is a table of one value by two labels, one of which makes the rows and the other
// the columns, in the given order.
func matrix(row, column string, columns []string, titles map[string]string) shape {
	return func(p *panel) (dashboard.Panel, error) {
		corner := row + "\\" + column
		order := map[string]int{corner: 0}
		for i, c := range columns {
			order[c] = i + 1
		}
		return fill(p, table.NewPanelBuilder()).ShowHeader(true).CellHeight(common.TableCellHeightSm).MinWidth(50).Filterable(false).NoValue(" ").
			WithTransformation(dashboard.DataTransformerConfig{Id: "groupingToMatrix", Options: map[string]any{
				"columnField": column, "rowField": row, "valueField": "Value", "emptyValue": "null",
			}}).
			WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
				"excludeByName": map[string]bool{}, "indexByName": order, "renameByName": titles,
			}}).
			WithTransformation(dashboard.DataTransformerConfig{Id: "sortBy", Options: map[string]any{
				"sort": []map[string]any{{"field": titles[corner], "desc": false}},
			}}).Build()
	}
}

// note is a line of text.
func note(markdown string) panel {
	return panel{w: 24, h: 2, now: true, shape: func(*panel) (dashboard.Panel, error) {
		return text.NewPanelBuilder().Mode(text.TextModeMarkdown).Content(markdown).Transparent(true).Build()
	}}
}
