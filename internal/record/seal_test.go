package record_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func sealed(t testing.TB, key, source string, r record.Record) []byte {
	t.Helper()
	r.Seal(record.NewSealer([]byte(key)), source)
	b, err := newCodec(t).Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keysOf returns the hashes that a customer of source "shop" is known under.
func keysOf(key string, k record.Keys) []record.Hash {
	c := &record.Customer{Meta: record.Meta{ID: "1"}, Keys: k}
	c.Seal(record.NewSealer([]byte(key)), "shop")
	return c.Keys.Sealed
}

// secrets fills what identifies somebody below v with texts that can be looked for.
func secrets(v reflect.Value) {
	for _, field := range v.Fields() {
		switch x := field.Addr().Interface().(type) {
		case *record.Meta:
			x.ID = "secret-id@secret-person.example"
		case *record.Ref:
			x.ID = "Secret-Ref@secret-company.example"
		case *record.Keys:
			*x = record.Keys{
				ExternalIDs: []string{"crm:secret-external", "secret-plain"},
				Domain:      "www.secret-domain.example", Email: "secret-mail@secret-mail.example",
			}
		}
	}
}

func TestSealHidesWhoItIs(t *testing.T) {
	for _, k := range record.Kinds() {
		r := record.New(k)
		secrets(reflect.ValueOf(r).Elem())
		if deal, ok := r.(*record.Deal); ok {
			deal.Lead = "secret-lead"
		}
		b := sealed(t, "a key", "shop", r)
		if bytes.Contains(bytes.ToLower(b), []byte("secret")) {
			t.Errorf("%s: the bytes tell who it is: %q", k, b)
		}
		// Nothing else is kept in memory either, but the ID, which the ledger hashes itself.
		r.RecordMeta().ID = ""
		if text := strings.ToLower(fmt.Sprintf("%+v", r)); strings.Contains(text, "secret") {
			t.Errorf("%s: the sealed record tells who it is: %s", k, text)
		}
	}
}

func TestSealTwice(t *testing.T) {
	for _, k := range record.Kinds() {
		if k == record.KindDeal {
			continue // Deal.Lead has the same form sealed and unsealed
		}
		r := record.New(k)
		secrets(reflect.ValueOf(r).Elem())
		once := sealed(t, "a key", "shop", r)
		if twice := sealed(t, "a key", "shop", r); !bytes.Equal(once, twice) {
			t.Errorf("%s: sealing a sealed record changes it", k)
		}
	}
}

func TestSealDependsOnKeyAndSource(t *testing.T) {
	build := func() record.Record { return &record.Order{Customer: record.RefTo("7")} }
	want := sealed(t, "a key", "shop", build())
	if got := sealed(t, "a key", "shop", build()); !bytes.Equal(got, want) {
		t.Error("the same key gives another hash")
	}
	if got := sealed(t, "another key", "shop", build()); bytes.Equal(got, want) {
		t.Error("another key gives the same hash")
	}
	if got := sealed(t, "a key", "crm", build()); bytes.Equal(got, want) {
		t.Error("customer 7 of another source has the same hash")
	}
}

func TestNullReferencesStayNull(t *testing.T) {
	order := &record.Order{}
	order.Seal(record.NewSealer([]byte("a key")), "shop")
	if !order.Customer.IsNull() {
		t.Error("a guest order names a customer")
	}
	if keys := keysOf("a key", record.Keys{}); len(keys) != 0 {
		t.Errorf("no keys give %d hashes", len(keys))
	}
	deal := &record.Deal{}
	deal.Seal(record.NewSealer([]byte("a key")), "crm")
	if deal.Lead != "" {
		t.Error("a deal without a lead names one")
	}
}

// Two ways to write a key are one customer, or are not.
func TestKeys(t *testing.T) {
	email := func(text string) record.Keys { return record.Keys{Email: text} }
	domain := func(text string) record.Keys { return record.Keys{Domain: text} }
	external := func(ids ...string) record.Keys { return record.Keys{ExternalIDs: ids} }
	for _, test := range []struct {
		name   string
		a, b   record.Keys
		shared int
	}{
		{"case and space of an address", email("Jane.Doe@Example.COM"), email("  jane.doe@example.com\t"), 2},
		{"colleagues", email("jane@mail.example.com"), email("joe@example.com"), 1},
		{"plus and dots count", email("jane+a@example.com"), email("jane@example.com"), 1},
		{"address and domain", email("jane@example.co.uk"), domain("www.example.co.uk"), 1},
		{"two companies below a public suffix", domain("a.co.uk"), domain("b.co.uk"), 0},
		{"two shops of one platform", domain("a.myshopify.com"), domain("b.myshopify.com"), 0},
		{"IDNA", domain("bücher.de"), domain("XN--BCHER-KVA.DE"), 1},
		{"IDNA in an address", email("info@Bücher.de"), domain("xn--bcher-kva.de"), 1},
		{"URL", domain("https://user@shop.Example.com:8443/path?q=1#f"), domain("example.com."), 1},
		{"IP addresses are no companies", domain("http://192.0.2.1/"), domain("192.0.2.1"), 0},
		{"own namespace", external("7"), external("shop:7"), 1},
		{"other namespace", external("7"), external("crm:7"), 0},
		{"value with a colon", external("crm:gid://x/7"), external("crm:gid://x/7"), 1},
		{"several", external("crm:1", "erp:2"), external("erp:2", "crm:3"), 1},
		{"an id without a value", external("crm:"), external("crm:"), 0},
		{"no address", email("jane"), email("jane"), 0},
		{"no user", email("@example.com"), email("@example.com"), 0},
		{"no host", email("jane@"), email("jane@"), 0},
		{"local hosts have no domain", email("jane@localhost"), email("joe@localhost"), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			shared := 0
			others := keysOf("a key", test.b)
			for _, h := range keysOf("a key", test.a) {
				for _, other := range others {
					if h == other {
						shared++
					}
				}
			}
			if shared != test.shared {
				t.Errorf("they share %d hashes, want %d", shared, test.shared)
			}
		})
	}
}

