package googleads

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/findings"
)

// Check reads the account's settings and the newest days of each stream.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	f, err := s.account(ctx)
	if err != nil {
		subject := "account"
		if _, refused := errors.AsType[*apiclient.AuthError](err); refused {
			subject = "credentials"
		}
		return []sources.Finding{{Subject: subject, Err: err}}
	}
	if f.manager {
		return []sources.Finding{{Subject: "account", Err: s.managerError(ctx)}}
	}
	list := []sources.Finding{
		{Subject: "account", Detail: f.id},
		findings.Zone("the account", f.zone.String(), "they are taken as they are, so that they begin and end at other times", env),
		findings.Currency("the account's costs", f.currency, env),
	}
	for _, st := range streams() {
		detail, err := s.checkStream(ctx, st, env)
		list = append(list, sources.Finding{Subject: "stream " + string(st.kind), Err: err, Detail: detail})
	}
	return list
}

// checkStream reads the days of a week.
func (s *Source) checkStream(ctx context.Context, st stream, env sources.Environment) (string, error) {
	f, err := s.facts(ctx, env.Now, st.kind == record.KindSpend)
	if err != nil {
		return "", err
	}
	first, last := f.today-6, f.today
	found, err := st.read(ctx, s, f, first, last)
	if err != nil {
		return "", err
	}
	for _, r := range found.rejected {
		return "", fmt.Errorf("%d rows would be rejected, such as %s: %s", len(found.rejected), r.Where, r.Detail)
	}
	return fmt.Sprintf("%d records of %d campaigns from %s to %s", len(found.records), len(found.campaigns(first-1)), first, last), nil
}

// managerError says which accounts a manager account has.
func (s *Source) managerError(ctx context.Context) error {
	var ids []string
	err := s.search(ctx, queryClients, func(r row) error {
		ids = append(ids, r.Client.ID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("customer_id is a manager account; list its accounts: %w", err)
	}
	const most = 20
	slices.Sort(ids)
	text := strings.Join(ids[:min(len(ids), most)], ", ")
	if len(ids) > most {
		text += fmt.Sprintf(" and %d more", len(ids)-most)
	}
	return fmt.Errorf("customer_id %s is a manager account, which has no campaigns; make a source of each of its accounts (%s), with %s as login_customer_id",
		s.options.CustomerID, text, s.options.CustomerID)
}
