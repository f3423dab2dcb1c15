/* SPDX-License-Identifier: ISC */
/*
 * confcluster.c: cluster = … gives the workers a primary, a program of its own; see companion.h.
 *
 * The companion NAME+cluster runs libexec/cluster as the program's user; each instance of the
 * program wants it `:started`, is ready when it listens, and its stop begins with the word to
 * disconnect (cluster.h).  One companion a stanza, so it is made before the stanza becomes
 * instances.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/listenrule.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/companion.h"
#include "supervisord/engine/words.h"

/* "@" and the number of an instance. */
#define NUMBER_MAX 5
/* One that ends at once is tried again at least so often: connections wait meanwhile. */
#define DELAY_MAX_NS (1 * NS_PER_S)

static const char *const any_place[] = {"tcp:*", "udp:*", "unix:*", NULL};

static bool has_cluster(const struct build_program *program);
static void check_cluster(struct build *build, const struct build_program *program);
static int make_primary(
    struct build *build, const struct build_program *owner, struct build_program *ret_primary);
static int make_command(const struct life_config *owner, string_list *ret_command);
static int join(struct build *build, struct build_program *owner, const char *primary);
static int adapt(struct build *build, struct build_program *owner);

void build_check_clusters(struct build *build)
{
	for (size_t i = 0; i < build->program_count; i++) {
		const struct build_program *program = &build->programs[i];

		if (has_cluster(program))
			check_cluster(build, program);
		else if (program->lines[PROGRAM_cluster_listen] > 0)
			build_report(build, program, PROGRAM_cluster_listen,
			    "is for the workers of a cluster, and cluster is none: cluster = "
			    "\"round-robin\" is allowed");
	}
}

int build_add_clusters(struct build *build)
{
	static const struct companion_kind kind = {
	    .has = has_cluster, .make = make_primary, .join = join};

	return companion_add_all(build, &kind);
}

static bool has_cluster(const struct build_program *program)
{
	return program->program->life->key_cluster != CLUSTER_NONE;
}

static void check_cluster(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	const string_list rules = config->life->key_cluster_listen;
	struct listen_rule rule;
	const char *problem;
	char quoted[CONFREPORT_QUOTE];
	size_t count = 0;

	for (; rules != NULL && rules[count] != NULL; count++)
		if (listen_rule_parse(rules[count], &rule, &problem) < 0)
			build_report(build, program, PROGRAM_cluster_listen, "'%s' %s",
			    confreport_quote(rules[count], quoted), problem);
	if (count > LIMIT_CLUSTER_ALLOWED)
		build_report(build, program, PROGRAM_cluster_listen,
		    "has %zu places: at most %d are allowed", count, LIMIT_CLUSTER_ALLOWED);
	if (program->instances > LIMIT_CLUSTER_WORKERS)
		build_report(build, program, PROGRAM_instances,
		    "is %u: at most %d workers of a cluster are allowed", program->instances,
		    LIMIT_CLUSTER_WORKERS);
	else if (build_count_rows(program) > LIMIT_CLUSTER_WORKERS)
		build_report(build, program, PROGRAM_max_surge,
		    "makes %u workers of %u at an update: at most %d workers of a cluster are "
		    "allowed",
		    build_count_rows(program), program->instances, LIMIT_CLUSTER_WORKERS);
	if (config->life->key_type != TYPE_SERVICE)
		build_report(
		    build, program, PROGRAM_cluster, "is for programs of type \"service\"");
	if (config->life->key_stop_sequence.count == LIMIT_STOP_STEPS)
		build_report(build, program, PROGRAM_stop_sequence,
		    "has %d steps, and a worker of a cluster is told to disconnect before: at most "
		    "%d are allowed",
		    LIMIT_STOP_STEPS, LIMIT_STOP_STEPS - 1);
	if (strlen(config->name) + NUMBER_MAX > LIMIT_NAME - sizeof(CLUSTER_SUFFIX))
		build_report(build, program, PROGRAM_cluster,
		    "has no room for '" CLUSTER_SUFFIX "' behind the name '%s': at most %zu bytes "
		    "are allowed in the name",
		    config->name, LIMIT_NAME - sizeof(CLUSTER_SUFFIX) - NUMBER_MAX);
}

static int make_primary(
    struct build *build, const struct build_program *owner, struct build_program *ret_primary)
{
	static const enum program_key shared[] = {PROGRAM_user, PROGRAM_group, PROGRAM_umask,
	    PROGRAM_autostart, PROGRAM_boot, PROGRAM_log_user, PROGRAM_log_group, PROGRAM_log_mode};
	struct build_program primary;
	char name[LIMIT_NAME];
	int error;

	(void)snprintf(name, sizeof(name), "%s" CLUSTER_SUFFIX, owner->program->name);
	error =
	    companion_new(build, owner, name, shared, sizeof(shared) / sizeof(shared[0]), &primary);
	if (error < 0)
		return error;
	primary.program->key_restart = RESTART_ALWAYS;
	primary.program->key_restart_delay_max = DELAY_MAX_NS;
	primary.program->key_start_limit = 0;
	error = make_command(owner->program->life, &primary.program->key_command);
	if (error < 0) {
		build_free_program(primary.program);
		return error;
	}
	*ret_primary = primary;
	return 0;
}

static int make_command(const struct life_config *owner, string_list *ret_command)
{
	const char *const *rules = owner->key_cluster_listen != NULL
				       ? (const char *const *)owner->key_cluster_listen
				       : any_place;
	const char *words[3 + 2 * LIMIT_CLUSTER_ALLOWED];
	const char *directory = getenv("SUPERVISORD_LIBEXEC");
	char *path;
	size_t count = 0;

	if (asprintf(&path, "%s/cluster", directory != NULL ? directory : PKGLIBEXECDIR) < 0)
		return -ENOMEM;
	words[count++] = path;
	words[count++] = "--mode";
	words[count++] = cluster_mode_name(owner->key_cluster);
	for (size_t i = 0; i < LIMIT_CLUSTER_ALLOWED && rules[i] != NULL; i++) {
		words[count++] = "--listen";
		words[count++] = rules[i];
	}
	*ret_command = words_copy(words, count);
	free(path);
	return *ret_command != NULL ? 0 : -ENOMEM;
}

static int join(struct build *build, struct build_program *owner, const char *primary)
{
	int error = companion_want(build, owner, primary);

	return error == 0 ? adapt(build, owner) : error;
}

/* A worker is ready when it listens, where the stanza does not say otherwise, and is told to
 * disconnect before it gets its first signal. */
static int adapt(struct build *build, struct build_program *owner)
{
	const struct program_config *config = owner->program;
	struct check ready = {.kind = CHECK_LISTENING};
	struct stop_sequence sequence = config->life->key_stop_sequence;
	int error = 0;

	if (owner->lines[PROGRAM_ready] == 0)
		error = build_replace(build, owner, &program_rows[PROGRAM_ready], &ready);
	if (error < 0)
		return error;
	if (sequence.count == 0) {
		sequence.steps[0] =
		    (struct stop_step){config->key_stop_signal, config->key_stop_timeout};
		sequence.count = 1;
	}
	memmove(sequence.steps + 1, sequence.steps, sequence.count * sizeof(sequence.steps[0]));
	sequence.steps[0] = (struct stop_step){STOP_DISCONNECT, config->key_stop_timeout};
	sequence.count++;
	return build_replace(build, owner, &program_rows[PROGRAM_stop_sequence], &sequence);
}
