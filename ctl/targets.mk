# SPDX-License-Identifier: ISC
# superctl's completion files for shells.  Included by packaging/targets.mk.

# The generator runs on the machine that builds; it has superctl's tables in it.
COMPLETION_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard ctl/completion/*.c))
COMPLETIONS := $(O)/completion/superctl $(O)/completion/_superctl $(O)/completion/superctl.fish
SHELL_OF_superctl := bash
SHELL_OF__superctl := zsh
SHELL_OF_superctl.fish := fish

$(COMPLETION_OBJ): $(O)/gen/flags
$(O)/ctl/completion/generate: $(COMPLETION_OBJ) $(O)/libctl.a $(O)/liblib.a
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_ctl)

$(COMPLETIONS): $(O)/ctl/completion/generate
	@mkdir -p $(@D)
	$(Q)$(O)/ctl/completion/generate $(SHELL_OF_$(@F)) >$@

all: $(COMPLETIONS)

bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir  ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d
