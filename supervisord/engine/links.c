/* SPDX-License-Identifier: ISC */
/* links.c: see links.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/links.h"
#include "supervisord/engine/route.h"

/* A list of programs that grows; each of them once. */
struct gathered {
	struct program **list;
	size_t count;
	size_t size;
	bool *known; /* by row */
};

static int link_names(
    struct engine *engine, struct program *program, string_list names, enum depend_kind kind);
static int link_one(struct program *first, struct program *last, enum depend_kind kind,
    enum depend_condition condition);
static int link_conflicts(struct engine *engine, struct program *program);
static void link_streams(struct engine *engine, const struct program *program);
static int add_link(struct program_links *links, struct program *other, enum depend_kind kind,
    enum depend_condition condition);
static void drop_links(struct program_links *links, const struct program *other);
static struct program *find_named(
    struct engine *engine, const char *text, enum depend_condition *ret_condition);
static struct program *find_by_either_name(struct engine *engine, const char *name);
static int gather_init(struct gathered *gathered);
static void gather_done(struct gathered *gathered);
static int gather_add(struct gathered *gathered, struct program *program);
static int pull_firsts(struct gathered *gathered, struct program *program);
static bool is_up(const struct program *program);

int engine_link_programs(struct engine *engine)
{
	int error = 0;

	engine->has_conflicts = false;
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];

		program->firsts.count = program->lasts.count = program->conflicts.count = 0;
		program->is_target = false;
	}
	for (size_t i = 0; i < engine->program_count && error == 0; i++) {
		struct program *program = engine->programs[i];
		const struct program_config *config = program->config;

		link_streams(engine, program);
		/* The strongest kind first: of two links to one program both are kept. */
		error = link_names(engine, program, config->life->key_requires, DEPEND_REQUIRES);
		if (error == 0)
			error = link_names(engine, program, config->life->key_wants, DEPEND_WANTS);
		if (error == 0)
			error = link_names(engine, program, config->key_after, DEPEND_AFTER);
		for (size_t k = 0; error == 0 && config->life->key_before != NULL &&
				   config->life->key_before[k] != NULL;
		     k++) {
			enum depend_condition condition;
			struct program *last =
			    find_named(engine, config->life->key_before[k], &condition);

			if (last != NULL)
				error = link_one(program, last, DEPEND_AFTER, condition);
		}
		if (error == 0)
			error = link_conflicts(engine, program);
	}
	return error;
}

void engine_unlink(struct engine *engine, const struct program *program)
{
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *other = engine->programs[i];

		drop_links(&other->firsts, program);
		drop_links(&other->lasts, program);
		drop_links(&other->conflicts, program);
	}
}

const struct program_link *engine_start_blocker(
    const struct engine *engine, const struct program *program)
{
	(void)engine;
	for (uint32_t i = 0; i < program->firsts.count; i++) {
		const struct program_link *link = &program->firsts.list[i];

		if (depend_blocks_start((enum depend_kind)link->kind,
			(enum depend_condition)link->condition, link->other->config,
			program_state(link->other)) &&
		    !depend_goes_without((enum depend_kind)link->kind, program_state(link->other),
			(enum depend_outlook)link->other->outlook))
			return link;
	}
	for (uint32_t i = 0; i < program->conflicts.count; i++)
		if (step_is_live(program_state_of(program->conflicts.list[i].other)))
			return &program->conflicts.list[i];
	return NULL;
}

const struct program_link *engine_stop_blocker(
    const struct engine *engine, const struct program *program)
{
	if (engine->shutdown_forced)
		return NULL;
	for (uint32_t i = 0; i < program->lasts.count; i++) {
		const struct program_link *link = &program->lasts.list[i];

		if (depend_blocks_stop((enum depend_kind)link->kind,
			(enum depend_condition)link->condition, program->config,
			program_state(program), program_state(link->other)))
			return link;
	}
	return NULL;
}

const struct program_link *engine_lost_link(
    const struct engine *engine, const struct program *program)
{
	(void)engine;
	for (uint32_t i = 0; i < program->firsts.count; i++) {
		const struct program_link *link = &program->firsts.list[i];

		if (depend_is_lost((enum depend_kind)link->kind,
			(enum depend_condition)link->condition, link->other->config,
			program_state(link->other)))
			return link;
	}
	return NULL;
}

