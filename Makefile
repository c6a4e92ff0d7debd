# Targets: build test lint format docs bench image. Only Go and make are needed;
# the first run downloads modules. The tests of the alerts run where Prometheus and
# Alertmanager are installed, too (Debian's prometheus and prometheus-alertmanager).

GO       ?= go
LINT     := $(GO) tool -modfile=tools/golangci-lint/go.mod golangci-lint
BINARY   := b2b_exporter
IMAGE    ?= b2b_exporter
BENCH    ?= .

VERSION   ?= $(patsubst v%,%,$(shell git describe --tags --always --dirty 2>/dev/null || echo unknown))
REVISION  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH    ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
# The commit's date, so that one commit builds to one binary.
BUILDDATE ?= $(shell git log -1 --format=%cd --date=format:%Y%m%d-%H:%M:%S 2>/dev/null || echo unknown)
BUILDUSER ?= $(BINARY)

VERSIONPKG := github.com/prometheus/common/version
LDFLAGS := -s -w \
	-X $(VERSIONPKG).Version=$(VERSION) \
	-X $(VERSIONPKG).Revision=$(REVISION) \
	-X $(VERSIONPKG).Branch=$(BRANCH) \
	-X $(VERSIONPKG).BuildUser=$(BUILDUSER) \
	-X $(VERSIONPKG).BuildDate=$(BUILDDATE)

# Packages in which several goroutines meet run with the race detector, which needs a C
# compiler and takes longer; the rest runs without.
CONCURRENT := ./cmd/... ./internal/ledger/... ./internal/poll/... ./internal/web/... ./sources/internal/apiclient/...

.PHONY: all
all: build

.PHONY: build
build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/b2b_exporter

# What CI runs.
.PHONY: test
test: check-format vet unit check-docs

.PHONY: check-format
check-format:
	@files=$$(gofmt -l .); test -z "$$files" || { echo "not formatted, run make format or gofmt -w:"; echo "$$files"; exit 1; }

.PHONY: vet
vet:
	$(GO) vet ./...

.PHONY: unit
unit: unit-plain unit-race unit-identity unit-dashgen

.PHONY: unit-plain
unit-plain:
	$(GO) test $(TESTFLAGS) $$($(GO) list ./... | grep -vxF "$$($(GO) list $(CONCURRENT))")

.PHONY: unit-race
unit-race:
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ]; then race=-race; else echo "no C compiler: without the race detector"; fi; \
	set -x; $(GO) test $$race $(TESTFLAGS) $(CONCURRENT)

# A million random histories of recurring revenue, in about a minute: the test runs its checks
# in four parts, and without the race detector.
.PHONY: unit-identity
unit-identity:
	$(GO) test $(TESTFLAGS) ./internal/ledger/rollup -run '^TestMRRIdentity$$' -rapid.checks=250000

# What generates the dashboards is a module of its own.
.PHONY: unit-dashgen
unit-dashgen:
	$(GO) vet -C tools/dashgen ./...
	$(GO) test -C tools/dashgen $(TESTFLAGS) ./...

.PHONY: dashboards
dashboards:
	$(GO) run -C tools/dashgen . '$(CURDIR)/dashboards'

# The metric reference is written by the program, as are the tables of the README.
.PHONY: docs
docs:
	$(GO) run ./cmd/b2b_exporter metrics > docs/metrics.md.new
	mv docs/metrics.md.new docs/metrics.md
	$(GO) test ./cmd/b2b_exporter -run TestReadmeTables -update

.PHONY: check-docs
check-docs:
	@$(GO) run ./cmd/b2b_exporter metrics | diff -u docs/metrics.md - || \
		{ echo "docs/metrics.md is not what the program prints: run make docs"; exit 1; }

.PHONY: lint
lint:
	$(LINT) run ./...
	$(GO) mod verify

.PHONY: format
format:
	$(LINT) fmt ./...

.PHONY: bench
bench:
	$(GO) test -run='^$$' -bench='$(BENCH)' -benchmem $(BENCHFLAGS) $$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n 1 dirname | sort -u)

.PHONY: image
image:
	docker build -t $(IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		--build-arg BRANCH=$(BRANCH) --build-arg BUILDDATE=$(BUILDDATE) .
