package ga4

import "github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"

// scope only reads.
const scope = "https://www.googleapis.com/auth/analytics.readonly"

// auth returns what adds the credentials to requests.
func (o Options) auth() apiclient.Auth {
	grant := apiclient.ServiceAccount{TokenURL: o.TokenURL, Key: apiclient.FromConfig(o.KeyFile), Scope: scope}.Grant()
	if o.RefreshToken.IsSet() {
		grant = apiclient.RefreshToken{
			TokenURL: o.TokenURL, ClientID: o.ClientID,
			Secret: apiclient.FromConfig(o.ClientSecret), Refresh: apiclient.FromConfig(o.RefreshToken),
		}.Grant()
	}
	return apiclient.OAuth2(grant, "Authorization", "Bearer ")
}
