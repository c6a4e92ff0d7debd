// Package hubspot is a fake of HubSpot's CRM API with an account in memory: contacts,
// companies, deals, their associations, owners and pipelines, with paging, search,
// limits and errors as the vendor has them.
package hubspot

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Object is a type of record.
type Object string

// The types of record that the fake has.
const (
	Contacts  Object = "contacts"
	Companies Object = "companies"
	Deals     Object = "deals"
)

// Server is an account and serves the API for it. Its exported fields must be set before the
// first request. It is safe for concurrent use.
type Server struct {
	// Token is the only access token that is accepted; any where empty.
	Token string
	// Scopes are the granted scopes; all where nil.
	Scopes []string
	// IndexLag is how late search finds a change.
	IndexLag time.Duration
	// Burst and Daily are the requests allowed in ten seconds and in a day (of UTC), Searches
	// those allowed in a second.
	Burst, Daily, Searches int
	// MaxResults is how many results of one search can be read.
	MaxResults int

	now func() time.Time

	mu        sync.Mutex
	records   map[Object]map[uint64]*entry
	order     map[Object][]uint64 // the IDs in ascending order; none where it must be made anew
	defined   map[Object]map[string]bool
	links     map[linkKey][]link
	owners    map[string]Owner
	pipelines []Pipeline
	lifecycle []lifecycleStage // in their order
	sent      limits
	requests  map[string]int
	rows      rows // of the last answer, whose memory is used again for the next
}

// entry is a record.
type entry struct {
	id                uint64
	created, modified time.Time
	properties        map[string]string
	defined           map[string]bool // the properties that records of the type have
	history           []revision      // of all properties, oldest first
	archivedAt        time.Time       // zero where it is not archived
}

type revision struct {
	property, value string
	at              time.Time
}

// linkKey is where associations begin, and the type of record that they lead to.
type linkKey struct {
	from, to Object
	id       uint64
}

// link is the end of an association.
type link struct {
	id      uint64
	primary bool
}

// Owner is a user that records can belong to.
type Owner struct {
	ID                         string
	FirstName, LastName, Email string
	Archived                   bool // the user was deactivated
}

// Pipeline is a pipeline of deals.
type Pipeline struct {
	ID, Label string
	Stages    []Stage
}

// Stage is a stage of a pipeline. Probability is between 0 and 1, as a decimal.
type Stage struct {
	ID, Label, Probability string
	Closed                 bool
}

// New returns an empty account, whose clock is now.
func New(now func() time.Time) *Server {
	s := &Server{
		lifecycle: datedStages(), Burst: 190, Daily: 650_000, Searches: 5, MaxResults: 10_000, now: now,
		records: map[Object]map[uint64]*entry{Contacts: {}, Companies: {}, Deals: {}},
		order:   map[Object][]uint64{}, links: map[linkKey][]link{},
		defined: map[Object]map[string]bool{}, owners: map[string]Owner{}, requests: map[string]int{},
	}
	for object, names := range standardProperties() {
		s.defined[object] = map[string]bool{}
		for _, name := range names {
			s.defined[object][name] = true
		}
	}
	return s
}

func standardProperties() map[Object][]string {
	contact := strings.Fields(`associatedcompanyid createdate email firstname hs_analytics_first_url hs_analytics_source
		hs_analytics_source_data_1 hs_analytics_source_data_2 hs_calculated_merged_vids hs_first_outreach_date hs_lead_status
		hs_merged_object_ids hs_object_id hubspot_owner_id lastmodifieddate lastname lifecyclestage`)
	for _, stage := range datedStages() {
		contact = append(contact, stage.entered, stage.became)
	}
	return map[Object][]string{
		Contacts: contact,
		Companies: strings.Fields(`createdate domain hs_ideal_customer_profile hs_is_target_account hs_lastmodifieddate
			hs_merged_object_ids hs_object_id hs_parent_company_id hubspot_owner_id name`),
		Deals: strings.Fields(`amount closedate createdate deal_currency_code dealname dealstage hs_deal_stage_probability
			hs_is_closed hs_is_closed_won hs_lastmodifieddate hs_merged_object_ids hs_object_id hubspot_owner_id pipeline`),
	}
}

// lifecycleStages returns the vendor's stages in their order.
func lifecycleStages() []string {
	return []string{
		"subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
	}
}

// lifecycleStage is a stage of the vendor and the properties that date the entry into it.
type lifecycleStage struct{ name, entered, became string }

func datedStages() []lifecycleStage {
	var list []lifecycleStage
	for _, name := range lifecycleStages() {
		list = append(list, lifecycleStage{name, "hs_v2_date_entered_" + name, "hs_lifecyclestage_" + name + "_date"})
	}
	return list
}

func modifiedProperty(o Object) string {
	if o == Contacts {
		return "lastmodifieddate"
	}
	return "hs_lastmodifieddate"
}

const stampForm = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(stampForm) }

