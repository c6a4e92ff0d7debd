package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// step is one commit of a history, and the customers there are after it: the moments
// of their records.
type step struct {
	source string
	rec    record.Record
	want   []string
}

func TestIdentity(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"by domain", []step{
			{"shop", company("a", 1, domain("example.com")), []string{"1"}},
			{"crm", &record.Account{Meta: meta("7"), CreatedAt: moment(2), Keys: domain("www.Example.com")}, []string{"1 2"}},
			{"erp", customer("x", 3, email("jane@example.com")), []string{"1 2 3"}},
			{"erp", customer("y", 4, domain("example.org")), []string{"1 2 3", "4"}},
		}},
		{"by e-mail address", []step{
			{"shop", customer("a", 1, email("Jane@gmail.com ")), []string{"1"}},
			{"crm", customer("7", 2, email("jane@GMAIL.com")), []string{"1 2"}},
			{"crm", customer("8", 3, email("joe@gmail.com")), []string{"1 2", "3"}}, // free mail
			{"crm", customer("9", 4, domain("gmail.com")), []string{"1 2", "3", "4"}},
		}},
		{"by external id", []step{
			{"shop", customer("a", 1, record.Keys{}), []string{"1"}},
			{"crm", customer("7", 2, external("shop:a")), []string{"1 2"}},
			{"erp", customer("a", 3, external("x")), []string{"1 2", "3"}},
			{"erp", customer("x", 4, record.Keys{}), []string{"1 2", "3 4"}}, // its own namespace
			{"erp", customer("y", 5, external("debitor:9")), []string{"1 2", "3 4", "5"}},
			{"crm", customer("9", 6, external("debitor:9", "x")), []string{"1 2", "3 4", "5 6"}},
		}},
		{"a record that is named before it comes", []step{
			{"crm", customer("7", 2, external("shop:a", "shop:b")), []string{"2"}},
			{"shop", order("1", "b", 3), []string{"2 3"}},
			{"shop", customer("a", 1, record.Keys{}), []string{"1 2 3"}},
		}},
		{"orders before their customer", []step{
			{"shop", order("1", "a", 1), []string{"1"}},
			{"shop", order("2", "a", 2), []string{"1 2"}},
			{"shop", customer("a", 3, email("jane@example.com")), []string{"1 2 3"}},
			{"crm", customer("7", 4, domain("example.com")), []string{"1 2 3 4"}},
		}},
		{"transitively", []step{
			{"shop", customer("a", 1, email("jane@example.com")), []string{"1"}},
			{"crm", customer("7", 2, external("debitor:9")), []string{"1", "2"}},
			{"erp", customer("x", 3, external("debitor:9", "mail:j")), []string{"1", "2 3"}},
			{"mail", customer("j", 4, domain("example.com")), []string{"1 2 3 4"}},
			{"mail", deleted(customer("j", 4, record.Keys{})), []string{"1", "2 3"}},
		}},
		{"two companies of one source stay apart", []step{
			{"shop", company("old", 1, domain("example.com")), []string{"1"}},
			{"shop", company("new", 2, domain("example.com")), []string{"1", "2"}},
			{"shop", customer("jane", 3, email("jane@example.com")), []string{"1 3", "2"}},
			{"crm", company("c", 4, domain("example.com")), []string{"1 3 4", "2"}},
			{"shop", deleted(company("old", 1, record.Keys{})), []string{"2 3 4"}},
			{"shop", company("old", 5, domain("example.com")), []string{"2 3 4", "5"}}, // now the younger
			{"shop", company("old", 1, domain("example.com")), []string{"1 3 4", "2"}}, // and the older again
		}},
		{"accounts are companies", []step{
			{"crm", &record.Account{Meta: meta("1"), CreatedAt: moment(1), Keys: domain("example.com")}, []string{"1"}},
			{"crm", &record.Account{Meta: meta("2"), CreatedAt: moment(2), Keys: domain("example.com")}, []string{"1", "2"}},
			{"crm", customer("3", 3, domain("example.com")), []string{"1 3", "2"}},
		}},
		{"what matches two companies by two keys joins the older", []step{
			{"shop", company("young", 5, domain("young.example")), []string{"5"}},
			{"shop", company("old", 1, domain("old.example")), []string{"1", "5"}},
			{"crm", customer("c", 9, record.Keys{Domain: "young.example", Email: "jane@old.example"}), []string{"1 9", "5"}},
			{"shop", company("young", 0, domain("young.example")), []string{"0 9", "1"}},
		}},
		{"a company without a date is older than all", []step{
			{"shop", company("a", -9, domain("example.com")), []string{"-9"}},
			{"crm", customer("c", 2, domain("example.com")), []string{"-9 2"}},
			{"shop", &record.Customer{Meta: meta("b"), Company: true, Keys: domain("example.com")}, []string{"-9", "2"}},
			{"shop", order("1", "b", 3), []string{"-9", "2 3"}},
		}},
		{"a subsidiary is a customer of its own", []step{
			{"shop", company("a", 1, domain("example.com")), []string{"1"}},
			{"shop", &record.Customer{Meta: meta("b"), Company: true, CreatedAt: moment(2), Parent: record.RefTo("a")}, []string{"1", "2"}},
		}},
		{"a key is removed", []step{
			{"shop", customer("a", 1, domain("example.com")), []string{"1"}},
			{"crm", customer("7", 2, domain("example.com")), []string{"1 2"}},
			{"shop", order("1", "a", 3), []string{"1 2 3"}},
			{"crm", customer("7", 4, record.Keys{}), []string{"1 3", "4"}},
			{"crm", customer("7", 4, email("jane@example.com")), []string{"1 3 4"}},
		}},
		{"the record that joins others is deleted", []step{
			{"shop", customer("a", 1, external("x:1")), []string{"1"}},
			{"shop", customer("b", 2, external("x:2")), []string{"1", "2"}},
			{"crm", customer("7", 3, external("x:1", "x:2")), []string{"1 2 3"}},
			{"shop", order("1", "b", 4), []string{"1 2 3 4"}},
			{"crm", deleted(customer("7", 3, record.Keys{})), []string{"1", "2 4"}},
			{"shop", deleted(customer("b", 2, record.Keys{})), []string{"1", "4"}},
		}},
		{"orders stay when their customer is deleted", []step{
			{"shop", customer("a", 1, domain("example.com")), []string{"1"}},
			{"crm", customer("7", 2, domain("example.com")), []string{"1 2"}},
			{"shop", order("1", "a", 3), []string{"1 2 3"}},
			{"shop", deleted(customer("a", 1, record.Keys{})), []string{"2", "3"}},
		}},
		{"leads join", []step{
			{"crm", lead("l", 1, email("jane@example.com")), []string{"1"}},
			{"shop", customer("a", 2, domain("example.com")), []string{"1 2"}},
			{"crm", lead("m", 3, record.Keys{}), []string{"1 2", "3"}},
			{"crm", &record.Lead{Meta: meta("m"), CreatedAt: moment(3), Account: record.RefTo("7")}, []string{"1 2", "3"}},
			{"crm", &record.Account{Meta: meta("7"), CreatedAt: moment(4), Target: true}, []string{"1 2", "3 4"}},
			{"crm", &record.Account{Meta: meta("7"), CreatedAt: moment(4), Keys: domain("example.com")}, []string{"1 2 3 4"}},
		}},
		{"a lead is not the customer of that id", []step{
			{"crm", lead("7", 1, record.Keys{}), []string{"1"}},
			{"crm", customer("7", 2, record.Keys{}), []string{"1", "2"}},
		}},
		{"an e-mail address as the customer's id", []step{
			{"shop", order("1", "jane@example.com", 1), []string{"1"}},
			{"crm", customer("7", 2, domain("example.com")), []string{"1 2"}},
			{"shop", order("2", "Jane@Example.com", 3), []string{"1 2 3"}},
			{"shop", customer("jane@example.com", 4, record.Keys{}), []string{"1 2 3 4"}},
			{"crm", deleted(customer("7", 2, record.Keys{})), []string{"1 3 4"}},
			{"other", order("1", "joe@gmail.com", 5), []string{"1 3 4", "5"}},
			{"other", order("2", "jim@gmail.com", 6), []string{"1 3 4", "5", "6"}},
			{"shop", customer("c", 7, email("joe@gmail.com")), []string{"1 3 4", "5 7", "6"}},
			{"other", deleted(order("1", "", 0)), []string{"1 3 4", "6", "7"}},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := openReady(t, newPath(t))
			for i, s := range test.steps {
				put(t, l, s.source, clone(s.rec))
				want := slices.Clone(s.want)
				slices.Sort(want)
				if got := known(partition(t, l)); !slices.Equal(got, want) {
					t.Errorf("step %d: customers %q, want %q", i+1, got, want)
				}
			}
			before := partition(t, l)
			if err := l.Rebuild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			wantPartition(t, l, before...)
		})
	}
}

