package oracle

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// customer returns what the records under an ID of the shop (or a reference) belong to.
func (f *fixture) customer(w *world, source, id string) *customer {
	f.t.Helper()
	ref := Step{source, &record.Customer{Meta: record.Meta{ID: id}}}.Seal(f.sealer).Record.(*record.Customer).Self
	c := w.customerOf(ref)
	if c == nil {
		f.t.Fatalf("%s %s belongs to no customer", source, id)
	}
	return c
}

func TestCustomersShareKeys(t *testing.T) {
	f := newFixture(t)
	f.add("shop", "c1", &record.Customer{Keys: record.Keys{Email: "ann@mail.acme.com"}})
	f.add("shop", "c2", &record.Customer{Keys: record.Keys{Email: "bob@gmail.com"}})
	f.add("shop", "c3", &record.Customer{Keys: record.Keys{Email: "eve@gmail.com", ExternalIDs: []string{"crm:a1"}}})
	f.add("crm", "a1", &record.Account{Keys: record.Keys{Domain: "www.acme.com"}})
	f.order("o1", "bob@gmail.com", "2024-05-01 00:00:00", record.Order{})
	w := newWorld(f.records, f.settings)
	acme, bob := f.customer(w, "shop", "c1"), f.customer(w, "shop", "c2")
	if f.customer(w, "crm", "a1") != acme || f.customer(w, "shop", "c3") != acme {
		t.Error("a shared domain and an external ID do not join")
	}
	if bob == acme {
		t.Error("a free mail domain joins")
	}
	if f.customer(w, "shop", "bob@gmail.com") != bob {
		t.Error("a reference by address does not join its owner")
	}
}

func TestCompaniesOfOneSourceStayApart(t *testing.T) {
	f := newFixture(t)
	company := func(source, id, created string, keys record.Keys) {
		f.add(source, id, &record.Customer{Company: true, CreatedAt: f.at(created), Keys: keys})
	}
	acme := record.Keys{Domain: "acme.com"}
	company("shop", "young", "2024-02-01 00:00:00", acme)
	company("shop", "old", "2024-01-01 00:00:00", acme)
	company("crm", "other", "2024-03-01 00:00:00", acme)
	f.add("shop", "person", &record.Customer{CreatedAt: f.at("2020-01-01 00:00:00"), Keys: record.Keys{Email: "ann@acme.com"}})
	w := newWorld(f.records, f.settings)
	old, young := f.customer(w, "shop", "old"), f.customer(w, "shop", "young")
	if old == young {
		t.Error("two companies of one source are one customer")
	}
	if f.customer(w, "shop", "person") != old || f.customer(w, "crm", "other") != old {
		t.Error("what matches both companies does not join the older one")
	}
}

func TestDroppedKeySplits(t *testing.T) {
	f := newFixture(t)
	f.add("shop", "c1", &record.Customer{Keys: record.Keys{Domain: "acme.com"}})
	f.add("shop", "c2", &record.Customer{Keys: record.Keys{Domain: "acme.com", Email: "x@globex.com"}})
	f.add("shop", "c3", &record.Customer{Keys: record.Keys{Domain: "globex.com"}})
	w := newWorld(f.records, f.settings)
	if f.customer(w, "shop", "c1") != f.customer(w, "shop", "c3") {
		t.Error("sharing is not transitive")
	}
	f.records[1].Record.RecordMeta().Deleted = true
	w = newWorld(f.records, f.settings)
	if f.customer(w, "shop", "c1") == f.customer(w, "shop", "c3") {
		t.Error("the group does not split when what joined it is deleted")
	}
}

func TestProspects(t *testing.T) {
	f := newFixture(t)
	f.add("crm", "plain", &record.Account{CreatedAt: f.at("2024-01-01 00:00:00")})
	f.add("crm", "target", &record.Account{CreatedAt: f.at("2024-01-01 00:00:00"), Target: true})
	f.add("crm", "keyed", &record.Account{Keys: record.Keys{Domain: "acme.com"}})
	f.add("crm", "lead", &record.Lead{CreatedAt: f.at("2024-01-01 00:00:00"), Account: record.RefTo("elsewhere")})
	f.add("shop", "later", &record.Customer{CreatedAt: f.at("2024-08-01 00:00:00")})
	f.order("cancelled", "c1", "2024-06-01 00:00:00", record.Order{State: record.StateCancelled})
	f.check(f.compute("2024-07-01 00:00:00"), map[string]string{`b2b_customers{state="prospect"}`: "3"})
	f.check(f.compute("2024-09-01 00:00:00"), map[string]string{`b2b_customers{state="prospect"}`: "4"})
	f.check(f.compute("2024-05-01 00:00:00"), map[string]string{`b2b_customers{state="prospect"}`: "2"})
}
