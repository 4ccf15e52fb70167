# Everything one does with this repository. `make` alone lists it.
# `run`, `demo`, `invoke` and `build` need nothing but Go; `test` a C compiler too (the race detector is C); `check`
# builds its tools from infra/tools into .cache on the first call.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

CACHE := $(CURDIR)/.cache
TOOLS := $(CACHE)/bin/.built
export GOLANGCI_LINT_CACHE := $(CACHE)/golangci-lint

# The product is the module at the root; tools, foreign oracles and contract tests are modules of their own.
MODULES := . $(patsubst %/go.mod,%,$(wildcard infra/*/go.mod))
FUNCTIONS := $(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go))

ARCH ?= arm64
MAX_BINARY := 12582912
FUZZTIME ?= 60s
FUZZ ?= .
BENCH ?= .
TESTFLAGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it

# Built and executed: `go run` would turn a Ctrl-C into a failure.
.PHONY: run
run: ## Start the whole system here, with a page to play the customer (KEFU_ADDR, KEFU_DATA …)
	@go build -o $(CACHE)/bin/kefu ./infra/local && exec $(CACHE)/bin/kefu run

.PHONY: demo
demo: ## Play one conversation through the whole system and check every step
	@go run ./infra/local demo

# The samples' own settings: a data folder that begins with the accounts of events/setup, the key in the samples, and
# no platform.
INVOKE := $(CACHE)/invoke
SAMPLE_ENV := KEFU_DATA=$(INVOKE) KEFU_ADMIN_KEY=sample-operator-key KEFU_SECRET_KEY= KEFU_MAX_BYTES= KEFU_WECHAT_URL=http://127.0.0.1:9

.PHONY: invoke
invoke: ## Send one sample event to one function: make invoke F=callback E=secure-json (alone: list the samples)
	@if [ -z "$(F)" ] || [ ! -f "events/$(F)/$(E).json" ]; then \
		for f in $(FUNCTIONS); do (cd events/$$f && printf 'F=%-9sE: %s\n' $$f "$$(echo *.json | sed 's/\.json//g')"); done; \
		test -z "$(F)$(E)" || { echo "there is no events/$(F)/$(E).json" >&2; exit 2; }; \
	else \
		$(MAKE) -s $(INVOKE)/.ready && $(SAMPLE_ENV) go run ./functions/$(F) events/$(F)/$(E).json; \
	fi

# Made anew when the accounts change. What the samples did is kept until then, or until `make clean`.
$(INVOKE)/.ready: $(wildcard events/setup/*.json)
	@rm -rf $(@D) && mkdir -p $(@D)
	@for e in $^; do \
		answer=$$($(SAMPLE_ENV) KEFU_LOG_LEVEL=error go run ./functions/api $$e); \
		[[ $$answer == '{"statusCode":201,'* ]] || { echo "$$e: $$answer" >&2; exit 1; }; \
	done
	@touch $@

##@ Work on it

.PHONY: test
test: ## Run all tests with the race detector (TESTFLAGS=-short …)
	@failed=0; for m in $(MODULES); do go test -C $$m -race -timeout 5m $(TESTFLAGS) ./... || failed=1; done; exit $$failed

.PHONY: cover
cover: ## Run the tests and tell how many statements of shared they cover
	@mkdir -p $(CACHE)
	@go test -coverprofile=$(CACHE)/cover.out -coverpkg=./shared/... ./... | awk '$$1 == "FAIL" || /^---/'
	@go tool cover -func=$(CACHE)/cover.out | awk '$$1 == "total:" {print $$3 " of the statements in shared"}'
	@echo "by line: go tool cover -html=.cache/cover.out"

.PHONY: check
check: check-format check-vet check-lint check-tidy check-openapi check-readme ## Everything that CI asks besides tests (make -k check: all of it at once)

.PHONY: fmt
fmt: $(TOOLS) ## Format all Go files
	@$(CACHE)/bin/gofumpt -w .

.PHONY: tidy
tidy: ## Tidy every module's go.mod
	@for m in $(MODULES); do go -C $$m mod tidy; done

.PHONY: check-format
check-format: $(TOOLS)
	@echo "check: format"
	@found=$$($(CACHE)/bin/gofumpt -l .); test -z "$$found" || { echo "not formatted, run make fmt:"; echo "$$found"; exit 1; } >&2

.PHONY: check-vet
check-vet:
	@echo "check: vet"
	@for m in $(MODULES); do go vet -C $$m ./...; done

.PHONY: check-lint
check-lint: $(TOOLS)
	@echo "check: lint"
	@for m in $(MODULES); do (cd $$m && $(CACHE)/bin/golangci-lint run --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: check-tidy
check-tidy:
	@echo "check: go.mod"
	@for m in $(MODULES); do go -C $$m mod tidy -diff || { echo "$$m: run make tidy" >&2; exit 1; }; done

# The tests that compare the OpenAPI document with the handlers; as soon as there is an HTTP interface, there must be one.
.PHONY: check-openapi
check-openapi:
	@echo "check: OpenAPI"
	@found=$$(grep -rl --include='*_test.go' '^func Test[A-Za-z]*OpenAPI' shared $(wildcard infra/local functions) | xargs -r -n 1 dirname | sort -u | sed 's|^|./|' || true); \
	if [ -n "$$found" ]; then go test -run OpenAPI $$found; \
	elif [ -d functions/api ]; then echo "no test compares the OpenAPI document with the handlers" >&2; exit 1; fi

.PHONY: check-readme
check-readme:
	@echo "check: README"
	@go run -C infra/tools ./readme $(CURDIR)

##@ Measure it

.PHONY: bench
bench: ## Run the benchmarks, then measure the local pipeline (BENCH=pattern)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	@go run ./infra/local bench

.PHONY: bench-oracle
bench-oracle: ## Compare reading a callback with a foreign SDK and with the bare cryptography
	@go test -C infra/oracle -run '^$$' -bench . -benchmem ./...
	@go test -C infra/oracle -count 1 -v -run '^TestRatios$$' . -ratios

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME, one after the other (FUZZ=pattern of names)
	@dirs=$$(grep -rl --include='*_test.go' '^func Fuzz' shared $(wildcard infra/local functions) | xargs -r -n 1 dirname | sort -u | sed 's|^|./|' || true); \
	for dir in $$dirs; do \
		for name in $$(go test -list '^Fuzz' $$dir | grep '^Fuzz' | grep -E '$(FUZZ)' || true); do \
			echo "fuzz: $$dir $$name $(FUZZTIME)"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$dir; \
		done; \
	done

##@ Ship it

.PHONY: build
build: $(FUNCTIONS:%=bin/%/bootstrap) ## Build every function for Linux into bin/FUNCTION/bootstrap (ARCH=arm64, or amd64 for SCF)

.PHONY: FORCE
FORCE:

# Bit-identical on every machine: no paths, no VCS stamp. The tag drops the old RPC mode of the Lambda library.
bin/%/bootstrap: FORCE
	@GOOS=linux GOARCH=$(ARCH) CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags "-s -w" -o $@ ./functions/$*
	@size=$$(wc -c < $@); printf '%8d kB  %s\n' $$((size / 1024)) $@; \
	test $$size -le $(MAX_BINARY) || { echo "$@: over the budget of $(MAX_BINARY) bytes" >&2; exit 1; }

.PHONY: clean
clean: ## Remove what was built (not the data in .kefu)
	@rm -rf bin .cache

# Built anew only when infra/tools names other versions.
$(TOOLS): infra/tools/go.mod infra/tools/go.sum
	@echo "building the tools of infra/tools (a minute or two, once)"
	@mkdir -p $(@D)
	@go build -C infra/tools -o $(@D)/ tool
	@touch $@
