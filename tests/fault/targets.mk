# SPDX-License-Identifier: ISC
# tests/fault/*.bats: what goes wrong around the logger.  make soak: the same for much longer, and rolling restarts under load.
FAULT_SHIM := $(O)/tests/fault/shim.so
# Kills of a storm in `make soak`.
SOAK_KILLS ?= 1000
# And rolling restarts of hello under load, of which no request may be lost.
SOAK_RESTARTS ?= 100

# Never with sanitizers: it is loaded before their runtime.
$(FAULT_SHIM): tests/fault/shim.c tests/fault/plan.h
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) -std=gnu17 -g -O2 $(WARNINGS) -fPIC -shared -o $@ $< -ldl

tests programs: $(FAULT_SHIM)

soak: tests ## the fault tests with SOAK_KILLS (1000) kills in each storm, and SOAK_RESTARTS (100) rolling restarts under load
	FAULT_KILLS=$(SOAK_KILLS) TEST_TIMEOUT=7200 O='$(O)' tests/run fault
	SD_RESTARTS=$(SOAK_RESTARTS) TEST_FILTER='^hello: ' TEST_TIMEOUT=7200 O='$(O)' tests/run tests/e2e/rolling.bats

# Restarts under load of each test of `make soak-node`.
SOAK_RESTARTS ?= 100

soak-node: tests ## rolling updates of Node clusters under load, SOAK_RESTARTS (100) each
	SD_RESTARTS=$(SOAK_RESTARTS) TEST_TIMEOUT=7200 O='$(O)' tests/run tests/e2e/noderolling.bats

check-node: tests ## clusters with Node 16 to 26, Deno and Bun, which come from npm (500 MB)
	-tests/e2e/node/fetch -d $(O)/npm
	TEST_TIMEOUT=3600 O='$(O)' tests/run tests/e2e/node/versions.bats tests/e2e/node.bats

.PHONY: soak soak-node check-node
