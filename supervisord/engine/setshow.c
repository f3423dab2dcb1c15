/* SPDX-License-Identifier: ISC */
/* setshow.c: what is overridden, for those who ask; see setcall.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/keytable.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/setcall.h"
#include "supervisord/engine/value.h"

static void show_program(struct call *call, const struct program_config *config);
static void write_value(struct jsonw *w, const struct program_config *config, size_t key);

void setcall_show(struct call *call)
{
	static const char *const names[] = {"names", NULL};
	struct selection selection;
	char last[LIMIT_NAME] = "";

	if (!call_allows(call, names) || !selection_read(call, false, &selection))
		return;
	call_begin_reply(call);
	jsonw_key(&call->w, "overrides");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < selection.count; i++) {
		struct instname parts;

		/* Instances of a stanza stand side by side, and have the same. */
		instname_split(selection.list[i]->config->name, &parts);
		if (strcmp(parts.program, last) != 0)
			show_program(call, selection.list[i]->config);
		(void)snprintf(last, sizeof(last), "%s", parts.program);
	}
	jsonw_end_array(&call->w);
	if (jsonw_error(&call->w) < 0) {
		jsonw_reset(&call->w);
		call_out_of_memory(call);
	} else {
		call_end_reply(call);
	}
	selection_done(&selection);
}

static void show_program(struct call *call, const struct program_config *config)
{
	struct instname parts;

	instname_split(config->name, &parts);
	for (uint32_t i = 0; i < config->override_count; i++) {
		const struct program_override *override = &config->overrides[i];
		const struct key_row *row = &program_rows[override->key];
		bool set = config_is_set(override);
		char buffer[KEYTABLE_LABEL];

		jsonw_begin_object(&call->w);
		jsonw_member_string(&call->w, "name", parts.program);
		jsonw_member_string(&call->w, "key", keytable_label(row, buffer));
		write_value(&call->w, config, override->key);
		jsonw_member_string(&call->w, "by", set ? "set" : "file");
		jsonw_member_string(&call->w, "file", set ? NULL : override->file);
		if (set)
			jsonw_member_null(&call->w, "line");
		else
			jsonw_member_int(&call->w, "line", override->line);
		jsonw_end_object(&call->w);
	}
}

/* As it is in force, and could stand in a file. */
static void write_value(struct jsonw *w, const struct program_config *config, size_t key)
{
	const struct key_row *row = &program_rows[key];
	const char *owner =
	    row->part == PART_LIFE ? (const char *)config->life : (const char *)config;
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	jsonw_key(w, "value");
	if (file == NULL) {
		jsonw_string(w, "");
		return;
	}
	value_write(row, owner + row->offset, file);
	if (fclose(file) == 0)
		jsonw_string_n(w, text, length);
	else
		jsonw_string(w, "");
	free(text);
}
