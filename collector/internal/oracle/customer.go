package oracle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// salesIn returns how many sales the customer has in s.
func (c *customer) salesIn(s span) int {
	n := 0
	for _, x := range c.sales {
		if s.holds(x.at) {
			n++
		}
	}
	return n
}

// net returns the customer's net revenue in s.
func (c *customer) net(s span) *total {
	t := &total{}
	for _, x := range c.sales {
		if s.holds(x.at) {
			t.add(x.net)
		}
	}
	for _, r := range c.refunds {
		if s.holds(r.at) {
			t.subtract(r.amount)
		}
	}
	return t
}

// worth returns the customer's gross profit in s where every sale in it has costs,
// else the net revenue.
func (c *customer) worth(s span) *total {
	t := &total{}
	for _, x := range c.sales {
		if !s.holds(x.at) {
			continue
		}
		if !x.profit.known {
			return c.net(s)
		}
		t.add(x.profit)
	}
	if t.records == 0 {
		return c.net(s)
	}
	for _, r := range c.refunds {
		if s.holds(r.at) && r.profit.known {
			t.subtract(r.profit)
		}
	}
	return t
}

// classAt returns what the customer counts under at asOf.
func (c *customer) classAt(asOf int64, lastTouch bool) record.Class {
	ordered := c.bought && c.firstAt < asOf
	before := asOf
	if ordered && lastTouch {
		if first := c.firstClass(); first.Channel != record.ChannelUnknown {
			return first
		}
		before = c.firstAt
	}
	if class, touched := c.touchBefore(before, lastTouch); touched {
		return class
	}
	if ordered {
		return c.firstClass()
	}
	return record.Class{Channel: record.ChannelUnknown}
}

// firstClass returns the class of the first sale or paid subscription, which is
// unknown for a subscription; the first by name where several fall on one instant.
func (c *customer) firstClass() record.Class {
	var classes []record.Class
	for _, s := range c.sales {
		if s.at == c.firstAt {
			classes = append(classes, s.class)
		}
	}
	for _, s := range c.subscriptions {
		if s.started && s.start == c.firstAt {
			classes = append(classes, record.Class{Channel: record.ChannelUnknown})
		}
	}
	return slices.MinFunc(classes, compareClasses)
}

func compareClasses(a, b record.Class) int {
	return cmp.Or(strings.Compare(a.Channel, b.Channel), strings.Compare(a.Program, b.Program), strings.Compare(a.Campaign, b.Campaign))
}

// touchBefore returns the class of the first or last touch before t, the first by
// name where several fall on one instant.
func (c *customer) touchBefore(t int64, last bool) (class record.Class, ok bool) {
	var at int64
	for _, x := range c.touches {
		better := x.at < at
		if last {
			better = x.at > at
		}
		if x.at < t && (!ok || better || x.at == at && compareClasses(x.class, class) < 0) {
			at, class, ok = x.at, x.class, true
		}
	}
	return class, ok
}

// intervals returns the times between the customer's consecutive sales whose later
// one lies in s.
func (c *customer) intervals(s span) []int64 {
	var list []int64
	for i := 1; i < len(c.sales); i++ {
		if s.holds(c.sales[i].at) {
			list = append(list, c.sales[i].at-c.sales[i-1].at)
		}
	}
	slices.Sort(list)
	return list
}
