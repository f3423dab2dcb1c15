/* SPDX-License-Identifier: ISC */
/* confcall.c: see confcall.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confcall.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/draft.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/planner.h"
#include "supervisord/engine/sockets.h"

static bool read_names(struct call *call, struct draft_names *ret_names);
static bool draft(struct call *call, struct config **ret_config, struct jsonw *ret_left);
static void apply_draft(struct call *call, const struct op_request *request,
    const struct apply_request *wanted, struct config *config);
static void tell_problem(struct call *call, int error, const struct draft_problem *problem);
static void write_plan(
    struct call *call, const struct planner *planner, const struct jsonw *left, bool values);

void confcall_check(struct call *call)
{
	static const char *const names[] = {NULL};
	struct config_errors errors = {0}, notes = {0};
	struct config *config;

	if (!call_allows(call, names))
		return;
	if (config_load(call->engine->config_path, &config, &errors) == 0) {
		sockets_check(call->engine, config, &errors, &notes);
		config_free(config);
	}
	call_begin_reply(call);
	confshow_errors(&call->w, &errors, &notes);
	call_end_reply(call);
	config_errors_done(&errors);
	config_errors_done(&notes);
}

void confcall_plan(struct call *call)
{
	static const char *const names[] = {"names", NULL};
	struct planner planner;
	struct config *config;
	struct jsonw left;

	jsonw_init(&left, LIMIT_CONTROL_QUEUE);
	if (!call_allows(call, names) || !draft(call, &config, &left)) {
		jsonw_done(&left);
		return;
	}
	if (planner_make(&planner, call->engine, config, false) == 0) {
		write_plan(call, &planner, &left, true);
		/* Of stanzas so large that the reply is beyond its limit, the steps alone. */
		if (jsonw_error(&call->w) < 0) {
			jsonw_reset(&call->w);
			write_plan(call, &planner, &left, false);
		}
		control_reply(call->client, &call->w);
	} else {
		call_out_of_memory(call);
	}
	planner_done(&planner);
	config_free(config);
	jsonw_done(&left);
}

void confcall_apply(struct call *call)
{
	static const char *const names[] = {"names", "wait", "timeout_ms", "rollback", NULL};
	struct op_request request;
	struct apply_request apply = {.uid = (uint32_t)call->client->uid};
	struct config *config;
	struct jsonw left;

	if (!call_allows(call, names) || !op_read_request(call, &request) ||
	    !call_get_bool(call, "rollback", &apply.rollback))
		return;
	if (apply.rollback && request.timeout_ms >= 0)
		apply.deadline_ns = clock_boot_ns() + request.timeout_ms * NS_PER_MS;
	if (call->engine->shutdown) {
		call_error_text(call, CALL_INTERFACE ".ShuttingDown", NULL, NULL);
		return;
	}
	jsonw_init(&left, LIMIT_CONTROL_QUEUE);
	if (draft(call, &config, &left)) {
		apply.left = &left;
		apply_draft(call, &request, &apply, config);
	}
	jsonw_done(&left);
}

static void apply_draft(struct call *call, const struct op_request *request,
    const struct apply_request *wanted, struct config *config)
{
	struct apply_request apply = *wanted;
	struct draft_problem problem = {0};
	struct op *op = op_new(request);
	int error;

	log_notice("apply requested by uid %u", (unsigned)call->client->uid);
	apply.op = op;
	apply.errors = &problem.errors;
	error = op != NULL ? apply_config(call->engine, &apply, config) : -ENOMEM;
	if (error == 0) {
		if (request->wait)
			trial_tell(call->engine, op);
		op_begin(op);
	} else {
		config_free(config);
		if (op != NULL)
			op_cancel(op);
		tell_problem(call, error, &problem);
	}
	draft_problem_done(&problem);
}

/* False: answered. */
static bool draft(struct call *call, struct config **ret_config, struct jsonw *ret_left)
{
	struct draft_problem problem = {0};
	struct draft_names names;
	int error;

	if (!read_names(call, &names))
		return false;
	names.left = ret_left;
	error = draft_from_files(call->engine, &names, ret_config, &problem);
	if (error < 0)
		tell_problem(call, error, &problem);
	draft_problem_done(&problem);
	free((void *)(uintptr_t)names.list);
	return error == 0;
}

/* The parameter `names`; its strings are the call's, the list is to be freed.  False: answered. */
static bool read_names(struct call *call, struct draft_names *ret_names)
{
	const json_t *names = json_object_get(call->parameters, "names");
	size_t count = json_array_size(names);
	const char **list;

	if ((names != NULL && !json_is_null(names) && !json_is_array(names)) ||
	    count > LIMIT_COMMAND_NAMES) {
		call_invalid_parameter(call, "names");
		return false;
	}
	list = calloc(count + 1, sizeof(*list));
	if (list == NULL) {
		call_out_of_memory(call);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		list[i] = json_string_value(json_array_get(names, i));
		if (list[i] == NULL) {
			free(list);
			call_invalid_parameter(call, "names");
			return false;
		}
	}
	*ret_names = (struct draft_names){.list = list, .count = count};
	return true;
}

static void tell_problem(struct call *call, int error, const struct draft_problem *problem)
{
	if (problem->missing != NULL) {
		call_error_begin(call, CALL_INTERFACE ".NoSuchProgram");
		jsonw_member_string(&call->w, "name", problem->missing);
		jsonw_member_string(&call->w, "nearest", problem->nearest);
		call_error_end(call);
	} else if (error == -ENODATA) {
		call_error_text(call, CALL_INTERFACE ".SafeMode", "reason",
		    "the applied configuration is lost; superctl apply without names applies the "
		    "files");
	} else {
		amend_tell_problem(call, error, &problem->errors);
	}
}

static void write_plan(
    struct call *call, const struct planner *planner, const struct jsonw *left, bool values)
{
	call_begin_reply(call);
	jsonw_key(&call->w, "left");
	jsonw_begin_array(&call->w);
	jsonw_raw(&call->w, left->data, left->length);
	jsonw_end_array(&call->w);
	planner_write(planner, values, &call->w);
	jsonw_end_object(&call->w);
	jsonw_end_object(&call->w);
}
