package rollup

import (
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// rowKey is under what rows are summed.
type rowKey struct {
	kind           history.Kind
	source, labels history.Dict
}

// rowSums are additive figures of rows.
type rowSums struct {
	rows  int64
	known [history.Measures]int64
	sums  [history.Measures]record.Int128
	money map[int]*bag // by measure, of those that are amounts in the row's currency
	spent int64        // rows whose cost is not 0
	// ifEngaged and ifSinglePage are the sessions of the rows that know which of them were.
	ifEngaged, ifSinglePage record.Int128
}

// usersKey is a site (labels) and the days whose different visitors were counted.
type usersKey struct {
	source, labels history.Dict
	days           days
}

// rowTotals are the sums of rows.
type rowTotals struct {
	byDays []map[rowKey]*rowSums // by number of the plan's days
	users  map[usersKey]record.Int128
	// held counts the rows that the ledger holds at all.
	held map[rowKey]int64
}

func newRowTotals(p *plan) rowTotals {
	t := rowTotals{users: map[usersKey]record.Int128{}, held: map[rowKey]int64{}}
	for range p.days {
		t.byDays = append(t.byDays, map[rowKey]*rowSums{})
	}
	return t
}

// rows adds the rows of a chunk.
func (ev *evaluation) rows(c *customer, sign int64) {
	t := &ev.t.rows
	for i := range c.rows {
		r := &c.rows[i]
		k := rowKey{r.Kind, r.Source, r.Labels}
		if t.held[k] += sign; t.held[k] == 0 {
			delete(t.held, k)
		}
		switch r.Kind {
		case history.Users:
			t.count(r, sign)
			continue
		case history.Spend:
			ev.t.sales.used[r.Currency] = true
		}
		for n, d := range ev.p.days {
			if day := window.Day(r.Day); day < d.first || day >= d.end {
				continue
			}
			sums := t.byDays[n][k]
			if sums == nil {
				sums = &rowSums{}
				t.byDays[n][k] = sums
			}
			if ev.sum(sums, r, sign); sums.rows == 0 {
				delete(t.byDays[n], k)
			}
		}
	}
}

// count keeps the visitors of exactly the row's days.
func (t *rowTotals) count(r *history.Row, sign int64) {
	if !r.Has(0) {
		return
	}
	k := usersKey{r.Source, r.Labels, days{window.Day(r.Day), window.Day(r.End)}}
	if sign < 0 {
		delete(t.users, k)
		return
	}
	t.users[k] = record.Wide(r.Values[0])
}

func (ev *evaluation) sum(s *rowSums, r *history.Row, sign int64) {
	s.rows += sign
	if r.Kind == history.Spend && r.Values[history.SpendCost] != 0 {
		s.spent += sign
	}
	if r.Kind == history.Traffic {
		sessions := record.Wide(sign * r.Values[history.TrafficSessions])
		if r.Has(history.TrafficEngaged) {
			s.ifEngaged = s.ifEngaged.Add(sessions)
		}
		if r.Has(history.TrafficSinglePage) {
			s.ifSinglePage = s.ifSinglePage.Add(sessions)
		}
	}
	for i := range history.Measures {
		money := r.Kind == history.Spend && (i == history.SpendCost || i == history.SpendConversionValue)
		if money {
			if s.money == nil {
				s.money = map[int]*bag{}
			}
			if s.money[i] == nil {
				s.money[i] = &bag{}
			}
			s.money[i].records += sign
		}
		if !r.Has(i) {
			continue
		}
		if money {
			ev.spent(s.money[i], r, r.Values[i], sign)
			continue
		}
		s.known[i] += sign
		s.sums[i] = s.sums[i].Add(record.Wide(sign * r.Values[i]))
	}
}

func (ev *evaluation) spent(b *bag, r *history.Row, amount, sign int64) {
	b.known += sign
	if r.Currency == ev.rates.home {
		b.home = b.home.Add(record.Wide(sign * amount))
		return
	}
	b.addForeign(key{r.Currency, window.Day(r.Day)}, record.Wide(sign*amount), sign)
}
