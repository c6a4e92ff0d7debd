package shopify

import "strings"

// The queries. Lists without arguments (refunds, transactions, taxLines) come whole;
// connections are paged.
const (
	orderFields = `
		id updatedAt processedAt cancelledAt test displayFinancialStatus currencyCode taxesIncluded
		customer { id }
		purchasingEntity { __typename ... on PurchasingCompany { company { id } } }
		shippingAddress { countryCodeV2 }
		customerJourneySummary { firstVisit { source sourceType utmParameters { source medium campaign } } }
		transactions { kind status processedAt }`

	lineFields = `
		id quantity currentQuantity isGiftCard
		sellingPlan { name }
		originalTotalSet { shopMoney { amount } }
		discountAllocations { allocatedAmountSet { shopMoney { amount } } }
		taxLines { rate priceSet { shopMoney { amount } } }
		variant { inventoryItem { unitCost { amount currencyCode } } }`

	refundLineFields = `
		quantity restockType
		subtotalSet { shopMoney { amount } }
		totalTaxSet { shopMoney { amount } }
		lineItem { id }`

	adjustmentFields = `amountSet { shopMoney { amount } }`

	pageInfoFields = `pageInfo { hasNextPage endCursor }`

	orderWithLines = orderFields + `
		lineItems(first: $lines) { ` + pageInfoFields + ` nodes { ` + lineFields + ` } }
		refunds {
			id processedAt
			refundLineItems(first: $lines) { ` + pageInfoFields + ` nodes { ` + refundLineFields + ` } }
			orderAdjustments(first: $lines) { ` + pageInfoFields + ` nodes { ` + adjustmentFields + ` } }
		}`

	queryOrders = `query Orders($first: Int!, $after: String, $filter: String, $lines: Int!) {
	orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) { ` + pageInfoFields + `
		nodes { ` + orderWithLines + ` }
	}
}`
	queryOrdersByID = `query OrdersByID($ids: [ID!]!, $lines: Int!) {
	nodes(ids: $ids) { ... on Order { ` + orderWithLines + ` } }
}`
	queryLines = `query Lines($id: ID!, $first: Int!, $after: String) {
	order(id: $id) { items: lineItems(first: $first, after: $after) { ` + pageInfoFields + ` nodes { ` + lineFields + ` } } }
}`
	queryRefundLines = `query RefundLines($id: ID!, $first: Int!, $after: String) {
	refund(id: $id) { items: refundLineItems(first: $first, after: $after) { ` + pageInfoFields + ` nodes { ` + refundLineFields + ` } } }
}`
	queryAdjustments = `query Adjustments($id: ID!, $first: Int!, $after: String) {
	refund(id: $id) { items: orderAdjustments(first: $first, after: $after) { ` + pageInfoFields + ` nodes { ` + adjustmentFields + ` } } }
}`
	queryCustomers = `query Customers($first: Int!, $after: String, $filter: String) {
	customers(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) { ` + pageInfoFields + `
		nodes {
			id createdAt updatedAt
			defaultEmailAddress { emailAddress }
			defaultAddress { countryCodeV2 }
			companyContactProfiles { company { id } }
		}
	}
}`
	queryCompanies = `query Companies($first: Int!, $after: String, $filter: String) {
	companies(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) { ` + pageInfoFields + `
		nodes {
			id externalId createdAt updatedAt customerSince
			locations(first: 1) { nodes { billingAddress { countryCode } shippingAddress { countryCode } } }
		}
	}
}`
	queryCheckouts = `query Checkouts($first: Int!, $after: String, $filter: String) {
	abandonedCheckouts(first: $first, after: $after, query: $filter, sortKey: CREATED_AT) { ` + pageInfoFields + `
		nodes { id createdAt updatedAt completedAt customer { id } }
	}
}`
	querySettings = `query Settings {
	shop { myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName } }
	currentAppInstallation { accessScopes { handle } }
}`
	// Orders of a bulk operation: nothing in a list may be a connection, so that orders
	// with refunds are asked for again by their IDs.
	queryBulkOrders = `{ orders { edges { node { ` + orderFields + ` refunds { id }
		lineItems { edges { node { ` + lineFields + ` } } }
	} } } }`
	// The only mutation: it starts a query.
	mutationBulk = `mutation StartBulk($query: String!) {
	bulkOperationRunQuery(query: $query, groupObjects: true) { bulkOperation { id createdAt } userErrors { code message } }
}`
	queryBulks = `query Bulks {
	bulkOperations(first: 10, sortKey: CREATED_AT, reverse: true) { nodes { id status query } }
}`
	queryBulk = `query Bulk($id: ID!) {
	bulkOperation(id: $id) { id status errorCode createdAt rootObjectCount url }
}`
)

// operation returns the name of the operation in a document.
func operation(document string) string {
	fields := strings.FieldsFunc(document, func(r rune) bool { return r == ' ' || r == '(' || r == '{' })
	return fields[1]
}