uint8_t engine_outlook(const struct program *program)
{
	enum depend_outlook worst = DEPEND_MAY_COME;

	if (program_state_of(program) != STATE_WAITING)
		return DEPEND_MAY_COME;
	for (uint32_t i = 0; i < program->firsts.count; i++) {
		const struct program_link *link = &program->firsts.list[i];
		enum depend_outlook outlook = depend_outlook((enum depend_kind)link->kind,
		    (enum depend_condition)link->condition, link->other->config,
		    program_state(link->other), (enum depend_outlook)link->other->outlook);

		if (outlook > worst)
			worst = outlook;
	}
	for (uint32_t i = 0; i < program->conflicts.count; i++) {
		const struct ledger_state *state = program_state(program->conflicts.list[i].other);

		/* Nobody has told it to make room. */
		if (step_is_up((enum state)state->state) && state->wanted == WANTED_UP)
			worst = DEPEND_IN_VAIN;
	}
	return (uint8_t)worst;
}

bool engine_is_needed(const struct program *program)
{
	for (uint32_t i = 0; i < program->lasts.count; i++) {
		const struct program_link *link = &program->lasts.list[i];
		const struct ledger_state *state = program_state(link->other);

		if (link->kind != DEPEND_AFTER && state->state == STATE_WAITING &&
		    state->wanted == WANTED_UP &&
		    !transition_waits_for_demand(link->other->config, state))
			return true;
	}
	return false;
}

const struct program_link *engine_missed_link(const struct program *program)
{
	for (uint32_t i = 0; i < program->firsts.count; i++) {
		const struct program_link *link = &program->firsts.list[i];

		if (link->kind == DEPEND_WANTS &&
		    !depend_holds((enum depend_condition)link->condition, link->other->config,
			program_state(link->other)))
			return link;
	}
	return NULL;
}

int engine_pull(struct engine *engine, struct program *program, struct engine_pull *ret_pull)
{
	struct gathered start, stop;
	int error = gather_init(&start);

	(void)engine;
	if (error < 0)
		return error;
	error = gather_init(&stop);
	if (error == 0)
		error = pull_firsts(&start, program);
	/* With its own conflicts among those of the others. */
	if (error == 0)
		error = gather_add(&start, program);
	for (size_t i = 0; i < start.count && error == 0; i++) {
		const struct program_links *conflicts = &start.list[i]->conflicts;

		for (uint32_t k = 0; k < conflicts->count && error == 0; k++)
			if (is_up(conflicts->list[k].other))
				error = gather_add(&stop, conflicts->list[k].other);
	}
	if (error == 0) {
		assert(start.count > 0);
		start.count--; /* itself, the last one */
		*ret_pull = (struct engine_pull){.start = start.list,
		    .start_count = start.count,
		    .stop = stop.list,
		    .stop_count = stop.count};
		start.list = stop.list = NULL;
	}
	gather_done(&start);
	gather_done(&stop);
	return error;
}

void engine_pull_done(struct engine_pull *pull)
{
	free(pull->start);
	free(pull->stop);
	*pull = (struct engine_pull){0};
}

int engine_find_requirers(const struct engine *engine, const struct program *program,
    struct program ***ret_list, size_t *ret_count)
{
	struct gathered found;
	const struct program *at = program;
	int error = gather_init(&found);

	(void)engine;
	/* The list is its own queue: each one found is looked at in turn. */
	for (size_t next = 0; error == 0; at = found.list[next++]) {
		struct ledger_state stopped = *program_state(at);

		stopped.state = STATE_STOPPED;
		stopped.been_up |= program_state_of(at) == STATE_RUNNING;
		for (uint32_t i = 0; i < at->lasts.count && error == 0; i++) {
			const struct program_link *link = &at->lasts.list[i];

			if (is_up(link->other) && link->other != program &&
			    depend_is_lost((enum depend_kind)link->kind,
				(enum depend_condition)link->condition, at->config, &stopped))
				error = gather_add(&found, link->other);
		}
		if (next == found.count)
			break;
	}
	if (error == 0) {
		*ret_list = found.list;
		*ret_count = found.count;
		found.list = NULL;
	}
	gather_done(&found);
	return error;
}

