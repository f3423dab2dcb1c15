# SPDX-License-Identifier: ISC
# make fuzz [FUZZ_SECONDS=60]: libFuzzer on each parser; needs clang.  Included by packaging/targets.mk.
FUZZ_SECONDS ?= 60
FUZZ_O = $(O)/fuzz
FUZZ_FLAGS = -fsanitize=fuzzer,address,undefined -g -O1

FUZZ_SRC_config = $(wildcard supervisord/engine/conf*.c supervisord/engine/value*.c) \
	$(addprefix supervisord/engine/,backoff.c checktarget.c depend.c expand.c ids.c keytable.c order.c parse.c \
	policy.c step.c transition.c words.c)
FUZZ_SRC_logrequest = supervisord/engine/logrequest.c supervisord/logger/place.c supervisord/logger/unpack.c
FUZZ_SRC_message = $(addprefix supervisord/logger/,form.c message.c stamp.c)
FUZZ_SRC_lines = supervisord/logger/lines.c
FUZZ_LIB = $(wildcard lib/*.c)

$(FUZZ_O)/%_fuzz: tests/fuzz/%_fuzz.c $(FUZZ_LIB) FORCE
	@mkdir -p $(@D) $(FUZZ_O)/corpus-$*
	clang -std=gnu17 $(ALL_CPPFLAGS) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_SRC_$*) $(FUZZ_LIB) $(LIBS_engine) $(LIBS_logger)

FUZZ_TARGETS = config lines logrequest message

fuzz: $(FUZZ_TARGETS:%=$(FUZZ_O)/%_fuzz) ## fuzz the parsers for FUZZ_SECONDS (60) each
	cd $(FUZZ_O) && set -e && for target in $(FUZZ_TARGETS); do \
		./$${target}_fuzz -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=65536 -print_final_stats=1 corpus-$$target; \
	done

.PHONY: fuzz
