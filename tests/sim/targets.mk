# SPDX-License-Identifier: ISC
# The simulator of the decision core (tests/sim/world.h), and mutants of the core that it must catch.
SIM_CORE := transition step depend backoff policy order
SIM_SRC := $(wildcard tests/sim/*.c)
SIM_OBJ := $(SIM_SRC:%.c=$(O)/%.o)
SIM_CORE_OBJ := $(SIM_CORE:%=$(O)/supervisord/engine/%.o)
# Schedules of sim-long.
SIM_COUNT ?= 10000000

$(SIM_OBJ): $(O)/gen/flags

$(O)/tests/sim/sim: $(SIM_OBJ) $(SIM_CORE_OBJ)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

# One executable a row of tests/sim/mutants.list.
$(O)/tests/sim/mutants/built: tests/sim/mutants tests/sim/mutants.list $(SIM_CORE:%=supervisord/engine/%.c) $(O)/tests/sim/sim
	$(Q)CC='$(CC)' O='$(O)' SIM_CFLAGS='$(subst ','\'',$(ALL_CPPFLAGS) $(filter-out -MMD -MP,$(ALL_CFLAGS)))' \
		SIM_LDFLAGS='$(ALL_LDFLAGS)' tests/sim/mutants build $(SIM_CORE)
	@touch $@

tests: $(O)/tests/sim/sim $(O)/tests/sim/mutants/built

sim-long: $(O)/tests/sim/sim ## millions of schedules of the simulator (SIM_COUNT=...)
	$(O)/tests/sim/sim --from 1000000 --count $(SIM_COUNT)

.PHONY: sim-long