void engine_start(struct engine *engine, struct program *program, const struct cause *cause)
{
	const struct cause conflict = {.reason = REASON_CONFLICT, .step = program->run.row + 1};
	const struct cause required = {.reason = REASON_REQUIRED, .step = program->run.row + 1};
	struct engine_pull pull;

	if (program->firsts.count == 0 && program->conflicts.count == 0) {
		program_start(program, cause);
		return;
	}
	if (engine_pull(engine, program, &pull) != 0) {
		log_error("%s: out of memory for what it requires", program_name(program));
		program_start(program, cause); /* it waits for what is not there */
		return;
	}
	for (size_t i = 0; i < pull.stop_count; i++)
		program_wish(pull.stop[i], WANTED_DOWN, false);
	for (size_t i = 0; i < pull.start_count; i++)
		program_wish(pull.start[i], WANTED_UP, false);
	program_wish(program, WANTED_UP, step_is_stopping(program_state_of(program)));
	for (size_t i = 0; i < pull.stop_count; i++)
		program_stop(pull.stop[i], &conflict);
	for (size_t i = 0; i < pull.start_count; i++)
		program_start(pull.start[i], &required);
	program_start(program, cause);
	engine_pull_done(&pull);
}

void engine_start_needed(struct engine *engine, struct program *program)
{
	const struct cause required = {.reason = REASON_REQUIRED, .step = program->run.row + 1};

	if (program_state_of(program) != STATE_WAITING ||
	    program_state(program)->wanted != WANTED_UP)
		return;
	for (uint32_t i = 0; i < program->firsts.count; i++) {
		struct program *first = program->firsts.list[i].other;
		const struct ledger_state *state = program_state(first);

		if (program->firsts.list[i].kind != DEPEND_AFTER && !first->removed &&
		    state->starts == 0 && state->state == STATE_STOPPED &&
		    state->wanted == WANTED_DOWN && state->reason == REASON_NONE)
			engine_start(engine, first, &required);
	}
}

void engine_defer_linked(const struct program *program)
{
	for (uint32_t i = 0; i < program->lasts.count; i++)
		program_defer(program->lasts.list[i].other, PENDING_CHECK);
	for (uint32_t i = 0; i < program->firsts.count; i++)
		program_defer(program->firsts.list[i].other, PENDING_CHECK);
	for (uint32_t i = 0; i < program->conflicts.count; i++)
		program_defer(program->conflicts.list[i].other, PENDING_CHECK);
}

struct program *engine_find_filter(const struct engine *engine, const struct program *program)
{
	const struct stdio *stdio = &program->config->key_stdout;
	char name[LIMIT_NAME];

	/* A stanza may say program:NAME of any other name than this one. */
	instname_of_filter(program->config->name, name);
	if (stdio->kind != STDIO_PROGRAM || strcmp(stdio->target, name) != 0)
		return NULL;
	return engine_find(engine, stdio->target);
}

static int link_names(
    struct engine *engine, struct program *program, string_list names, enum depend_kind kind)
{
	int error = 0;

	for (size_t i = 0; names != NULL && names[i] != NULL && error == 0; i++) {
		enum depend_condition condition;
		struct program *first = find_named(engine, names[i], &condition);

		if (first != NULL)
			error = link_one(first, program, kind, condition);
	}
	return error;
}

static int link_one(struct program *first, struct program *last, enum depend_kind kind,
    enum depend_condition condition)
{
	int error = first == last ? 0 : add_link(&last->firsts, first, kind, condition);

	return error == 0 && first != last ? add_link(&first->lasts, last, kind, condition) : error;
}

