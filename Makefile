# make help lists what there is to make. Everything works with nothing but Go and
# make on the machine; what else a target wants it looks for, and as root installs.

SHELL := /bin/sh
.DEFAULT_GOAL := help

GO       ?= go
PKGS     ?= ./...
FUZZTIME ?= 10s
BENCH    ?= .
TESTFLAGS ?=
ARGS     ?=

# A released binary is named by its tag; without one it names its commit itself.
VERSION ?= $(shell git describe --tags --dirty --match 'v*' 2>/dev/null)
# Git refuses to speak of a checkout that belongs to somebody else; that is no
# reason not to build it.
VCS = $(shell git status >/dev/null 2>&1 && echo auto || echo false)

# Tools live outside the checkout, so that a clean one finds them again.
TOOLS         ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tidings-tools
GOLANGCI      := $(TOOLS)/bin/golangci-lint
GOLANGCI_WANT := 2.15.0

# The race detector is built with cgo, and cgo with a C compiler. This asks for
# all of it at once: the compiler, its headers and a platform that has a detector.
CAN_RACE = CGO_ENABLED=1 $(GO) build -race -o /dev/null runtime/cgo >/dev/null 2>&1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: build ## build, and start the sandbox: the gateway with everything around it emulated (ARGS="--listen :8081")
	bin/tidings sandbox $(ARGS)

.PHONY: build
build: ## build bin/tidings, one static binary (VERSION=v1.2.3)
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(VCS) -ldflags '-s -w -X main.release=$(VERSION)' -o bin/tidings ./cmd/tidings

# The packages run with the race detector. The whole program is then tested as it
# is built, because its tests look at the clock and have the machine to themselves,
# and once more with the detector in the binary where many things happen at once.
# A short torture follows, which is never cached: go test does not see that it is
# about the gateway.
WHOLE = ./cmd/tidings
TORTURE = ./cmd/torture
RACED = ^(TestWalk|TestLoad|TestKill|TestTerm|TestReload|TestEightCopies|TestShopAway)$$

# Other people's clients against our emulators, in a module of their own.
CLIENTS = channels/clients

# Skipped tests say so themselves; what is missing altogether is said here. In CI
# (CI is set) something missing is a failure.
.PHONY: test
test: needs ## run all tests, with the race detector where there is one (PKGS=./core/... TESTFLAGS=-v)
	@parts=$$($(GO) list $(PKGS) | grep -v -e '/cmd/tidings$$' -e '/cmd/torture$$'); \
	whole=$$($(GO) list $(PKGS) | grep '/cmd/tidings$$'); \
	torture=$$($(GO) list $(PKGS) | grep '/cmd/torture$$'); \
	race=; \
	if $(CAN_RACE); then \
		race=-race; export CGO_ENABLED=1; \
	elif [ -n "$$CI" ]; then \
		echo 'make test: no C compiler for the race detector, and CI does not go without' >&2; exit 1; \
	else \
		echo 'make test: NOTE: no C compiler (gcc) here, so the tests run without the race detector' >&2; \
	fi; \
	set -ex; \
	if [ -n "$$parts" ]; then $(GO) test $$race $(TESTFLAGS) $$parts; fi; \
	if [ '$(PKGS)' = ./... ]; then (cd $(CLIENTS) && $(GO) test $$race $(TESTFLAGS) ./...); fi; \
	if [ -n "$$whole" ]; then $(GO) test $(TESTFLAGS) $(WHOLE); fi; \
	if [ -n "$$whole" ] && [ -n "$$race" ]; then $(GO) test -race $(TESTFLAGS) -run '$(RACED)' $(WHOLE); fi; \
	if [ -n "$$torture" ]; then $(GO) test -count=1 $(TESTFLAGS) $(TORTURE); fi

.PHONY: torture
torture: build ## kill the built gateway again and again under load, and judge what came of it (ARGS="--kills 500", or "--faultpoints")
	$(GO) run ./cmd/torture $(ARGS)

.PHONY: clients
clients: ## have other people's clients work against the emulators
	cd $(CLIENTS) && $(GO) vet ./... && $(GO) test $(TESTFLAGS) ./...

.PHONY: race
race: needs ## run all tests with the race detector or not at all
	CGO_ENABLED=1 $(GO) test -race $(TESTFLAGS) $(PKGS)

# The lists of packages are fetched only where the ones at hand do not suffice.
.PHONY: needs
needs:
	@$(CAN_RACE) && exit 0; \
	[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0; \
	echo 'make: installing a C compiler for the race detector' >&2; \
	export DEBIAN_FRONTEND=noninteractive; \
	get='apt-get install -y -q --no-install-recommends gcc libc6-dev'; \
	{ $$get || { apt-get update -q && $$get; }; } </dev/null >&2 || echo 'make: there is none to be had' >&2

.PHONY: check
check: lint house ## run the linters and the house rules

.PHONY: lint
lint: linter ## run golangci-lint; .golangci.yml says what is off and why
	$(GOLANGCI) run $(PKGS)

.PHONY: linter
linter:
	@[ "$$($(GOLANGCI) version --short 2>/dev/null)" = $(GOLANGCI_WANT) ] || { set -x; \
		GOBIN=$(TOOLS)/bin CGO_ENABLED=0 $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_WANT); }

.PHONY: house
house: ## test the house rules: import direction, one home per dependency, lengths …
	$(GO) test -count=1 -run '^TestHouse$$' ./cmd/tidings

.PHONY: fuzz
fuzz: ## run each fuzz target for a while (FUZZTIME=10s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$(dirname "$$file") $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null; \
		done; \
	done

.PHONY: bench
bench: build ## measure the gateway beside a bare HTTP client (ARGS="--quick --only sqlite,pace")
	$(GO) build -o bin/bench ./cmd/bench
	bin/bench $(ARGS)

# The profiled gateway differs from the shipped one by the profiles alone.
PROFILES ?= bin/profiles
.PHONY: profile
profile: ## the same with CPU and allocation profiles of each run in bin/profiles
	$(GO) build -o bin/bench ./cmd/bench
	CGO_ENABLED=0 $(GO) build -trimpath -tags pprof -o bin/tidings-pprof ./cmd/tidings
	mkdir -p $(PROFILES)
	bin/bench --tidings bin/tidings-pprof --pprof $(PROFILES) --only sqlite --repeat 1 $(ARGS)

.PHONY: microbench
microbench: ## run the Go benchmarks of the packages (BENCH=Parts PKGS=./core/split)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(PKGS)

.PHONY: generate
generate: ## write anew what is generated from the source
	$(GO) generate $(PKGS)

.PHONY: fmt
fmt: linter ## format the code and group its imports
	$(GOLANGCI) fmt $(PKGS)

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
