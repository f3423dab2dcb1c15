# SPDX-License-Identifier: ISC
# Everything but compiling: run, check, lint, install, package.  Included by the Makefile.
#
# What depends on installed libraries is made by a second make: the first one has asked pkg-config before
# packaging/install-deps had a chance to install them.
-include man/targets.mk
-include ctl/targets.mk
-include tests/bench/targets.mk
-include tests/fuzz/targets.mk

SUBMAKE = +@$(MAKE) --no-print-directory
ASAN_O ?= build-asan
# Tests to run: all, or unit, e2e, checks, files (see tests/run).
TESTS ?=
# Checks of lint: all, or format, tidy, cppcheck, man, shell (see tests/lint).
LINTS ?=

MAN_SRC = $(sort $(wildcard man/*.[1-8]))

ifneq ($(wildcard man/supervisord.conf.5.in),)
GENERATED_MAN := $(O)/man/supervisord.conf.5
endif
man: $(GENERATED_MAN) ## the generated manual pages

# Objects depend on how they are compiled: another PREFIX, CC or SAN in the same output folder compiles anew.
$(foreach c,$(COMPONENTS),$(OBJ_$(c))) $(UNIT_SRC:%.c=$(O)/%.o) $(TEST_PROGRAM_SRC:%.c=$(O)/%.o): $(O)/gen/flags
COMPILE_LINE = $(CC) $(DEFINES) $(CPPFLAGS) $(filter-out -Werror,$(ALL_CFLAGS)) $(ALL_LDFLAGS)
$(O)/gen/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE_LINE))' >$@.new
	@if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi

run: ## build, then run supervisord with the hello worker in the foreground
	@packaging/install-deps build
	$(SUBMAKE) all
	@exec env O='$(O)' packaging/run-dev

check: ## build, then run every test (TESTS=... for some)
	@packaging/install-deps build test real $(if $(and $(shell command -v apt-get),$(filter 0,$(shell id -u))),deb)
	$(SUBMAKE) tests man
	@[ -n '$(TESTS)' ] || O='$(O)' tests/e2e/node/fetch express ws || echo 'check: without express and ws from npm, their tests are skipped'
	@O='$(O)' CC='$(CC)' tests/run $(TESTS)

check-asan: ## the same with AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan
	@packaging/install-deps build test asan
	$(SUBMAKE) SAN=1 O='$(ASAN_O)' tests man
	@SAN=1 O='$(ASAN_O)' CC='$(CC)' tests/run $(TESTS)

lint: ## clang-format on changed lines, clang-tidy, cppcheck, mandoc, shellcheck
	@packaging/install-deps build lint
	$(SUBMAKE) man $(O)/gen/interface.inc $(O)/gen/keys.inc
	@O='$(O)' LINT_CPPFLAGS='$(subst ','\'',-I$(O)/gen $(ALL_CPPFLAGS))' tests/lint $(LINTS)

# ---- installing --------------------------------------------------------------------------------
UNIT_FILE    := $(O)/packaging/supervisord.service
OPENRC_FILE  := $(O)/packaging/supervisord.openrc
initddir     ?= $(sysconfdir)/init.d

SUBSTITUTE = sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@bindir@|$(bindir)|g' \
	-e 's|@pkgsysconfdir@|$(pkgsysconfdir)|g' -e 's|@runstatedir@|$(runstatedir)|g'

$(UNIT_FILE): packaging/systemd/supervisord.service.in FORCE
$(OPENRC_FILE): packaging/openrc/supervisord.in FORCE
$(UNIT_FILE) $(OPENRC_FILE):
	@mkdir -p $(@D)
	$(SUBSTITUTE) $< >$@

# What the packager or the administrator has edited is never overwritten: a differing file comes as NAME.new beside it.
# $(1) source, $(2) place
define INSTALL_CONFIG
@if [ ! -e '$(DESTDIR)$(2)' ]; then \
	echo $(INSTALL_DATA) $(1) '$(DESTDIR)$(2)'; $(INSTALL_DATA) $(1) '$(DESTDIR)$(2)'; \
elif cmp -s $(1) '$(DESTDIR)$(2)'; then \
	rm -f '$(DESTDIR)$(2).new'; \
else \
	echo '$(DESTDIR)$(2) was changed here; the new one is $(DESTDIR)$(2).new'; \
	$(INSTALL_DATA) $(1) '$(DESTDIR)$(2).new'; \
fi

endef

INSTALL_DIRS = $(sbindir) $(bindir) $(pkglibexecdir) $(mandir)/man1 $(mandir)/man5 $(mandir)/man8 \
	$(pkgsysconfdir)/conf.d $(systemdsystemunitdir) $(initddir) $(docdir) \
	$(bashcompletiondir) $(zshcompletiondir) $(fishcompletiondir)
DOCS = $(wildcard README.md DESIGN.md NEWS.md)

install: all man $(UNIT_FILE) $(OPENRC_FILE) ## install below DESTDIR and PREFIX (GNU directory variables)
	@mkdir -p $(foreach dir,$(INSTALL_DIRS),'$(DESTDIR)$(dir)')
	$(INSTALL_PROGRAM) $(OUT_guardian) '$(DESTDIR)$(sbindir)/supervisord'
	$(INSTALL_PROGRAM) $(OUT_ctl) '$(DESTDIR)$(bindir)/superctl'
	$(INSTALL_PROGRAM) $(OUT_engine) $(OUT_logger) $(OUT_cluster) $(OUT_terminal) $(OUT_hello) \
		$(OUT_shell) $(OUT_top) '$(DESTDIR)$(pkglibexecdir)/'
	$(INSTALL_DATA) $(OUT_worker) '$(DESTDIR)$(pkglibexecdir)/'
	$(INSTALL_DATA) $(O)/completion/superctl '$(DESTDIR)$(bashcompletiondir)/'
	$(INSTALL_DATA) $(O)/completion/_superctl '$(DESTDIR)$(zshcompletiondir)/'
	$(INSTALL_DATA) $(O)/completion/superctl.fish '$(DESTDIR)$(fishcompletiondir)/'
	$(foreach n,1 5 8,$(call INSTALL_MAN,$(n)))
	$(call INSTALL_CONFIG,conf.d/supervisord.conf,$(pkgsysconfdir)/supervisord.conf)
	$(call INSTALL_CONFIG,conf.d/hello.conf,$(pkgsysconfdir)/conf.d/hello.conf)
	$(INSTALL_DATA) $(UNIT_FILE) '$(DESTDIR)$(systemdsystemunitdir)/supervisord.service'
	$(INSTALL_PROGRAM) $(OPENRC_FILE) '$(DESTDIR)$(initddir)/supervisord'
	$(INSTALL_DATA) $(DOCS) '$(DESTDIR)$(docdir)/'

# $(1) section
define INSTALL_MAN
$(if $(filter %.$(1),$(INSTALLED_MAN)),$(INSTALL_DATA) $(filter %.$(1),$(INSTALLED_MAN)) '$(DESTDIR)$(mandir)/man$(1)/')

endef
INSTALLED_MAN = $(MAN_SRC) $(GENERATED_MAN)

# Configuration that differs from what is shipped stays, and so do logs.
uninstall: ## remove what install put there; edited configuration stays
	rm -f '$(DESTDIR)$(sbindir)/supervisord' '$(DESTDIR)$(bindir)/superctl'
	rm -f $(foreach p,engine logger cluster terminal hello superctl-shell superctl-top worker.cjs,'$(DESTDIR)$(pkglibexecdir)/$(p)')
	rm -f '$(DESTDIR)$(bashcompletiondir)/superctl' '$(DESTDIR)$(zshcompletiondir)/_superctl' \
		'$(DESTDIR)$(fishcompletiondir)/superctl.fish'
	rm -f $(foreach m,$(INSTALLED_MAN),'$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))')
	rm -f '$(DESTDIR)$(systemdsystemunitdir)/supervisord.service' '$(DESTDIR)$(initddir)/supervisord'
	rm -f $(foreach d,$(DOCS),'$(DESTDIR)$(docdir)/$(d)')
	$(call UNINSTALL_CONFIG,conf.d/supervisord.conf,$(pkgsysconfdir)/supervisord.conf)
	$(call UNINSTALL_CONFIG,conf.d/hello.conf,$(pkgsysconfdir)/conf.d/hello.conf)
	-@rmdir '$(DESTDIR)$(pkgsysconfdir)/conf.d' '$(DESTDIR)$(pkgsysconfdir)' '$(DESTDIR)$(pkglibexecdir)' \
		'$(DESTDIR)$(docdir)' 2>/dev/null || true

define UNINSTALL_CONFIG
@rm -f '$(DESTDIR)$(2).new'; if cmp -s $(1) '$(DESTDIR)$(2)'; then \
	echo rm -f '$(DESTDIR)$(2)'; rm -f '$(DESTDIR)$(2)'; \
elif [ -e '$(DESTDIR)$(2)' ]; then echo '$(DESTDIR)$(2) was changed here and stays'; fi

endef

# ---- packages ----------------------------------------------------------------------------------
deb: ## build the Debian package with dpkg-buildpackage; it is left in the output folder
	@packaging/install-deps build deb
	@O='$(O)' packaging/build-deb

dist: ## source archive of the last commit
	@mkdir -p $(O)
	git archive --format=tar.gz --prefix=supervisord-$(VERSION)/ -o $(O)/supervisord-$(VERSION).tar.gz HEAD
	@echo $(O)/supervisord-$(VERSION).tar.gz

clean: ## remove the output folders
	rm -rf $(O) $(ASAN_O)

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo '  O=DIR CC=CC SAN=1 DESTDIR= PREFIX=/usr/local    and config.mk: variables'

-include tests/sim/targets.mk
-include tests/fault/targets.mk
-include tests/pauses/targets.mk

FORCE:

.PHONY: man run check check-asan lint install uninstall deb dist clean help FORCE
