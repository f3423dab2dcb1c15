/* SPDX-License-Identifier: ISC */
/* copyspec.c: what a spec makes of a copied stream, see copy.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/logger/copy.h"

static bool may_repeat(const struct copier *copier, const struct stream *stream);
static bool has_target(const struct logspec *spec, const char *name);
static size_t count_targets(const struct logspec *spec);
static void add_target(struct copier *copier, struct copy *copy, const char *text, size_t length);
static void adopt(struct copy *copy, struct copy *old);

bool copy_is_needed(const struct logspec *spec)
{
	return spec->format != LOGSPEC_RAW || spec->full == LOGSPEC_DROP || spec->targets != NULL;
}

int copy_set_spec(struct copier *copier, struct stream *stream)
{
	const struct logspec *spec = stream->spec;
	struct copy *old = stream->copy, *copy;
	const char *at = spec->targets != NULL ? spec->targets : "log";
	bool has_file = has_target(spec, "log");

	copy = calloc(1, sizeof(*copy) + count_targets(spec) * sizeof(copy->targets[0]));
	if (copy == NULL)
		return -ENOMEM;
	copy->stream = stream;
	copy->may_repeat =
	    old == NULL && stream_count_waiting(stream) > 0 && may_repeat(copier, stream);
	copy->raw = (struct raw){.world = copier->world, .null_fd = copier->null_fd};
	copy->has_raw_file = has_file && spec->format == LOGSPEC_RAW;
	while (*at != '\0') {
		size_t length = strcspn(at, "\n");

		add_target(copier, copy, at, length);
		at += length + (at[length] == '\n');
	}
	if (old != NULL)
		adopt(copy, old);
	if (!has_file && copy->ring == NULL) {
		copy->ring = malloc(sizeof(*copy->ring));
		if (copy->ring != NULL)
			ring_init(copy->ring, &copier->rings);
	}
	if (has_file && copy->ring != NULL) {
		ring_done(copy->ring);
		free(copy->ring);
		copy->ring = NULL;
	}
	if (old != NULL)
		copy_free(copier, old);
	stream->copy = copy;
	return 0;
}

void copy_free(struct copier *copier, struct copy *copy)
{
	if (copy == NULL)
		return;
	copy_forget_held(copier, copy);
	for (size_t i = 0; i < copy->count; i++) {
		sink_remove_waiting(&copy->targets[i]);
		if (copy->targets[i].sink != NULL)
			sinks_put(&copier->sinks, copy->targets[i].sink);
	}
	if (copy->ring != NULL)
		ring_done(copy->ring);
	free(copy->ring);
	free(copy);
}

/* Did another logger have this pipe, which may have given on what is in it? */
static bool may_repeat(const struct copier *copier, const struct stream *stream)
{
	const struct ledger_state *state;

	if (!copier->is_restarted || stream->row >= LIMIT_ROWS)
		return false;
	state = ledger_get_state(copier->ledger, (int)stream->row);
	return state->starts != 1 || state->run_start_ns < copier->start_ns;
}

static bool has_target(const struct logspec *spec, const char *name)
{
	const char *at = spec->targets;
	size_t length = strlen(name);

	if (at == NULL)
		return strcmp(name, "log") == 0;
	while (at != NULL) {
		if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == '\n'))
			return true;
		at = strchr(at, '\n');
		at += at != NULL;
	}
	return false;
}

static size_t count_targets(const struct logspec *spec)
{
	size_t count = 1;

	for (const char *at = spec->targets; at != NULL && *at != '\0'; at++)
		count += *at == '\n';
	return count;
}

/* One that cannot be made is as one that is not configured: the others go on. */
static void add_target(struct copier *copier, struct copy *copy, const char *text, size_t length)
{
	const struct logspec *spec = copy->stream->spec;
	struct target *target = &copy->targets[copy->count];
	char address[4096];

	if (length >= sizeof(address))
		return;
	memcpy(address, text, length);
	address[length] = '\0';
	*target = (struct target){
	    .stream = copy->stream, .format = spec->format, .line_max = stream_line_max(spec)};
	if (strcmp(address, "log") == 0) {
		copy->count += !copy->has_raw_file;
		return;
	}
	if (strncmp(address, "inherit:", 8) == 0) {
		target->format = strcmp(address + 8, "prefix") == 0 ? LOGSPEC_PREFIX
				 : strcmp(address + 8, "json") == 0 ? LOGSPEC_JSON
								    : LOGSPEC_RAW;
		(void)snprintf(address, sizeof(address), "fd:%d", spec->stream + 1);
	}
	target->sink = sinks_get(&copier->sinks, address);
	if (target->sink == NULL)
		return;
	if (!sink_takes_lines(target->sink) && target->sink->kind != SINK_JOURNAL &&
	    target->line_max > LIMIT_LOG_MESSAGE)
		target->line_max = LIMIT_LOG_MESSAGE;
	copy->count++;
}

/* What the old targets know of their readers, and the ring, are the new ones'. */
static void adopt(struct copy *copy, struct copy *old)
{
	copy->raw = old->raw;
	copy->ring = old->ring;
	copy->may_repeat = old->may_repeat;
	old->ring = NULL;
	for (size_t i = 0; i < copy->count; i++) {
		struct target *target = &copy->targets[i];

		for (size_t k = 0; k < old->count; k++) {
			const struct target *former = &old->targets[k];

			if (former->sink != target->sink)
				continue;
			target->ahead = former->ahead;
			target->dropped = former->dropped;
			target->is_skipping = former->is_skipping;
			target->mark_due = former->mark_due;
			break;
		}
	}
}
