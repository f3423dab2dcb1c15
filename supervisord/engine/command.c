/* SPDX-License-Identifier: ISC */
/* command.c: see command.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ownlog.h"
#include "lib/signame.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/command.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/finding.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/rolling.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/transition.h"

/* clang-format off */
static const char *const force_names[]   = {"names", "wait", "timeout_ms", "force", NULL};
static const char *const restart_names[] = {"names", "wait", "timeout_ms", "force", "rolling", NULL};
static const char *const wait_names[]    = {"names", "wait", "timeout_ms", NULL};
/* clang-format on */

struct command {
	struct call *call;
	enum op_goal goal;
	enum reason reason;
	bool force;
	bool rolling; /* in turn */
	struct op_request request;
	struct selection named; /* by the operator */
	struct selection
	    forced; /* what has to be stopped besides, and would not be without force */
	struct selection replaced; /* of those named: up, and another run is to follow */
};

static void run(struct call *call, enum op_goal goal, enum reason reason);
static bool read_command(struct command *command, const char *const *names);
static void drop_leaving(struct command *command);
static bool has_staying(const struct selection *named, const struct program *program);
static void add_filters(struct command *command);
static bool may_start(struct call *call);
static bool find_forced(struct command *command);
static bool find_conflicts(struct command *command);
static bool find_requirers(struct command *command, const struct selection *stopped);
static bool may_stop(struct command *command, const struct selection *stopped);
static void refuse(struct command *command, const struct program *program);
static struct op *watch_all(struct command *command);
static void act_on_all(struct command *command);
static enum op_goal goal_of(const struct command *command, const struct program *program);
static bool is_to_be_replaced(const struct command *command, const struct program *program);
static bool is_to_bounce(const struct command *command, const struct program *program);
static bool is_left_alone(const struct command *command, const struct program *program);
static void act_on(
    const struct command *command, struct program *program, const struct cause *cause);
static void note(uid_t uid, const struct program *program, enum history_command what, int number);
static bool reload_one(struct op *op, struct program *program, uid_t uid);
static bool is_commandable(const struct program *program, enum op_goal goal);

static const char being_removed[] = "its stanza is gone: it is being removed";

void command_start(struct call *call)
{
	if (may_start(call))
		run(call, OP_UP, REASON_STARTED);
}

void command_stop(struct call *call)
{
	run(call, OP_DOWN, REASON_STOPPED);
}

void command_restart(struct call *call)
{
	if (!may_start(call))
		return;
	run(call, OP_RESTARTED, REASON_RESTARTED);
}

void command_reload(struct call *call)
{
	struct command command = {.call = call, .goal = OP_RELOADED};
	struct op *op;
	bool ok = true;

	if (!read_command(&command, wait_names))
		return;
	drop_leaving(&command);
	op = op_new(&command.request);
	for (size_t i = 0; op != NULL && ok && i < command.named.count; i++)
		ok = reload_one(op, command.named.list[i], call->client->uid);
	if (op != NULL && ok) {
		op_begin(op);
	} else {
		if (op != NULL)
			op_cancel(op);
		call_out_of_memory(call);
	}
	selection_done(&command.named);
}

void command_signal(struct call *call)
{
	static const char *const names[] = {"names", "signal", NULL};
	const struct op_request request = {.client = call->client, .wait = true, .timeout_ms = -1};
	struct selection selection;
	const char *name = NULL;
	struct op *op;
	int number;

	if (!call_allows(call, names) || !call_get_string(call, "signal", &name))
		return;
	number = name != NULL ? signame_parse(name) : -EINVAL;
	if (number < 0) {
		call_invalid_parameter(call, "signal");
		return;
	}
	if (!selection_read(call, true, &selection))
		return;
	op = op_new(&request);
	for (size_t i = 0; op != NULL && i < selection.count; i++) {
		int error = program_signal_main(selection.list[i], number);

		if (error == 0) {
			log_notice("%s: signal %s by uid %u", program_name(selection.list[i]), name,
			    (unsigned)call->client->uid);
			note(call->client->uid, selection.list[i], HISTORY_SIGNAL, number);
			finding_note_signal(selection.list[i], call->client->uid, number);
		}
		op_add_result(op, selection.list[i], error == 0,
		    error == 0        ? "signalled"
		    : error == -ESRCH ? "is not running"
				      : strerror(-error));
	}
	if (op != NULL)
		op_begin(op);
	else
		call_out_of_memory(call);
	selection_done(&selection);
}

