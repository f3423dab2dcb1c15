/* SPDX-License-Identifier: ISC */
/*
 * plan.c: see plan.h.
 *
 * First each program for itself, by what the ledger and its stanza say.  Then what these steps mean
 * for others, along the links, in the order of the dependencies: from the last to the first for
 * what a start pulls up (links.h does it so), and from the first to the last for who loses what it
 * requires (depend.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/depend.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/order.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/route.h"
#include "supervisord/engine/transition.h"

/* What a program that is to come up starts with it. */
enum pull {
	PULL_NOTHING,
	PULL_LOST,   /* what it requires by its new stanza alone, and somebody has stopped */
	PULL_UNUSED, /* what was never started nor stopped: as at the start of the daemon */
	PULL_ALL,    /* whatever is not there: as by superctl start */
};

struct link {
	uint32_t first;
	uint8_t kind;
	uint8_t condition;
};

/* One program while the plan is made. */
struct node {
	enum plan_action action;
	enum plan_cause cause;
	uint32_t other;
	enum pull pull;
	bool follows;
	bool stop_first; /* FREE of one that is up */
	bool is_target;
	uint32_t link; /* its requires and wants: index of the first */
	uint32_t link_count;
};

struct maker {
	const struct plan_input *inputs;
	size_t count;
	struct node *nodes;
	uint32_t *order;
	struct link *links;
	size_t link_count;
	size_t link_room;
	struct order_edge *edges;
	size_t edge_count;
	size_t edge_room;
};

static int gather_links(struct maker *maker);
static int gather_edges(struct maker *maker, uint32_t index);
static int add_links(struct maker *maker, uint32_t index, string_list names, enum depend_kind kind);
static int add_edges(struct maker *maker, uint32_t index, string_list names, bool before);
static int add_edge(struct maker *maker, uint32_t node, uint32_t dependency);
static void note_targets(struct maker *maker);
static void note_targets_of(struct maker *maker, const struct stdio *stdio);
static bool find(const struct plan_input *inputs, size_t count, const char *text,
    uint32_t *ret_index, enum depend_condition *ret_condition);
static void decide(const struct plan_input *input, struct node *node);
static void decide_kept(const struct plan_input *input, struct node *node);
static bool is_decided(const struct plan_input *input);
static bool is_connected(const struct plan_input *input);
static bool is_idle_place(const struct plan_input *input);
static void set_step(struct node *node, enum plan_action action, enum plan_cause cause);
static void follow(
    struct node *node, enum plan_action action, enum plan_cause cause, uint32_t other);
static void pull_up(struct maker *maker, uint32_t index);
static bool is_pulled(const struct maker *maker, const struct link *link, enum pull pull);
static void stop_conflicts(struct maker *maker, uint32_t index);
static void stop_conflict(struct maker *maker, uint32_t starts, uint32_t stops);
static void note_lost(struct maker *maker, uint32_t index);
static bool is_losing(const struct maker *maker, const struct link *link);
static int write_steps(const struct maker *maker, struct plan *ret_plan);
static void write_step(
    const struct maker *maker, struct plan *plan, uint32_t index, enum plan_action action);

int plan_make(const struct plan_input *inputs, size_t count, struct plan *ret_plan)
{
	struct maker maker = {.inputs = inputs, .count = count};
	int error = -ENOMEM;

	maker.nodes = calloc(count + 1, sizeof(*maker.nodes));
	maker.order = calloc(count + 1, sizeof(*maker.order));
	if (maker.nodes != NULL && maker.order != NULL)
		error = gather_links(&maker);
	if (error == 0)
		error = order_sort(count, maker.edges, maker.edge_count, maker.order);
	if (error < 0)
		goto out;
	note_targets(&maker);
	for (size_t i = 0; i < count; i++)
		decide(&inputs[i], &maker.nodes[i]);
	for (size_t i = count; i-- > 0;)
		pull_up(&maker, maker.order[i]);
	for (uint32_t i = 0; i < count; i++)
		stop_conflicts(&maker, i);
	for (size_t i = 0; i < count; i++)
		note_lost(&maker, maker.order[i]);
	error = write_steps(&maker, ret_plan);
out:
	free(maker.nodes);
	free(maker.order);
	free(maker.links);
	free(maker.edges);
	return error;
}

void plan_done(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan){0};
}

bool plan_is_outdated(const struct ledger_state *state, uint64_t hash)
{
	return state->starts > 0 && state->wanted == WANTED_UP && state->config_hash != hash &&
	       (step_is_up((enum state)state->state) || state->state == STATE_BACKOFF ||
		   state->state == STATE_FATAL);
}

