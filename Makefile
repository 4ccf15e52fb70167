# Everything one does with this repository. `make` alone lists it.
# `run`, `demo`, `invoke` and `build` need nothing but Go; `test` a C compiler too (the race detector is C), and Java, Node
# and npm for the local engines that stand in for AWS (without these their tests are skipped); `check` builds its tools from
# infra/tools into .cache on the first call.

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
# Of a function on Lambda; a start there reads it from afar.
MAX_BINARY := 12582912
FUZZTIME ?= 60s
FUZZ ?= .
BENCH ?= .
TESTFLAGS ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it

# Empty: the embedded engine. aws: the functions as they ship, on local engines that stand in for AWS.
ENGINE ?=
KEFU = $(if $(ENGINE),KEFU_ENGINE='$(ENGINE)') exec $(CACHE)/bin/local

# Built and executed: `go run` would turn a Ctrl-C into a failure.
.PHONY: run
run: ## Start the whole system here, with a page to play the customer (KEFU_ADDR, KEFU_DATA …; as in AWS: ENGINE=aws)
	@go build -o $(CACHE)/bin/local ./infra/local && $(KEFU) run

.PHONY: demo
demo: ## Play one conversation through the whole system and check every step (as in AWS: ENGINE=aws)
	@go build -o $(CACHE)/bin/local ./infra/local && $(KEFU) demo

.PHONY: cli
cli: ## Build the command line into .cache/bin/kefu (to install it: go install -C infra/cli ./kefu)
	@go build -C infra/cli -trimpath -o $(CACHE)/bin/kefu ./kefu
	@echo ".cache/bin/kefu"

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