// known leaves out the customers of whom only an undated record is known.
func known(customers []string) []string {
	return slices.DeleteFunc(customers, func(c string) bool { return c == "" })
}

func TestFreeMailOption(t *testing.T) {
	l := openReady(t, newPath(t), settings(func(s *ledger.Settings) { s.FreeMail = []string{"Example.com"} }))
	put(t, l, "shop", customer("a", 1, email("jane@example.com")), customer("b", 2, email("joe@mail.example.com")),
		customer("c", 3, email("JANE@example.com")))
	wantPartition(t, l, "1 3", "2")
}

// drawRecords draws records that share keys: of several sources, each with a moment of
// its own.
func drawRecords(t *rapid.T, companies bool) []placed {
	keys := rapid.Custom(func(t *rapid.T) record.Keys {
		n := rapid.SampledFrom([]string{"1", "2", "3", "4"})
		k := record.Keys{}
		switch rapid.IntRange(0, 5).Draw(t, "key") {
		case 0:
			k.Domain = "d" + n.Draw(t, "domain") + ".example"
		case 1:
			k.Email = "x" + n.Draw(t, "name") + "@d" + n.Draw(t, "host") + ".example"
		case 2:
			k.Email = "x" + n.Draw(t, "name") + "@gmail.com"
		case 3:
			k.ExternalIDs = []string{"shop:c" + n.Draw(t, "id"), "erp:" + n.Draw(t, "other id")}
		}
		return k
	})
	var records []placed
	for hour := range rapid.IntRange(2, 14).Draw(t, "records") {
		p := placed{source: rapid.SampledFrom([]string{"shop", "crm", "erp"}).Draw(t, "source"), keys: keys.Draw(t, "keys")}
		p.id = fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"c", "", "x"}).Draw(t, "prefix"), hour/3)
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			p.rec, p.keys = order(fmt.Sprint(hour), p.id, hour), record.Keys{}
		case 1:
			p.rec = lead(fmt.Sprint(hour), hour, p.keys)
		case 2:
			if companies {
				p.rec = company(p.id, hour, p.keys)
				break
			}
			fallthrough
		default:
			p.rec = customer(p.id, hour, p.keys)
		}
		p.hour = hour
		if !slices.ContainsFunc(records, p.same) {
			records = append(records, p)
		}
	}
	return records
}

