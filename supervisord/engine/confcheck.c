/* SPDX-License-Identifier: ISC */
/*
 * confcheck.c: checks of a configuration that span keys, and pipes between programs, see
 * confbuild.h.
 *
 * Programs are found by binary search and cycles by one walk over all edges, so that ten thousand
 * programs are checked in no time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/units.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confgraph.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/route.h"

/* Different users that are remembered; with more of them the oldest is looked up again. */
#define ID_CACHE        32
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

struct known_ids {
	const char *user;
	const char *group;
	const char *what;
	int result;
	bool told; /* an error in the defaults is reported once */
	bool used;
};

static void check_directory(struct build *build, const struct build_program *program);
static void check_delays(struct build *build, const struct build_program *program);
static void check_type(struct build *build, const struct build_program *program);
static void check_either(struct build *build, const struct build_program *program);
static void check_either_defaults(struct build *build);
static void check_exits(struct build *build, const struct build_program *program);
static void check_ready(struct build *build, const struct build_program *program);
static void check_ipc_to(struct build *build, const struct build_program *program);
static void check_socket(struct build *build, const struct build_program *program,
    enum program_key key, const struct check *check);
static int check_ids(struct build *build, const struct build_program *program,
    struct known_ids *cache, size_t *next);
static void report_ids(
    struct build *build, const struct build_program *program, const struct known_ids *ids);
static int check_stream(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio, struct confgraph *graph);
static int check_reader(struct build *build, const struct build_program *program,
    enum program_key key, const char *name, struct confgraph *graph);
static int check_streams_cycle(struct build *build, const struct confgraph *streams);

int build_check(struct build *build)
{
	struct confgraph streams = {0};
	struct known_ids cache[ID_CACHE] = {0};
	size_t next = 0;
	int error = 0;

	check_either_defaults(build);
	for (size_t i = 0; i < build->program_count && error == 0; i++) {
		const struct build_program *program = &build->programs[i];

		check_directory(build, program);
		check_delays(build, program);
		check_type(build, program);
		check_either(build, program);
		check_exits(build, program);
		check_ready(build, program);
		if (!build->applied)
			error = check_ids(build, program, cache, &next);
		if (error == 0)
			error = check_stream(build, program, PROGRAM_stdout,
			    &program->program->key_stdout, &streams);
		if (error == 0)
			error = check_stream(build, program, PROGRAM_stderr,
			    &program->program->key_stderr, &streams);
	}
	if (error == 0)
		error = check_streams_cycle(build, &streams);
	if (error == 0)
		error = build_check_links(build);
	if (error == 0)
		error = build_check_logs(build);
	build_check_sockets(build);
	build_check_accept(build);
	build_check_filters(build);
	build_check_clusters(build);
	build_check_ttys(build);
	build_check_instances(build);
	confgraph_done(&streams);
	return error;
}

static void check_directory(struct build *build, const struct build_program *program)
{
	const char *directory = program->program->key_directory;
	char quoted[CONFREPORT_QUOTE];

	if (directory != NULL && !build_is_absolute(directory))
		build_report(build, program, PROGRAM_directory,
		    "'%s' is not absolute: a path that begins with /, %%{home} or %%{run_dir} is "
		    "allowed",
		    confreport_quote(directory, quoted));
}

static void check_delays(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	char delay[64], most[64];

	if (config->key_restart_delay_max >= config->key_restart_delay)
		return;
	units_format_duration(config->key_restart_delay, delay, sizeof(delay));
	units_format_duration(config->key_restart_delay_max, most, sizeof(most));
	if (program->lines[PROGRAM_restart_delay_max] > 0 ||
	    program->lines[PROGRAM_restart_delay] == 0)
		build_report(build, program, PROGRAM_restart_delay_max,
		    "'%s' is less than restart_delay: at least %s is allowed", most, delay);
	else
		build_report(build, program, PROGRAM_restart_delay,
		    "'%s' is more than restart_delay_max: at most %s is allowed", delay, most);
}

/* Keys that mean something for one type only. */
static void check_type(struct build *build, const struct build_program *program)
{
	const struct life_config *life = program->program->life;

	if (life->key_pid_file != NULL && life->key_type != TYPE_FORKING)
		build_report(build, program, PROGRAM_pid_file,
		    "is for type = \"forking\" only: other types are watched without one");
	if (life->key_remain && life->key_type != TYPE_ONESHOT)
		build_report(build, program, PROGRAM_remain, "is for type = \"oneshot\" only");
	if (life->key_type != TYPE_ONESHOT || program->program->key_restart != RESTART_ALWAYS)
		return;
	/* Where the stanza says one of the two, it is that one. */
	build_report(build, program,
	    program->lines[PROGRAM_restart] > 0 || program->lines[PROGRAM_type] == 0
		? PROGRAM_restart
		: PROGRAM_type,
	    "a oneshot cannot have restart = \"always\": what is started again whenever it ends "
	    "has "
	    "type = \"service\"");
}

