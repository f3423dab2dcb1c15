/* SPDX-License-Identifier: ISC */
/*
 * conffilter.c: log_filter becomes a program of its own, see confbuild.h.
 *
 * The checks have seen the configuration as the user wrote it, where the program has the log.  Then
 * each program with a filter gets a companion NAME+filter, a name that no stanza can have: it runs
 * the filter's command as the program's user, owns the log and its keys, and the program writes to
 * `program:NAME+filter` and wants it.  So that the rest of the engine knows nothing of filters: the
 * pipe between the two is one that the guardian holds, like that of any two programs.
 *
 * Nothing of `defaults` is for the filter but what the program has of it: its other keys are those
 * of keys.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/companion.h"
#include "supervisord/engine/instname.h"

/* The longest name that has room for the suffix in the ledger. */
#define OWNER_NAME_MAX (LIMIT_NAME - sizeof(INSTNAME_FILTER))
/* "@" and the number of an instance. */
#define NUMBER_MAX 5

/* For the last lines, once nobody writes any more; and then for what TERM makes of it. */
#define DRAIN_NS (10 * NS_PER_S)
#define TERM_NS  (10 * NS_PER_S)

/* A filter that ends at once is tried again at least so often: its program waits meanwhile. */
#define DELAY_MAX_NS (5 * NS_PER_S)

static bool has_filter(const struct build_program *program);
static void check_filter(struct build *build, const struct build_program *program);
static int make_filter(
    struct build *build, const struct build_program *owner, struct build_program *ret_filter);
static int set_life(const struct build *build, const struct program_config *owner,
    struct program_config *filter, struct life_config *life);
static int64_t stop_length_ns(const struct program_config *owner);
static int name_log(const struct build *build, const struct program_config *owner, char **ret_path);
static int divert(struct build *build, struct build_program *owner, const char *name);

void build_check_filters(struct build *build)
{
	size_t count = 0, programs = 0;

	for (size_t i = 0; i < build->program_count; i++) {
		check_filter(build, &build->programs[i]);
		programs += build_count_rows(&build->programs[i]);
		if (has_filter(&build->programs[i]))
			count += build_count_rows(&build->programs[i]);
	}
	if (count > 0 && programs <= LIMIT_ROWS && programs + count > LIMIT_ROWS)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu programs and %zu filters of logs: at most %d together are allowed",
		    programs, count, LIMIT_ROWS);
}

int build_add_filters(struct build *build)
{
	static const struct companion_kind kind = {
	    .has = has_filter, .make = make_filter, .join = divert};

	return companion_add_all(build, &kind);
}

/* One of the defaults is for the programs that have a log. */
static bool has_filter(const struct build_program *program)
{
	return program->program->life->key_log_filter != NULL &&
	       program->program->key_stdout.kind == STDIO_LOG;
}

static void check_filter(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	size_t most = program->instances > 1 ? OWNER_NAME_MAX - NUMBER_MAX : OWNER_NAME_MAX;

	if (program->lines[PROGRAM_log_filter] > 0 && config->life->key_log_filter != NULL &&
	    config->key_stdout.kind != STDIO_LOG)
		build_report(build, program, PROGRAM_log_filter,
		    "needs a stdout that the logger writes: \"log\", \"syslog\", \"journal\" or a "
		    "list of targets");
	if (!has_filter(program))
		return;
	if (config->life->key_ready.kind == CHECK_LOG)
		build_report(build, program, PROGRAM_ready,
		    "'log:' looks for what the program writes, but with log_filter the log has "
		    "what the filter writes: another form is allowed, or no log_filter");
	if (strlen(config->name) > most)
		build_report(build, program, PROGRAM_log_filter,
		    "has no room for '" INSTNAME_FILTER "' behind the name '%s': at most %zu "
		    "bytes are allowed in the name of a program with a filter%s",
		    config->name, most, program->instances > 1 ? " and instances" : "");
}

static int make_filter(
    struct build *build, const struct build_program *owner, struct build_program *ret_filter)
{
	static const enum program_key shared[] = {PROGRAM_directory, PROGRAM_user, PROGRAM_group,
	    PROGRAM_umask, PROGRAM_environment, PROGRAM_autostart, PROGRAM_boot, PROGRAM_stdout,
	    PROGRAM_log_max_size, PROGRAM_log_keep, PROGRAM_log_rotate, PROGRAM_log_max_age,
	    PROGRAM_log_total_size, PROGRAM_log_compress, PROGRAM_log_user, PROGRAM_log_group,
	    PROGRAM_log_mode, PROGRAM_log_format, PROGRAM_log_line_max, PROGRAM_log_full,
	    PROGRAM_syslog_facility, PROGRAM_syslog_tag};
	struct build_program filter;
	char name[LIMIT_NAME];
	int error;

	instname_of_filter(owner->program->name, name);
	error =
	    companion_new(build, owner, name, shared, sizeof(shared) / sizeof(shared[0]), &filter);
	if (error < 0)
		return error;
	filter.program->instances = owner->program->instances;
	filter.program->surge = owner->program->surge;
	error = set_life(build, owner->program, filter.program, filter.life);
	if (error < 0) {
		build_free_program(filter.program);
		return error;
	}
	*ret_filter = filter;
	return 0;
}

/* What makes it a filter: it is always there, and it ends when its input does. */
static int set_life(const struct build *build, const struct program_config *owner,
    struct program_config *filter, struct life_config *life)
{
	int error;

	filter->key_restart = RESTART_ALWAYS;
	filter->key_restart_delay_max = DELAY_MAX_NS;
	filter->key_start_limit = 0;
	life->key_stop_sequence = (struct stop_sequence){.count = 2,
	    .steps = {{STOP_END_OF_INPUT, stop_length_ns(owner) + DRAIN_NS}, {SIGTERM, TERM_NS}}};
	error =
	    companion_copy_names(owner->name, owner->life->key_log_filter, &filter->key_command);
	if (error == 0)
		error = name_log(build, owner, &life->key_log_file);
	if (error == 0 && life->key_syslog_tag == NULL) {
		life->key_syslog_tag = strdup(owner->name);
		if (life->key_syslog_tag == NULL)
			error = -ENOMEM;
	}
	return error;
}

/* A filter that is taken away waits for its program, which may still be stopping. */
static int64_t stop_length_ns(const struct program_config *owner)
{
	const struct stop_sequence *sequence = &owner->life->key_stop_sequence;
	int64_t length = owner->key_stop_timeout;

	for (uint32_t i = 0; i < sequence->count; i++)
		length += sequence->steps[i].wait_ns;
	return length;
}

/* That of the program, whatever the filter is called. */
static int name_log(const struct build *build, const struct program_config *owner, char **ret_path)
{
	char *path;

	if (owner->life->key_log_file != NULL)
		path = config_log_path(&build->whole->config, owner, 0);
	else if (asprintf(&path, "%s.log", owner->name) < 0)
		path = NULL;
	*ret_path = path;
	return path != NULL ? 0 : -ENOMEM;
}

/* The program writes to its filter, and waits at its start until that has a process. */
static int divert(struct build *build, struct build_program *owner, const char *name)
{
	struct stdio stdio = {.kind = STDIO_PROGRAM, .target = strdup(name)};
	int error;

	if (stdio.target == NULL)
		return -ENOMEM;
	error = build_replace(build, owner, &program_rows[PROGRAM_stdout], &stdio);
	if (error < 0) {
		free(stdio.target);
		return error;
	}
	return companion_want(build, owner, name);
}