/* Who comes after whom by the new stanzas, and by the old one of what is gone. */
static int gather_links(struct maker *maker)
{
	int error = 0;

	for (uint32_t i = 0; i < maker->count && error == 0; i++) {
		const struct program_config *config = maker->inputs[i].new_config;

		maker->nodes[i].link = (uint32_t)maker->link_count;
		if (config != NULL) {
			error = add_links(maker, i, config->life->key_requires, DEPEND_REQUIRES);
			if (error == 0)
				error = add_links(maker, i, config->life->key_wants, DEPEND_WANTS);
		}
		maker->nodes[i].link_count = (uint32_t)maker->link_count - maker->nodes[i].link;
		if (error == 0)
			error = gather_edges(maker, i);
	}
	return error;
}

static int gather_edges(struct maker *maker, uint32_t index)
{
	const struct plan_input *input = &maker->inputs[index];
	const struct program_config *config =
	    input->new_config != NULL ? input->new_config : input->old_config;
	int error;

	if (config == NULL)
		return 0;
	error = add_edges(maker, index, config->life->key_requires, false);
	if (error == 0)
		error = add_edges(maker, index, config->life->key_wants, false);
	if (error == 0)
		error = add_edges(maker, index, config->key_after, false);
	if (error == 0)
		error = add_edges(maker, index, config->life->key_before, true);
	return error;
}

static int add_links(struct maker *maker, uint32_t index, string_list names, enum depend_kind kind)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		enum depend_condition condition;
		uint32_t first;

		if (!find(maker->inputs, maker->count, names[i], &first, &condition) ||
		    first == index)
			continue;
		if (maker->link_count == maker->link_room) {
			size_t room = maker->link_room > 0 ? maker->link_room * 2 : 16;
			struct link *links = reallocarray(maker->links, room, sizeof(*links));

			if (links == NULL)
				return -ENOMEM;
			maker->links = links;
			maker->link_room = room;
		}
		maker->links[maker->link_count++] = (struct link){
		    .first = first, .kind = (uint8_t)kind, .condition = (uint8_t)condition};
	}
	return 0;
}

/* `before`: the names come after the program, not it after them. */
static int add_edges(struct maker *maker, uint32_t index, string_list names, bool before)
{
	int error = 0;

	for (size_t i = 0; names != NULL && names[i] != NULL && error == 0; i++) {
		enum depend_condition condition;
		uint32_t other;

		if (find(maker->inputs, maker->count, names[i], &other, &condition))
			error =
			    before ? add_edge(maker, other, index) : add_edge(maker, index, other);
	}
	return error;
}

static int add_edge(struct maker *maker, uint32_t node, uint32_t dependency)
{
	if (maker->edge_count == maker->edge_room) {
		size_t room = maker->edge_room > 0 ? maker->edge_room * 2 : 16;
		struct order_edge *edges = reallocarray(maker->edges, room, sizeof(*edges));

		if (edges == NULL)
			return -ENOMEM;
		maker->edges = edges;
		maker->edge_room = room;
	}
	maker->edges[maker->edge_count++] =
	    (struct order_edge){.node = node, .dependency = dependency};
	return 0;
}

/* Whose stdin is a pipe from another program. */
static void note_targets(struct maker *maker)
{
	for (size_t i = 0; i < maker->count; i++) {
		const struct program_config *config = maker->inputs[i].new_config;

		if (config == NULL)
			continue;
		note_targets_of(maker, &config->key_stdout);
		note_targets_of(maker, &config->key_stderr);
	}
}

static void note_targets_of(struct maker *maker, const struct stdio *stdio)
{
	const char *name;
	size_t at = 0;

	while ((name = route_next_program(stdio, &at)) != NULL) {
		enum depend_condition condition;
		uint32_t target;

		if (find(maker->inputs, maker->count, name, &target, &condition))
			maker->nodes[target].is_target = true;
	}
}