/* Two ways to say one thing, in one stanza. */
static void check_either(struct build *build, const struct build_program *program)
{
	const int *lines = program->lines;

	if (lines[PROGRAM_stop_sequence] > 0 && lines[PROGRAM_stop_signal] > 0)
		build_report(build, program, PROGRAM_stop_sequence,
		    "is given beside stop_signal: only one of the two is allowed");
	if (lines[PROGRAM_stop_sequence] > 0 && lines[PROGRAM_stop_timeout] > 0 &&
	    program->program->life->key_stop_command == NULL)
		build_report(build, program, PROGRAM_stop_sequence,
		    "is given beside stop_timeout: only one of the two is allowed, but with a "
		    "stop_command");
	if (lines[PROGRAM_reload_command] > 0 && lines[PROGRAM_reload_signal] > 0)
		build_report(build, program, PROGRAM_reload_command,
		    "is given beside reload_signal: only one of the two is allowed");
}

static void check_either_defaults(struct build *build)
{
	static const enum program_key pairs[][2] = {
	    {PROGRAM_stop_sequence, PROGRAM_stop_signal},
	    {PROGRAM_reload_command, PROGRAM_reload_signal},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct build_place place = build->defaults[pairs[i][0]];

		if (place.line > 0 && build->defaults[pairs[i][1]].line > 0)
			confreport_add(build->report, build_file(build, place), place.line,
			    program_rows[pairs[i][0]].name,
			    "is given beside %s: only one of the two is allowed",
			    program_rows[pairs[i][1]].name);
	}
}

static void check_exits(struct build *build, const struct build_program *program)
{
	const struct exit_set *force = &program->program->life->key_restart_force_exit;
	const struct exit_set *prevent = &program->program->life->key_restart_prevent_exit;
	bool both = (force->signals & prevent->signals) != 0;

	for (size_t i = 0; i < sizeof(force->codes) / sizeof(force->codes[0]); i++)
		both = both || (force->codes[i] & prevent->codes[i]) != 0;
	if (both)
		build_report(build, program, PROGRAM_restart_prevent_exit,
		    "has a code or signal that restart_force_exit has too: in one of the two it is "
		    "allowed");
}

static void check_ready(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	const struct life_config *life = config->life;

	if (life->key_ready.kind == CHECK_LOG && !route_has_file(&config->key_stdout))
		build_report(build, program, PROGRAM_ready,
		    "'log:' looks into the log, but stdout is another one than \"log\": that is "
		    "needed");
	if (life->key_ready.kind == CHECK_LISTENING && life->key_cluster == CLUSTER_NONE)
		build_report(build, program, PROGRAM_ready,
		    "'listening' is for the workers of a cluster, and cluster is none");
	if (life->key_ready.kind == CHECK_IPC && !life->key_ipc &&
	    life->key_cluster == CLUSTER_NONE)
		build_report(build, program, PROGRAM_ready,
		    "'ipc' is a message on the IPC channel, and ipc is not true: that is needed");
	if (life->key_ipc_to != NULL)
		check_ipc_to(build, program);
	/* Both would tell the program about its descriptors. */
	if (life->key_ready.kind == CHECK_FD && life->key_watchdog > 0)
		build_report(build, program, PROGRAM_ready,
		    "'fd:%d' cannot be had with a watchdog: ready = \"notify\" is allowed",
		    life->key_ready.fd);
	check_socket(build, program, PROGRAM_ready, &life->key_ready);
	check_socket(build, program, PROGRAM_health_check, &life->key_health_check);
}

static void check_ipc_to(struct build *build, const struct build_program *program)
{
	const struct life_config *life = program->program->life;
	const char *name = life->key_ipc_to + strlen(IPC_TO_PROGRAM);
	const struct build_program *other;
	char quoted[CONFREPORT_QUOTE];
	uint32_t number;

	if (strncmp(life->key_ipc_to, IPC_TO_PROGRAM, strlen(IPC_TO_PROGRAM)) != 0) {
		build_report(build, program, PROGRAM_ipc_to,
		    "'%s' is not known: \"" IPC_TO_PROGRAM "NAME\" is allowed",
		    confreport_quote(life->key_ipc_to, quoted));
		return;
	}
	if (!life->key_ipc)
		build_report(build, program, PROGRAM_ipc_to,
		    "is for messages on the IPC channel, and ipc is not true: that is needed");
	other = build_find_named(build, name, strlen(name), &number);
	if (other != NULL && other->program->life->key_ipc)
		return;
	build_report(build, program, PROGRAM_ipc_to,
	    "'%s' is no program with ipc = true: one is needed", confreport_quote(name, quoted));
}

