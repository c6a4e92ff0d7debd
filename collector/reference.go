package collector

// referenceIntro opens the metric reference: the rules that hold for all metrics.
const referenceIntro = `# Metrics

<!-- Made by "make docs" from the table of metrics in package collector. Do not edit. -->

All metrics are gauges unless the table says otherwise. Their values are computed when records change, at
midnight and every 5 minutes, never at the scrape; the metrics of the collector ` + "`exporter`" + ` tell how fresh the
sources are.

* **Undefined is not zero.** A ratio, mean, quantile or sum that has no value has no sample; for headline KPIs
  ` + "`b2b_kpi_undefined`" + ` says why. A count over a period that the source has delivered and that holds nothing is 0.
* **Windows** (label ` + "`window`" + `) in the report time zone: ` + "`today`" + ` until now; ` + "`1d`" + ` yesterday; ` + "`7d`, `30d`, `90d`, `365d`" + ` that
  many whole days ending with yesterday; ` + "`mtd`, `qtd`, `ytd`" + ` from the beginning of the period until now. Never add
  up windows: pin one in every query.
* **Money** is in units of the reporting currency, which is the label ` + "`currency`" + `. Each amount is converted at the
  rate of its own day, the last one published on or before it. Where there is none, what needs it is undefined (` + "`no_rate`" + `).
* **Bounded labels** keep the values with the largest sums (` + "`labels.max`" + `, 50 by default) in each window and fold the rest
  into ` + "`other`" + `.
* **Headline** KPIs have ` + "`b2b_kpi_change_ratio`, `b2b_kpi_threshold` and `b2b_kpi_undefined`" + ` series. Where a headline
  has no label ` + "`window`" + `, its change is given for 30d, 90d and 365d: against itself that many days before, and a year before.

Readings of the rules that are worth knowing:

* Until a stream of a source has been read to its end for the first time, what depends on it is undefined (` + "`immature`" + `).
* A refund that names an order takes over that order's customer and country, and does not count where the order does
  not. A refund that names no order, or one that the source has not (or no longer) delivered, counts by its own.
* An order's costs are known where its cost is; without ` + "`costed_net`" + ` they are those of the whole order. A refund
  without costs of its own counts with its whole amount where its whole order has costs, and not at all in the profit otherwise.
* Gross profit is exposed for a store (or territory) that has records with known costs in some window; in the other
  windows it is 0 where there are no records and absent where none of them has costs.
* Territories: in a window in which more values occur than the bound allows, the largest are kept and no zeros are added;
  in the others every value that occurs in any window is exported.
* A customer's channel: with equal times, the name that comes first in byte order. With ` + "`attribution: last_touch`" + `: the channel of
  the first order, where it is known, else that of the latest lead before it.
* The monthly value in the predicted lifetime value: a customer without an order in the last 90 days counts with its net revenue.

Recurring revenue:

* MRR at a moment counts the changes strictly before it, at the rates of the moment's day. A day's rate holds from the day's first instant on: what is held then
  is revalued (` + "`fx`" + `), the changes of the day are worth what it says. So MRR(start) + new + expansion + reactivation - contraction - churn + fx = MRR(end), exactly.
* A customer's changes at one instant are netted over its subscriptions, and over its currencies at the rates of that day. Which tier a customer is in, and
  whether it is retained, its total in the reporting currency tells.
* A subscription without a history, or a step of it without an amount or with one below 0, is live with an unknown MRR: sums hold what is known, and are
  undefined (` + "`no_data`" + `) where nothing is.
* A subscription that is in trial brings nothing for its start, whatever amount is stated for it, unless its history tells when nothing is paid (an amount of 0
  at its start or later): then the history holds, and what was paid before the trial counts.
* The end of the service is ` + "`ended_at`" + `. One that has ended without that date ended when its history falls to 0; an amount after that is what is paid when a pause
  is over. Where the history never falls to 0, nobody knows how long its last amount was paid: it ends with its last change, and counts nowhere without one.
* Only the present state of a subscription is known: it counts for the past, too, save that what was paid for was active, and that a subscription
  that has ended since without ever being paid was a trial until then.
* The owner of an account is the one that the account says, else the customer record; of several the oldest, then the first in byte order.
* The forecast takes scheduled changes at today's rates and leaves ` + "`fx`" + ` out of the mean movement; for a past ` + "`--as-of`" + ` nothing is scheduled.

Costs and acquisition:

* A monthly cost is spread evenly over the days of each calendar month that it covers, a cost that is paid once over its days from first to
  last. A cost whose channel is not in the vocabulary is one of ` + "`unknown`" + `.
* ` + "`cac.lag`" + ` moves the days of the costs that new customers are held against: acquisition cost in all its forms, lifetime value against it,
  payback, marginal cost and marketing's share. Marketing cost itself, return, cost per lead and unpaid customers are of the window's own days.
* Acquisition cost by channel, campaign and program is of marketing cost only. New customers without any cost give 0, a cost without new customers gives no sample.
* Paid channels have ad spend that is not 0 in the window; unpaid customers come from channels without any marketing cost that is not 0.
* Return on marketing, in total: the gain of the channels with cost against all marketing cost.
* A customer is marketing-originated by its first touch, also with ` + "`attribution: last_touch`" + `.
* One campaign is spelled as ads and cost entries have it, else as CRM and shop do; of several spellings the first in byte order.
* Where a KPI is known by day, ` + "`today`, `mtd`, `qtd` and `ytd`" + ` are compared over complete days on both sides, each evaluated at the end of its own.

Funnel:

* Leads created are counted by their creation; one without a creation enters the stage ` + "`lead`" + ` with its first later stage.
* The leads of a company with an order, a paid subscription or a won deal before the lead's creation never become customers, whatever
  ` + "`customers.basis`" + ` says.
* Stages are those known at the moment that a value is for: a later time counts neither by itself nor for an earlier stage.
* Contact, response and unanswered leads need somebody to record answers: a source of activities, or at least one lead with a first
  response. Without, they are undefined (` + "`no_data`" + `).

Visits and ads:

* The total of a site is what the tool gives as that; where it gives none, the sum over channels. Headlines are over all sites.
* Visitors that came back are all visitors less new ones, where the tool tells both.
* Bounces are held against the visits of the days whose bounces are known by that definition.
* The bound of variants is drawn for campaigns and for variants, each over all of the other, by clicks.
* Where several sources tell of one platform or site, its series are gone while any of them cannot be trusted.
`