static int link_conflicts(struct engine *engine, struct program *program)
{
	string_list names = program->config->life->key_conflicts;
	int error = 0;

	for (size_t i = 0; names != NULL && names[i] != NULL && error == 0; i++) {
		struct program *other = find_by_either_name(engine, names[i]);

		if (other == NULL || other == program)
			continue;
		engine->has_conflicts = true;
		error = add_link(&program->conflicts, other, DEPEND_AFTER, DEPEND_DEFAULT);
		if (error == 0)
			error = add_link(&other->conflicts, program, DEPEND_AFTER, DEPEND_DEFAULT);
	}
	return error;
}

static void link_streams(struct engine *engine, const struct program *program)
{
	const struct stdio *outputs[] = {
	    &program->config->key_stdout, &program->config->key_stderr};

	for (int stream = 0; stream < 2; stream++) {
		size_t index = 0;
		const char *name;

		while ((name = route_next_program(outputs[stream], &index)) != NULL) {
			struct program *target = find_by_either_name(engine, name);

			if (target != NULL)
				target->is_target = true;
		}
	}
}

static int add_link(struct program_links *links, struct program *other, enum depend_kind kind,
    enum depend_condition condition)
{
	struct program_link *list;

	/* The room is a power of two, and known by the count. */
	if ((links->count & (links->count - 1)) == 0) {
		size_t room = links->count == 0 ? 1 : (size_t)links->count * 2;

		list = reallocarray(links->list, room, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
		links->list = list;
	}
	links->list[links->count++] = (struct program_link){
	    .other = other, .kind = (uint8_t)kind, .condition = (uint8_t)condition};
	return 0;
}

static void drop_links(struct program_links *links, const struct program *other)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < links->count; i++)
		if (links->list[i].other != other)
			links->list[kept++] = links->list[i];
	links->count = kept;
}

static struct program *find_named(
    struct engine *engine, const char *text, enum depend_condition *ret_condition)
{
	char name[LIMIT_NAME];
	size_t length;

	if (depend_parse(text, &length, ret_condition) < 0 || length >= sizeof(name))
		return NULL;
	memcpy(name, text, length);
	name[length] = '\0';
	return find_by_either_name(engine, name);
}

/* What is kept of a stanza that is gone says how a first instance was called then. */
static struct program *find_by_either_name(struct engine *engine, const char *name)
{
	struct program *found = engine_find(engine, name);
	char other[LIMIT_NAME];

	if (found == NULL && instname_other(name, other))
		found = engine_find(engine, other);
	return found;
}

static int gather_init(struct gathered *gathered)
{
	*gathered = (struct gathered){.known = calloc(LIMIT_ROWS, sizeof(*gathered->known))};
	return gathered->known != NULL ? 0 : -ENOMEM;
}

static void gather_done(struct gathered *gathered)
{
	free(gathered->list);
	free(gathered->known);
}

/* Once; the known ones are passed over. */
static int gather_add(struct gathered *gathered, struct program *program)
{
	if (gathered->known[program->run.row])
		return 0;
	if (gathered->count == gathered->size) {
		size_t size = gathered->size > 0 ? gathered->size * 2 : 16;
		struct program **list =
		    reallocarray(gathered->list, size, sizeof(struct program *));

		if (list == NULL)
			return -ENOMEM;
		gathered->list = list;
		gathered->size = size;
	}
	gathered->known[program->run.row] = true;
	gathered->list[gathered->count++] = program;
	return 0;
}

/*
 * Those it pulls, each behind those it pulls itself.  The links form no circle (the configuration
 * was checked), and a program that was seen is not gone into again.
 */
static int pull_firsts(struct gathered *gathered, struct program *program)
{
	int error = 0;

	for (uint32_t i = 0; i < program->firsts.count && error == 0; i++) {
		const struct program_link *link = &program->firsts.list[i];

		if (gathered->known[link->other->run.row] || link->other->removed ||
		    !depend_pulls((enum depend_kind)link->kind,
			(enum depend_condition)link->condition, link->other->config,
			program_state(link->other)))
			continue;
		error = pull_firsts(gathered, link->other);
		if (error == 0)
			error = gather_add(gathered, link->other);
	}
	return error;
}

/* Somebody wants it, and it has or will have a run. */
static bool is_up(const struct program *program)
{
	return program_state(program)->wanted == WANTED_UP &&
	       !step_is_at_rest(program_state_of(program));
}
