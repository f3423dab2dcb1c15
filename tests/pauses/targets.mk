# SPDX-License-Identifier: ISC
# make check-pauses: the end-to-end tests with executables that pause at random (pause.c), in an output folder of its own.
PAUSES_O ?= build-pauses
# Basic blocks between two pauses, at most: fewer find what is in short programs, more let long ones get on.
PAUSE_BLOCKS ?= 6000

$(O)/tests/pauses/pause.o: tests/pauses/pause.c FORCE
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -std=gnu17 -O2 $(WARNINGS) -fPIC -DPAUSE_BLOCKS=$(PAUSE_BLOCKS) -c -o $@ $<

check-pauses: ## the end-to-end and fault tests with executables that pause at random (PAUSE_BLOCKS=...), in build-pauses
	@packaging/install-deps build test
	$(SUBMAKE) O='$(PAUSES_O)' '$(PAUSES_O)/tests/pauses/pause.o'
	$(SUBMAKE) O='$(PAUSES_O)' CFLAGS='$(CFLAGS) -fsanitize-coverage=trace-pc' \
		LDFLAGS='$(LDFLAGS) $(PAUSES_O)/tests/pauses/pause.o' programs '$(PAUSES_O)/tests/fault/shim.so'
	@O='$(PAUSES_O)' CC='$(CC)' tests/run $(or $(TESTS),e2e fault)

.PHONY: check-pauses