static void run(struct call *call, enum op_goal goal, enum reason reason)
{
	struct command command = {.call = call, .goal = goal, .reason = reason};
	struct op *op;

	if (!read_command(&command, goal == OP_RESTARTED ? restart_names : force_names))
		return;
	drop_leaving(&command);
	if (!command.rolling)
		add_filters(&command);
	if (selection_init(&command.forced, call->engine) < 0 ||
	    selection_init(&command.replaced, call->engine) < 0) {
		call_out_of_memory(call);
	} else if (find_forced(&command)) {
		op = watch_all(&command);
		if (op != NULL) {
			act_on_all(&command);
			op_begin(op);
		} else {
			call_out_of_memory(call);
		}
	}
	selection_done(&command.replaced);
	selection_done(&command.forced);
	selection_done(&command.named);
}

/* False: answered. */
static bool read_command(struct command *command, const char *const *names)
{
	struct call *call = command->call;

	return call_allows(call, names) && op_read_request(call, &command->request) &&
	       call_get_bool(call, "force", &command->force) &&
	       call_get_bool(call, "rolling", &command->rolling) &&
	       selection_read(call, true, &command->named);
}

/* An extra instance of a rolling update can be stopped, and nothing else: it goes by itself.  So
 * does one that is being removed; who names its program means those that stay. */
static void drop_leaving(struct command *command)
{
	struct selection *named = &command->named;
	size_t kept = 0;

	for (size_t i = 0; i < named->count; i++) {
		const struct program *program = named->list[i];

		if (command->goal != OP_DOWN &&
		    (program->config->surge || (program->removed && has_staying(named, program))))
			named->known[named->list[i]->run.row] = false;
		else
			named->list[kept++] = named->list[i];
	}
	named->count = kept;
}

/* Is an instance of the same program named that is not being removed? */
static bool has_staying(const struct selection *named, const struct program *program)
{
	struct instname parts;

	instname_split(program_name(program), &parts);
	for (size_t i = 0; i < named->count; i++)
		if (!named->list[i]->removed && !named->list[i]->config->surge &&
		    instname_is_of(program_name(named->list[i]), parts.program))
			return true;
	return false;
}

/* Whatever is done to a program is done to the filter of its log; not the other way round. */
static void add_filters(struct command *command)
{
	size_t named = command->named.count;

	for (size_t i = 0; i < named; i++) {
		struct program *filter =
		    engine_find_filter(command->call->engine, command->named.list[i]);

		if (filter != NULL)
			selection_add(&command->named, filter);
	}
}

static bool may_start(struct call *call)
{
	if (call->engine->shutdown) {
		call_error_text(call, CALL_INTERFACE ".ShuttingDown", NULL, NULL);
		return false;
	}
	if (call->engine->safe_mode) {
		call_error_text(call, CALL_INTERFACE ".SafeMode", "reason",
		    "the engine crashed repeatedly; nothing is started until superctl apply");
		return false;
	}
	return true;
}

/* What has to be stopped besides what the operator named.  False: answered. */
static bool find_forced(struct command *command)
{
	if (command->goal == OP_DOWN)
		return find_requirers(command, &command->named);
	return find_conflicts(command);
}

/* Starting one side of a conflict stops the other side, and what requires that. */
static bool find_conflicts(struct command *command)
{
	struct engine *engine = command->call->engine;
	struct selection stopped;
	bool ok;

	if (!engine->has_conflicts)
		return true;
	ok = selection_init(&stopped, engine) == 0;
	for (size_t i = 0; ok && i < command->named.count; i++) {
		struct program *program = command->named.list[i];
		struct engine_pull pull;

		if (!is_commandable(program, command->goal) || is_to_be_replaced(command, program))
			continue;
		ok = engine_pull(engine, program, &pull) == 0;
		for (size_t k = 0; ok && k < pull.stop_count; k++)
			selection_add(&stopped, pull.stop[k]);
		if (ok)
			engine_pull_done(&pull);
	}
	if (!ok)
		call_out_of_memory(command->call);
	ok = ok && may_stop(command, &stopped) && find_requirers(command, &stopped);
	selection_done(&stopped);
	return ok;
}

