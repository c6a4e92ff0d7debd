package demo

import (
	"testing"
	"time"
)

// There are contracts of all that a billing system shows, at any present moment.
func TestContracts(t *testing.T) {
	for _, now := range []time.Time{present(), time.Date(2027, time.January, 2, 3, 0, 0, 0, time.UTC)} {
		c := newCompany(t, Options{Seed: 1, Now: now})
		b := c.History()
		n := map[string]int{}
		of := map[*Customer]int{}
		wave := func(x *Contract) bool {
			day := c.Market.days - c.Market.dayOf(x.Ended)
			return day <= waveBegins && day > waveEnds-15
		}
		for _, x := range b.Contracts {
			if x.Customer.Person || x.Signed.Before(x.Customer.Since) || x.Ended.Before(x.Signed) || x.Noticed.After(x.Ended) {
				t.Fatalf("contract %d does not make sense: %+v", x.ID, x)
			}
			count := func(what string, is bool) {
				if is {
					n[what]++
				}
			}
			live := !x.Signed.After(now) && x.Ended.After(now)
			of[x.Customer]++
			count("all", true)
			count("live", live)
			count("ended", !x.Ended.After(now))
			count("ended in the wave", wave(x))
			count("come back", of[x.Customer] > 1 && live)
			count("on trial", live && x.TrialEnds.After(now))
			count("late", live && x.late(now))
			count("notice given", live && !x.Noticed.After(now))
			count("rebate for some months", live && x.RebateEnds.After(now))
			count("rebate for good", live && x.Rebate == rebatePartner)
			if !live {
				continue
			}
			count(x.Customer.Shop.Currency, true)
			agreed, current := x.agreed(now)
			count(agreed[current].Plan.ID, true)
			count(x.Interval.Unit, true)
			count("changed", current > 0)
			count("planned", len(agreed) > current+1)
		}
		for what, least := range map[string]int{
			"all": 450, "live": 280, "ended": 120, "ended in the wave": 30, "come back": 10, "on trial": 2, "late": 2, "notice given": 4,
			"rebate for some months": 5, "rebate for good": 2, "EUR": 80, "GBP": 50, "USD": 50, "starter": 50, "business": 80, "enterprise": 20,
			"month": 100, "year": 40, "changed": 60, "planned": 3,
		} {
			if n[what] < least {
				t.Errorf("%s: %d contracts %s, want %d or more", now.Format(time.DateOnly), n[what], what, least)
			}
		}
		if n["all"] > 900 {
			t.Errorf("%s: %d contracts, want some hundreds", now.Format(time.DateOnly), n["all"])
		}
	}
}

// A contract's moments are in order, and so are its terms.
func TestContractMoments(t *testing.T) {
	b := newCompany(t, Options{Seed: 4, Scale: 0.3}).History()
	if len(b.Contracts) == 0 {
		t.Fatal("no contracts")
	}
	for _, x := range b.Contracts {
		moments := x.moments()
		if !moments[0].Equal(x.Signed) || !moments[len(moments)-1].Equal(x.Ended) {
			t.Fatalf("contract %d begins %s and ends %s, but its moments are %v", x.ID, x.Signed, x.Ended, moments)
		}
		for i, terms := range x.Terms {
			if terms.Units < 1 || terms.Agreed.After(terms.From) || i > 0 && !x.Terms[i-1].From.Before(terms.From) {
				t.Fatalf("contract %d: terms %d do not make sense: %+v", x.ID, i, x.Terms)
			}
			if agreed, _ := x.agreed(terms.Agreed); len(agreed) != i+1 {
				t.Fatalf("contract %d: %d terms are agreed on when the %dth are: %+v", x.ID, len(agreed), i+1, x.Terms)
			}
		}
	}
}
