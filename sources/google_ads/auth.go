package googleads

import "github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"

// scope is the only one that the API has: what may be done is decided by the user's access level
// in the account.
const scope = "https://www.googleapis.com/auth/adwords"

// auth returns what adds the credentials to requests.
func (o *Options) auth() apiclient.Auth {
	grant := apiclient.RefreshToken{
		TokenURL: o.TokenURL, ClientID: o.ClientID,
		Secret: apiclient.FromConfig(o.ClientSecret), Refresh: apiclient.FromConfig(o.RefreshToken),
	}.Grant()
	if o.ServiceAccount.IsSet() {
		grant = apiclient.ServiceAccount{TokenURL: o.TokenURL, Key: apiclient.FromConfig(o.ServiceAccount), Scope: scope}.Grant()
	}
	tokens := apiclient.OAuth2(grant, "Authorization", "Bearer ")
	if !o.DeveloperToken.IsSet() {
		return tokens
	}
	return apiclient.Combine(tokens, apiclient.Header("Developer-Token", "", apiclient.FromConfig(o.DeveloperToken)))
}