/* Those that are up, require one of `stopped` and are not among them.  False: answered. */
static bool find_requirers(struct command *command, const struct selection *stopped)
{
	for (size_t i = 0; i < stopped->count; i++) {
		struct program *program = stopped->list[i], **found;
		size_t count;

		if (step_is_at_rest(program_state_of(program)))
			continue; /* who waits for it goes on to do so */
		if (engine_find_requirers(command->call->engine, program, &found, &count) < 0) {
			call_out_of_memory(command->call);
			return false;
		}
		for (size_t k = 0; k < count; k++)
			if (!selection_has(stopped, found[k]))
				selection_add(&command->forced, found[k]);
		free(found);
		if (command->forced.count > 0 && !command->force) {
			refuse(command, program);
			return false;
		}
	}
	return may_stop(command, &command->forced);
}

/*
 * What is stopped besides is stopped by the client, who needs the right to; what is started with a
 * program, or restarted after it, is the stanzas' doing.  False: answered.
 */
static bool may_stop(struct command *command, const struct selection *stopped)
{
	struct call *call = command->call;
	const struct program *refused = NULL;
	struct access may;

	if (access_init(&may, call->client, RIGHT_STOP) < 0) {
		call_out_of_memory(call);
		return false;
	}
	for (size_t i = 0; i < stopped->count && refused == NULL; i++)
		if (!step_is_at_rest(program_state_of(stopped->list[i])) &&
		    !selection_has(&command->named, stopped->list[i]) &&
		    !access_has(&may, stopped->list[i]))
			refused = stopped->list[i];
	access_done(&may);
	if (refused == NULL)
		return true;
	/* Its name may not be for the client. */
	access_refuse(call, RIGHT_STOP,
	    access_may(call->client, RIGHT_STATUS, refused) ? program_name(refused) : NULL);
	return false;
}

static void refuse(struct command *command, const struct program *program)
{
	struct call *call = command->call;
	struct access sees;
	int64_t hidden = 0;

	call_error_begin(call, CALL_INTERFACE ".RequiredBy");
	jsonw_member_string(&call->w, "name", program_name(program));
	jsonw_key(&call->w, "by");
	jsonw_begin_array(&call->w);
	(void)access_init(&sees, call->client, RIGHT_STATUS);
	for (size_t i = 0; i < command->forced.count; i++)
		if (access_has(&sees, command->forced.list[i]))
			jsonw_string(&call->w, program_name(command->forced.list[i]));
		else
			hidden++;
	access_done(&sees);
	jsonw_end_array(&call->w);
	jsonw_member_int(&call->w, "hidden", hidden);
	call_error_end(call);
}

/* NULL: out of memory. */
static struct op *watch_all(struct command *command)
{
	struct op *op = op_new(&command->request);
	int error = 0;

	for (size_t i = 0; op != NULL && error == 0 && i < command->forced.count; i++)
		error = op_add(op, command->forced.list[i], OP_DOWN);
	for (size_t i = 0; op != NULL && error == 0 && i < command->named.count; i++) {
		if (is_commandable(command->named.list[i], command->goal))
			error = op_add(
			    op, command->named.list[i], goal_of(command, command->named.list[i]));
		else
			op_add_result(op, command->named.list[i], false, being_removed);
	}
	if (error == 0)
		return op;
	op_cancel(op);
	return NULL;
}

