/* SPDX-License-Identifier: ISC */
/*
 * conftty.c: tty = true gives each instance a relay, a program of its own; see companion.h.
 *
 * The companion NAME+tty (of web@3: web+tty@3) runs libexec/terminal as the program's user; the
 * program wants it `:started`, but it is there also when the program is not, for who is attached
 * then.  The log stays the program's: the engine tells the relay where its
 * output goes (tty.h).  It ends when the last process has closed the terminal, so it is given the
 * time that a stop of the program may take, and then some.
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
#include "supervisord/engine/words.h"

/* "@" and the number of an instance. */
#define NUMBER_MAX 5
/* The longest name that has room for the suffix in the ledger. */
#define OWNER_NAME_MAX (LIMIT_NAME - sizeof(INSTNAME_TTY))
/* For what the program said last. */
#define DRAIN_NS (10 * NS_PER_S)
/* One that ends at once is tried again at least so often: the program waits when it has written
 * some. */
#define DELAY_MAX_NS (5 * NS_PER_S)

static bool has_tty(const struct build_program *program);
static void check_tty(struct build *build, const struct build_program *program);
static int make_relay(
    struct build *build, const struct build_program *owner, struct build_program *ret_relay);
static int make_command(string_list *ret_command);

void build_check_ttys(struct build *build)
{
	size_t count = 0, programs = 0;

	for (size_t i = 0; i < build->program_count; i++) {
		const struct build_program *program = &build->programs[i];

		programs += build_count_rows(program);
		if (!has_tty(program))
			continue;
		count += build_count_rows(program);
		check_tty(build, program);
	}
	if (count > 0 && programs <= LIMIT_ROWS && programs + count > LIMIT_ROWS)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu programs and %zu relays of terminals: at most %d together are allowed",
		    programs, count, LIMIT_ROWS);
}

int build_add_ttys(struct build *build)
{
	static const struct companion_kind kind = {
	    .has = has_tty, .make = make_relay, .join = companion_want};

	return companion_add_all(build, &kind);
}

static bool has_tty(const struct build_program *program)
{
	return program->program->life->key_tty;
}

static void check_tty(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	const struct life_config *life = config->life;
	size_t most = program->instances > 1 ? OWNER_NAME_MAX - NUMBER_MAX : OWNER_NAME_MAX;

	if (config->key_stdin.kind != STDIO_NULL)
		build_report(build, program, PROGRAM_stdin,
		    "is the terminal with tty = true: it cannot be given, too");
	if (config->key_stderr.kind != STDIO_STDOUT)
		build_report(build, program, PROGRAM_stderr,
		    "is the terminal with tty = true, as standard output is: \"stdout\" is "
		    "allowed");
	if (life->key_socket_as == SOCKET_AS_STDIN)
		build_report(build, program, PROGRAM_socket_as,
		    "'stdin' cannot be had with tty = true: \"descriptors\" is allowed");
	if (life->key_type == TYPE_FORKING)
		build_report(build, program, PROGRAM_tty,
		    "is not for type = \"forking\": what goes to the background has no terminal");
	if (life->key_update == UPDATE_START_FIRST)
		build_report(build, program, PROGRAM_tty,
		    "is not for update = \"start-first\": \"stop-start\" and \"rolling\" are "
		    "allowed");
	if (strlen(config->name) > most)
		build_report(build, program, PROGRAM_tty,
		    "has no room for '" INSTNAME_TTY "' behind the name '%s': at most %zu bytes "
		    "are allowed in the name of a program with a terminal%s",
		    config->name, most, program->instances > 1 ? " and instances" : "");
}

static int make_relay(
    struct build *build, const struct build_program *owner, struct build_program *ret_relay)
{
	static const enum program_key shared[] = {PROGRAM_user, PROGRAM_group};
	const struct program_config *config = owner->program;
	int64_t stop_ns = config->key_stop_timeout;
	struct build_program relay;
	struct stdio inherit = {.kind = STDIO_INHERIT};
	char name[LIMIT_NAME];
	int error;

	instname_of_tty(config->name, name);
	error =
	    companion_new(build, owner, name, shared, sizeof(shared) / sizeof(shared[0]), &relay);
	if (error < 0)
		return error;
	for (uint32_t i = 0; i < config->life->key_stop_sequence.count; i++)
		stop_ns += config->life->key_stop_sequence.steps[i].wait_ns;
	relay.program->instances = config->instances;
	relay.program->key_restart = RESTART_ALWAYS;
	relay.program->key_restart_delay_max = DELAY_MAX_NS;
	relay.program->key_start_limit = 0;
	relay.program->key_stop_timeout = stop_ns + DRAIN_NS;
	/* Its own words are for the daemon's log. */
	relay.program->key_stdout = inherit;
	relay.program->key_stderr = inherit;
	error = make_command(&relay.program->key_command);
	if (error < 0) {
		build_free_program(relay.program);
		return error;
	}
	*ret_relay = relay;
	return 0;
}

static int make_command(string_list *ret_command)
{
	const char *directory = getenv("SUPERVISORD_LIBEXEC");
	const char *words[1];
	char *path;

	if (asprintf(&path, "%s/terminal", directory != NULL ? directory : PKGLIBEXECDIR) < 0)
		return -ENOMEM;
	words[0] = path;
	*ret_command = words_copy(words, 1);
	free(path);
	return *ret_command != NULL ? 0 : -ENOMEM;
}
