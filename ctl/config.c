/* SPDX-License-Identifier: ISC */
/*
 * config.c: superctl config: the stanzas that are applied, and what may stand in one.
 *
 * What is applied only the daemon knows; the keys are known without one.
 */
#include <string.h>

#include "ctl/call.h"
#include "ctl/jsonout.h"
#include "ctl/keys.h"
#include "lib/jsonw.h"
#include "lib/limits.h"

#define HEALTH "health."

static enum exitcode show(struct ctl *ctl);
static enum exitcode on_stanzas(struct call *call, int parameters, void *context);
static void print_stanza(struct call *call, int stanza);
static void print_values(struct call *call, int values, bool bare);
static enum exitcode list_keys(struct ctl *ctl);
static enum exitcode list_defaults(struct ctl *ctl);

static const struct about {
	const char *word;
	enum exitcode (*run)(struct ctl *ctl);
} abouts[] = {
    {"show", show},
    {"keys", list_keys},
    {"defaults", list_defaults},
};

enum exitcode ctl_config(struct ctl *ctl)
{
	const char *word = ctl->options.names[0];

	for (size_t i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++)
		if (strcmp(abouts[i].word, word) == 0)
			return abouts[i].run(ctl);
	ctl_complain(ctl, "config: %s: show, keys or defaults is allowed", word);
	return EXITCODE_USAGE;
}

/* ---- what is applied ------------------------------------------------------------------------ */

static enum exitcode show(struct ctl *ctl)
{
	bool all = ctl->options.name_count > 1 || (ctl->options.set & OPTION_LONG) != 0;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Config", false);
	call_add_names(&call, 1);
	jsonw_member_bool(&call.request, "all", all);
	call.read_only = true;
	call.on_reply = on_stanzas;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_stanzas(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	int stanzas = jsonr_member(reply, parameters, "stanzas");
	bool first = true;

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		struct jsonout json = {0};

		jsonout_add(&json, &call->ctl->out, reply, stanzas);
		jsonout_end(&json, &call->ctl->out);
		return EXITCODE_OK;
	}
	for (int at = jsonr_first(reply, stanzas); at >= 0; at = jsonr_next(reply, stanzas, at)) {
		if (!first)
			out_string(&call->ctl->out, "\n");
		first = false;
		print_stanza(call, at);
	}
	return EXITCODE_OK;
}

/* As it could stand in a file. */
static void print_stanza(struct call *call, int stanza)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *kind = jsonr_text(reply, jsonr_member(reply, stanza, "kind"), "");
	const char *file = jsonr_text(reply, jsonr_member(reply, stanza, "file"), "");
	int64_t line = jsonr_int(reply, jsonr_member(reply, stanza, "line"), 0);
	int values = jsonr_member(reply, stanza, "values");
	bool bare = strcmp(kind, "settings") == 0;

	if (bare) {
		out_style(out, OUT_DIM);
		out_string(out, "# supervisord itself\n");
		out_style(out, OUT_PLAIN);
		print_values(call, values, true);
		return;
	}
	if (file[0] != '\0') {
		out_style(out, OUT_DIM);
		out_string(out, "# ");
		out_text(out, file, 0);
		out_format(out, ":%lld\n", (long long)line);
		out_style(out, OUT_PLAIN);
	}
	out_style(out, OUT_BOLD);
	out_text(out, kind, 0);
	out_string(out, " \"");
	out_text(out, jsonr_text(reply, jsonr_member(reply, stanza, "name"), "?"), 0);
	out_string(out, "\"");
	out_style(out, OUT_PLAIN);
	out_string(out, " {\n");
	print_values(call, values, false);
	out_string(out, "}\n");
}