/* All wishes before the first consequence: order is then decided with all of them known. */
static void act_on_all(struct command *command)
{
	const int32_t uid = (int32_t)command->call->client->uid;
	const struct cause forced = {.reason = REASON_FORCED, .detail = uid};
	const struct cause cause = {.reason = command->reason, .detail = uid};
	enum wanted wanted = command->goal == OP_DOWN ? WANTED_DOWN : WANTED_UP;

	for (size_t i = 0; i < command->forced.count; i++)
		program_wish(command->forced.list[i], WANTED_DOWN, false);
	for (size_t i = 0; i < command->named.count; i++)
		if (is_to_be_replaced(command, command->named.list[i]))
			selection_add(&command->replaced, command->named.list[i]);
	for (size_t i = 0; i < command->named.count; i++)
		if (is_commandable(command->named.list[i], command->goal))
			program_wish(command->named.list[i], wanted,
			    is_to_bounce(command, command->named.list[i]));
	for (size_t i = 0; i < command->forced.count; i++)
		program_stop(command->forced.list[i], &forced);
	for (size_t i = 0; i < command->named.count; i++)
		if (is_commandable(command->named.list[i], command->goal))
			act_on(command, command->named.list[i], &cause);
}

static enum op_goal goal_of(const struct command *command, const struct program *program)
{
	if (is_left_alone(command, program))
		return OP_UP;
	return command->rolling && is_to_be_replaced(command, program) ? OP_ROLLED : command->goal;
}

/* It is up, and to stay so but for this command.  What one on its way down requires may be down,
 * too: that one is started like one that is down. */
static bool is_to_be_replaced(const struct command *command, const struct program *program)
{
	return command->goal == OP_RESTARTED && step_is_up(program_state_of(program)) &&
	       !transition_is_halting(program_state(program)) && !is_left_alone(command, program);
}

/* At once; also one on its way down, which would only stay as it is if it were in turn. */
static bool is_to_bounce(const struct command *command, const struct program *program)
{
	return command->goal == OP_RESTARTED &&
	       (!command->rolling || !(selection_has(&command->replaced, program) ||
					 is_left_alone(command, program)));
}

/* In turn, so that nobody notices: what has a connection (accept = true) goes on, and the next one
 * is another run anyway. */
static bool is_left_alone(const struct command *command, const struct program *program)
{
	return command->rolling && program->config->life->key_accept;
}

static void act_on(
    const struct command *command, struct program *program, const struct cause *cause)
{
	if (command->goal == OP_DOWN)
		program_stop(program, cause);
	else if (command->rolling && selection_has(&command->replaced, program))
		rolling_mark(program);
	else if (selection_has(&command->replaced, program))
		program_restart(program, cause);
	else
		engine_start(command->call->engine, program, cause);
	/* It was to be stopped, and is still up. */
	if (command->goal == OP_RESTARTED && !selection_has(&command->replaced, program) &&
	    step_is_up(program_state_of(program)) && transition_is_halting(program_state(program)))
		program_restart(program, cause);
}

/* What leaves no other trace. */
static void note(uid_t uid, const struct program *program, enum history_command what, int number)
{
	history_note(program->engine->history, &(struct history_event){
						   .kind = HISTORY_COMMAND,
						   .row = (uint16_t)program->run.row,
						   .run = (uint32_t)program_state(program)->starts,
						   .step = (int32_t)what,
						   .detail = number,
						   .delay_ms = UINT32_MAX,
						   .uid = (uint32_t)uid,
					       });
}

/* False: out of memory. */
static bool reload_one(struct op *op, struct program *program, uid_t uid)
{
	int error = program->removed ? -EIDRM : program_reload(program);

	if (error == 0) {
		log_notice("%s: reload requested by uid %u", program_name(program), (unsigned)uid);
		note(uid, program, HISTORY_RELOAD, 0);
		return op_add(op, program, OP_RELOADED) == 0;
	}
	op_add_result(op, program, false,
	    error == -EIDRM      ? being_removed
	    : error == -ESRCH    ? "is not running"
	    : error == -EALREADY ? "is reloading already"
	    : error == -ENOTSUP
		? "cannot reload: its stanza has neither reload_signal nor reload_command"
		: strerror(-error));
	return true;
}

/* One that is being removed can be stopped, and nothing else. */
static bool is_commandable(const struct program *program, enum op_goal goal)
{
	return goal == OP_DOWN || !program->removed;
}
