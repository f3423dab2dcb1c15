# SPDX-License-Identifier: ISC
# supervisord.conf(5): its key list comes from supervisord/engine/keys.h.  Included by packaging/targets.mk.

# The generator runs on the machine that builds; it needs of the engine only the table and its types.
$(O)/man/keys: $(O)/man/keys.o $(O)/libengine.a $(O)/liblib.a
	$(call say,LINK)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_engine)

$(O)/man/supervisord.conf.5: man/supervisord.conf.5.in $(O)/man/keys
	$(call say,MAN)
	$(Q)$(O)/man/keys <$< >$@

# The same rows for superctl, which sees nothing of the engine.
$(O)/gen/keys.inc: $(O)/man/keys
	@mkdir -p $(@D)
	$(Q)$(O)/man/keys --rows >$@
$(O)/ctl/keys.o: $(O)/gen/keys.inc
$(O)/ctl/keys.o: ALL_CPPFLAGS += -I$(O)/gen
