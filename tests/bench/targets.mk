# SPDX-License-Identifier: ISC
# make bench [QUICK=1]: see tests/bench/README.md.  Not a test: it fails only when the harness itself does.
comma := ,
BENCH_TOOLS := $(addprefix $(O)/tests/bench/,stamp bare launch killer runtime gone arrival)

# The measured program is linked without a C library where tiny.c knows how: the smallest exec there is.
BENCH_TINY := $(if $(SAN),,$(filter x86_64-% aarch64-%,$(shell $(CC) -dumpmachine)))
$(O)/tests/bench/stamp.o $(O)/tests/bench/tiny.o: override CFLAGS += \
	$(if $(BENCH_TINY),-ffreestanding -U_FORTIFY_SOURCE -fno-stack-protector -fno-sanitize=all)

$(O)/tests/bench/stamp: $(O)/tests/bench/stamp.o $(if $(BENCH_TINY),$(O)/tests/bench/tiny.o)
	$(CC) $(if $(BENCH_TINY),-static -nostdlib -Wl$(comma)-z$(comma)noseparate-code$(comma)-z$(comma)noexecstack,$(ALL_LDFLAGS)) -o $@ $^

$(O)/tests/bench/bare $(O)/tests/bench/launch $(O)/tests/bench/killer $(O)/tests/bench/arrival: $(O)/tests/bench/%: $(O)/tests/bench/%.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(O)/tests/bench/runtime $(O)/tests/bench/gone: $(O)/tests/bench/%: $(O)/tests/bench/%.o $(O)/tests/bench/client.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^

bench-tools: $(BENCH_TOOLS)

# BENCH_ARGS: see tests/bench/run.py --help.
bench: all bench-tools $(O)/tests/sim/sim ## measure beside a bare loop and the peers that are installed (QUICK=1: a short run)
	-@! command -v npm >/dev/null || tests/e2e/node/fetch -d $(O)/npm pm2
	tests/bench/run.py --build $(O) $(if $(QUICK),--quick) $(BENCH_ARGS)

bench-control: all ## figures of the control socket: status, a crowd, round trips, memory over 100,000 commands
	tests/bench/control.py --build $(O) $(BENCH_ARGS)

.PHONY: bench bench-control bench-tools
