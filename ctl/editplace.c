/* SPDX-License-Identifier: ISC */
/* editplace.c: see editplace.h. */
#define _GNU_SOURCE /* asprintf */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/editplace.h"

struct search {
	struct editplace *place;
	const char *name;
	char *include;
	bool several;
};

static enum exitcode ask_config(struct ctl *ctl, struct search *search, bool all);
static enum exitcode on_version(struct call *call, int parameters, void *context);
static enum exitcode on_stanzas(struct call *call, int parameters, void *context);
static enum exitcode on_missing(struct call *call, const char *name, int parameters, void *context);
static void take_stanza(struct call *call, int stanza, struct search *search);
static char *apply_pattern(
    const char *config, const char *pattern, size_t length, const char *name);

enum exitcode editplace_find(struct ctl *ctl, const char *name, struct editplace *ret_place)
{
	struct search search = {.place = ret_place, .name = name};
	enum exitcode code;
	struct call call;

	*ret_place = (struct editplace){.config = NULL};
	call_init(&call, ctl, "Version", false);
	call.read_only = true;
	call.on_reply = on_version;
	call.context = &search;
	code = call_run(&call);
	call_done(&call);
	if (code == EXITCODE_OK)
		code = ask_config(ctl, &search, false);
	if (code == EXITCODE_OK && ret_place->file == NULL && search.several) {
		ctl_complain(ctl, "edit: %s: is not one program: the name of one is needed", name);
		code = EXITCODE_USAGE;
	} else if (code == EXITCODE_OK && ret_place->file == NULL) {
		/* The settings come with all stanzas. */
		code = ask_config(ctl, &search, true);
		if (code == EXITCODE_OK && search.include != NULL)
			ret_place->file = editplace_choose(ret_place->config, search.include, name);
	}
	free(search.include);
	return code;
}

void editplace_done(struct editplace *place)
{
	free(place->config);
	free(place->file);
}

char *editplace_choose(const char *config, const char *include, const char *name)
{
	char *path = NULL;

	while (path == NULL && (include = strchr(include, '"')) != NULL) {
		size_t length = strcspn(include + 1, "\"");

		path = apply_pattern(config, include + 1, length, name);
		include += 1 + length + (include[1 + length] == '"');
	}
	return path;
}

/* One wildcard, and that for the whole name or its beginning. */
static char *apply_pattern(const char *config, const char *pattern, size_t length, const char *name)
{
	const char *star = memchr(pattern, '*', length), *end = pattern + length, *slash;
	size_t directory = (size_t)(strrchr(config, '/') - config);
	char *path;

	if (star == NULL || memchr(star, '/', (size_t)(end - star)) != NULL ||
	    memchr(pattern, '?', length) != NULL || memchr(pattern, '[', length) != NULL ||
	    memchr(star + 1, '*', (size_t)(end - star - 1)) != NULL)
		return NULL;
	slash = memrchr(pattern, '/', (size_t)(star - pattern));
	if (asprintf(&path, "%.*s%s%.*s%s%.*s", pattern[0] == '/' ? 0 : (int)directory, config,
		pattern[0] == '/' ? "" : "/", (int)(star - pattern), pattern, name,
		(int)(end - star - 1), star + 1) < 0)
		return NULL;
	/* A directory, all of it: with the usual ending. */
	if (star + 1 == end && (slash == star - 1 || slash == NULL)) {
		char *longer;

		if (asprintf(&longer, "%s.conf", path) < 0)
			longer = NULL;
		free(path);
		path = longer;
	}
	return path;
}

static enum exitcode ask_config(struct ctl *ctl, struct search *search, bool all)
{
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Config", false);
	jsonw_key(&call.request, "names");
	jsonw_begin_array(&call.request);
	if (!all)
		jsonw_string(&call.request, search->name);
	jsonw_end_array(&call.request);
	call.read_only = true;
	call.on_reply = on_stanzas;
	call.on_error = on_missing;
	call.context = search;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_version(struct call *call, int parameters, void *context)
{
	struct search *search = context;
	const char *config =
	    jsonr_text(&call->reply, jsonr_member(&call->reply, parameters, "config"), "");

	search->place->config = config[0] == '/' ? strdup(config) : NULL;
	if (search->place->config != NULL)
		return EXITCODE_OK;
	ctl_complain(call->ctl, "edit: where the daemon's configuration is, is not known");
	return EXITCODE_FAILED;
}

static enum exitcode on_stanzas(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	int stanzas = jsonr_member(reply, parameters, "stanzas");

	for (int at = jsonr_first(reply, stanzas); at >= 0; at = jsonr_next(reply, stanzas, at))
		take_stanza(call, at, context);
	return EXITCODE_OK;
}

static void take_stanza(struct call *call, int stanza, struct search *search)
{
	struct jsonr *reply = &call->reply;
	const char *kind = jsonr_text(reply, jsonr_member(reply, stanza, "kind"), "");
	const char *name = jsonr_text(reply, jsonr_member(reply, stanza, "name"), "");
	const char *file = jsonr_text(reply, jsonr_member(reply, stanza, "file"), "");
	int values = jsonr_member(reply, stanza, "values");

	search->several = true;
	if (strcmp(kind, "program") == 0 && file[0] == '/' && search->place->file == NULL &&
	    strncmp(name, search->name, strcspn(search->name, "@+")) == 0 &&
	    strcspn(name, "@+") == strcspn(search->name, "@+")) {
		search->place->file = strdup(file);
		search->place->line = jsonr_int(reply, jsonr_member(reply, stanza, "line"), 1);
	}
	for (int at = jsonr_first(reply, values);
	     at >= 0 && strcmp(kind, "settings") == 0 && search->include == NULL;
	     at = jsonr_next(reply, values, at))
		if (strcmp(jsonr_text(reply, jsonr_member(reply, at, "key"), ""), "include") == 0)
			search->include =
			    strdup(jsonr_text(reply, jsonr_member(reply, at, "value"), ""));
}

/* That is not the end of it. */
static enum exitcode on_missing(struct call *call, const char *name, int parameters, void *context)
{
	struct search *search = context;

	if (strcmp(name, "io.superctl.NoSuchProgram") != 0)
		return call_explain_error(call, name, parameters);
	(void)snprintf(search->place->nearest, sizeof(search->place->nearest), "%s",
	    jsonr_text(&call->reply, jsonr_member(&call->reply, parameters, "nearest"), ""));
	return EXITCODE_OK;
}