// The ID of a record, a reference to it and an external id in its source's namespace
// are one hash; where the ID is an address its key is that of the address.
func TestReferencesMeetTheirRecords(t *testing.T) {
	s := record.NewSealer([]byte("a key"))
	customer := &record.Customer{Meta: record.Meta{ID: "7"}}
	customer.Seal(s, "shop")
	order := &record.Order{Customer: record.RefTo("7")}
	order.Seal(s, "shop")
	contact := &record.Account{Meta: record.Meta{ID: "x"}, Keys: record.Keys{ExternalIDs: []string{"shop:7"}}}
	contact.Seal(s, "crm")
	if self := customer.Self.Sealed[0]; order.Customer.Sealed[0] != self || contact.Keys.Sealed[0] != self {
		t.Errorf("customer %x, reference %x, external id %x: want one hash", self, order.Customer.Sealed[0], contact.Keys.Sealed[0])
	}
	guest := &record.Order{Customer: record.RefTo("Jane@Example.com")}
	guest.Seal(s, "shop")
	if diff := cmp.Diff(keysOf("a key", record.Keys{Email: "jane@example.com"}), guest.Customer.Sealed[1:], exact); diff != "" {
		t.Errorf("keys of an address as customer id (-want +got):\n%s", diff)
	}
	// Leads have IDs of their own: lead 7 is not customer 7.
	lead := &record.Lead{Meta: record.Meta{ID: "7"}}
	lead.Seal(s, "shop")
	if lead.Self.Sealed[0] == customer.Self.Sealed[0] {
		t.Error("lead 7 and customer 7 of one source have the same hash")
	}
	deal := &record.Deal{Lead: "7"}
	deal.Seal(s, "shop")
	if want := s.StoredID("shop", record.KindLead, "7"); deal.Lead != want {
		t.Errorf("a deal names lead %q, which is stored as %q", deal.Lead, want)
	}
}

func TestStoredID(t *testing.T) {
	s := record.NewSealer([]byte("a key"))
	seen := map[string]bool{}
	for _, k := range record.Kinds() {
		id := s.StoredID("shop", k, "jane@example.com")
		switch k {
		case record.KindCustomer, record.KindAccount, record.KindLead:
			if strings.Contains(id, "jane") || seen[id] {
				t.Errorf("%s is stored as %q: want a hash of its own", k, id)
			}
			seen[id] = true
			if s.StoredID("crm", k, "jane@example.com") == id {
				t.Errorf("%s: another source's has the same stored id", k)
			}
		default:
			if id != "jane@example.com" {
				t.Errorf("%s is stored as %q, want its own id", k, id)
			}
		}
	}
}

func TestRegistrableDomain(t *testing.T) {
	for text, want := range map[string]string{
		"example.com":                       "example.com",
		" WWW.Example.COM. ":                "example.com",
		"a.b.c.example.co.uk":               "example.co.uk",
		"http://www.example.com:80/x?y#z":   "example.com",
		"example.com/about":                 "example.com",
		"example.com?x=a.b":                 "example.com",
		"https://user:pass@www.example.com": "example.com",
		"bücher.example.de":                 "example.de",
		"BÜCHER.de":                         "xn--bcher-kva.de",
		"例え.jp":                             "xn--r8jz45g.jp",
		"example。com":                       "example.com",
		"example.com。":                      "example.com",
		"shop.github.io":                    "shop.github.io",
		"foo.bar.example":                   "bar.example",
		"co.uk":                             "",
		"com":                               "",
		"localhost":                         "",
		"":                                  "",
		".":                                 "",
		"..":                                "",
		"。":                                 "",
		"\u00ad.\u00ad":                     "",
		"a..com":                            "",
		"192.0.2.1":                         "",
		"http://[2001:db8::1]:80/":          "",
		"exa mple.com":                      "",
		"\xff.com":                          "",
		"https://":                          "",
	} {
		if got := record.RegistrableDomain(text); got != want {
			t.Errorf("RegistrableDomain(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzRegistrableDomain(f *testing.F) {
	for _, text := range []string{"example.com。", "\u00ad.\u00ad", "http://a@b:c/d", "bücher.de", "1.2.3.4", "xn--a.com"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := record.RegistrableDomain(text)
		if again := record.RegistrableDomain(d); again != d {
			t.Errorf("the domain of %q is %q, whose domain is %q", text, d, again)
		}
	})
}
