package rows

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

var sameRecord = cmpopts.IgnoreUnexported(record.Instant{}, record.Amount{}, record.Decimal{})

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instantOf(t testing.TB, text string) record.Instant {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return record.At(at)
}

// convert maps one row, given as "field=text" pairs whose columns have the fields' names.
func convert(t *testing.T, c Config, pairs ...string) (record.Record, int, *sources.Rejection) {
	t.Helper()
	var header, fields []string
	for _, p := range pairs {
		name, text, ok := strings.Cut(p, "=")
		if !ok {
			t.Fatalf("%q is no pair", p)
		}
		header, fields = append(header, name), append(fields, text)
	}
	m, err := c.Compile(header, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	return m.Convert(fields, "orders.csv:17")
}

func TestConvertKindsOfTrade(t *testing.T) {
	at := instantOf(t, "2026-03-01T09:00:00Z")
	euros := func(n int64) record.Amount { return record.Micros(n * record.MicrosPerUnit) }
	touch := record.Touch{Source: "google", Medium: "cpc", Campaign: "spring", Channel: "paid_search"}
	touchColumns := []string{"source=google", "medium=cpc", "campaign=spring", "channel=Paid_Search"}
	keys := record.Keys{ExternalIDs: []string{"crm:7", "8"}, Domain: "example.com", Email: "a@example.com"}
	keyColumns := []string{"external_ids=crm:7; 8 ;", "domain=example.com", "email=a@example.com"}
	const text = "2026-03-01T10:00:00+01:00"
	tests := []kindTest{
		{
			append(append([]string{
				"id=C1", "deleted=no", "company=yes", "parent=C0", "created_at=" + text, "country=DE", "owner=eva",
				"referred_by=C9",
			}, touchColumns...), keyColumns...),
			&record.Customer{
				Meta: record.Meta{ID: "C1"}, Keys: keys, Company: true, Parent: record.RefTo("C0"), CreatedAt: at,
				Country: "DE", Owner: "eva", Touch: touch, ReferredBy: record.RefTo("C9"),
			},
		},
		{
			append([]string{
				"id=O1", "customer=C1", "placed_at=" + text, "paid_at=" + text, "state=CANCELLED", "currency=eur", "gross=100.00",
				"discount=-5", "cost=60", "costed_net=90.5", "country=DE", "recurring=1",
			}, touchColumns...),
			&record.Order{
				Meta: record.Meta{ID: "O1"}, Customer: record.RefTo("C1"), PlacedAt: at, PaidAt: at, State: record.StateCancelled,
				Currency: "EUR", Gross: euros(100), Discount: euros(-5), Cost: euros(60), CostedNet: record.Micros(90_500_000),
				Country: "DE", Touch: touch, Recurring: true,
			},
		},
		{
			[]string{"id=R1", "order=O1", "customer=C1", "country=DE", "at=" + text, "currency=EUR", "amount=10", "cost=6", "costed_amount=10"},
			&record.Refund{
				Meta: record.Meta{ID: "R1"}, Order: "O1", Customer: record.RefTo("C1"), Country: "DE", At: at, Currency: "EUR",
				Amount: euros(10), Cost: euros(6), CostedAmount: euros(10),
			},
		},
		{
			[]string{"id=K1", "customer=C1", "started_at=" + text, "changed_at=" + text, "completed_at=" + text},
			&record.Checkout{Meta: record.Meta{ID: "K1"}, Customer: record.RefTo("C1"), StartedAt: at, ChangedAt: at, CompletedAt: at},
		},
		{
			[]string{"id=Q1", "customer=C1", "deal=D1", "sent_at=" + text, "decided_at=" + text, "state=accepted", "currency=EUR", "amount=5", "owner=eva"},
			&record.Quote{
				Meta: record.Meta{ID: "Q1"}, Customer: record.RefTo("C1"), Deal: "D1", SentAt: at, DecidedAt: at,
				State: record.QuoteAccepted, Currency: "EUR", Amount: euros(5), Owner: "eva",
			},
		},
		{
			[]string{"id=S1", "customer=C1", "state=active", "started_at=" + text, "ended_at=" + text, "currency=EUR", "mrr=99"},
			&record.Subscription{
				Meta: record.Meta{ID: "S1"}, Customer: record.RefTo("C1"), State: record.SubscriptionActive, StartedAt: at,
				EndedAt: at, Currency: "EUR", History: []record.MRRChange{{At: at, MRR: euros(99)}},
			},
		},
		{
			append(append([]string{
				"id=L1", "created_at=" + text, "owner=eva", "mql_at=" + text, "sql_at=" + text, "opportunity_at=" + text,
				"customer_at=" + text, "disqualified_at=" + text, "first_response_at=" + text, "account=A1", "referred_by=C1",
			}, touchColumns...), keyColumns...),
			&record.Lead{
				Meta: record.Meta{ID: "L1"}, Keys: keys, CreatedAt: at, Touch: touch, Owner: "eva", MQLAt: at, SQLAt: at,
				OpportunityAt: at, CustomerAt: at, DisqualifiedAt: at, FirstResponseAt: at, Account: record.RefTo("A1"), ReferredBy: record.RefTo("C1"),
			},
		},
		{
			append([]string{"id=A1", "parent=A0", "created_at=" + text, "target=true", "target_since=" + text, "tier=1", "owner=eva", "qualified_at=" + text}, keyColumns...),
			&record.Account{
				Meta: record.Meta{ID: "A1"}, Keys: keys, Parent: record.RefTo("A0"), CreatedAt: at, Target: true, TargetSince: at,
				Tier: "1", Owner: "eva", QualifiedAt: at,
			},
		},
		{
			[]string{
				"id=D1", "account=A1", "lead=L1", "pipeline=p", "stage=s", "probability=0.25", "created_at=" + text, "closed_at=" + text,
				"state=won", "currency=EUR", "amount=7", "discount=1", "margin=3", "owner=eva", "first_touch_at=" + text, "order=shop:O1",
			},
			&record.Deal{
				Meta: record.Meta{ID: "D1"}, Account: record.RefTo("A1"), Lead: "L1", Pipeline: "p", Stage: "s",
				Probability: record.Micros(250_000), CreatedAt: at, ClosedAt: at, State: record.DealWon, Currency: "EUR", Amount: euros(7),
				Discount: euros(1), Margin: euros(3), Owner: "eva", FirstTouchAt: at, Order: "shop:O1",
			},
		},
		{
			[]string{"day=2026-03-01", "currency=USD", "reference=EUR", "per_reference=1.0875"},
			&record.Rate{
				Meta: record.Meta{ID: "USD@2026-03-01"}, Day: record.DateDay(2026, 3, 1), Currency: "USD", Reference: "EUR",
				PerReference: record.Decimal{Coefficient: 10875, Scale: 4, Known: true},
			},
		},
		{
			[]string{
				"name=fair", "category=marketing", "currency=EUR", "amount=500", "period=once", "from=2026-03-01", "to=2026-03-02", "channel=event",
				"program=p", "campaign=c",
			},
			&record.Cost{
				Meta: record.Meta{ID: "fair"}, Name: "fair", Category: record.CostMarketing, Currency: "EUR", Amount: euros(500),
				Period: record.PeriodOnce, From: record.DateDay(2026, 3, 1), To: record.DateDay(2026, 3, 2), Channel: "event", Program: "p", Campaign: "c",
			},
		},
	}
	testKinds(t, tests...)
}

func TestConvertNulls(t *testing.T) {
	got, _, rejected := convert(t, Config{Record: record.KindOrder},
		"id=O1", "customer= ", "placed_at=2026-03-01", "state=", "currency=EUR", "gross=0", "discount=", "recurring=")
	if rejected != nil {
		t.Fatal(rejected)
	}
	want := &record.Order{Meta: record.Meta{ID: "O1"}, PlacedAt: record.OnDate(record.DateDay(2026, 3, 1)), Currency: "EUR", Gross: record.Micros(0)}
	if diff := cmp.Diff(want, got, sameRecord); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	monthly, _, rejected := convert(t, Config{Record: record.KindCost},
		"name=team", "category=sales", "currency=EUR", "amount=500", "period=month", "from=2026-03-01")
	if rejected != nil || monthly.(*record.Cost).To != record.NoDay {
		t.Errorf("a monthly cost without an end: %+v, rejected %v", monthly, rejected)
	}
}

func TestConvertDeleted(t *testing.T) {
	got, _, rejected := convert(t, Config{Record: record.KindOrder},
		"id=O1", "deleted=true", "placed_at=", "currency=", "gross=n/a")
	if rejected != nil {
		t.Fatal(rejected)
	}
	if meta := got.RecordMeta(); meta.ID != "O1" || !meta.Deleted {
		t.Errorf("deleted order: %+v", meta)
	}
	rate, _, rejected := convert(t, Config{Record: record.KindRate},
		"deleted=1", "day=2026-03-01", "currency=usd", "reference=EUR", "per_reference=1")
	if rejected != nil || rate.RecordMeta().ID != "USD@2026-03-01" || !rate.RecordMeta().Deleted {
		t.Errorf("deleted rate without an ID: %+v, rejected %v", rate, rejected)
	}
}

func TestConvertConstantsAndColumns(t *testing.T) {
	c := Config{Record: record.KindOrder, TimeFormat: "02.01.2006 15:04", Decimal: ",", Columns: map[string]string{
		"id": "Invoice", "placed_at": "Invoice Date", "gross": "Amount", "discount": "Rebate", "currency": "=gbp", "recurring": "= yes",
	}}
	if problems := c.Validate(); problems != nil {
		t.Fatal(problems)
	}
	m, err := c.Compile([]string{"Amount", "Name", " Invoice ", "Rebate", "Invoice Date"}, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	got, rounded, rejected := m.Convert([]string{"1234,5", "Jane", "7", "0,0000005", "31.03.2026 12:00"}, "x.csv:2")
	if rejected != nil || rounded != 1 {
		t.Fatalf("rounded %d, rejected %+v", rounded, rejected)
	}
	want := &record.Order{
		Meta: record.Meta{ID: "7"}, PlacedAt: instantOf(t, "2026-03-31T10:00:00Z"), Currency: "GBP",
		Gross: record.Micros(1_234_500_000), Discount: record.Micros(0), Recurring: true,
	}
	if diff := cmp.Diff(want, got, sameRecord); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Invoice", "Invoice Date", "Amount", "Rebate"}, m.Columns()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestConvertRejects(t *testing.T) {
	order := []string{"id=O1", "customer=jane@example.com", "placed_at=2026-03-01", "currency=EUR", "gross=1"}
	with := func(pair string) []string {
		name, _, _ := strings.Cut(pair, "=")
		for i, p := range order {
			if strings.HasPrefix(p, name+"=") {
				changed := append([]string(nil), order...)
				changed[i] = pair
				return changed
			}
		}
		return append(append([]string(nil), order...), pair)
	}
	refund := []string{"id=R1", "order=", "at=2026-03-01", "currency=", "amount=1"}
	rate := []string{"day=2026-03-01", "currency=USD", "reference=EUR"}
	cost := []string{"name=fair", "category=sales", "currency=EUR", "amount=1", "period=month", "from=2026-03-01"}
	deal := []string{"id=D1", "state=open", "currency="}
	tests := []struct {
		name   string
		config Config
		pairs  []string
		id     string
		reason string
		detail string
	}{
		{"null id", Config{}, with("id= "), "", ReasonMissing, "id is empty"},
		{"null placed_at", Config{}, with("placed_at="), "O1", ReasonMissing, "placed_at is empty"},
		{"null currency", Config{}, with("currency="), "O1", ReasonMissing, "currency is empty"},
		{"thousands separator", Config{}, with("gross=1,234.50"), "O1", ReasonAmount, `gross "1,234.50": not a decimal number`},
		{"currency sign", Config{}, with("gross=5 €"), "O1", ReasonAmount, `gross "5 €": not a decimal number`},
		{
			"overflow",
			Config{},
			with("gross=9300000000000"), "O1", ReasonAmount,
			`gross "9300000000000": amount is beyond the ledger's range of ±9.2 x 10^12`,
		},
		{"address in an amount", Config{}, with("gross=jane@example.com"), "O1", ReasonAmount, "gross a text of 16 characters: not a decimal number"},
		{"point with decimal comma", Config{Decimal: ","}, with("gross=1.234,50"), "O1", ReasonAmount, `gross "1.234,50" has a point, and decimal is ","`},
		{"unknown currency", Config{}, with("currency=EURO"), "O1", ReasonCurrency, `currency "EURO" is not an ISO 4217 code such as EUR`},
		{"currency that does not exist", Config{}, with("currency=QQQ"), "O1", ReasonCurrency, `currency "QQQ" is not an ISO 4217 code such as EUR`},
		{"unknown state", Config{}, with("state=completed"), "O1", ReasonValue, `state "completed" is none of counted, cancelled, draft, test`},
		{"unknown boolean", Config{}, with("recurring=maybe"), "O1", ReasonValue, `recurring "maybe" is none of true, false, 1, 0, yes, no`},
		{
			"no time",
			Config{},
			with("placed_at=01.03.2026"), "O1", ReasonTime,
			`placed_at "01.03.2026" is not a time as RFC 3339, 2006-01-02 15:04:05 or 2006-01-02; set time_format`,
		},
		{
			"no such day",
			Config{},
			with("placed_at=2026-02-30"), "O1", ReasonTime,
			`placed_at "2026-02-30" is not a time as RFC 3339, 2006-01-02 15:04:05 or 2006-01-02; set time_format`,
		},
		{
			"not of the layout",
			Config{TimeFormat: "02.01.2006"},
			with("placed_at=2026-03-01"), "O1", ReasonTime,
			`placed_at "2026-03-01" is not a time of the form 02.01.2006`,
		},
		{
			"nanoseconds",
			Config{},
			with("placed_at=2026-03-01T10:00:00.0000001Z"), "O1", ReasonTime,
			`placed_at "2026-03-01T10:00:00.0000001Z" is finer than a microsecond`,
		},
		{
			"picoseconds",
			Config{},
			with("placed_at=2026-03-01 10:00:00.000000000001"), "O1", ReasonTime,
			`placed_at "2026-03-01 10:00:00.000000000001" is finer than a microsecond`,
		},
		{"not UTF-8", Config{}, with("customer=M\xfcller"), "O1", ReasonEncoding, "customer is not valid UTF-8"},
		{"refund without order and currency", Config{Record: record.KindRefund}, refund, "R1", ReasonMissing, "currency is empty, but there is an amount"},
		{"deal without currency", Config{Record: record.KindDeal}, append(deal, "margin=1"), "D1", ReasonMissing, "currency is empty, but there is an amount"},
		{"percent as probability", Config{Record: record.KindDeal}, append(deal, "probability=20"), "D1", ReasonAmount, `probability "20" is not within 0 and 1`},
		{"negative rate", Config{Record: record.KindRate}, append(rate, "per_reference=-1"), "USD@2026-03-01", ReasonAmount, "per_reference is not above 0"},
		{
			"rate with an exponent",
			Config{Record: record.KindRate},
			append(rate, "per_reference=1e3"), "USD@2026-03-01", ReasonAmount,
			`per_reference "1e3" is not a decimal number`,
		},
		{"cost that ends before it begins", Config{Record: record.KindCost}, append(cost, "to=2026-02-28"), "fair", ReasonValue, "to is before from"},
		{"one-off without an end", Config{Record: record.KindCost}, []string{
			"name=fair", "category=sales", "currency=EUR", "amount=1", "period=once",
			"from=2026-03-01", "to=",
		}, "fair", ReasonMissing, "to is empty, but the period is once"},
		{
			"rate of the reference",
			Config{Record: record.KindRate},
			[]string{"day=2026-03-01", "currency=EUR", "reference=eur", "per_reference=1"},
			"EUR@2026-03-01", ReasonCurrency, `currency "EUR" is the reference itself`,
		},
		{
			"unknown channel",
			Config{Record: record.KindCost},
			append(cost, "channel=tv"), "fair", ReasonValue,
			`channel "tv" is none of ` + strings.Join(record.Channels(), ", "),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.config.Record == "" {
				test.config.Record = record.KindOrder
			}
			got, _, rejected := convert(t, test.config, test.pairs...)
			if got != nil {
				t.Errorf("record %+v", got)
			}
			want := &sources.Rejection{Kind: test.config.Record, ID: test.id, Reason: test.reason, Where: "orders.csv:17", Detail: test.detail}
			if diff := cmp.Diff(want, rejected); diff != "" {
				t.Errorf("rejection (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConvertColumnCount(t *testing.T) {
	m, err := Config{Record: record.KindOrder}.Compile([]string{"id", "placed_at", "currency", "gross"}, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _, rejected := m.Convert([]string{"O1", "2026-03-01", "EUR"}, "orders.csv:3")
	want := &sources.Rejection{Kind: record.KindOrder, ID: "O1", Reason: ReasonColumns, Where: "orders.csv:3", Detail: "the row has 3 columns, the header 4"}
	if diff := cmp.Diff(want, rejected); diff != "" {
		t.Errorf("rejection (-want +got):\n%s", diff)
	}
}

func TestRejectionNamesColumn(t *testing.T) {
	c := Config{Record: record.KindOrder, Columns: map[string]string{"id": "No", "placed_at": "Date", "currency": "=EUR", "gross": "Total"}}
	m, err := c.Compile([]string{"No", "Date", "Total"}, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _, rejected := m.Convert([]string{"7", "2026-03-01", "x"}, "")
	if want := `gross (column "Total") "x": not a decimal number`; rejected == nil || rejected.Detail != want {
		t.Errorf("rejected %+v, want the detail %s", rejected, want)
	}
}

// TestConvertEmptyAmount: an order or refund whose amount is not known is one without
// money, and not one of 0.
func TestConvertEmptyAmount(t *testing.T) {
	m, err := Config{Record: record.KindOrder}.Compile([]string{"id", "placed_at", "currency", "gross"}, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	rec, _, rejected := m.Convert([]string{"O1", "2026-03-01", "EUR", ""}, "orders.csv:2")
	if rejected != nil {
		t.Fatalf("rejected: %+v", rejected)
	}
	if gross := rec.(*record.Order).Gross; !gross.IsNull() {
		t.Errorf("gross is %+v, want null", gross)
	}
}
