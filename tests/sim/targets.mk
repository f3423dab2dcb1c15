# SPDX-License-Identifier: ISC
# The simulator (tests/sim/world.h): the engine's own code in a world that is made up, and mutants of it that it must catch.

# Of what is real, what touches nothing that outlives the engine (tests/headers): a death in it is one before the call, or behind it.
SIM_PURE := acceptrule backoff depend instname order plan planreason policy route step taskkind transition words
SIM_PURE_LIB := jsonw signame units

# What is real; everything else that these call is made up in tests/sim/fake*.c.
SIM_ENGINE := $(SIM_PURE) history reason \
	engine accept programs program programevent programnote links start giveup retired run runmain task hooks readiness health demand timers apply adopt planner \
	command op aim align rollout rolling changes programwords trial \
	transient amend runcall setcall setread enable persist keytable
SIM_LIB := $(SIM_PURE_LIB) ledger

SIM_SRC := $(wildcard tests/sim/*.c)
SIM_OBJ := $(SIM_SRC:%.c=$(O)/%.o)
SIM_REAL_OBJ := $(SIM_ENGINE:%=$(O)/tests/sim/real/supervisord/engine/%.o) $(SIM_LIB:%=$(O)/tests/sim/real/lib/%.o)
SIM_PURE_OBJ := $(SIM_PURE:%=$(O)/tests/sim/real/supervisord/engine/%.o) $(SIM_PURE_LIB:%=$(O)/tests/sim/real/lib/%.o)

# The linker puts __wrap_NAME of tests/sim in the place of NAME.
SIM_WRAPS := $(sort $(shell grep -ho '\<__wrap_[a-z0-9_]*' $(SIM_SRC)))
SIM_LDFLAGS = $(ALL_LDFLAGS) $(SIM_WRAPS:__wrap_%=-Wl,--wrap=%)

LIBS_sim := $(call pkg_libs,libbsd jansson) -lm

# A hook in every basic block of the others (steps.c).  Without the checks of glibc's headers, which call other functions than those that are wrapped.
SIM_HOOKS := -fsanitize-coverage=trace-pc
SIM_PLAIN := -U_FORTIFY_SOURCE -fno-stack-protector -DLIMIT_ROWS=256 -DLIMIT_EVENTS=64 -DLIMIT_RUNS=4 -DLIMIT_LAST_WORDS=4 -DLIMIT_CHANGES=8

# Schedules of sim-long.
SIM_COUNT ?= 5000000

$(SIM_OBJ) $(SIM_REAL_OBJ): $(O)/gen/flags
$(SIM_OBJ): ALL_CFLAGS += $(SIM_PLAIN)
$(SIM_PURE_OBJ): SIM_HOOKS :=

$(O)/tests/sim/real/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(SIM_PLAIN) $(SIM_HOOKS) -c -o $@ $<

$(O)/tests/sim/sim: $(SIM_OBJ) $(SIM_REAL_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(SIM_LDFLAGS) -o $@ $^ $(LIBS_sim)

# One executable a row of tests/sim/mutants.list.  Not optimized: most of them run a hundred schedules.
SIM_MUTANTS := $(patsubst %,$(O)/tests/sim/mutants/%,$(shell tests/sim/mutants list))

$(SIM_MUTANTS): $(O)/tests/sim/mutants/%: tests/sim/mutants tests/sim/mutants.list $(SIM_OBJ) $(SIM_REAL_OBJ)
	$(call say,SED)
	$(Q)CC='$(CC)' O='$(O)' SIM_CFLAGS='$(subst ','\'',$(ALL_CPPFLAGS) $(filter-out -MMD -MP -g,$(ALL_CFLAGS)) $(SIM_PLAIN) -O0)' \
		SIM_HOOKS='$(SIM_HOOKS)' SIM_PURE='$(SIM_PURE_OBJ)' \
		SIM_LDFLAGS='$(SIM_LDFLAGS) -Wl,-S' SIM_LIBS='$(LIBS_sim)' tests/sim/mutants build $* $(SIM_OBJ) $(SIM_REAL_OBJ)

tests: $(O)/tests/sim/sim $(SIM_MUTANTS)

sim-long: $(O)/tests/sim/sim ## millions of schedules of the simulator (SIM_COUNT=...)
	$(O)/tests/sim/sim --from 1000000 --count $(SIM_COUNT)

.PHONY: sim-long
