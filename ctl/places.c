/* SPDX-License-Identifier: ISC */
/* places.c: see places.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/places.h"

/* One program while it is folded. */
struct group {
	struct program *first;
	size_t count;
	size_t waiting;
	size_t taken;
};

static struct group next_group(struct program *programs, size_t count);
static bool is_free(const struct program *program);
static int fold(const struct group *group, struct program *to, size_t *at, struct places *places);
static void sum_up(const struct group *group, struct program *ret_sum);
static const char *what_it_waits_for(const struct program *program);

int places_fold(struct program *programs, size_t *count, struct places *ret_places)
{
	struct places places = {0};
	size_t from = 0, to = 0;

	places.texts = calloc(*count + 1, sizeof(*places.texts));
	if (places.texts == NULL)
		return -ENOMEM;
	while (from < *count) {
		struct group group = next_group(programs + from, *count - from);

		from += group.count;
		if (group.count > 1) {
			if (fold(&group, programs, &to, &places) < 0) {
				places_done(&places);
				return -ENOMEM;
			}
		} else {
			programs[to++] = *group.first;
		}
	}
	*count = to;
	*ret_places = places;
	return 0;
}

void places_done(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->texts[i]);
	free(places->texts);
	*places = (struct places){0};
}

bool places_is_up(const struct program *program)
{
	return program_is_running(program) ||
	       (program->max_connections > 0 && strcmp(program->state, "WAITING") == 0);
}

/* All instances of one program, or one record that stays as it is. */
static struct group next_group(struct program *programs, size_t count)
{
	struct group group = {.first = programs};

	while (group.count < count && programs[group.count].max_connections > 1 &&
	       strcmp(programs[group.count].program, programs->program) == 0) {
		const struct program *program = &programs[group.count++];

		group.waiting += strcmp(program->state, "WAITING") == 0;
		group.taken += !is_free(program);
	}
	if (group.count < 2 || (int64_t)group.count != programs->max_connections)
		group = (struct group){.first = programs, .count = 1};
	return group;
}

static bool is_free(const struct program *program)
{
	return strcmp(program->state, "WAITING") == 0 || strcmp(program->state, "STOPPED") == 0;
}

/* To `to[*at]` and behind it: never past the group, as at least one line becomes none, or, where
 * all are taken, the summary is left out. */
static int fold(const struct group *group, struct program *to, size_t *at, struct places *places)
{
	struct program sum;
	char *text;
	size_t count = group->count; /* what is written may stand where the group does */
	size_t hole = 0;

	if (group->taken < count) {
		sum_up(group, &sum);
		if (asprintf(&text, "%s%s%zu of %zu connections",
			group->waiting > 0 ? what_it_waits_for(&sum) : sum.reason,
			sum.reason[0] != '\0' ? "; " : "", group->taken, count) < 0)
			return -ENOMEM;
		sum.reason = places->texts[places->count++] = text;
		/* The first free one makes room for the sum: those before it move up by one. */
		while (!is_free(&group->first[hole]))
			hole++;
		memmove(group->first + 1, group->first, hole * sizeof(*group->first));
		to[(*at)++] = sum;
		for (size_t i = 1; i <= hole; i++)
			to[(*at)++] = group->first[i];
		for (size_t i = hole + 1; i < count; i++)
			if (!is_free(&group->first[i]))
				to[(*at)++] = group->first[i];
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		to[(*at)++] = group->first[i];
	return 0;
}

/* Of all of them: how often one was started, and what those that are free do. */
static void sum_up(const struct group *group, struct program *ret_sum)
{
	const char *state = group->waiting > 0 ? "WAITING" : "STOPPED";
	struct program sum = {0};
	int64_t starts = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct program *program = &group->first[i];

		starts += program->starts;
		if (strcmp(program->state, state) != 0)
			continue;
		/* RFC 3339 of one length: the latest change is the greatest. */
		if (sum.name == NULL || strcmp(program->since, sum.since) > 0)
			sum = *program;
	}
	assert(sum.name != NULL); /* fold() asks only where one is free */
	sum.name = sum.program;
	sum.starts = starts;
	sum.exit_status = -1;
	sum.exit_signal = NULL;
	*ret_sum = sum;
}

/* How the connection before ended is that one's business. */
static const char *what_it_waits_for(const struct program *program)
{
	const char *waits = strstr(program->reason, "waits for ");

	return waits != NULL ? waits : program->reason;
}
