package config

// invalidFiles holds the whole error of every testdata/invalid-*.yml: a line of it is
// FILE:LINE: PATH: MESSAGE, here without FILE:.
func invalidFiles() map[string][]string {
	return map[string][]string{
		"alias-unknown": {
			`2: a value starts with "*", which YAML takes for an alias; quote it`,
		},
		"alias": {
			`3: ledger.path: YAML anchors and aliases are not supported; write the value out, or quote a text that starts with "&" or "*"`,
			`4: attribution: YAML anchors and aliases are not supported; write the value out, or quote a text that starts with "&" or "*"`,
		},
		"anchor": {
			`3: labels: YAML anchors and aliases are not supported; write the value out, or quote a text that starts with "&" or "*"`,
			`5: labels.most: unknown key; use one of: max`,
		},
		"attribution": {
			`3: attribution: expected one of first_touch, last_touch, found "linear"`,
		},
		"channels-channel": {
			`4: channels[0].channel: unknown channel "e-mail"; did you mean email?`,
			`5: channels[1].channel: unknown channel "post"; use one of: direct, organic_search, paid_search, display, video, organic_social, paid_social, email, sms, referral, affiliate, partner, event, webinar, content, customer_referral, sales_outbound, offline, other, unknown`,
			`6: channels[2].channel: is missing; give what matching touches are counted under: channel, program or campaign_name`,
		},
		"channels-expression": {
			`4: channels[0].source: not a regular expression: missing closing ) in "("; escape special characters with \`,
			`5: channels[1].medium: not a regular expression: unexpected ) in "a)|(b"; escape special characters with \`,
		},
		"marketing-channels": {
			`3: marketing_channels[1]: unknown channel "webinars"; did you mean webinar?`,
			`3: marketing_channels[2]: email is listed twice; remove it`,
		},
		"kpi-settings": {
			`3: cac.lag: must be whole days, such as 30d: costs are known by day`,
			`4: funnel.site: no source is named "web"; give the name of the source that counts the visits of the site`,
			`5: recurring.tiers[0]: must be above 0`,
			`5: recurring.tiers[2]: 50 is not above the tier before it; list them in ascending order`,
		},
		"channels-match-all": {
			`3: channels[0]: matches everything; give at least one of source, medium and campaign`,
		},
		"costs-amount-forms": {
			`4: costs[0].amount: expected a decimal number such as 1234.50, found .nan`,
			`5: costs[1].amount: expected a decimal number such as 1234.50, found .inf`,
			`6: costs[2].amount: expected a decimal number such as 1234.50, found 0x10`,
			`7: costs[3].amount: expected a decimal number such as 1234.50, found 1_000`,
			`8: costs[4].amount: expected a decimal number such as 1234.50, found "1,000.50"`,
			`9: costs[5].amount: expected a decimal number such as 1234.50, found 1e3`,
			`10: costs[6].amount: expected a decimal number such as 1234.50, found 012`,
			`11: costs[7].amount: expected a decimal number such as 1234.50, found "EUR 5"`,
			`12: costs[8].amount: expected a decimal number such as 1234.50, found a list`,
			`13: costs[9].amount: expected a decimal number such as 1234.50, found true`,
			`14: costs[10].amount: expected a decimal number such as 1234.50, found ""`,
		},
		"costs-amount-values": {
			`4: costs[0].amount: must not be negative, found -1`,
			`5: costs[1].amount: 0.0000001 has more than 6 decimals; round it`,
			`6: costs[2].amount: amount is beyond the ledger's range of ±9.2 x 10^12; give a smaller number`,
			`7: costs[3].amount: a number of 71 characters is too long; give a smaller number`,
		},
		"costs-category": {
			`3: costs[0].category: expected one of marketing, sales, found "it"`,
		},
		"costs-channel": {
			`3: costs[0].channel: unknown channel "webinars"; did you mean webinar?`,
		},
		"costs-currency": {
			`3: costs[0].currency: unknown currency "Euro"; use an ISO 4217 code in upper case such as EUR`,
		},
		"costs-dates": {
			`4: costs[0].from: expected a date such as 2026-01-31, found "2026-02-30"`,
			`5: costs[1].from: expected a date such as 2026-01-31, found "01.02.2026"`,
			`6: costs[2].to: 2026-01-31 is before from (2026-02-01); give a last day that is not`,
		},
		"costs-missing": {
			`3: costs[0].amount: is missing; give the amount`,
			`3: costs[0].category: is missing; give marketing or sales`,
			`3: costs[0].from: is missing; give the first day, such as 2026-01-01`,
			`3: costs[0].name: is missing; give a name`,
			`3: costs[0].period: is missing; give month or once`,
		},
		"costs-once-without-to": {
			`3: costs[0].to: is missing; give the last day over which a cost of period once is spread`,
		},
		"costs-period": {
			`3: costs[0].period: expected one of month, once, found "year"`,
		},
		"costs-twice": {
			`5: costs[1]: costs[0] is named a and begins on 2026-01-01 too; change name or from`,
		},
		"currency-bool": {
			`2: currency: expected a string, found true; quote it if it is meant as text`,
		},
		"currency-lower-case": {
			`2: currency: unknown currency "eur"; use an ISO 4217 code in upper case such as EUR`,
		},
		"currency-missing": {
			`1: currency: is missing; give the reporting currency, such as EUR`,
		},
		"currency-none": {
			`2: currency: unknown currency "XXX"; use an ISO 4217 code in upper case such as EUR`,
		},
		"currency-unknown": {
			`2: currency: unknown currency "ABC"; use an ISO 4217 code in upper case such as EUR`,
		},
		"customers-basis": {
			`3: customers.basis: expected one of orders, deals, both, found "invoices"`,
		},
		"customers-churn-denominator": {
			`3: customers.churn_denominator: expected one of start, remaining, found "end"`,
		},
		"customers-free-mail-scalar": {
			`3: customers.free_mail: expected a list, found a string`,
		},
		"customers-free-mail": {
			`5: customers.free_mail[0]: "info@example.com" is not a domain; give what follows the @, such as example.com`,
			`6: customers.free_mail[1]: "mail.example.com" is below the registrable domain example.com; customers are told apart by that one: give it instead`,
			`7: customers.free_mail[2]: "localhost" is not a domain; give what follows the @, such as example.com`,
			`8: customers.free_mail[3]: "co.uk" is not a domain; give what follows the @, such as example.com`,
		},
		"customers-inactive-after": {
			`3: customers.inactive_after: "half a year" is not a duration: use whole days (180d), or hours, minutes and seconds in that order (36h, 90m, 1h30m)`,
		},
		"customers-lifetime-minimum-decimal": {
			`3: customers.lifetime_minimum: expected a whole number such as 50, found 30.5`,
		},
		"customers-lifetime-minimum-hex": {
			`3: customers.lifetime_minimum: expected a whole number such as 50, found 0x1e`,
		},
		"customers-lifetime-minimum-text": {
			`3: customers.lifetime_minimum: expected a whole number such as 50, found "30"`,
		},
		"customers-lifetime-minimum": {
			`3: customers.lifetime_minimum: expected 1 or more, found 0`,
		},
		"duplicate-key-nested": {
			`5: labels.max: duplicate key, first given on line 4; remove one of them`,
		},
		"duplicate-key": {
			`4: currency: duplicate key, first given on line 2; remove one of them`,
		},
		"empty": {
			`1: the file is empty; it needs at least timezone and currency`,
		},
		"history-mixed": {
			`3: history: duration "3d12h" mixes calendar days with elapsed time: use whole days (180d), or hours, minutes and seconds in that order (36h, 90m, 1h30m)`,
		},
		"history": {
			`3: history: "1100" is not a duration: use whole days (180d), or hours, minutes and seconds in that order (36h, 90m, 1h30m)`,
		},
		"key-case": {
			`1: Timezone: unknown key; did you mean timezone?`,
			`1: timezone: is missing; give the IANA time zone of all days and windows, such as Europe/Berlin`,
		},
		"key-control": {
			`3: "a\nb": unknown key; use one of: timezone, currency, history, staleness, ledger, customers, orders, attribution, windows, sources, channels, territories, costs, rates, thresholds, labels, marketing_channels, cac, funnel, recurring`,
		},
		"key-not-text": {
			`4: territories: a key must be plain text; quote it`,
			`5: territories: a key must be plain text; quote it`,
		},
		"labels-max-zero": {
			`3: labels.max: expected 1 to 1000, found 0`,
		},
		"labels-max": {
			`3: labels.max: expected 1 to 1000, found 1001`,
		},
		"ledger-key-file-missing": {
			`3: ledger.key_file: read the secret file testdata/secrets/absent: it does not exist; create it or correct the path`,
		},
		"ledger-key-inline": {
			`3: ledger.key: unknown key; use one of: path, key_file, postgres_dsn_file`,
		},
		"ledger-list": {
			`3: ledger: expected a mapping, found a list`,
		},
		"ledger-path-empty": {
			`3: ledger.path: must not be empty; give the ledger's file or remove the key`,
		},
		"ledger-postgres": {
			`3: ledger.postgres_dsn_file: PostgreSQL is not supported yet; use ledger.path`,
		},
		"ledger-scalar": {
			`3: ledger: expected a mapping, found a string`,
		},
		"long-texts": {
			`3: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: unknown key; use one of: timezone, currency, history, staleness, ledger, customers, orders, attribution, windows, sources, channels, territories, costs, rates, thresholds, labels, marketing_channels, cac, funnel, recurring`,
			`4: attribution: expected one of first_touch, last_touch, found "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…"`,
		},
		"mappings": {
			`3: ledger: expected a mapping, found a number`,
			`4: labels: expected a mapping, found true`,
			`5: customers: expected a mapping, found a string`,
		},
		"merge-key": {
			`3: labels: YAML anchors and aliases are not supported; write the value out, or quote a text that starts with "&" or "*"`,
			`5: orders.<<: YAML merge keys are not supported; write the keys out`,
		},
		"nested-too-deeply": {
			`3: windows[0]: expected a window such as 30d, found a list`,
			`3: windows[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: is nested too deeply; at most 32 levels are allowed`,
		},
		"not-a-mapping": {
			`1: expected keys and values such as timezone: Europe/Berlin, found a list`,
		},
		"null-values": {
			`3: history: has no value; expected a duration such as 180d or 36h, or remove it`,
			`4: staleness: has no value; expected a duration such as 26h, or remove it`,
			`5: windows[0]: has no value; expected a window such as 30d, or remove it`,
			`6: ledger: has no value; expected a mapping, or remove it`,
			`10: sources[0].interval: has no value; expected a duration such as 26h, or remove it`,
			`13: sources[0].sandbox: has no value; expected true or false, or remove it`,
			`14: sources[0].budget: has no value; expected a number such as 0.5, or remove it`,
			`15: sources[0].retries: has no value; expected a mapping, or remove it`,
			`16: rates[0].from: has no value; expected a date such as 2026-01-31, or remove it`,
		},
		"null": {
			`1: the file is empty; it needs at least timezone and currency`,
		},
		"orders-count": {
			`3: orders.count: expected one of placed, paid, found "shipped"`,
		},
		"rates-currency": {
			`4: rates[0].currency: unknown currency "usd"; use an ISO 4217 code in upper case such as EUR`,
			`5: rates[1].currency: EUR is the reference itself; give another currency`,
			`6: rates[2].reference: unknown currency "QQQ"; use an ISO 4217 code in upper case such as EUR`,
		},
		"rates-missing": {
			`3: rates[0].currency: is missing; give the currency that is valued, such as USD`,
			`3: rates[0].per_reference: is missing; give how many units of the currency one unit of the reference is worth`,
		},
		"rates-twice": {
			`6: rates[2]: rates[0] gives USD from 0001-01-01 too; remove one or change from`,
		},
		"rates-values": {
			`4: rates[0].per_reference: must be greater than 0, found 0`,
			`5: rates[1].per_reference: must be greater than 0, found -0.85`,
			`6: rates[2].per_reference: the number has more than 18 significant digits; round it`,
			`7: rates[3].per_reference: expected a decimal number such as 1234.50, found .nan`,
		},
		"required-empty": {
			`6: sources[0].url: must not be empty; give the shop's address`,
		},
		"secret-anchor": {
			`7: sources[0].client_secret: YAML anchors and aliases are not supported; write the value out, or quote a text that starts with "&" or "*"`,
		},
		"secret-both": {
			`8: sources[0].client_secret_file: give either client_secret or client_secret_file, not both`,
		},
		"secret-empty": {
			`7: sources[0].client_secret: must not be empty`,
		},
		"secret-file-absent": {
			`7: sources[0].client_secret_file: read the secret file testdata/secrets/absent: it does not exist; create it or correct the path`,
		},
		"secret-file-below-file": {
			`7: sources[0].client_secret_file: read the secret file testdata/secrets/token/a: not a directory`,
		},
		"secret-file-device": {
			`7: sources[0].client_secret_file: read the secret file /dev/null: it is not a regular file`,
		},
		"secret-file-directory": {
			`7: sources[0].client_secret_file: read the secret file testdata/secrets: it is a directory; name the file in it`,
		},
		"secret-file-empty": {
			`7: sources[0].client_secret_file: read the secret file testdata/secrets/empty: it is empty; write the secret into it`,
		},
		"secret-list": {
			`7: sources[0].client_secret: expected a string, found a list`,
		},
		"secret-missing": {
			`4: sources[0].client_secret: is missing; give the app's secret here or in a file named by client_secret_file`,
		},
		"secret-null": {
			`7: sources[0].client_secret_file: has no value; expected a string, or remove it`,
		},
		"secret-placeholder": {
			`7: sources[0].client_secret: <secret> stands for a secret that is not shown; give the secret or put it into a file named by client_secret_file`,
		},
		"secret-tag": {
			`7: sources[0].client_secret: YAML tags are not supported; remove the tag, or quote a text that starts with "!"`,
		},
		"several-documents-syntax": {
			`4: not valid YAML: did not find expected node content; look at the indentation, colons, brackets and quotes around this line`,
		},
		"several-documents": {
			`4: the file holds several YAML documents; remove the line --- between them`,
		},
		"several": {
			`1: currency: is missing; give the reporting currency, such as EUR`,
			`1: timezone: unknown time zone "Mars/Olympus"; use an IANA time zone such as Europe/Berlin or UTC`,
			`2: curency: unknown key; did you mean currency?`,
			`3: staleness: expected a duration in hours, minutes and seconds such as 26h or 1h30m, found "1d"`,
			`5: customers.basis: expected one of orders, deals, both, found "order"`,
			`6: customers.lifetime_minimum: has no value; expected a whole number such as 50, or remove it`,
			`7: windows[1]: unknown window "2w"; use one of: today, 1d, 7d, 30d, 90d, 365d, mtd, qtd, ytd`,
			`12: sources[0].files[0].path: is missing; give a file or a pattern such as data/*.csv`,
			`12: sources[0].files[0].pth: unknown key; did you mean path?`,
			`13: sources[0].files[0].columns.placed_at: names no column; give one or remove the key`,
			`14: sources[1].name: another source is named erp (line 9); names must differ`,
			`17: sources[1].client_secret_file: read the secret file testdata/secrets/absent: it does not exist; create it or correct the path`,
			`19: costs[0].amount: expected a decimal number such as 1234.50, found 1e3`,
			`21: thresholds[0]: gives no value; give warning, critical or both`,
			`21: thresholds[0].window: b2b_mrr has no window; remove the key`,
			`22: labels.max: expected 1 to 1000, found 0`,
		},
		"source-interval-long": {
			`6: sources[0].interval: 48h is not below staleness (26h): the source would be stale before its next poll; lower it or raise staleness`,
		},
		"source-interval": {
			`6: sources[0].interval: expected a duration in hours, minutes and seconds such as 26h or 1h30m, found "300"`,
		},
		"source-name-form": {
			`4: sources[0].name: "EU Shop" is not a source's name; use lower-case letters, digits, - and _, a letter or digit first, at most 63`,
		},
		"source-name-missing": {
			`4: sources[0].name: is missing; give a unique name, the label source of its metrics`,
		},
		"source-name-twice": {
			`5: sources[1].name: another source is named eu (line 4); names must differ`,
		},
		"source-option-missing": {
			`4: sources[0].url: is missing; give the shop's address`,
		},
		"source-option-types": {
			`8: sources[0].page_size: expected a whole number such as 50, found "ten"`,
			`9: sources[0].budget: expected a number such as 0.5, found .inf`,
			`10: sources[0].sandbox: expected true or false, found "yes"`,
			`11: sources[0].region: expected one of eu, us, found "mars"`,
			`12: sources[0].retries.max: expected a whole number such as 50, found "-"`,
		},
		"source-option-unknown": {
			`8: sources[0].page_sizes: unknown key; did you mean page_size?`,
		},
		"source-options-list-missing": {
			`4: sources[0].files: at least one file is needed`,
		},
		"source-options-validate": {
			`10: sources[0].files[0].columns.placed_at: names no column; give one or remove the key`,
			`11: sources[0].files[1].path: is missing; give a file or a pattern such as data/*.csv`,
			`12: sources[0].files[1].timezone: unknown time zone "Europe/Lundon"; use an IANA time zone such as Europe/Berlin or UTC`,
			"13: sources[0].files[1].pattern: error parsing regexp: missing closing ): `(`",
			`14: sources[0].files[1].since: expected a date such as 2026-01-31, found "2026-02-30"`,
		},
		"source-type-list": {
			`3: sources[0].type: expected a string, found a list`,
		},
		"source-type-missing": {
			`4: sources[0].type: is missing; give the type of the source`,
		},
		"source-type-misspelt": {
			`3: sources[0].type: unknown type "shopp"; use one of: csv, shop`,
		},
		"source-type-unknown": {
			`5: sources[0].type: unknown type "sap"; use one of: csv, shop`,
			`7: sources[0].interval: expected a duration in hours, minutes and seconds such as 26h or 1h30m, found "daily"`,
		},
		"sources-item-scalar": {
			`3: sources[0]: expected a mapping, found a string`,
		},
		"sources-mapping": {
			`3: sources: expected a list, found a mapping`,
		},
		"staleness-days": {
			`3: staleness: expected a duration in hours, minutes and seconds such as 26h or 1h30m, found "2d"`,
		},
		"staleness-negative": {
			`3: staleness: expected a duration in hours, minutes and seconds such as 26h or 1h30m, found "-26h"`,
		},
		"staleness-zero": {
			`3: staleness: expected a duration in hours, minutes and seconds such as 26h or 1h30m, found "0s"`,
		},
		"syntax": {
			`2: not valid YAML: did not find expected ',' or '}'; look at the indentation, colons, brackets and quotes around this line`,
		},
		"tag": {
			`3: attribution: YAML tags are not supported; remove the tag, or quote a text that starts with "!"`,
		},
		"territories-bool": {
			`3: territories.DE: expected a string, found true; quote it if it is meant as text`,
		},
		"territories-empty": {
			`4: territories.DE: a country and its territory must not be empty; write them as COUNTRY: TERRITORY`,
			`5: territories.AT: has no value; expected a string, or remove it`,
		},
		"territories-list": {
			`3: territories: expected a mapping, found a list`,
		},
		"thresholds-kpi": {
			`4: thresholds[0].kpi: unknown KPI "b2b_customer_churn"; did you mean b2b_customer_churn_ratio?`,
			`5: thresholds[1].kpi: unknown KPI "up"; use one of: b2b_customer_churn_ratio, b2b_mrr, b2b_revenue_net`,
			`6: thresholds[2].kpi: is missing; give a KPI such as b2b_customer_churn_ratio`,
		},
		"thresholds-twice": {
			`5: thresholds[1]: thresholds[0] is for the same KPI and window; remove one`,
		},
		"thresholds-values": {
			`4: thresholds[0]: gives no value; give warning, critical or both`,
			`5: thresholds[1].critical: expected a decimal number such as 1234.50, found "5%"`,
			`5: thresholds[1].warning: expected a decimal number such as 1234.50, found .inf`,
			`6: thresholds[2].critical: is below warning, but a higher b2b_customer_churn_ratio is worse; exchange them`,
			`7: thresholds[3].critical: is above warning, but a lower b2b_revenue_net is worse; exchange them`,
		},
		"thresholds-window": {
			`5: thresholds[0].window: is missing; give one of: 30d, 90d`,
			`6: thresholds[1].window: ytd is not among the configured windows; add it to windows or use one of: 30d, 90d`,
			`7: thresholds[2].window: unknown window "91d"; use one of: today, 1d, 7d, 30d, 90d, 365d, mtd, qtd, ytd`,
			`8: thresholds[3].window: b2b_mrr has no window; remove the key`,
		},
		"timezone-empty": {
			`1: timezone: must not be empty; use an IANA time zone such as Europe/Berlin or UTC`,
		},
		"timezone-list": {
			`1: timezone: expected an IANA time zone such as Europe/Berlin, found a list`,
		},
		"timezone-local": {
			`1: timezone: the time zone Local differs between machines; use an IANA time zone such as Europe/Berlin or UTC`,
		},
		"timezone-missing": {
			`1: timezone: is missing; give the IANA time zone of all days and windows, such as Europe/Berlin`,
		},
		"timezone-null": {
			`1: timezone: has no value; give the IANA time zone of all days and windows, such as Europe/Berlin`,
		},
		"timezone-unknown": {
			`1: timezone: unknown time zone "Europe/Berlinn"; use an IANA time zone such as Europe/Berlin or UTC`,
		},
		"unknown-key-far": {
			`5: orders.goals: unknown key; use one of: count`,
		},
		"unknown-key-not-yet": {
			`3: goals: unknown key; use one of: timezone, currency, history, staleness, ledger, customers, orders, attribution, windows, sources, channels, territories, costs, rates, thresholds, labels, marketing_channels, cac, funnel, recurring`,
		},
		"unknown-key": {
			`3: stalenes: unknown key; did you mean staleness?`,
		},
		"windows-empty": {
			`3: windows: must not be empty; give windows such as [30d, ytd], or remove the key to have all`,
		},
		"windows-scalar": {
			`3: windows: expected a list, found a string`,
		},
		"windows-twice": {
			`3: windows[2]: 30d is listed twice; remove it`,
		},
		"windows-unknown": {
			`3: windows[1]: unknown window "31d"; use one of: today, 1d, 7d, 30d, 90d, 365d, mtd, qtd, ytd`,
			`3: windows[2]: unknown window "month"; use one of: today, 1d, 7d, 30d, 90d, 365d, mtd, qtd, ytd`,
		},
	}
}
