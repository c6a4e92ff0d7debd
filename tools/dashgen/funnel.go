package main

// funnel is for sales and marketing together.
func funnel() board {
	b := board{
		uid: "b2b-funnel", title: "Funnel and leads", windowed: true, from: "now-30d",
		question: "Where are leads lost, and are they answered in time?",
		answer:   "From lead to customer, stage by stage, and how long leads wait for a person.",
	}
	step0 := func(from, to string) query {
		return query{
			expr:   ratio("b2b_funnel_conversion_ratio", `from="`+from+`"`, `to="`+to+`"`, `method="cohort"`),
			legend: from + " to " + to, instant: true,
		}
	}
	entered := func(stage string, by ...string) string {
		return sum(vector("b2b_funnel_entries", window, `stage="`+stage+`"`), by...)
	}
	b.panels = append(
		[]panel{
			figure("Leads", number, "Leads created in the window.", fromCRM, entered("lead")),
			headline("b2b_lead_to_close_ratio", "Lead to close", percent, "Share of the leads created in the window that have become customers since. It rises while leads of the window are still open.",
				fromLeads, ratio("b2b_lead_to_close_ratio", `method="cohort"`)).precise(1),
			headline("b2b_lead_response_seconds", "Time to first answer", seconds, "Time from the creation of a lead to the first call, e-mail, SMS or meeting of a person: half of the window's answered leads waited no longer.",
				fromCRM, ratio("b2b_lead_response_seconds", `q="0.5"`)).precise(1),
			headline("b2b_lead_contact_ratio", "Leads contacted", percent, "Leads created in the window that a person has answered / leads created in it.", fromCRM, ratio("b2b_lead_contact_ratio")).precise(1),
			headline("b2b_cost_per_lead", "Cost per lead", amount, "Marketing cost / leads created in the CRM.", "ad spend and the configured costs; leads of the CRM.",
				money("b2b_cost_per_lead")).to("b2b-acquisition"),
			figure("Unanswered for a day", number, "Open leads that no person has answered, one day old or older.", fromCRM,
				"sum("+vector("b2b_leads_unanswered", `age=~"1d_7d|ge_7d"`)+")").current().colored(step{color: "green"}, step{1, "orange"}),

			verdicts("b2b_lead_to_close_ratio", "b2b_lead_response_seconds", "b2b_lead_contact_ratio", "b2b_cost_per_lead"),
		}, trust()...)
	steps := panel{
		title:   "From stage to stage",
		formula: "Of the leads that entered a stage in the window, the share that has reached the next since. Leads of the window that are still open may yet.",
		source:  fromLeads, unit: percent, digits: digits(1), w: 12, h: 8, shape: bars, steps: []step{{color: "blue"}},
		queries: []query{step0("lead", "mql"), step0("mql", "sql"), step0("sql", "opportunity"), step0("opportunity", "customer")},
	}.share()
	b.panels = append(b.panels,
		compare("Entered in the window", number, "Leads that entered each stage in the window. Who skips a stage has entered it, too.", fromLeads, total("b2b_funnel_entries", "stage"), "{{stage}}").size(12, 8),
		steps,
		trend("Entries by stage", number, "Leads that entered each stage in the window, as it stood at each moment.", fromLeads,
			query{expr: total("b2b_funnel_entries", "stage"), legend: "{{stage}}"}).size(8, 9),
		trend("Time to first answer", seconds, "Quantiles of the time from the creation of the window's leads to the first activity of a person.", fromCRM,
			query{expr: ratio("b2b_lead_response_seconds"), legend: "quantile {{q}}"}).limits("b2b_lead_response_seconds").size(8, 9),
		trend("Leads answered", percent, "Contacted: a person has answered, of the leads created in the window. Followed up: a second time, of those contacted.", fromCRM,
			query{expr: ratio("b2b_lead_contact_ratio"), legend: "contacted"}, query{expr: ratio("b2b_lead_follow_up_ratio"), legend: "followed up"}).
			limits("b2b_lead_contact_ratio").size(8, 9),
		compare("Lead to close by channel", percent, "Share of the window's leads of a channel that have become customers since.", fromLeads,
			sum(ratio("b2b_lead_to_close_ratio_by_channel", `method="cohort"`), "channel"), "{{channel}}").precise(1),
		compare("Unanswered leads by age", number, "Open leads that no person has answered, by age.", fromCRM, sum(vector("b2b_leads_unanswered"), "age"), "{{age}}").current(),
		compare("How long leads wait in a stage", seconds, "Time since open leads entered the stage that they are in: half of them no longer.", fromCRM,
			sum(vector("b2b_lead_stage_age_seconds", `q="0.5"`), "stage"), "{{stage}}").precise(1).current(),
		listing("Channels", "Leads of each channel by how far they came in the window.", fromLeads, []key{{"channel", "Channel"}},
			column{"Leads", entered("lead", "channel"), look{unit: number, cell: "gauge", color: "blue"}},
			column{"MQL", entered("mql", "channel"), look{unit: number}},
			column{"SQL", entered("sql", "channel"), look{unit: number}},
			column{"Opportunities", entered("opportunity", "channel"), look{unit: number}},
			column{"Customers", entered("customer", "channel"), look{unit: number}},
		).size(12, 10),
		listing("Campaigns", "Leads created in the window by campaign.", fromCRM, []key{{"campaign", "Campaign"}, {"channel", "Channel"}},
			column{"Leads", total("b2b_leads_by_campaign", "campaign", "channel"), look{unit: number, cell: "gauge", color: "blue"}},
		).size(12, 10),
	)
	return b
}