# Made anew when the accounts change. What the samples did is kept until then, or until `make clean`. The accounts are
# made ten years ago: what came before an account was made is not for it, and the samples came in 2023.
$(INVOKE)/.ready: $(wildcard events/setup/*.json)
	@rm -rf $(@D) && mkdir -p $(@D)
	@for e in $^; do \
		answer=$$($(SAMPLE_ENV) KEFU_CLOCK_OFFSET=-87600h KEFU_LOG_LEVEL=error go run ./functions/api $$e); \
		[[ $$answer == '{"statusCode":20'* ]] || { echo "$$e: $$answer" >&2; exit 1; }; \
	done
	@touch $@

##@ Work on it

# Runs a command with the local engines. Built, as `go run` would turn every exit code into 1.
WITH_ENGINES = go build -o $(CACHE)/bin/emulator ./infra/emulator && $(CACHE)/bin/emulator with --

.PHONY: test
test: ## Run all tests with the race detector (TESTFLAGS=-short …)
	@$(WITH_ENGINES) $(MAKE) test-modules

# The same without engines of one's own: with none at KEFU_TEST_DYNAMODB and so on, the tests that need them are skipped.
.PHONY: test-modules
test-modules:
	@failed=0; for m in $(MODULES); do go test -C $$m -race -timeout 10m $(TESTFLAGS) ./... || failed=1; done; exit $$failed

.PHONY: engines
engines: ## Start DynamoDB Local, SQS and S3 for a session of work, and show their addresses; make test uses them
	@go run ./infra/emulator up

.PHONY: engines-down
engines-down: ## Stop them
	@go run ./infra/emulator down

.PHONY: cover
cover: ## Run the tests and tell how many statements of shared they cover
	@mkdir -p $(CACHE)
	@$(WITH_ENGINES) go test -coverprofile=$(CACHE)/cover.out -coverpkg=./shared/... ./... | awk '$$1 == "FAIL" || /^---/'
	@go tool cover -func=$(CACHE)/cover.out | awk '$$1 == "total:" {print $$3 " of the statements in shared"}'
	@echo "by line: go tool cover -html=.cache/cover.out"

.PHONY: check
check: check-format check-vet check-lint check-tidy check-openapi check-aws check-readme ## Everything that CI asks besides tests (make -k check: all of it at once)

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
bench: ## Run the benchmarks, then measure the local pipeline and the functions' start (BENCH=pattern)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	@go run ./infra/local bench
	@go run ./infra/local bench -start

.PHONY: day
day: ## Play a working day of a customer-service desk, 300 customers and all that goes wrong (half a minute; SEED=2 is another day)
	@go test -count 1 -timeout 10m -v -run '^TestDay$$' ./shared/app -args -day -seed $(or $(SEED),1) | grep -Ev '^(===|--- PASS|PASS|ok)'

.PHONY: budget
budget: ## Measure what each step of a conversation costs on DynamoDB and SQS, in units and dollars (two minutes)
	@$(WITH_ENGINES) go test -count 1 -timeout 15m -v -run '^TestBudget' ./shared/app -args -budget | grep -Ev '^(===|--- PASS|PASS|ok)'

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

STAGE ?= dev
REGION ?=
PARAMS ?=
CONFIRM ?=
ADMIN_KEY_SHA256 ?=

# Lambda runs on arm64 and does without the host for SCF, which knows amd64 alone.
comma := ,
GOTAGS := lambda.norpc$(if $(filter arm64,$(ARCH)),$(comma)noscf)

NODE := $(CACHE)/node/.installed
OSLS := $(CACHE)/node/node_modules/.bin/osls
SETTINGS = --stage '$(STAGE)' $(if $(REGION),--param 'region=$(REGION)') $(PARAMS:%=--param '%')
REFUSE = { echo "$@: $(1)" >&2; exit 2; }
CREDENTIALS = test -n "$${AWS_ACCESS_KEY_ID:-}$${AWS_PROFILE:-}$${AWS_WEB_IDENTITY_TOKEN_FILE:-}$${AWS_CONTAINER_CREDENTIALS_FULL_URI:-}$${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI:-}" \
	|| test -r "$${AWS_SHARED_CREDENTIALS_FILE:-$$HOME/.aws/credentials}" || test -r "$${AWS_CONFIG_FILE:-$$HOME/.aws/config}" \
	|| $(call REFUSE,there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID)

.PHONY: build
build: $(FUNCTIONS:%=bin/%.zip) ## Build every function for Linux into bin/FUNCTION.zip (ARCH=arm64, or amd64 for SCF)

.PHONY: FORCE
FORCE:

# What health shows; empty where there is no git.
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null)

# Bit-identical on every machine for one commit: no paths, no other VCS stamp. The tag drops the old RPC mode of the Lambda library.
.PRECIOUS: bin/%/bootstrap
bin/%/bootstrap: FORCE
	@GOOS=linux GOARCH=$(ARCH) CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags $(GOTAGS) -ldflags "-s -w -X kefu/shared/app.release=$(COMMIT)" -o $@ ./functions/$*
	@size=$$(wc -c < $@); printf '%8d kB  %s\n' $$((size / 1024)) $@; \
	test $(ARCH) != arm64 || test $$size -le $(MAX_BINARY) || { echo "$@: over the budget of $(MAX_BINARY) bytes" >&2; exit 1; }

# Bit-identical too: the tool sets time and mode itself.
bin/%.zip: bin/%/bootstrap
	@go run -C infra/tools ./zip $(CURDIR)/$< $(CURDIR)/$@

.PHONY: package
package: $(NODE) ## Turn serverless.yml into CloudFormation in .cache/package/STAGE; needs no credentials (STAGE, REGION, PARAMS="NAME=VALUE …")
	@$(MAKE) build ARCH=arm64
	@$(OSLS) package --package '$(CACHE)/package/$(STAGE)' $(SETTINGS)

.PHONY: deploy
deploy: ## Put a stage into your AWS account (STAGE=dev, ADMIN_KEY_SHA256 from make admin-key, REGION, PARAMS as for package)
	@$(CREDENTIALS)
	@[[ '$(ADMIN_KEY_SHA256)' =~ ^[0-9a-f]{64}$$ ]] || $(call REFUSE,ADMIN_KEY_SHA256 must be 64 hexadecimal digits; make admin-key makes them)
	@$(MAKE) -s $(NODE)
	@$(MAKE) build ARCH=arm64
	@$(OSLS) deploy $(SETTINGS) --param 'adminKeySHA256=$(ADMIN_KEY_SHA256)'

.PHONY: remove
remove: ## Take a stage out of your AWS account, with its data unless it is prod (STAGE=dev; prod asks for CONFIRM=prod)
	@[[ '$(STAGE)' != prod || '$(CONFIRM)' = prod ]] || $(call REFUSE,this would end the service of prod; say CONFIRM=prod if you mean it)
	@$(CREDENTIALS)
	@$(MAKE) -s $(NODE)
	@$(OSLS) remove $(SETTINGS)

.PHONY: admin-key
admin-key: ## Make an operator's key, and the ADMIN_KEY_SHA256 to deploy
	@go run -C infra/tools ./adminkey

# Without Node the tests of infra/aws are skipped, unless CI is true.
.PHONY: node-for-tests
test-modules cover: node-for-tests
node-for-tests:
	@if command -v npm >/dev/null; then $(MAKE) -s $(NODE) || true; fi

# Amazon's validator on what the tests of infra/aws make of serverless.yml; the rules beside it are tests.
.PHONY: check-aws
check-aws: $(NODE)
	@echo "check: CloudFormation"
	@go test -run '^TestValidator$$' ./infra/aws

.PHONY: clean
clean: ## Remove what was built (not the data in .kefu)
	@rm -rf bin .cache .serverless

# Built anew only when infra/tools names other versions.
$(TOOLS): infra/tools/go.mod infra/tools/go.sum
	@echo "building the tools of infra/tools (a minute or two, once)"
	@mkdir -p $(@D)
	@go build -C infra/tools -o $(@D)/ tool
	@touch $@

# What turns serverless.yml into CloudFormation and checks it, from the lock file alone. No package runs a script.
$(NODE): infra/aws/package.json infra/aws/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node 20.19 or later" >&2; exit 1; }
	@mkdir -p $(@D) && cp $^ $(@D) && cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
