package oracle

import (
	"bufio"
	"encoding/csv"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The public data set Online Retail (UCI, CC BY 4.0) with its expected samples.
const onlineRetail = "../../../../shared/data/online-retail"

func TestOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a year of invoices")
	}
	if _, err := os.Stat(onlineRetail); errors.Is(err, os.ErrNotExist) {
		t.Skip("the data set is not there")
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	records := readOnlineRetail(t)
	for file, inactive := range map[string]int{
		"expected-2011-12-10.prom": 180, "expected-2011-12-10-inactive90d.prom": 90,
	} {
		t.Run(file, func(t *testing.T) {
			result := Compute(records, Settings{
				Zone: zone, Currency: "GBP", Windows: allWindows(), Basis: BasisOrders, InactiveDays: inactive,
				LifetimeMinimum: 30, LabelMax: 50,
				Sources: []Source{{Name: "online-retail", Kinds: []record.Kind{record.KindOrder, record.KindRefund}, Read: true}},
			}, time.Date(2011, 12, 10, 12, 0, 0, 0, time.UTC))
			compareSamples(t, result.Series, readSamples(t, filepath.Join(onlineRetail, file)))
		})
	}
}

func compareSamples(t *testing.T, got map[string]*big.Rat, want map[string]float64) {
	t.Helper()
	for key, w := range want {
		number, ok := got[key]
		if !ok {
			t.Errorf("%s: no sample, want %v", key, w)
			continue
		}
		g, _ := number.Float64()
		tolerance := 1e-9 * math.Max(1, math.Abs(w))
		switch {
		case strings.Contains(key, `currency="`):
			tolerance = 0.005
		case !strings.Contains(key, "_ratio"):
			tolerance = 0
		}
		if math.Abs(g-w) > tolerance {
			t.Errorf("%s = %v, want %v", key, g, w)
		}
	}
	for key, g := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s = %v, want no sample", key, g.FloatString(9))
		}
	}
}

func readTable(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(onlineRetail, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func readOnlineRetail(t *testing.T) []Record {
	t.Helper()
	sealer := record.NewSealer([]byte("test"))
	amount := func(text string) record.Amount {
		a, _, err := record.ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	moment := func(text string) record.Instant {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return record.At(at)
	}
	var records []Record
	add := func(r record.Record) {
		r.Seal(sealer, "online-retail")
		records = append(records, Record{"online-retail", r})
	}
	for _, row := range readTable(t, "orders.csv") {
		add(&record.Order{
			Meta: record.Meta{ID: row["id"]}, Customer: record.RefTo(row["customer"]), PlacedAt: moment(row["placed_at"]),
			Currency: row["currency"], Gross: amount(row["gross"]), Discount: amount(row["discount"]), Country: row["country"],
		})
	}
	for _, row := range readTable(t, "refunds.csv") {
		add(&record.Refund{
			Meta: record.Meta{ID: row["id"]}, Customer: record.RefTo(row["customer"]), At: moment(row["refunded_at"]),
			Currency: row["currency"], Amount: amount(row["amount"]), Country: row["country"],
		})
	}
	return records
}

// readSamples reads an exposition into the form of Result.Series.
func readSamples(t *testing.T, name string) map[string]float64 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	samples := map[string]float64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		number, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		metric, rest, _ := strings.Cut(strings.TrimSuffix(line[:space], "}"), "{")
		labels := map[string]string{}
		for pair := range strings.SplitSeq(strings.TrimSuffix(rest, `"`), `",`) {
			if label, v, ok := strings.Cut(pair, `="`); ok {
				labels[label] = v
			}
		}
		samples[Key(metric, labels)] = number
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return samples
}

func allWindows() []string {
	return []string{"today", "1d", "7d", "30d", "90d", "365d", "mtd", "qtd", "ytd"}
}
