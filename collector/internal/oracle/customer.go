package oracle

import (
	"slices"

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

// channelAt returns the channel that the customer counts in at asOf.
func (c *customer) channelAt(asOf int64, lastTouch bool) string {
	first := ""
	if c.bought && c.firstAt < asOf {
		first = c.firstChannel()
	}
	if lastTouch && first != "" && first != record.ChannelUnknown {
		return first
	}
	before := asOf
	if lastTouch && first != "" {
		before = c.firstAt
	}
	if channel, touched := c.touchBefore(before, lastTouch); touched {
		return channel
	}
	if first != "" {
		return first
	}
	return record.ChannelUnknown
}

// firstChannel returns the channel of the first sale or paid subscription, which is
// unknown for a subscription; the first by name where several fall on one instant.
func (c *customer) firstChannel() string {
	channels := []string{}
	for _, s := range c.sales {
		if s.at == c.firstAt {
			channels = append(channels, s.channel)
		}
	}
	for _, s := range c.subscriptions {
		if s.started && s.start == c.firstAt {
			channels = append(channels, record.ChannelUnknown)
		}
	}
	return slices.Min(channels)
}

// touchBefore returns the channel of the first or last touch before t, the first by
// name where several fall on one instant.
func (c *customer) touchBefore(t int64, last bool) (channel string, ok bool) {
	var at int64
	for _, x := range c.touches {
		better := x.at < at
		if last {
			better = x.at > at
		}
		if x.at < t && (!ok || better || x.at == at && x.channel < channel) {
			at, channel, ok = x.at, x.channel, true
		}
	}
	return channel, ok
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