/* The input that "NAME" or "NAME:CONDITION" means. */
static bool find(const struct plan_input *inputs, size_t count, const char *text,
    uint32_t *ret_index, enum depend_condition *ret_condition)
{
	size_t low = 0, high = count, length;

	if (depend_parse(text, &length, ret_condition) < 0)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = inputs[middle].name;
		int order = strncmp(name, text, length);

		if (order == 0 && name[length] != '\0')
			order = 1;
		if (order == 0) {
			*ret_index = (uint32_t)middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* What one program needs, whatever becomes of the others. */
static void decide(const struct plan_input *input, struct node *node)
{
	const struct ledger_state *state = input->state;

	node->action = PLAN_NONE;
	if (input->new_config != NULL) {
		if (state != NULL) {
			decide_kept(input, node);
			return;
		}
		set_step(node, input->start ? PLAN_START : PLAN_ADD, PLAN_NEW);
		node->pull = input->start ? PULL_UNUSED : PULL_NOTHING;
		return;
	}
	/* Being removed already: it goes on by itself. */
	if (state == NULL ||
	    (input->retired && state->wanted == WANTED_DOWN &&
		(state->reason == REASON_REMOVED || step_is_stopping((enum state)state->state))))
		return;
	set_step(node, PLAN_FREE, PLAN_GONE);
	node->stop_first = !step_is_at_rest((enum state)state->state);
}

static void decide_kept(const struct plan_input *input, struct node *node)
{
	const struct ledger_state *state = input->state;

	/* The reason is what a removal leaves in the ledger, should the engine that knew more be
	 * gone. */
	if (state->wanted == WANTED_DOWN && (input->retired || state->reason == REASON_REMOVED)) {
		if (input->start)
			set_step(node, PLAN_START, PLAN_BACK);
		else if (input->retired)
			set_step(node, PLAN_ADD, PLAN_BACK);
		node->pull = input->start ? PULL_ALL : PULL_NOTHING;
	} else if (plan_is_outdated(state, plan_run_hash(input->new_config, node->is_target)) &&
		   !is_decided(input) && !is_connected(input)) {
		bool live = step_is_live((enum state)state->state);

		set_step(node, live ? PLAN_RESTART : PLAN_START, PLAN_CHANGED);
		node->pull = live ? PULL_LOST : PULL_ALL;
	} else {
		if (input->old_config != NULL && !is_idle_place(input) &&
		    config_diff_program(input->old_config, input->new_config, NULL, NULL) !=
			CHANGE_NONE)
			set_step(node, PLAN_LIVE, PLAN_CHANGED);
		if (state->state == STATE_WAITING && state->wanted == WANTED_UP)
			node->pull = PULL_UNUSED;
		else
			node->pull = PULL_LOST;
	}
	/* What is up has had all that its old stanza required, or it would not be. */
	if (node->pull == PULL_LOST &&
	    (!step_is_up((enum state)state->state) || transition_is_halting(state)))
		node->pull = PULL_NOTHING;
}

/* A rolling update has marked it already, or has left it as it is. */
static bool is_decided(const struct plan_input *input)
{
	unsigned flags = input->state->flags;

	return plan_is_rolled(input->new_config) &&
	       ((flags & LEDGER_FLAG_TURN) || (input->resumed && (flags & LEDGER_FLAG_KEPT)));
}

/* Its run has a connection, and keeps it: the new stanza is for the next one. */
static bool is_connected(const struct plan_input *input)
{
	return input->new_config->life->key_accept &&
	       (input->state->config_hash & PLAN_HASH_ACCEPTED) &&
	       step_is_live((enum state)input->state->state);
}

/* One of many that wait for a connection: what is new is told of the first one. */
static bool is_idle_place(const struct plan_input *input)
{
	return input->new_config->life->key_accept && instname_number(input->name) > 1 &&
	       !step_is_live((enum state)input->state->state);
}

static void set_step(struct node *node, enum plan_action action, enum plan_cause cause)
{
	node->action = action;
	node->cause = cause;
}

static void follow(
    struct node *node, enum plan_action action, enum plan_cause cause, uint32_t other)
{
	set_step(node, action, cause);
	node->other = other;
	node->follows = true;
}

/* All that comes after it was looked at before: what is to come up brings what it needs. */
static void pull_up(struct maker *maker, uint32_t index)
{
	const struct node *node = &maker->nodes[index];

	for (uint32_t i = 0; node->pull != PULL_NOTHING && i < node->link_count; i++) {
		const struct link *link = &maker->links[node->link + i];
		struct node *first = &maker->nodes[link->first];

		if (!is_pulled(maker, link, node->pull))
			continue;
		follow(first, PLAN_START, PLAN_NEEDED, index);
		first->follows = node->pull != PULL_LOST; /* than from no start */
		first->pull = PULL_ALL;
	}
}

static bool is_pulled(const struct maker *maker, const struct link *link, enum pull pull)
{
	static const struct ledger_state none = {.state = STATE_STOPPED, .wanted = WANTED_DOWN};
	const struct plan_input *first = &maker->inputs[link->first];
	const struct ledger_state *state = first->state != NULL ? first->state : &none;
	enum plan_action action = maker->nodes[link->first].action;

	if (first->new_config == NULL || action == PLAN_START || action == PLAN_RESTART)
		return false;
	if (pull == PULL_ALL)
		return depend_pulls((enum depend_kind)link->kind,
		    (enum depend_condition)link->condition, first->new_config, state);
	/* A conflict has not been decided anew. */
	if (pull == PULL_LOST)
		return depend_is_missing((enum depend_kind)link->kind,
			   (enum depend_condition)link->condition, first->new_config, state) &&
		       state->wanted == WANTED_DOWN && step_is_at_rest((enum state)state->state) &&
		       state->reason != REASON_CONFLICT;
	return state->starts == 0 && state->state == STATE_STOPPED &&
	       state->wanted == WANTED_DOWN && state->reason == REASON_NONE;
}

/* Each pair is written in one of the two stanzas, and either may be the one that starts. */
static void stop_conflicts(struct maker *maker, uint32_t index)
{
	const struct program_config *config = maker->inputs[index].new_config;
	string_list names = config != NULL ? config->life->key_conflicts : NULL;

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		enum depend_condition condition;
		uint32_t other;

		if (!find(maker->inputs, maker->count, names[i], &other, &condition) ||
		    other == index)
			continue;
		stop_conflict(maker, index, other);
		stop_conflict(maker, other, index);
	}
}

static void stop_conflict(struct maker *maker, uint32_t starts, uint32_t stops)
{
	const struct ledger_state *state = maker->inputs[stops].state;
	struct node *node = &maker->nodes[stops];

	if (maker->nodes[starts].action == PLAN_START && maker->nodes[starts].pull == PULL_ALL &&
	    state != NULL && state->wanted == WANTED_UP &&
	    !step_is_at_rest((enum state)state->state) && node->action != PLAN_START &&
	    node->action != PLAN_FREE)
		follow(node, PLAN_STOP, PLAN_CONFLICTS, starts);
}

/* All that comes before it was looked at before: what is up stays up only with what it requires. */
static void note_lost(struct maker *maker, uint32_t index)
{
	const struct ledger_state *state = maker->inputs[index].state;
	struct node *node = &maker->nodes[index];

	if (state == NULL || (node->action != PLAN_NONE && node->action != PLAN_LIVE) ||
	    !step_is_up((enum state)state->state) || transition_is_halting(state))
		return;
	for (uint32_t i = 0; i < node->link_count; i++) {
		const struct link *link = &maker->links[node->link + i];

		if (is_losing(maker, link)) {
			enum plan_action action = maker->nodes[link->first].action;

			follow(node, action == PLAN_STOP ? PLAN_STOP : PLAN_RESTART, PLAN_REQUIRES,
			    link->first);
			return;
		}
	}
}

/* What the link will say as soon as the first one's step is begun. */
static bool is_losing(const struct maker *maker, const struct link *link)
{
	const struct plan_input *first = &maker->inputs[link->first];
	enum plan_action action = maker->nodes[link->first].action;
	struct ledger_state state;

	if (first->new_config == NULL ||
	    (action != PLAN_RESTART && action != PLAN_STOP && action != PLAN_START))
		return false;
	state =
	    first->state != NULL ? *first->state : (struct ledger_state){.state = STATE_STOPPED};
	if (action == PLAN_STOP)
		state.wanted = WANTED_DOWN;
	else if (action == PLAN_RESTART)
		state.flags |= plan_is_rolled(first->new_config)
				   ? LEDGER_FLAG_BOUNCE | LEDGER_FLAG_TURN
				   : LEDGER_FLAG_BOUNCE;
	else if (step_is_at_rest((enum state)state.state)) { /* unless it has to wait itself */
		state.state = STATE_STARTING;
		state.wanted = WANTED_UP;
	}
	return depend_is_lost((enum depend_kind)link->kind, (enum depend_condition)link->condition,
	    first->new_config, &state);
}

static int write_steps(const struct maker *maker, struct plan *ret_plan)
{
	struct plan plan = {.inputs = maker->inputs, .input_count = maker->count};
	size_t count = 0;

	for (size_t i = 0; i < maker->count; i++)
		count += (maker->nodes[i].action != PLAN_NONE) + maker->nodes[i].stop_first;
	plan.steps = calloc(count + 1, sizeof(*plan.steps));
	if (plan.steps == NULL)
		return -ENOMEM;
	for (size_t i = maker->count; i-- > 0;) {
		write_step(maker, &plan, maker->order[i], PLAN_STOP);
		write_step(maker, &plan, maker->order[i], PLAN_FREE);
	}
	for (size_t i = 0; i < maker->count; i++) {
		write_step(maker, &plan, maker->order[i], PLAN_LIVE);
		write_step(maker, &plan, maker->order[i], PLAN_ADD);
	}
	for (size_t i = 0; i < maker->count; i++) {
		write_step(maker, &plan, maker->order[i], PLAN_RESTART);
		write_step(maker, &plan, maker->order[i], PLAN_START);
	}
	*ret_plan = plan;
	return 0;
}

/* If that is what the program is to do. */
static void write_step(
    const struct maker *maker, struct plan *plan, uint32_t index, enum plan_action action)
{
	const struct node *node = &maker->nodes[index];

	if (node->action != action && !(action == PLAN_STOP && node->stop_first))
		return;
	plan->steps[plan->count++] = (struct plan_step){.program = index,
	    .other = node->other,
	    .action = action,
	    .cause = node->cause,
	    .follows = node->follows};
}