/* Those of a section ("health.check") stand together, as the keys do in the engine's table. */
static void print_values(struct call *call, int values, bool bare)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *indent = bare ? "" : "\t", *section = "";
	size_t section_length = 0;

	for (int at = jsonr_first(reply, values); at >= 0; at = jsonr_next(reply, values, at)) {
		const char *key = jsonr_text(reply, jsonr_member(reply, at, "key"), "?");
		const char *value = jsonr_text(reply, jsonr_member(reply, at, "value"), "");
		bool given = jsonr_bool(reply, jsonr_member(reply, at, "given"), true);
		const char *override = jsonr_text(reply, jsonr_member(reply, at, "override"), "");
		const char *dot = strchr(key, '.');
		size_t length = dot != NULL ? (size_t)(dot - key) : 0;

		if (length != section_length || strncmp(key, section, length) != 0) {
			if (section_length > 0)
				out_format(out, "%s}\n", indent);
			if (length > 0)
				out_format(out, "%s%.*s {\n", indent, (int)length, key);
		}
		section = key;
		section_length = length;
		out_format(out, "%s%s", indent, length > 0 ? "\t" : "");
		if (!given)
			out_style(out, OUT_DIM);
		out_text(out, dot != NULL ? dot + 1 : key, 0);
		out_string(out, " = ");
		out_text(out, value, 0);
		out_string(out, given ? "" : "  # default");
		if (override[0] != '\0') {
			out_style(out, OUT_DIM);
			out_string(out, "  # override: ");
			out_text(out, override, 0);
			out_style(out, OUT_PLAIN);
		}
		if (!given)
			out_style(out, OUT_PLAIN);
		out_string(out, "\n");
	}
	if (section_length > 0)
		out_format(out, "%s}\n", indent);
}

/* ---- what may stand in a file --------------------------------------------------------------- */

static void write_key_json(struct jsonw *w, const struct key *key)
{
	jsonw_begin_object(w);
	jsonw_member_string(w, "stanza", key->stanza);
	jsonw_member_string(w, "key", key->name);
	jsonw_member_string(w, "takes", key->takes);
	jsonw_member_string(w, "default", key->def);
	jsonw_member_string(w, "change", key->change);
	jsonw_member_string(w, "help", key->help);
	jsonw_end_object(w);
}

static bool is_named(const struct options *options, const struct key *key)
{
	if (options->name_count == 1)
		return true;
	for (size_t i = 1; i < options->name_count; i++)
		if (strcmp(options->names[i], key->name) == 0)
			return true;
	return false;
}

/* An array with a record on each line; only those of `stanza`, if it is not NULL. */
static enum exitcode print_keys_json(struct ctl *ctl, const char *stanza)
{
	const char *separator = "\n";
	struct jsonw w;
	int error;

	jsonw_init(&w, LIMIT_CONTROL_QUEUE);
	out_string(&ctl->out, "[");
	for (size_t i = 0; i < keys_count; i++) {
		if (!is_named(&ctl->options, &keys_table[i]) ||
		    (stanza != NULL && strcmp(keys_table[i].stanza, stanza) != 0))
			continue;
		jsonw_reset(&w);
		write_key_json(&w, &keys_table[i]);
		out_string(&ctl->out, separator);
		out_bytes(&ctl->out, w.data, w.length);
		separator = ",\n";
	}
	out_string(&ctl->out, "\n]\n");
	error = jsonw_error(&w);
	jsonw_done(&w);
	if (error == 0)
		return EXITCODE_OK;
	ctl_complain(ctl, "cannot list the keys: %s", strerror(-error));
	return EXITCODE_FAILED;
}

/* One line a key: what the terminal is wide, of the help. */
static void print_key_line(struct out *out, const struct key *key, size_t name_width)
{
	const char *def = key->def != NULL ? key->def : "-";
	size_t width = strlen(def) < 11 ? 11 : strlen(def);
	size_t before = name_width + 2 + 8 + 2 + width + 2 + 10 + 2;

	out_style(out, OUT_BOLD);
	out_string(out, key->name);
	out_style(out, OUT_PLAIN);
	out_pad(out, name_width - strlen(key->name) + 2);
	out_format(out, "%-8s  %-11s  %-10s  ", key->stanza, def, key->change);
	out_text(out, key->help,
	    out->width > before + 20 ? out->width - before
	    : out->width > 0         ? 20
				     : 0);
	out_string(out, "\n");
}

