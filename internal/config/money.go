package config

import (
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// amount returns the exact amount; null where it was not read.
func (b builder) amount(path string, text number) record.Amount {
	if text == "" {
		return record.Amount{}
	}
	a, rounded, err := record.ParseAmount(string(text))
	switch {
	case err != nil:
		b.Errorf(path, "%v; give a smaller number", err)
	case rounded:
		b.Errorf(path, "%s has more than 6 decimals; round it", text)
	case a.Micros < 0:
		b.Errorf(path, "must not be negative, found %s", text)
	}
	return a
}

// decimal returns the exact number; null where it was not given or not read.
func (b builder) decimal(path string, text number) record.Decimal {
	if text == "" {
		return record.Decimal{}
	}
	d, err := record.ParseDecimal(string(text))
	if err != nil {
		b.Errorf(path, "%v; round it", err)
	}
	return d
}

func (b builder) costs() []record.Cost {
	var list []record.Cost
	named := map[string]int{}
	for i := range b.file.Costs {
		c := &b.file.Costs[i]
		path := element("costs", i)
		b.currencyOrOwn(path+".currency", &c.Currency)
		if c.Channel != "" {
			b.channel(path+".channel", c.Channel)
		}
		cost := record.Cost{
			Name: c.Name, Category: c.Category, Currency: c.Currency, Amount: b.amount(path+".amount", c.Amount),
			Period: c.Period, To: record.NoDay, Channel: c.Channel, Program: c.Program, Campaign: c.Campaign,
		}
		if c.From != nil {
			cost.From = *c.From
		}
		switch {
		case c.To == nil && c.Period == record.PeriodOnce:
			b.Errorf(path+".to", "is missing; give the last day over which a cost of period once is spread")
		case c.To != nil:
			cost.To = *c.To
			if c.From != nil && cost.To < cost.From {
				b.Errorf(path+".to", "%v is before from (%v); give a last day that is not", cost.To, cost.From)
			}
		}
		named[c.Name]++
		list = append(list, cost)
	}
	var ids []string
	for i := range list {
		c := &list[i]
		c.ID = c.Name
		if named[c.Name] > 1 {
			c.ID += "@" + c.From.String()
		}
		if first := slices.Index(ids, c.ID); first >= 0 {
			b.Errorf(element("costs", i), "costs[%d] is named %s and begins on %v too; change name or from", first, c.Name, c.From)
		}
		ids = append(ids, c.ID)
	}
	return list
}

func (b builder) rates() []record.Rate {
	always := record.DateDay(1, time.January, 1)
	var list []record.Rate
	var ids []string
	for i := range b.file.Rates {
		r := &b.file.Rates[i]
		path := element("rates", i)
		b.currency(path+".currency", r.Currency)
		b.currencyOrOwn(path+".reference", &r.Reference)
		if r.Currency == r.Reference {
			b.Errorf(path+".currency", "%s is the reference itself; give another currency", r.Currency)
		}
		if r.From == nil {
			r.From = &always
		}
		rate := record.Rate{
			Day: *r.From, Currency: r.Currency, Reference: r.Reference,
			PerReference: b.decimal(path+".per_reference", r.PerReference),
		}
		if rate.PerReference.Known && rate.PerReference.Coefficient <= 0 {
			b.Errorf(path+".per_reference", "must be greater than 0, found %s", r.PerReference)
		}
		rate.ID = r.Currency + "@" + r.From.String()
		if first := slices.Index(ids, rate.ID); first >= 0 {
			b.Errorf(path, "rates[%d] gives %s from %v too; remove one or change from", first, r.Currency, *r.From)
		}
		ids = append(ids, rate.ID)
		list = append(list, rate)
	}
	return list
}

func (b builder) thresholds() []Threshold {
	type key struct {
		kpi    string
		window window.Name
	}
	first := map[key]int{}
	var names []string
	for _, k := range b.schema.KPIs {
		names = append(names, k.Name)
	}
	var list []Threshold
	for i, t := range b.file.Thresholds {
		path := element("thresholds", i)
		threshold := Threshold{
			KPI: t.KPI, Window: t.Window,
			Warning:  b.decimal(path+".warning", t.Warning),
			Critical: b.decimal(path+".critical", t.Critical),
		}
		list = append(list, threshold)
		if t.Warning == "" && t.Critical == "" {
			b.Errorf(path, "gives no value; give warning, critical or both")
		}
		k := slices.IndexFunc(b.schema.KPIs, func(k KPI) bool { return k.Name == t.KPI })
		if k < 0 {
			b.Errorf(path+".kpi", "unknown KPI %q; %s", shorten(t.KPI), suggestion(t.KPI, names))
			continue
		}
		b.thresholdWindow(path+".window", t, b.schema.KPIs[k])
		b.thresholdOrder(path+".critical", threshold, b.schema.KPIs[k])
		if other, ok := first[key{t.KPI, t.Window}]; ok {
			b.Errorf(path, "thresholds[%d] is for the same KPI and window; remove one", other)
		} else {
			first[key{t.KPI, t.Window}] = i
		}
	}
	return list
}

func (b builder) thresholdWindow(path string, t thresholdBlock, k KPI) {
	var configured []string
	for _, w := range b.file.Windows {
		configured = append(configured, string(w))
	}
	switch {
	case !k.HasWindow && t.Window != "":
		b.Errorf(path, "%s has no window; remove the key", k.Name)
	case k.HasWindow && t.Window == "":
		b.Errorf(path, "is missing; give one of: %s", strings.Join(configured, ", "))
	case k.HasWindow && !slices.Contains(b.file.Windows, t.Window) && !b.report.isFailed("windows"):
		b.Errorf(path, "%s is not among the configured windows; add it to windows or use one of: %s", t.Window, strings.Join(configured, ", "))
	}
}

// thresholdOrder refuses a critical value that is reached before the warning.
func (b builder) thresholdOrder(path string, t Threshold, k KPI) {
	if !t.Warning.Known || !t.Critical.Known {
		return
	}
	switch order := t.Critical.Rat().Cmp(t.Warning.Rat()); {
	case k.HigherIsWorse && order < 0:
		b.Errorf(path, "is below warning, but a higher %s is worse; exchange them", k.Name)
	case !k.HigherIsWorse && order > 0:
		b.Errorf(path, "is above warning, but a lower %s is worse; exchange them", k.Name)
	}
}
