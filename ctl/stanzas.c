/* SPDX-License-Identifier: ISC */
/* stanzas.c: see stanzas.h.  Who may do something to a program needs not be allowed to see it, so
 * that a name which Status refuses is left to the verb's own call. */
#include <stdlib.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/program.h"
#include "ctl/stanzas.h"

struct search {
	struct stanzas *stanzas;
	const char *name;
	bool is_glob;
	bool transient; /* those, or the others */
	bool no_memory;
};

static enum exitcode find(
    struct ctl *ctl, const char *name, bool transient, struct stanzas *stanzas);
static enum exitcode on_programs(struct call *call, int parameters, void *context);
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context);
static bool is_itself(struct jsonr *reply, int records, const char *name);
static bool add(struct search *search, const char *name, bool meant);

enum exitcode stanzas_find(struct ctl *ctl, bool transient, struct stanzas *ret_stanzas)
{
	enum exitcode code = EXITCODE_OK;

	*ret_stanzas = (struct stanzas){0};
	for (size_t i = 0; i < ctl->options.name_count; i++)
		code =
		    exitcode_join(code, find(ctl, ctl->options.names[i], transient, ret_stanzas));
	return code;
}

void stanzas_done(struct stanzas *stanzas)
{
	for (size_t i = 0; i < stanzas->count; i++)
		free(stanzas->list[i].name);
	free(stanzas->list);
	*stanzas = (struct stanzas){0};
}

bool stanzas_is_pattern(const char *name)
{
	return strpbrk(name, "*?[\\") != NULL || strcmp(name, "all") == 0;
}

static enum exitcode find(
    struct ctl *ctl, const char *name, bool transient, struct stanzas *stanzas)
{
	struct search search = {.stanzas = stanzas,
	    .name = name,
	    .transient = transient,
	    .is_glob = stanzas_is_pattern(name)};
	enum exitcode code = EXITCODE_OK;
	struct call call;

	if (!search.is_glob && strpbrk(name, "@+") != NULL) {
		search.no_memory = !add(&search, name, true);
	} else {
		call_init(&call, ctl, "Status", false);
		jsonw_key(&call.request, "names");
		jsonw_begin_array(&call.request);
		jsonw_string(&call.request, name);
		jsonw_end_array(&call.request);
		call.read_only = true;
		call.on_reply = on_programs;
		call.on_error = on_error;
		call.context = &search;
		code = call_run(&call);
		call_done(&call);
	}
	if (!search.no_memory)
		return code;
	ctl_complain(ctl, "%s: out of memory", name);
	return EXITCODE_FAILED;
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	struct search *search = context;
	int records = jsonr_member(reply, parameters, "programs");

	if (!search->is_glob && is_itself(reply, records, search->name)) {
		search->no_memory = !add(search, search->name, true);
		return EXITCODE_OK;
	}
	for (int at = jsonr_first(reply, records); at >= 0 && !search->no_memory;
	     at = jsonr_next(reply, records, at)) {
		struct program program;

		if (program_read(reply, at, &program) < 0)
			continue;
		if (!program.on_event && strchr(program.program, '+') == NULL &&
		    program.transient == search->transient)
			search->no_memory = !add(search, program.program, false);
	}
	return EXITCODE_OK;
}

static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context)
{
	struct search *search = context;

	if (search->is_glob)
		return call_explain_error(call, name, parameters);
	search->no_memory = !add(search, search->name, true);
	return EXITCODE_OK;
}

/* A program may have the name of a group, whose member it is then not. */
static bool is_itself(struct jsonr *reply, int records, const char *name)
{
	for (int at = jsonr_first(reply, records); at >= 0; at = jsonr_next(reply, records, at))
		if (strcmp(jsonr_text(reply, jsonr_member(reply, at, "program"), ""), name) == 0)
			return true;
	return false;
}

/* Once.  False: there is no memory. */
static bool add(struct search *search, const char *name, bool meant)
{
	struct stanzas *stanzas = search->stanzas;
	struct stanza *list;
	char *copy;

	for (size_t i = 0; i < stanzas->count; i++)
		if (strcmp(stanzas->list[i].name, name) == 0)
			return true;
	list = realloc(stanzas->list, (stanzas->count + 1) * sizeof(*list));
	if (list == NULL)
		return false;
	stanzas->list = list;
	copy = strdup(name);
	if (copy == NULL)
		return false;
	list[stanzas->count++] = (struct stanza){.name = copy, .meant = meant};
	return true;
}
