# cipgate's commands for those who work on it. `make` alone lists them.
#
# Variables: PKGS (which packages `test`, `lint` and `fuzz` look at), TESTFLAGS (further flags of go test), FUZZTIME (of each fuzz target),
# BENCHFLAGS (flags of the benchmark program), SIMULATEFLAGS (flags of the simulation), TRIALFLAGS (flags of `cipgate trial`).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PKGS ?= ./...
FUZZTIME ?= 30s
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)

# A tool is compiled once for each version of Go and each tools/go.sum. golangci-lint takes minutes.
BIN := tools/bin/$(shell go env GOVERSION)

.PHONY: help
help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: trial
trial: ## runs the main job: a sandbox gateway, resellers, one that falls silent
	go run ./cmd/cipgate trial $(TRIALFLAGS)

.PHONY: build
build: ## builds the static binary bin/cipgate
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/cipgate ./cmd/cipgate

# SQLite and the C library under it are C translated to Go and keep their data outside of Go's memory; curves, hashes and the reading of
# YAML are arithmetic on their own stack: the race detector finds nothing in them, and watching them took half of the tests' time. Only
# packages without generics may be left out: a generic function compiled there is the linker's choice for all others too, and unwatched
# locks look like races. What nobody here reads is not written: where variables lie, for debuggers. Nor are conversions of unsafe pointers
# checked: no package of cipgate's has one. The last pattern that fits a package decides.
ARITHMETIC := modernc.org/sqlite/lib modernc.org/libc modernc.org/memory $(addprefix github.com/goccy/go-yaml/,ast lexer parser scanner token) \
	github.com/oasisprotocol/... filippo.io/edwards25519/... crypto/internal/fips140/edwards25519/... crypto/internal/fips140/sha256 \
	crypto/internal/fips140/sha512
LEAN := -d=checkptr=0 -dwarf=false
# What no test waits for is compiled without inlining, in two thirds of the time.
UNHURRIED := cel.dev/... github.com/antlr4-go/... google.golang.org/... github.com/chromedp/... github.com/klauspost/... github.com/prometheus/... \
	github.com/molecule-man/... github.com/valyala/... github.com/gofiber/... github.com/danielgtaylor/... github.com/spf13/... \
	github.com/jackc/pgx/v5/pgtype net/http crypto/tls github.com/cipgate/cipgate/gateway/officer
# The compiler may fill up to a GiB before it collects its garbage; with the variables left out that is a third less of its time.
COMPILED := -race -ldflags=-w "-toolexec=env GOGC=400 GOMEMLIMIT=1GiB" "-gcflags=all=$(LEAN)" \
	$(foreach packages,$(UNHURRIED),"-gcflags=$(packages)=$(LEAN) -l") $(foreach packages,$(ARITHMETIC),"-gcflags=$(packages)=$(LEAN) -race=false")

# What takes minutes begins first, so that it isn't waited for alone at the end; and four packages, and in each four tests of those that
# may, run at once, since the long ones mostly wait for their databases and processes.
LONGEST := $(if $(filter ./...,$(PKGS)),./cmd/cipgate ./resellers/docket ./attestations/ledger)

# A program under the race detector sleeps for a second before it exits; some hundred are started, and a race is reported when it is seen.
# gotestsum ends with a line that counts the tests. vet is lint's. What setup installed is there, so a test that lacks it fails. Flags of
# the build are in GOFLAGS: tests that start the program build it by the same, from what is compiled already.
.PHONY: test
test: setup $(BIN)/gotestsum ## installs what is missing and runs all tests: race detector on, SQLite and PostgreSQL
	CGO_ENABLED=1 CIPGATE_REQUIRE_CLIENTS=1 GORACE=atexit_sleep_ms=0 GOFLAGS='$(COMPILED)' \
		tools/with-postgres.sh $(BIN)/gotestsum --format=pkgname --format-hide-empty-pkg -- -p=4 -parallel=4 -vet=off -timeout=20m $(TESTFLAGS) $(LONGEST) $(PKGS)

.PHONY: setup
setup: ## only installs what the tests need: Debian packages, the JOSE clients
	@tools/setup.sh

# Formatting first: it answers at once. vulncheck is govulncheck with the pinned database in the module cache: it asks nobody.
.PHONY: lint
lint: $(BIN)/golangci-lint $(BIN)/vulncheck ## checks the code: gofmt, go vet, golangci-lint, govulncheck (offline); and tools/ itself
	@badly=$$(gofmt -l .); if [[ -n $$badly ]]; then printf 'gofmt would change:\n%s\n' "$$badly"; exit 1; fi
	go vet $(PKGS)
	$(BIN)/golangci-lint run $(PKGS)
	cd tools && go test ./... && ../$(BIN)/golangci-lint run
	go -C tools mod download -modfile=vulndb.mod golang.org/x/vulndb
	$(BIN)/vulncheck -db "file://$$(go -C tools list -modfile=vulndb.mod -m -f '{{.Dir}}' golang.org/x/vulndb)/data/osv" $(PKGS)

.PHONY: fuzz
fuzz: ## fuzzes each fuzz target for FUZZTIME (default 30s)
	tools/fuzz.sh $(FUZZTIME) $(PKGS)

.PHONY: bench
bench: setup ## measures submissions per second on both stores against the hand-written rival
	go run ./cmd/bench $(BENCHFLAGS)

.PHONY: bench-delivery
bench-delivery: ## measures how fast 100,000 notices reach 1,000 receivers, beside a bare loop of the same HTTP client
	go run ./cmd/bench delivery $(BENCHFLAGS)

# Deciders against an auditor that shares no code with them. The same seed gives the same lives.
.PHONY: simulate
simulate: ## plays random lives to the deciders and audits what they state (SIMULATEFLAGS: --years, --seed, ...)
	go run ./cmd/simulate $(SIMULATEFLAGS)

.PHONY: mutants
mutants: ## breaks the deciders, one line at a time: the audit of the simulation must find each
	go run ./cmd/simulate mutants $(SIMULATEFLAGS)

# benchstat is for people: it compares two outputs of go test -bench.
.PHONY: tools
tools: $(BIN)/golangci-lint $(BIN)/gotestsum $(BIN)/vulncheck $(BIN)/benchstat ## compiles the pinned tools into tools/bin

$(BIN)/golangci-lint: package := github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(BIN)/gotestsum: package := gotest.tools/gotestsum
$(BIN)/vulncheck: package := ./vulncheck
$(BIN)/benchstat: package := golang.org/x/perf/cmd/benchstat
$(BIN)/vulncheck: tools/vulncheck/main.go
# As the tests are compiled: what it shares with them, most of it Go's own library, is then compiled once.
$(BIN)/gotestsum: export GOFLAGS := $(COMPILED)
$(BIN)/gotestsum: cgo := 1
$(BIN)/gotestsum: | setup
$(BIN)/%: tools/go.mod tools/go.sum
	@echo 'compiles $* (once for each version of Go and of tools/go.sum)'
	@CGO_ENABLED=$(or $(cgo),0) go -C tools build -ldflags '-s -w' -o '$(patsubst tools/%,%,$@)' '$(package)'
	@touch '$@'

.PHONY: clean
clean: ## removes what make made
	rm -rf bin tools/bin tools/e2e/node_modules
