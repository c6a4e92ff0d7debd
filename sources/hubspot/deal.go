package hubspot

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// deal makes a deal of a deal.
func (m *mapper) deal(o object, links dealLinks) (record.Record, int, error) {
	opt := &m.source.options
	p, known := m.directory.pipelines[o.value("pipeline")]
	if !known {
		p.label = o.value("pipeline")
	}
	st, known := p.stages[o.value("dealstage")]
	if !known { // of a pipeline that was deleted
		st = stage{label: o.value("dealstage"), probability: probability(o.value("hs_deal_stage_probability"))}
	}
	r := &record.Deal{
		Meta: record.Meta{ID: o.ID}, Account: record.RefTo(links.companies[o.ID]), Lead: links.contacts[o.ID],
		Pipeline: p.label, Stage: st.label, Probability: st.probability, State: state(o, st),
		Currency: m.currency(o), Owner: m.owner(o),
	}
	if opt.OrderProperty != "" {
		r.Order = o.value(opt.OrderProperty)
	}
	var err error
	if r.CreatedAt, err = instant(o, "createdate"); err != nil {
		return nil, 0, err
	}
	if r.State != record.DealOpen {
		if r.ClosedAt, err = m.closed(o); err != nil {
			return nil, 0, err
		}
	}
	total := 0
	for _, f := range []struct {
		amount   *record.Amount
		property string
	}{{&r.Amount, "amount"}, {&r.Discount, opt.DiscountProperty}, {&r.Margin, opt.MarginProperty}} {
		rounded := 0
		if *f.amount, rounded, err = money(o, f.property); err != nil {
			return nil, 0, err
		}
		total += rounded
	}
	return r, total, nil
}

// state tells by the stage whether a deal is won, and by the deal's own properties where the stage
// says nothing.
func state(o object, st stage) string {
	closed, won := o.value("hs_is_closed") == "true", o.value("hs_is_closed_won") == "true"
	if st.closed != nil {
		closed = *st.closed
		if !st.probability.IsNull() {
			won = closed && st.probability == record.Micros(record.MicrosPerUnit)
		}
	}
	switch {
	case won:
		return record.DealWon
	case closed:
		return record.DealLost
	}
	return record.DealOpen
}

// closed returns when a deal was won or lost: the close date that users may set (an import keeps
// the true one), or the entry into the stage where that was earlier (the close date was planned).
func (m *mapper) closed(o object) (record.Instant, error) {
	at, err := instant(o, "closedate")
	if err != nil {
		return at, err
	}
	entered, err := instant(o, enteredProperty(o.value("dealstage")))
	return earliest(at, entered, m.zone()), err
}

func (m *mapper) currency(o object) string {
	for _, code := range []string{o.value("deal_currency_code"), m.source.options.Currency} {
		if code != "" {
			return strings.ToUpper(code)
		}
	}
	return m.environment.Currency
}

// dealLinks are the company and the contact of each deal, by the deal's ID.
type dealLinks struct{ companies, contacts map[string]string }

// associationPrimary is the vendor's type "deal to primary company".
const associationPrimary = 5

func (s *Source) dealLinks(ctx context.Context, deals []object) (dealLinks, error) {
	companies, err := s.linked(ctx, deals, "companies", associationPrimary)
	if err != nil {
		return dealLinks{}, fmt.Errorf("read the companies of deals: %w", err)
	}
	contacts, err := s.linked(ctx, deals, "contacts", 0)
	if err != nil {
		return dealLinks{}, fmt.Errorf("read the contacts of deals: %w", err)
	}
	return dealLinks{companies, contacts}, nil
}

// linkID is an ID that is a number in some versions of the API and a text in others.
type linkID uint64

// UnmarshalJSON reads 12 and "12".
func (l *linkID) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseUint(strings.Trim(string(text), `"`), 10, 64)
	if err != nil {
		return fmt.Errorf("an association leads to no ID: %w", err)
	}
	*l = linkID(n)
	return nil
}

type association struct {
	From id `json:"from"`
	To   []struct {
		ID    linkID `json:"toObjectId"`
		Types []struct {
			Category string `json:"category"`
			Type     int    `json:"typeId"`
		} `json:"associationTypes"`
	} `json:"to"`
	Paging struct {
		Next struct {
			After string `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

var _ json.Unmarshaler = (*linkID)(nil)

// linked returns the one record that each deal is linked to: by the vendor's type preferred, else
// the one that was created first, which has the lowest ID.
func (s *Source) linked(ctx context.Context, deals []object, to string, preferred int) (map[string]string, error) {
	var inputs []id
	for _, d := range deals {
		if d.ID != "" && !d.Archived {
			inputs = append(inputs, id{ID: d.ID})
		}
	}
	best := map[string]linkID{}
	primary := map[string]bool{}
	for len(inputs) > 0 {
		req, err := post(s.path("associations", "/deals/"+to+"/batch/read"), map[string][]id{"inputs": inputs})
		if err != nil {
			return nil, err
		}
		body, err := get[association](ctx, s.client, req)
		if err != nil {
			return nil, err
		}
		before := inputs
		inputs = nil
		for _, a := range body.Results {
			for _, link := range a.To {
				is := false
				for _, t := range link.Types {
					is = is || preferred != 0 && t.Category == "HUBSPOT_DEFINED" && t.Type == preferred
				}
				held := best[a.From.ID]
				if held == 0 || is && !primary[a.From.ID] || is == primary[a.From.ID] && link.ID < held {
					best[a.From.ID], primary[a.From.ID] = link.ID, is
				}
			}
			if after := a.Paging.Next.After; after != "" { // more links than one answer holds
				inputs = append(inputs, id{a.From.ID, after})
			}
		}
		if fmt.Sprint(inputs) == fmt.Sprint(before) {
			return nil, fmt.Errorf("POST %s: the paging does not end", req.Path)
		}
	}
	ids := map[string]string{}
	for deal, link := range best {
		ids[deal] = strconv.FormatUint(uint64(link), 10)
	}
	return ids, nil
}