/* All there is to say of a key. */
static void print_key(struct out *out, const struct key *key)
{
	static const struct {
		const char *change, *words;
	} changes[] = {
	    {"live", "takes effect at once"},
	    {"next-start", "takes effect with the next start"},
	    {"restart", "restarts the program"},
	};

	size_t start;

	out_style(out, OUT_BOLD);
	out_string(out, key->name);
	out_style(out, OUT_PLAIN);
	out_format(out, " (%s)\n", key->stanza);
	start = out->length;
	out_format(out, "  %s", key->help);
	out_end_line(out, start, 2);
	start = out->length;
	out_format(out, "  Value: %s.", key->takes);
	out_end_line(out, start, 4);
	if (key->def != NULL)
		out_format(out, "  Default: %s.\n", key->def);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].change, key->change) == 0)
			out_format(out, "  A change %s.\n", changes[i].words);
}

static enum exitcode check_keys(struct ctl *ctl)
{
	for (size_t i = 1; i < ctl->options.name_count; i++) {
		const char *name = ctl->options.names[i], *nearest;

		if (keys_find(name, keys_table) != NULL)
			continue;
		nearest = keys_nearest(name);
		if (nearest != NULL)
			ctl_complain(ctl, "%s: no such key: did you mean %s?", name, nearest);
		else
			ctl_complain(ctl, "%s: no such key: superctl config keys lists them", name);
		return EXITCODE_USAGE;
	}
	return EXITCODE_OK;
}

static enum exitcode list_keys(struct ctl *ctl)
{
	struct out *out = &ctl->out;
	enum exitcode code = check_keys(ctl);
	size_t width = strlen("KEY");

	if (code != EXITCODE_OK)
		return code;
	if (ctl->options.set & OPTION_JSON)
		return print_keys_json(ctl, NULL);
	for (size_t i = 0; i < keys_count; i++)
		if (strlen(keys_table[i].name) > width)
			width = strlen(keys_table[i].name);
	if (ctl->options.name_count == 1) {
		out_style(out, OUT_BOLD);
		out_format(out, "%-*s  %-8s  %-11s  %-10s  %s", (int)width, "KEY", "STANZA",
		    "DEFAULT", "CHANGE", "WHAT IT IS");
		out_style(out, OUT_PLAIN);
		out_string(out, "\n");
	}
	for (size_t i = 0; i < keys_count; i++) {
		if (!is_named(&ctl->options, &keys_table[i]))
			continue;
		if (ctl->options.name_count == 1)
			print_key_line(out, &keys_table[i], width);
		else
			print_key(out, &keys_table[i]);
	}
	return EXITCODE_OK;
}

/* A stanza `defaults` that changes nothing, to begin one's own with; what has no default is left
 * out. */
static enum exitcode list_defaults(struct ctl *ctl)
{
	struct out *out = &ctl->out;
	enum exitcode code = check_keys(ctl);
	bool in_health = false;

	if (code != EXITCODE_OK)
		return code;
	if (ctl->options.set & OPTION_JSON)
		return print_keys_json(ctl, "program");
	out_string(out, "defaults {\n");
	for (size_t i = 0; i < keys_count; i++) {
		const struct key *key = &keys_table[i];
		bool is_health = strncmp(key->name, HEALTH, strlen(HEALTH)) == 0;

		if (strcmp(key->stanza, "program") != 0 || key->def == NULL ||
		    !is_named(&ctl->options, key))
			continue;
		if (is_health != in_health)
			out_string(out, is_health ? "\thealth {\n" : "\t}\n");
		in_health = is_health;
		out_format(out, "%s%s = \"%s\"\n", is_health ? "\t\t" : "\t",
		    is_health ? key->name + strlen(HEALTH) : key->name, key->def);
	}
	out_string(out, in_health ? "\t}\n}\n" : "}\n");
	return EXITCODE_OK;
}
