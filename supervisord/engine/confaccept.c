/* SPDX-License-Identifier: ISC */
/*
 * confaccept.c: accept = true: what it means for the rest of the stanza, and what cannot be had
 * with it, see confbuild.h.
 *
 * Each connection has an instance of its own (accept.h): there are max_connections of them, and
 * they are started on demand.  What is about a program that stays, or that somebody else waits
 * for, means nothing then, and is refused.
 */
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/route.h"
#include "supervisord/engine/socketaddress.h"

/* As keys.h has it. */
#define MAX_CONNECTIONS 64

static void refuse_without(struct build *build, const struct build_program *program);
static void check_accept(struct build *build, const struct build_program *program);
static void check_listen(struct build *build, const struct build_program *program);
static void check_reader(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio);

int build_take_accept(struct build *build, struct build_program *program)
{
	static const enum start_mode on_demand = START_ON_DEMAND;
	static const enum restart_policy never = RESTART_NEVER;
	static const uint32_t no_limit = 0;
	int error = 0;

	program->instances = program->program->life->key_max_connections;
	/* "now" that somebody wrote stays, to be refused. */
	if (program->lines[PROGRAM_start] == 0)
		error = build_replace(build, program, &program_rows[PROGRAM_start], &on_demand);
	if (error == 0 && program->lines[PROGRAM_restart] == 0)
		error = build_replace(build, program, &program_rows[PROGRAM_restart], &never);
	/* Its default is for programs that would be started again and again by one connection. */
	if (error == 0 && program->lines[PROGRAM_trigger_limit] == 0 &&
	    build->defaults[PROGRAM_trigger_limit].line == 0)
		error =
		    build_replace(build, program, &program_rows[PROGRAM_trigger_limit], &no_limit);
	return error;
}

void build_check_accept(struct build *build)
{
	for (size_t i = 0; i < build->program_count; i++) {
		const struct build_program *program = &build->programs[i];

		if (program->program->life->key_accept)
			check_accept(build, program);
		else
			refuse_without(build, program);
		check_reader(build, program, PROGRAM_stdout, &program->program->key_stdout);
		check_reader(build, program, PROGRAM_stderr, &program->program->key_stderr);
	}
}

/* Where they say something, not where all keys are written. */
static void refuse_without(struct build *build, const struct build_program *program)
{
	static const char needed[] =
	    "is for programs that get one connection each: accept = true is needed";
	const struct life_config *life = program->program->life;

	if (program->lines[PROGRAM_max_connections] > 0 &&
	    life->key_max_connections != MAX_CONNECTIONS)
		build_report(build, program, PROGRAM_max_connections, "%s", needed);
	if (program->lines[PROGRAM_max_connections_per_source] > 0 &&
	    life->key_max_connections_per_source > 0)
		build_report(build, program, PROGRAM_max_connections_per_source, "%s", needed);
}

static void check_accept(struct build *build, const struct build_program *program)
{
	const struct life_config *life = program->program->life;
	const struct {
		bool wrong;
		enum program_key key;
		const char *why;
	} rules[] = {
	    {life->key_sockets == NULL, PROGRAM_accept,
		"is for programs with sockets: sockets = {\"NAME\"} is needed"},
	    {life->key_start != START_ON_DEMAND, PROGRAM_start,
		"is said by accept = true: connections start it"},
	    {life->key_instances != 1, PROGRAM_instances,
		"is said by accept = true: max_connections is how many there are at most"},
	    {life->key_update != UPDATE_STOP_START, PROGRAM_update,
		"is not for accept = true: an apply leaves the connections alone"},
	    {life->key_type != TYPE_SERVICE, PROGRAM_type,
		"is to be \"service\" with accept = true"},
	    {life->key_cluster != CLUSTER_NONE, PROGRAM_cluster,
		"cannot be had with accept = true: the workers of a cluster accept themselves"},
	    {life->key_ready.kind != CHECK_NONE, PROGRAM_ready,
		"is not for accept = true: nobody waits for the run of a connection"},
	    {life->key_health_check.kind != CHECK_NONE, PROGRAM_health_check,
		"is not for accept = true: who is connected sees for himself"},
	    {life->key_watchdog > 0, PROGRAM_watchdog,
		"is not for accept = true: max_runtime ends what takes too long"},
	    {life->key_pre_start != NULL, PROGRAM_pre_start,
		"is not for accept = true: the connection would have to wait for it"},
	    {life->key_log_filter != NULL, PROGRAM_log_filter,
		"cannot be had with accept = true: there would be a filter a connection"},
	    {life->key_tty, PROGRAM_tty,
		"cannot be had with accept = true: the connection is what it talks to"},
	    {life->key_idle_stop > 0, PROGRAM_idle_stop,
		"is not for accept = true: max_runtime ends what takes too long"},
	    {program->program->key_restart != RESTART_NEVER, PROGRAM_restart,
		"is \"never\" with accept = true: the connection has ended with the run"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].wrong)
			build_report(build, program, rules[i].key, "%s", rules[i].why);
	check_listen(build, program);
}

/* Only where clients connect there is something to accept. */
static void check_listen(struct build *build, const struct build_program *program)
{
	const string_list names = program->program->life->key_sockets;

	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		const struct socket_config *socket =
		    config_find_socket(&build->whole->config, names[i]);

		for (size_t k = 0;
		     socket != NULL && socket->key_listen != NULL && socket->key_listen[k] != NULL;
		     k++) {
			struct socket_address address;
			const char *problem;

			if (socketaddress_parse(socket->key_listen[k], &address, &problem) == 0 &&
			    !socketaddress_is_stream(&address))
				build_report(build, program, PROGRAM_accept,
				    "cannot be had with '%s': nobody connects there (tcp, unix and "
				    "unix-seqpacket are allowed)",
				    socket->key_listen[k]);
		}
	}
}

/* Its standard input is a connection, or ends with it. */
static void check_reader(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio)
{
	const char *name;
	size_t index = 0;
	uint32_t number;

	while ((name = route_next_program(stdio, &index)) != NULL) {
		const struct build_program *reader =
		    build_find_named(build, name, strlen(name), &number);

		if (reader != NULL && reader->program->life->key_accept)
			build_report(build, program, key,
			    "program '%s' has accept = true: it runs for connections alone",
			    reader->program->name);
	}
}
