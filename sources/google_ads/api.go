package googleads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// The queries. Those of days are completed by between.
const (
	queryAccount = "SELECT customer.id, customer.descriptive_name, customer.currency_code, customer.time_zone, customer.manager " +
		"FROM customer LIMIT 1"
	queryClients = "SELECT customer_client.id FROM customer_client " +
		"WHERE customer_client.manager = FALSE AND customer_client.status = 'ENABLED'"
	queryArms = "SELECT experiment_arm.name, experiment_arm.control, experiment_arm.experiment, experiment_arm.campaigns, " +
		"experiment.status, experiment.start_date, experiment.end_date FROM experiment_arm"
	queryCampaigns = "SELECT campaign.id, campaign.name, campaign.status, campaign.advertising_channel_type, " +
		"campaign.start_date_time, campaign.end_date_time FROM campaign WHERE campaign.status != 'REMOVED'"
	queryFirstDay = "SELECT segments.date, metrics.impressions, metrics.cost_micros FROM customer %s ORDER BY segments.date LIMIT 1"
	querySpend    = "SELECT campaign.id, campaign.name, campaign.advertising_channel_type, segments.date, metrics.cost_micros, " +
		"metrics.impressions, metrics.clicks, metrics.conversions, metrics.conversions_value FROM campaign %s"
	queryQuality = "SELECT campaign.id, campaign.name, segments.date, metrics.historical_quality_score, metrics.impressions " +
		"FROM keyword_view %s"
)

// between completes a query by a range of days, both included.
func between(query string, first, last record.Day) string {
	return fmt.Sprintf(query, fmt.Sprintf("WHERE segments.date BETWEEN '%s' AND '%s'", first, last))
}

// row is a row of an answer. What is absent is null.
type row struct {
	Customer struct {
		ID       string `json:"id"`
		Name     string `json:"descriptiveName"`
		Currency string `json:"currencyCode"`
		Zone     string `json:"timeZone"`
		Manager  bool   `json:"manager"`
	} `json:"customer"`
	Client struct {
		ID string `json:"id"`
	} `json:"customerClient"`
	Campaign campaign `json:"campaign"`
	Arm      struct {
		Name       string   `json:"name"`
		Control    bool     `json:"control"`
		Experiment string   `json:"experiment"`
		Campaigns  []string `json:"campaigns"`
	} `json:"experimentArm"`
	Experiment struct {
		Status string `json:"status"`
		Start  string `json:"startDate"`
		End    string `json:"endDate"`
	} `json:"experiment"`
	Segments struct {
		Date string `json:"date"`
	} `json:"segments"`
	Metrics metrics `json:"metrics"`
}

// campaign is a campaign. Its times are in the account's zone and have the form 2026-01-31 00:00:00.
type campaign struct {
	ID     int64  `json:"id,string"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Type   string `json:"advertisingChannelType"`
	Start  string `json:"startDateTime"`
	End    string `json:"endDateTime"`
}

// metrics are numbers as they are written: of 64 bits as text, others as numbers.
type metrics struct {
	CostMicros       *json.Number `json:"costMicros"`
	Impressions      *json.Number `json:"impressions"`
	Clicks           *json.Number `json:"clicks"`
	Conversions      *json.Number `json:"conversions"`
	ConversionsValue *json.Number `json:"conversionsValue"`
	QualityScore     *json.Number `json:"historicalQualityScore"`
}

// part is an element of an answer.
type part struct {
	Results []row           `json:"results"`
	Error   json.RawMessage `json:"error"`
}

// search sends a query and calls fn for each row. Where it returns an error, what fn was told is
// not all, and must be dropped.
func (s *Source) search(ctx context.Context, query string, fn func(row) error) error {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return fmt.Errorf("make the body of a query: %w", err)
	}
	path := "/" + s.options.APIVersion + "/customers/" + string(s.options.CustomerID) + "/googleAds:searchStream"
	endpoint := http.MethodPost + " " + path
	req := apiclient.Request{Method: http.MethodPost, Path: path, Body: body}
	return s.client.Stream(ctx, req, func(answer io.Reader) error {
		var own error // of a row, not of the form of the answer
		err := apiclient.EachElement(answer, nil, func(dec *json.Decoder) error {
			var p part
			if err := dec.Decode(&p); err != nil {
				return err
			}
			if p.Error != nil {
				own = inStream(endpoint, p.Error)
				return own
			}
			for _, r := range p.Results {
				if own = fn(r); own != nil {
					return own
				}
			}
			return nil
		})
		switch {
		case own != nil:
			return own
		case errors.Is(err, io.ErrUnexpectedEOF):
			return &apiclient.TruncatedError{Endpoint: endpoint, Detail: "the JSON ends in its middle"}
		case err != nil:
			return &apiclient.FormatError{Endpoint: endpoint, Detail: err.Error()}
		}
		return nil
	})
}
