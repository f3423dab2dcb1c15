# SPDX-License-Identifier: ISC
# make fuzz [FUZZ_SECONDS=60]: libFuzzer on each parser; needs clang.  Included by packaging/targets.mk.
FUZZ_SECONDS ?= 60
FUZZ_O = $(O)/fuzz
FUZZ_FLAGS = -fsanitize=fuzzer,address,undefined -g -O1

FUZZ_SRC_config = $(filter-out %/confcall.c,$(wildcard supervisord/engine/conf*.c supervisord/engine/value*.c)) \
	$(addprefix supervisord/engine/,backoff.c checktarget.c depend.c expand.c ids.c keytable.c order.c parse.c slicecheck.c sliceread.c \
	policy.c rights.c step.c transition.c words.c)
FUZZ_SRC_notify = supervisord/engine/notifyparse.c
FUZZ_SRC_logrequest = supervisord/engine/logrequest.c supervisord/logger/place.c supervisord/logger/unpack.c
FUZZ_SRC_message = $(addprefix supervisord/logger/,form.c message.c stamp.c)
FUZZ_SRC_inbox = supervisord/cluster/request.c
FUZZ_SRC_primary = $(filter-out %/main.c,$(wildcard supervisord/cluster/*.c))
FUZZ_SRC_lines = supervisord/logger/lines.c
FUZZ_SRC_rights = supervisord/engine/rights.c
FUZZ_SRC_dispatch = supervisord/engine/api.c supervisord/engine/call.c
FUZZ_LIB = $(wildcard lib/*.c)
FUZZ_TARGETS = config dispatch frame inbox lines logrequest message notify primary rights

# What else of the engine they call is none of what is fuzzed.
$(FUZZ_O)/config_fuzz: FUZZ_REST = $(O)/libengine.a
$(FUZZ_O)/config_fuzz: $(O)/libengine.a

# The methods are not linked: nothing calls them.
$(FUZZ_O)/dispatch_fuzz: FUZZ_FLAGS += -I$(O)/gen -fno-pie -no-pie -Wl,--unresolved-symbols=ignore-all
$(FUZZ_O)/dispatch_fuzz: $(O)/gen/interface.inc

$(FUZZ_O)/%_fuzz: tests/fuzz/%_fuzz.c $(FUZZ_LIB) FORCE
	@mkdir -p $(@D) $(FUZZ_O)/corpus-$*
	clang -std=gnu17 $(ALL_CPPFLAGS) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_SRC_$*) $(FUZZ_REST) $(FUZZ_LIB) $(LIBS_engine) $(LIBS_logger)

fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## fuzz the parsers for FUZZ_SECONDS (60) each

# FUZZ_MESSAGES malformed messages to a live daemon with sanitizers.
FUZZ_MESSAGES ?= 1000000
fuzz-live: ## send FUZZ_MESSAGES (1000000) malformed messages to a daemon with AddressSanitizer
	$(SUBMAKE) SAN=1 O='$(ASAN_O)' all tests
	O='$(ASAN_O)' FUZZ_MESSAGES=$(FUZZ_MESSAGES) SAN=1 TEST_FILTER='malformed' tests/run tests/e2e/api.bats

fuzz-dispatch: FUZZ_ARGS = -dict=$(CURDIR)/tests/fuzz/dispatch.dict
fuzz-inbox fuzz-primary: FUZZ_ARGS = -dict=$(CURDIR)/tests/fuzz/primary.dict
fuzz-primary: FUZZ_ARGS += -len_control=0 -max_len=4096
fuzz-config: FUZZ_ARGS = -timeout=10 -max_len=65536
fuzz-notify: FUZZ_ARGS = -timeout=5 -max_len=8192
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ_O)/%_fuzz
	cd $(FUZZ_O) && ./$*_fuzz -max_total_time=$(FUZZ_SECONDS) $(FUZZ_ARGS) -print_final_stats=1 corpus-$*

.PHONY: fuzz fuzz-live $(FUZZ_TARGETS:%=fuzz-%)