/* What is too long once it is absolute; one with a %{word} is only known at the start. */
static void check_socket(struct build *build, const struct build_program *program,
    enum program_key key, const struct check *check)
{
	char quoted[CONFREPORT_QUOTE];

	if (check->kind == CHECK_UNIX && strstr(check->target, "%{") == NULL &&
	    strlen(check->target) > SOCKET_PATH_MAX)
		build_report(build, program, key,
		    "'%s' is too long for a socket: a path of at most %zu bytes is allowed",
		    confreport_quote(check->target, quoted), SOCKET_PATH_MAX);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int check_ids(
    struct build *build, const struct build_program *program, struct known_ids *cache, size_t *next)
{
	const char *user = program->program->key_user, *group = program->program->key_group;
	struct known_ids *known = NULL;
	struct ids ids;
	bool own = program->lines[PROGRAM_user] > 0 || program->lines[PROGRAM_group] > 0;

	if (user == NULL && group == NULL)
		return 0;
	for (size_t i = 0; i < ID_CACHE && known == NULL; i++)
		if (cache[i].used && same_text(cache[i].user, user) &&
		    same_text(cache[i].group, group))
			known = &cache[i];
	if (known == NULL) {
		known = &cache[(*next)++ % ID_CACHE];
		*known = (struct known_ids){.user = user, .group = group, .used = true};
		known->result = ids_resolve(user, group, &ids, &known->what);
		if (known->result == 0)
			ids_done(&ids);
		if (known->result == -ENOMEM)
			return -ENOMEM;
	}
	if (known->result < 0 && (own || !known->told))
		report_ids(build, program, known);
	known->told = known->told || !own;
	return 0;
}

static void report_ids(
    struct build *build, const struct build_program *program, const struct known_ids *ids)
{
	bool is_group = strcmp(ids->what, "group") == 0;
	enum program_key key = is_group && ids->group != NULL ? PROGRAM_group : PROGRAM_user;
	const char *text = key == PROGRAM_group ? ids->group : ids->user;
	char quoted[CONFREPORT_QUOTE];

	confreport_quote(text != NULL ? text : "", quoted);
	if (ids->result == -EPERM)
		build_report(build, program, key,
		    "'%s' is somebody else: only root may run programs as another %s", quoted,
		    ids->what);
	else if (ids->result == -ENOENT && is_group && ids->group == NULL)
		build_report(build, program, key,
		    "'%s' has no entry in passwd(5) and so no login group: give a group too",
		    quoted);
	else if (ids->result == -ENOENT)
		build_report(build, program, key,
		    "'%s' does not exist: a %s of this system is allowed", quoted, ids->what);
	else
		build_report(build, program, key, "'%s' cannot be looked up: %s", quoted,
		    strerror(-ids->result));
}

static int check_stream(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio, struct confgraph *graph)
{
	size_t index = 0;
	const char *name;
	int error = 0;

	while (error == 0 && (name = route_next_program(stdio, &index)) != NULL)
		error = check_reader(build, program, key, name, graph);
	return error;
}

static int check_reader(struct build *build, const struct build_program *program,
    enum program_key key, const char *name, struct confgraph *graph)
{
	uint32_t number;
	const struct build_program *reader = build_find_named(build, name, strlen(name), &number);

	if (reader == NULL) {
		if (build->complete)
			build_report(build, program, key, "there is no program '%s'", name);
		return 0;
	}
	if (reader->program->key_stdin.kind != STDIO_NULL) {
		struct build_place place = build->defaults[PROGRAM_stdin];

		if (reader->lines[PROGRAM_stdin] > 0)
			place = build_key_place(reader, PROGRAM_stdin);
		build_report(build, program, key,
		    "program '%s' has a stdin of its own (%s:%d): only one whose stdin is null can "
		    "read a pipe",
		    name, build_file(build, place), place.line);
	}
	if (reader->program->life->key_tty)
		build_report(build, program, key,
		    "program '%s' reads from its terminal (tty = true): it cannot read a pipe",
		    name);
	return confgraph_add(graph, (uint32_t)(program - build->programs),
	    (uint32_t)(reader - build->programs), key);
}

static int check_streams_cycle(struct build *build, const struct confgraph *streams)
{
	struct confgraph_cycle cycle;
	int error;

	error = confgraph_find_cycle(streams, build->program_count, build_name_of, build, &cycle);
	if (error < 0 || cycle.length == 0)
		return error;
	build_report(build, &build->programs[cycle.path[0]], cycle.key,
	    "%s: a program cannot read what it has written", cycle.text);
	confgraph_cycle_done(&cycle);
	return 0;
}
