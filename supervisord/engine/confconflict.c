/* SPDX-License-Identifier: ISC */
/*
 * confconflict.c: programs that cannot run side by side must never be started for one another, see
 * confbuild.h.
 *
 * A program "brings" what it requires and wants, and what these bring.  Two programs in conflict
 * that one program brings (it may be one of the two) would stop each other without end, and two
 * that the start of supervisord brings would leave it to chance which of them runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confgraph.h"

#define NOBODY UINT32_MAX

/* Two programs in conflict, the lower index first. */
struct pair {
	uint32_t low;
	uint32_t high;
	uint32_t writer; /* the one of the two whose list it is */
};

struct pairs {
	struct pair *list;
	size_t count;
	size_t room;
};

/* Neighbours of a node: targets[first[node] .. first[node + 1]]. */
struct adjacency {
	size_t *first;
	uint32_t *targets;
};

struct checker {
	struct build *build;
	struct adjacency brings;  /* whom a program brings directly */
	struct adjacency brought; /* by whom */
	uint32_t *autostart;      /* of each program: who brings it at the start, or NOBODY */
	uint32_t *marks;          /* of each program: the number of the last walk that met it */
	uint32_t walk;
	uint32_t *stack;
};

static int collect_pairs(struct build *build, struct pairs *pairs);
static int add_pair(struct pairs *pairs, uint32_t writer, uint32_t other);
static int compare_pairs(const void *a, const void *b);
static int checker_init(
    struct checker *checker, struct build *build, const struct confgraph *order);
static void checker_done(struct checker *checker);
static int make_adjacency(
    struct adjacency *adjacency, size_t node_count, const struct confgraph *order, bool reverse);
static void walk_autostart(struct checker *checker);
static void check_pair(struct checker *checker, const struct pair *pair);
static void report_autostart(struct checker *checker, const struct pair *pair);
static void report_bringer(struct checker *checker, const struct pair *pair, uint32_t bringer);
static void mark_bringers(struct checker *checker, uint32_t node);
static uint32_t find_marked(struct checker *checker, uint32_t node);

int build_check_conflicts(struct build *build, const struct confgraph *order)
{
	struct checker checker = {0};
	struct pairs pairs = {0};
	int error;

	error = collect_pairs(build, &pairs);
	if (error == 0 && pairs.count > 0)
		error = checker_init(&checker, build, order);
	if (error == 0 && pairs.count > 0)
		walk_autostart(&checker);
	for (size_t i = 0; i < pairs.count && error == 0; i++) {
		const struct pair *pair = &pairs.list[i];

		/* Both may have said so. */
		if (i > 0 && pair[-1].low == pair->low && pair[-1].high == pair->high)
			continue;
		check_pair(&checker, pair);
	}
	checker_done(&checker);
	free(pairs.list);
	return error;
}

static int collect_pairs(struct build *build, struct pairs *pairs)
{
	int error = 0;

	for (size_t i = 0; i < build->program_count && error == 0; i++) {
		const string_list names = build->programs[i].program->life->key_conflicts;

		for (size_t j = 0; names != NULL && names[j] != NULL && error == 0; j++) {
			uint32_t number;
			const struct build_program *other =
			    build_find_named(build, names[j], strlen(names[j]), &number);

			if (other != NULL && other != &build->programs[i])
				error = add_pair(
				    pairs, (uint32_t)i, (uint32_t)(other - build->programs));
		}
	}
	if (error == 0 && pairs->count > 1)
		qsort(pairs->list, pairs->count, sizeof(*pairs->list), compare_pairs);
	return error;
}