// placed is a record, whose it is, and what it is known by.
type placed struct {
	source string
	rec    record.Record
	id     string // the customer's
	keys   record.Keys
	hour   int
}

func (p placed) same(other placed) bool {
	return p.source == other.source && p.rec.RecordKind() == other.rec.RecordKind() &&
		p.rec.RecordMeta().ID == other.rec.RecordMeta().ID
}

// Who is who does not depend on which record came first.
func TestOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := drawRecords(rt, true)
		var first []string
		for i, order := range [][]placed{records, rapid.Permutation(records).Draw(rt, "order")} {
			l := openReady(t, newPath(t))
			for _, p := range order {
				put(t, l, p.source, clone(p.rec))
			}
			got := partition(t, l)
			closeLedger(rt, l)
			if i == 0 {
				first = got
			} else if !slices.Equal(first, got) {
				rt.Fatalf("customers %q, in another order %q", first, got)
			}
		}
	})
}

// Without two companies of one source in the way, customers are exactly what sharing
// keys joins.
func TestSharingIsTransitive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		records := drawRecords(rt, false)
		l := openReady(t, newPath(t))
		defer closeLedger(rt, l)
		for _, p := range records {
			put(t, l, p.source, clone(p.rec))
		}
		sealer := l.Sealer()
		names := make([][]record.Hash, len(records))
		for i, p := range records {
			free := sealer.DomainHash("gmail.com")
			c := customer(p.id, 0, p.keys)
			c.Seal(sealer, p.source)
			for _, h := range c.Keys.Sealed {
				if h != free {
					names[i] = append(names[i], h)
				}
			}
			if p.rec.RecordKind() != record.KindLead {
				names[i] = append(names[i], c.Self.Sealed...)
			}
		}
		// Joins until nothing changes: slow, and plain to see.
		groupOf := make([]int, len(records))
		for i := range groupOf {
			groupOf[i] = i
		}
		for changed := true; changed; {
			changed = false
			for i := range records {
				for j := range records {
					shares := slices.ContainsFunc(names[i], func(h record.Hash) bool { return slices.Contains(names[j], h) })
					if shares && groupOf[j] < groupOf[i] {
						groupOf[i], changed = groupOf[j], true
					}
				}
			}
		}
		groups := map[int][]string{}
		for i, p := range records {
			groups[groupOf[i]] = append(groups[groupOf[i]], fmt.Sprint(p.hour))
		}
		var want []string
		for _, hours := range groups {
			slices.Sort(hours)
			text := hours[0]
			for _, h := range hours[1:] {
				text += " " + h
			}
			want = append(want, text)
		}
		slices.Sort(want)
		if got := partition(t, l); !slices.Equal(got, want) {
			rt.Fatalf("customers %q, want %q", got, want)
		}
	})
}
