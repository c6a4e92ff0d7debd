package demo

import (
	"bytes"
	_ "embed" // the configuration's template
	"fmt"
	"math/rand/v2"
	"text/template"
	"time"
)

//go:embed b2b.yml
var configText string

// rate is how much of a currency a euro was worth from a day on.
type rate struct {
	Currency, PerReference string
	From                   string // a date; empty for always
}

// configuration returns the configuration that reads the company's systems by the
// given blocks of sources.
func configuration(c *Company, sources []string) ([]byte, error) {
	t, err := template.New("b2b.yml").Option("missingkey=error").Parse(configText)
	if err != nil {
		return nil, fmt.Errorf("read the demo's configuration: %w", err)
	}
	var out bytes.Buffer
	ago := func(days int) string { return c.Now.AddDate(0, 0, -days).Format(time.DateOnly) }
	data := map[string]any{
		"Zone": reportZone, "FreeMail": freeMail, "Sources": sources, "Rates": c.rates(), "Campaigns": c.Market.campaigns(),
		"Invoices": c.Market.invoices("linkedin"),
		"First":    c.First().Format(time.DateOnly), "YearAgo": ago(365), "Ago": ago,
	}
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("write the demo's configuration: %w", err)
	}
	return out.Bytes(), nil
}

// campaigns returns the origins that are campaigns.
func (m *Market) campaigns() []*Origin {
	var list []*Origin
	for _, o := range m.origins {
		if o.Campaign != "" {
			list = append(list, o)
		}
	}
	return list
}

// invoice is what a platform has charged for a month.
type invoice struct {
	*Origin
	Amount, From, To string // To is the last day; empty for a monthly budget from then on
}

// invoices returns the monthly invoices of a platform that no source reads: those of the months
// before the present one, and a budget as high as the last of them.
func (m *Market) invoices(platform string) []invoice {
	var list []invoice
	for _, o := range m.origins {
		if o.Platform != platform {
			continue
		}
		last, month := int64(0), int64(0)
		for d := max(m.days-o.begins, 0); d < m.days; d++ {
			for _, a := range m.day(d) {
				if a.Origin == o {
					month += a.Cost
				}
			}
			day := m.date(d)
			if m.date(d+1).Day() == 1 {
				from := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, m.zone)
				list = append(list, invoice{o, cents(month), from.Format(time.DateOnly), day.Format(time.DateOnly)})
				last, month = month, 0
			}
		}
		now := m.date(m.days)
		from := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, m.zone)
		list = append(list, invoice{Origin: o, Amount: cents(last), From: from.Format(time.DateOnly)})
	}
	return list
}

// rates returns a rate for each month of the history, of each currency that a shop has
// beside the euro.
func (c *Company) rates() []rate {
	r := rand.New(rand.NewPCG(c.Seed, 2))
	var list []rate
	for _, s := range c.shops {
		if s.Currency == "EUR" {
			continue
		}
		value := s.factor * 100 // ten-thousandths
		list = append(list, rate{Currency: s.Currency, PerReference: tenThousandths(value)})
		first := c.First()
		for month := time.Date(first.Year(), first.Month()+1, 1, 0, 0, 0, 0, time.UTC); month.Before(c.Now); month = month.AddDate(0, 1, 0) {
			// It wanders, and is drawn back to where it began.
			value += (s.factor*100-value)/8 + int64(r.IntN(241)) - 120
			list = append(list, rate{s.Currency, tenThousandths(value), month.Format(time.DateOnly)})
		}
	}
	return list
}

func tenThousandths(n int64) string { return fmt.Sprintf("%d.%04d", n/10_000, n%10_000) }