static int add_pair(struct pairs *pairs, uint32_t writer, uint32_t other)
{
	if (pairs->count == pairs->room) {
		size_t room = pairs->room == 0 ? 16 : pairs->room * 2;
		struct pair *list = realloc(pairs->list, room * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		pairs->list = list;
		pairs->room = room;
	}
	pairs->list[pairs->count++] = (struct pair){.low = writer < other ? writer : other,
	    .high = writer < other ? other : writer,
	    .writer = writer};
	return 0;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	return (x->writer > y->writer) - (x->writer < y->writer);
}

static int checker_init(struct checker *checker, struct build *build, const struct confgraph *order)
{
	size_t count = build->program_count;
	int error;

	checker->build = build;
	checker->autostart = malloc(count * sizeof(*checker->autostart));
	checker->marks = calloc(count, sizeof(*checker->marks));
	checker->stack = calloc(count, sizeof(*checker->stack));
	if (checker->autostart == NULL || checker->marks == NULL || checker->stack == NULL)
		return -ENOMEM;
	error = make_adjacency(&checker->brings, count, order, false);
	return error < 0 ? error : make_adjacency(&checker->brought, count, order, true);
}

static void checker_done(struct checker *checker)
{
	free(checker->brings.first);
	free(checker->brings.targets);
	free(checker->brought.first);
	free(checker->brought.targets);
	free(checker->autostart);
	free(checker->marks);
	free(checker->stack);
}

static bool is_bringing(const struct confgraph *order, size_t edge)
{
	return order->keys[edge] == PROGRAM_requires || order->keys[edge] == PROGRAM_wants;
}

/* By counting sort.  `first` is shifted by one while it is filled. */
static int make_adjacency(
    struct adjacency *adjacency, size_t node_count, const struct confgraph *order, bool reverse)
{
	size_t total = 0;

	adjacency->first = calloc(node_count + 2, sizeof(*adjacency->first));
	if (adjacency->first == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < order->count; i++) {
		if (!is_bringing(order, i))
			continue;
		adjacency
		    ->first[(reverse ? order->edges[i].dependency : order->edges[i].node) + 2]++;
		total++;
	}
	for (size_t i = 2; i < node_count + 2; i++)
		adjacency->first[i] += adjacency->first[i - 1];
	adjacency->targets = calloc(total + 1, sizeof(*adjacency->targets));
	if (adjacency->targets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < order->count; i++) {
		uint32_t from = order->edges[i].node, to = order->edges[i].dependency;

		if (is_bringing(order, i))
			adjacency->targets[adjacency->first[(reverse ? to : from) + 1]++] =
			    reverse ? from : to;
	}
	return 0;
}

/* Those with autostart bring themselves. */
static void walk_autostart(struct checker *checker)
{
	const struct build *build = checker->build;
	size_t depth = 0;

	for (size_t i = 0; i < build->program_count; i++) {
		checker->autostart[i] = NOBODY;
		if (build->programs[i].program->key_autostart) {
			checker->autostart[i] = (uint32_t)i;
			checker->stack[depth++] = (uint32_t)i;
		}
	}
	while (depth > 0) {
		uint32_t node = checker->stack[--depth];

		for (size_t i = checker->brings.first[node]; i < checker->brings.first[node + 1];
		     i++) {
			uint32_t other = checker->brings.targets[i];

			if (checker->autostart[other] != NOBODY)
				continue;
			checker->autostart[other] = node;
			checker->stack[depth++] = other;
		}
	}
}

static void check_pair(struct checker *checker, const struct pair *pair)
{
	uint32_t bringer;

	mark_bringers(checker, pair->low);
	bringer = find_marked(checker, pair->high);
	if (bringer != NOBODY)
		report_bringer(checker, pair, bringer);
	else if (checker->autostart[pair->low] != NOBODY &&
		 checker->autostart[pair->high] != NOBODY)
		report_autostart(checker, pair);
}

static const char *name_of(const struct checker *checker, uint32_t node)
{
	return build_name_of(checker->build, node);
}

static void report_autostart(struct checker *checker, const struct pair *pair)
{
	uint32_t brought = pair->low, bringer;

	if (checker->autostart[brought] == brought)
		brought = pair->high;
	bringer = checker->autostart[brought];
	if (bringer == brought)
		build_report(checker->build, &checker->build->programs[pair->writer],
		    PROGRAM_conflicts,
		    "'%s' and '%s' cannot run side by side, but supervisord would start both: set "
		    "autostart = false in one of them",
		    name_of(checker, pair->low), name_of(checker, pair->high));
	else
		build_report(checker->build, &checker->build->programs[pair->writer],
		    PROGRAM_conflicts,
		    "'%s' and '%s' cannot run side by side, but supervisord would start both ('%s' "
		    "because of '%s'): set autostart = false where it begins",
		    name_of(checker, pair->low), name_of(checker, pair->high),
		    name_of(checker, brought), name_of(checker, bringer));
}

static void report_bringer(struct checker *checker, const struct pair *pair, uint32_t bringer)
{
	const struct build_program *writer = &checker->build->programs[pair->writer];

	if (bringer == pair->low || bringer == pair->high)
		build_report(checker->build, writer, PROGRAM_conflicts,
		    "'%s' cannot run beside '%s', which it brings itself (requires, wants): take "
		    "it "
		    "out of one of the two",
		    name_of(checker, bringer),
		    name_of(checker, bringer == pair->low ? pair->high : pair->low));
	else
		build_report(checker->build, writer, PROGRAM_conflicts,
		    "'%s' and '%s' cannot run side by side, but '%s' brings both (requires, "
		    "wants): "
		    "take one of them out of that",
		    name_of(checker, pair->low), name_of(checker, pair->high),
		    name_of(checker, bringer));
}

/* All that bring `node`, and itself. */
static void mark_bringers(struct checker *checker, uint32_t node)
{
	size_t depth = 0;

	checker->walk++;
	checker->marks[node] = checker->walk;
	checker->stack[depth++] = node;
	while (depth > 0) {
		node = checker->stack[--depth];
		for (size_t i = checker->brought.first[node]; i < checker->brought.first[node + 1];
		     i++) {
			uint32_t other = checker->brought.targets[i];

			if (checker->marks[other] == checker->walk)
				continue;
			checker->marks[other] = checker->walk;
			checker->stack[depth++] = other;
		}
	}
}

/* The first of `node` and all that bring it that was marked, or NOBODY. */
static uint32_t find_marked(struct checker *checker, uint32_t node)
{
	uint32_t before = checker->walk, found = NOBODY;
	size_t depth = 0;

	checker->walk++;
	if (checker->marks[node] == before)
		return node;
	checker->marks[node] = checker->walk;
	checker->stack[depth++] = node;
	while (depth > 0 && found == NOBODY) {
		node = checker->stack[--depth];
		for (size_t i = checker->brought.first[node];
		     i < checker->brought.first[node + 1] && found == NOBODY; i++) {
			uint32_t other = checker->brought.targets[i];

			if (checker->marks[other] == before)
				found = other;
			if (checker->marks[other] == checker->walk || found != NOBODY)
				continue;
			checker->marks[other] = checker->walk;
			checker->stack[depth++] = other;
		}
	}
	return found;
}