// Put creates the record id of a type at a time, or changes the given properties of it; an
// empty value is null. A property that is not known is defined. Of a lifecycle or deal stage, what the vendor
// calculates from it is set too, unless it is given.
func (s *Server) Put(object Object, id uint64, at time.Time, properties map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.records[object][id]
	if e == nil {
		e = &entry{id: id, created: at, defined: s.defined[object], properties: make(map[string]string, len(properties)+usual)}
		e.history = make([]revision, 0, len(properties)+usual)
		s.records[object][id] = e
		delete(s.order, object)
		e.set(at, "createdate", stamp(at))
		e.set(at, "hs_object_id", strconv.FormatUint(id, 10))
	}
	if stage, ok := properties["lifecyclestage"]; ok && stage != e.properties["lifecyclestage"] {
		s.enterLifecycle(e, at, stage)
	}
	if _, ok := properties["dealstage"]; ok {
		s.enterStage(e, at, properties)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		e.set(at, name, properties[name])
	}
	e.touch(object, at)
}

// usual is how many properties a record gets besides those that it begins with.
const usual = 8

// set changes a property and its history. One that is not known is defined.
func (e *entry) set(at time.Time, name, value string) {
	old, ok := e.properties[name]
	if ok && old == value {
		return
	}
	if !ok {
		e.defined[name] = true
	}
	e.properties[name] = value
	e.history = append(e.history, revision{name, value, at})
}

// touch sets the time of the last change.
func (e *entry) touch(object Object, at time.Time) {
	e.modified = at
	e.properties[modifiedProperty(object)] = stamp(at)
}

// enterLifecycle dates a stage and clears the dates of those after it.
func (s *Server) enterLifecycle(e *entry, at time.Time, stage string) {
	place := slices.IndexFunc(s.lifecycle, func(l lifecycleStage) bool { return l.name == stage })
	for _, later := range s.lifecycle[place+1:] {
		for _, name := range []string{later.entered, later.became} {
			if e.properties[name] != "" {
				e.set(at, name, "")
			}
		}
	}
	if place >= 0 {
		e.set(at, s.lifecycle[place].entered, stamp(at))
		e.set(at, s.lifecycle[place].became, stamp(at))
	} else if stage != "" { // of the account's own
		e.set(at, "hs_v2_date_entered_"+stage, stamp(at))
	}
}

// enterStage sets what follows from a deal's stage.
func (s *Server) enterStage(e *entry, at time.Time, properties map[string]string) {
	id := properties["dealstage"]
	if id != e.properties["dealstage"] {
		e.set(at, "hs_v2_date_entered_"+id, stamp(at))
	}
	for _, p := range s.pipelines {
		for _, stage := range p.Stages {
			if stage.ID == id {
				won := stage.Closed && strings.HasPrefix(stage.Probability, "1")
				e.set(at, "hs_deal_stage_probability", stage.Probability)
				e.set(at, "hs_is_closed", strconv.FormatBool(stage.Closed))
				e.set(at, "hs_is_closed_won", strconv.FormatBool(won))
				if stage.Closed && e.properties["closedate"] == "" {
					e.set(at, "closedate", stamp(at))
				}
			}
		}
	}
}

// Archive deletes a record, as users do: it can be restored for 90 days.
func (s *Server) Archive(object Object, id uint64, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.records[object][id]; e != nil {
		e.archivedAt = at
	}
}

// Restore undoes Archive, without changing the record.
func (s *Server) Restore(object Object, id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.records[object][id]; e != nil {
		e.archivedAt = time.Time{}
	}
}

// Purge removes a record from every listing, as a deletion for data protection does.
func (s *Server) Purge(object Object, id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records[object], id)
	delete(s.order, object)
}

// Merge removes the record from; into lists it as merged.
func (s *Server) Merge(object Object, from, into uint64, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	loser, winner := s.records[object][from], s.records[object][into]
	if loser == nil || winner == nil {
		return
	}
	delete(s.records[object], from)
	delete(s.order, object)
	list := strings.Split(winner.properties["hs_merged_object_ids"], ";")
	list = append(list, strings.Split(loser.properties["hs_merged_object_ids"], ";")...)
	list = append(list, strconv.FormatUint(from, 10))
	list = slices.DeleteFunc(list, func(id string) bool { return id == "" })
	winner.set(at, "hs_merged_object_ids", strings.Join(list, ";"))
	winner.touch(object, at)
}

// Associate links two records; primary is of use for companies. It changes the first of them.
func (s *Server) Associate(from Object, fromID uint64, to Object, toID uint64, primary bool, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := linkKey{from, to, fromID}
	s.links[key] = append(s.links[key], link{toID, primary})
	e := s.records[from][fromID]
	if e == nil {
		return
	}
	if from == Contacts && to == Companies && primary {
		e.set(at, "associatedcompanyid", strconv.FormatUint(toID, 10))
	}
	e.touch(from, at)
}

// PutOwner adds an owner, or replaces the one with its ID.
func (s *Server) PutOwner(o Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owners[o.ID] = o
}

// PutPipeline adds a pipeline of deals, or replaces the one with its ID.
func (s *Server) PutPipeline(p Pipeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipelines = slices.DeleteFunc(s.pipelines, func(old Pipeline) bool { return old.ID == p.ID })
	s.pipelines = append(s.pipelines, p)
}

// Requests returns how many requests came, by kind: list, archived, search, read, associations,
// owners, pipelines, properties.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}
