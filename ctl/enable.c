/* SPDX-License-Identifier: ISC */
/* enable.c: superctl enable and disable: whether programs are started with supervisord. */
#include <stdio.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/stanzas.h"
#include "lib/limits.h"

/* Of one program. */
struct enabling {
	const char *name;
	bool enable;
	bool json;
	struct jsonw *w; /* its record, with `json` */
};

static enum exitcode enable_all(struct ctl *ctl, bool enable);
static enum exitcode enable_one(struct ctl *ctl, const char *name, bool enable, struct jsonw *w);
static enum exitcode on_enabled(struct call *call, int parameters, void *context);
static void tell(
    const struct enabling *enabling, struct out *out, bool changed, const char *file, int64_t line);

enum exitcode ctl_enable(struct ctl *ctl)
{
	enum exitcode code = enable_all(ctl, true);

	return ctl->options.set & OPTION_NOW ? exitcode_join(code, ctl_start(ctl)) : code;
}

enum exitcode ctl_disable(struct ctl *ctl)
{
	enum exitcode code = enable_all(ctl, false);

	return ctl->options.set & OPTION_NOW ? exitcode_join(code, ctl_stop(ctl)) : code;
}

static enum exitcode enable_all(struct ctl *ctl, bool enable)
{
	bool json = (ctl->options.set & OPTION_JSON) != 0 && (ctl->options.set & OPTION_NOW) == 0;
	const char *separator = "[\n";
	struct stanzas stanzas;
	enum exitcode code = stanzas_find(ctl, false, &stanzas);
	struct jsonw w;

	jsonw_init(&w, LIMIT_VARLINK_BYTES);
	for (size_t i = 0; i < stanzas.count; i++) {
		jsonw_reset(&w);
		code = exitcode_join(code, enable_one(ctl, stanzas.list[i].name, enable, &w));
		if (!json || w.length == 0)
			continue;
		out_string(&ctl->out, separator);
		out_bytes(&ctl->out, w.data, w.length);
		separator = ",\n";
	}
	if (json)
		out_string(&ctl->out, separator[0] == '[' ? "[]\n" : "\n]\n");
	out_flush(&ctl->out);
	jsonw_done(&w);
	stanzas_done(&stanzas);
	return code;
}

static enum exitcode enable_one(struct ctl *ctl, const char *name, bool enable, struct jsonw *w)
{
	struct enabling enabling = {
	    .name = name, .enable = enable, .json = (ctl->options.set & OPTION_JSON) != 0, .w = w};
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Enable", false);
	jsonw_member_string(&call.request, "name", name);
	jsonw_member_bool(&call.request, "enabled", enable);
	call.on_reply = on_enabled;
	call.context = &enabling;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_enabled(struct call *call, int parameters, void *context)
{
	const struct enabling *enabling = context;
	struct jsonr *reply = &call->reply;
	bool changed = jsonr_bool(reply, jsonr_member(reply, parameters, "changed"), true);
	const char *file = jsonr_text(reply, jsonr_member(reply, parameters, "file"), "");
	int64_t line = jsonr_int(reply, jsonr_member(reply, parameters, "line"), 0);

	if (!enabling->json) {
		tell(enabling, &call->ctl->out, changed, file, line);
		return EXITCODE_OK;
	}
	jsonw_begin_object(enabling->w);
	jsonw_member_string(enabling->w, "name", enabling->name);
	jsonw_member_bool(enabling->w, "enabled", enabling->enable);
	jsonw_member_bool(enabling->w, "changed", changed);
	jsonw_member_string(enabling->w, "file", file[0] != '\0' ? file : NULL);
	jsonw_end_object(enabling->w);
	return EXITCODE_OK;
}

static void tell(
    const struct enabling *enabling, struct out *out, bool changed, const char *file, int64_t line)
{
	out_text(out, enabling->name, 0);
	out_string(out, enabling->enable ? ": enabled" : ": disabled");
	if (!changed)
		out_string(out, " already");
	if (file[0] != '\0') {
		out_string(out, changed ? ": written to " : ", by ");
		out_text(out, file, 0);
		if (!changed && line > 0)
			out_format(out, ":%lld", (long long)line);
	} else if (changed) {
		out_string(out, ": its stanza says so itself");
	}
	out_string(out, "\n");
}
