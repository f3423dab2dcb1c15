# SPDX-License-Identifier: ISC
# supervisord: one Makefile, no recursion.  `make help` lists the targets; config.mk overrides variables.
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
-include config.mk

VERSION := $(shell sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' NEWS.md | head -n 1)

# Output folder; a second configuration is built beside the first: make O=build-clang CC=clang
O ?= build

PREFIX        ?= /usr/local
prefix        ?= $(PREFIX)
exec_prefix   ?= $(prefix)
bindir        ?= $(exec_prefix)/bin
sbindir       ?= $(exec_prefix)/sbin
libexecdir    ?= $(exec_prefix)/libexec
datarootdir   ?= $(prefix)/share
datadir       ?= $(datarootdir)
mandir        ?= $(datarootdir)/man
docdir        ?= $(datarootdir)/doc/supervisord
# A system prefix keeps its configuration and state in the system's places.
sysconfdir    ?= $(if $(filter /usr,$(prefix)),/etc,$(prefix)/etc)
localstatedir ?= $(if $(filter /usr,$(prefix)),/var,$(prefix)/var)
runstatedir   ?= /run
systemdsystemunitdir ?= $(exec_prefix)/lib/systemd/system

pkglibexecdir = $(libexecdir)/supervisord
pkgsysconfdir = $(sysconfdir)/supervisord
pkgdatadir    = $(datadir)/supervisord

INSTALL         ?= install
INSTALL_PROGRAM ?= $(INSTALL) -m 755
INSTALL_DATA    ?= $(INSTALL) -m 644
CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config

# ---- flags -------------------------------------------------------------------------------------
comma := ,
cc_accepts = $(shell echo 'int main(void){return 0;}' | $(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo '$(1)')

# The same of the linker, and what it makes starts here: some C libraries do not know it (or this is no machine of that kind).
ld_accepts = $(shell d=$$(mktemp -d) && echo 'int main(void){return 0;}' | $(CC) -fPIE -pie $(1) -x c -o $$d/a - 2>/dev/null && $$d/a && echo '$(1)'; rm -rf "$$d")

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference
ifneq ($(CI)$(WERROR),)
WARNINGS += -Werror
endif

# `make SAN=1` (what check-asan does) builds everything with AddressSanitizer and UBSan.
ifdef SAN
HARDENING := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LINK_HARDENING := -fsanitize=address,undefined
else
HARDENING := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	$(call cc_accepts,-fstack-clash-protection) $(call cc_accepts,-fcf-protection=full) -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
# Nobody unwinds in a running process; debuggers have .debug_frame.  An eighth of the engine.
SIZE := -fno-asynchronous-unwind-tables
# All of an image that was ever run through stays in memory, and these two are never busy with themselves.
$(O)/supervisord/engine/%.o $(O)/supervisord/guardian/%.o: SIZE += -Os
# The table of keys alone is a thousand pointers: 24 bytes each, or a bit.
LINK_SIZE := $(call ld_accepts,-Wl$(comma)-z$(comma)pack-relative-relocs)
endif

pkg_cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pkg_libs   = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

DEFINES := -DSUPERVISORD_VERSION='"$(VERSION)"' -DPKGLIBEXECDIR='"$(pkglibexecdir)"' \
	-DPKGSYSCONFDIR='"$(pkgsysconfdir)"' -DLOCALSTATEDIR='"$(localstatedir)"' -DRUNSTATEDIR='"$(runstatedir)"'
ALL_CPPFLAGS = -I. $(DEFINES) $(CPPFLAGS)
ALL_CFLAGS   = -std=gnu17 -g $(WARNINGS) $(HARDENING) $(SIZE) -ffile-prefix-map=$(CURDIR)=. -MMD -MP $(CFLAGS)
ALL_LDFLAGS  = $(LINK_HARDENING) $(LINK_SIZE) $(LDFLAGS)

# `make V=1` shows the commands.
ifdef V
say =
Q :=
else
say = @printf '  %-4s %s\n' '$(1)' '$(patsubst $(O)/%,%,$@)'
Q := @
endif

# ---- what is built of what ---------------------------------------------------------------------
# A component is a folder; its link line is its trust boundary.
COMPONENTS := lib guardian engine logger cluster terminal ctl shell top hello
DIR_lib := lib
DIR_guardian := supervisord/guardian
DIR_engine := supervisord/engine
DIR_logger := supervisord/logger
DIR_cluster := supervisord/cluster
DIR_terminal := supervisord/terminal
DIR_ctl := ctl
DIR_shell := ctl/shell
DIR_top := ctl/top
DIR_hello := hello

OUT_guardian := $(O)/sbin/supervisord
OUT_engine := $(O)/libexec/supervisord/engine
OUT_logger := $(O)/libexec/supervisord/logger
OUT_cluster := $(O)/libexec/supervisord/cluster
OUT_terminal := $(O)/libexec/supervisord/terminal
OUT_ctl := $(O)/bin/superctl
OUT_shell := $(O)/libexec/supervisord/superctl-shell
OUT_top := $(O)/libexec/supervisord/superctl-top
OUT_hello := $(O)/libexec/supervisord/hello

LIBS_guardian :=
LIBS_engine := $(call pkg_libs,libconfuse libbsd jansson) -lev -lm -pthread
LIBS_logger := $(call pkg_libs,zlib libzstd)
LIBS_cluster :=
LIBS_terminal :=
LIBS_ctl := $(call pkg_libs,libbsd jansson)
LIBS_shell := $(LIBS_ctl) $(call pkg_libs,libedit)
LIBS_top := $(LIBS_ctl) $(call pkg_libs,ncursesw)
LIBS_hello :=
LIBS_lib := $(call pkg_libs,libbsd)

PROGRAMS := $(OUT_guardian) $(OUT_engine) $(OUT_logger) $(OUT_cluster) $(OUT_terminal) $(OUT_ctl) $(OUT_shell) $(OUT_top) $(OUT_hello)

# What a component is built of besides lib/: these two are superctl, and more.
USES_shell := $(O)/libctl.a
USES_top := $(O)/libctl.a

# What Node workers load, beside the primary.
OUT_worker := $(O)/libexec/supervisord/worker.cjs

all: $(PROGRAMS) $(OUT_worker)

$(OUT_worker): supervisord/cluster/worker.cjs
	@mkdir -p $(@D)
	$(Q)cp $< $@

# $(1) component: its objects (all but main.o go into an archive that the unit tests link too).
define COMPONENT
SRC_$(1) := $$(wildcard $$(DIR_$(1))/*.c)
OBJ_$(1) := $$(SRC_$(1):%.c=$(O)/%.o)
$(O)/lib$(1).a: $$(filter-out %/main.o,$$(OBJ_$(1)))
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
ifneq ($(1),lib)
$$(OUT_$(1)): $(O)/$$(DIR_$(1))/main.o $(O)/lib$(1).a $$(USES_$(1)) $(O)/liblib.a
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS_$(1)) $$(LDLIBS)
endif
endef
$(foreach c,$(COMPONENTS),$(eval $(call COMPONENT,$(c))))

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The interface text is served by the engine (GetInterfaceDescription).
$(O)/gen/interface.inc: lib/io.superctl.varlink
	@mkdir -p $(@D)
	$(Q)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< >$@
$(O)/supervisord/engine/%.o: ALL_CPPFLAGS += -I$(O)/gen
$(O)/supervisord/engine/api.o: $(O)/gen/interface.inc
$(O)/tests/unit/engine/api_test.o: ALL_CPPFLAGS += -I$(O)/gen
$(O)/tests/unit/engine/api_test.o: $(O)/gen/interface.inc

-include $(shell find $(O) -type f -name '*.d' ! -path '*/deb/*' 2>/dev/null)

# ---- tests -------------------------------------------------------------------------------------
# tests/unit/COMPONENT/MODULE_test.c links the archive of that component.
UNIT_SRC := $(wildcard tests/unit/*/*_test.c)
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%)
TEST_PROGRAM_SRC := $(wildcard tests/programs/*.c)
TEST_PROGRAMS := $(TEST_PROGRAM_SRC:%.c=$(O)/%)
TEST_PRELOADS := $(patsubst %.c,$(O)/%.so,$(wildcard tests/preload/*.c))

define UNIT_RULE
$(O)/tests/unit/$(1)/%_test: $(O)/tests/unit/$(1)/%_test.o $(O)/lib$(1).a $$(USES_$(1)) $(O)/liblib.a
	$$(call say,LINK)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS_$(1)) -lcmocka
endef
$(foreach c,$(COMPONENTS),$(eval $(call UNIT_RULE,$(c))))

# It reads the same with jansson.
$(O)/tests/unit/lib/jsonr_test: LIBS_lib += $(call pkg_libs,jansson)

comma := ,
# What needs the loop is put in its place by this.
$(O)/tests/unit/engine/controlplace_test: ALL_LDFLAGS += -Wl,--wrap=control_free_if_dead
# What is applied is looked at, in place of being done.
UNIT_APPLY := trial enable ipc runcall scale setcall transient
$(UNIT_APPLY:%=$(O)/tests/unit/engine/%_test): ALL_LDFLAGS += -Wl,--wrap=apply_config
# Starts are counted, connections only given.
$(O)/tests/unit/engine/onevent_test: ALL_LDFLAGS += -Wl,--wrap=program_start
$(O)/tests/unit/engine/accept_test: ALL_LDFLAGS += -Wl,--wrap=program_event
$(O)/tests/unit/engine/ipc_test $(O)/tests/unit/engine/cluster_test: ALL_LDFLAGS += -Wl,--wrap=program_note_ready
$(O)/tests/unit/engine/cluster_test: ALL_LDFLAGS += -Wl,--wrap=program_fail
# Those that refuse memory do it by this; tests/unit/refusal.h any of it.
$(O)/tests/unit/engine/task_test $(O)/tests/unit/engine/readiness_test: ALL_LDFLAGS += -Wl,--wrap=calloc
UNIT_REFUSAL := confpack enable runcall scale setcall sockets transient
$(O)/tests/unit/engine/setcall_test: ALL_LDFLAGS += -Wl,--wrap=fsync
$(UNIT_REFUSAL:%=$(O)/tests/unit/engine/%_test): ALL_LDFLAGS += \
	$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc reallocarray strdup)
$(O)/tests/unit/logger/timesearch_test: ALL_LDFLAGS += -Wl,--wrap=pread

$(O)/tests/programs/%: $(O)/tests/programs/%.o
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PROGRAM_LIBS)
$(O)/tests/programs/json_field: PROGRAM_LIBS := $(call pkg_libs,jansson)
.PRECIOUS: $(O)/%.o

# Without sanitizers: they are the business of what it is loaded into.
$(O)/tests/preload/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(filter-out -fPIE -fsanitize%,$(ALL_CFLAGS)) -fPIC -shared \
		$(filter-out -pie -fsanitize%,$(ALL_LDFLAGS)) -o $@ $<

tests: all $(UNIT_BIN) $(TEST_PROGRAMS) $(TEST_PRELOADS)
unit: $(UNIT_BIN)
	O=$(O) tests/run unit
programs: all $(TEST_PROGRAMS) $(TEST_PRELOADS)

-include packaging/targets.mk

.PHONY: all tests unit programs
