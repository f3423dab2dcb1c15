/* SPDX-License-Identifier: ISC */
/*
 * confsocket.c: the stanzas socket "NAME" { … }, and the programs that name them, see confbuild.h.
 *
 * Nothing of the machine is looked at here but its users: what an address means on it is
 * socketcheck.h's business, and told when it is asked for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/nearest.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/fdstore.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/notifyparse.h"
#include "supervisord/engine/socketaddress.h"
#include "supervisord/engine/value.h"

#define HASH_PRIME 0x100000001b3ULL

/* One address of one socket. */
struct place {
	uint64_t hash;
	const struct build_socket *socket;
	const char *text;
	struct socket_address address;
};

static void report(struct build *build, const struct build_socket *socket, enum socket_key key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
static int compare_sockets(const void *a, const void *b);
static int fill_defaults(struct build_socket *socket);
static void refuse_doubles(struct build *build);
static void check_socket(struct build *build, const struct build_socket *socket);
static void check_file_keys(struct build *build, const struct build_socket *socket);
static void check_owner(struct build *build, const struct build_socket *socket);
static int check_addresses(struct build *build);
static void check_cover(struct build *build, const struct place *place, const struct place *other);
static int compare_places(const void *a, const void *b);
static int give_sockets(struct build *build);
static void check_program(struct build *build, struct build_program *program);
static void check_demand(struct build *build, const struct build_program *program, size_t count);
static bool is_stream(const char *listen);
static void refuse_unknown(
    struct build *build, const struct build_program *program, const char *name);
static void check_stdin(struct build *build, const struct build_program *program, size_t count);
static size_t count_listen(const struct socket_config *socket);
static uint64_t hash_socket(uint64_t hash, const struct socket_config *socket);

int build_finish_sockets(struct build *build)
{
	int error = 0;

	if (build->socket_count == 0)
		return 0;
	for (size_t i = 0; i < build->socket_count && error == 0; i++)
		error = fill_defaults(&build->sockets[i]);
	if (error < 0)
		return error;
	qsort(build->sockets, build->socket_count, sizeof(*build->sockets), compare_sockets);
	refuse_doubles(build);
	for (size_t i = 0; i < build->socket_count; i++)
		check_socket(build, &build->sockets[i]);
	error = check_addresses(build);
	return error < 0 ? error : give_sockets(build);
}

void build_free_socket(struct socket_config *socket)
{
	for (size_t k = 0; k < SOCKET_KEY_COUNT; k++)
		value_done(&socket_rows[k], build_member(socket, &socket_rows[k]), NULL);
	free(socket->name);
	socket->name = NULL;
}

void build_check_sockets(struct build *build)
{
	for (size_t i = 0; i < build->program_count; i++)
		if (build->programs[i].program->life->key_sockets != NULL ||
		    build->programs[i].program->life->key_start == START_ON_DEMAND ||
		    build->programs[i].lines[PROGRAM_idle_stop] > 0 ||
		    build->programs[i].lines[PROGRAM_socket_as] > 0)
			check_program(build, &build->programs[i]);
}

/* ---- sockets -------------------------------------------------------------------------------- */

static void report(struct build *build, const struct build_socket *socket, enum socket_key key,
    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	confreport_add_list(build->report, build_file(build, socket->place),
	    socket->lines[key] > 0 ? socket->lines[key] : socket->place.line, socket_rows[key].name,
	    format, arguments);
	va_end(arguments);
}

/* By name, then in the order of reading. */
static int compare_sockets(const void *a, const void *b)
{
	const struct build_socket *x = a, *y = b;
	int order = strcmp(x->config.name, y->config.name);

	if (order != 0)
		return order;
	if (x->place.source != y->place.source)
		return x->place.source < y->place.source ? -1 : 1;
	return (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

static int fill_defaults(struct build_socket *socket)
{
	int error = 0;

	for (size_t k = 0; k < SOCKET_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &socket_rows[k];

		if (socket->lines[k] == 0)
			error = value_read_default(row, build_member(&socket->config, row));
	}
	return error;
}

static void refuse_doubles(struct build *build)
{
	size_t first = 0;

	for (size_t i = 1; i < build->socket_count; i++) {
		const struct build_socket *socket = &build->sockets[i],
					  *other = &build->sockets[first];

		if (strcmp(socket->config.name, other->config.name) != 0) {
			first = i;
			continue;
		}
		confreport_add(build->report, build_file(build, socket->place), socket->place.line,
		    "socket", "'%s' is already defined at %s:%d", socket->config.name,
		    build_file(build, other->place), other->place.line);
	}
}

static void check_socket(struct build *build, const struct build_socket *socket)
{
	const struct socket_config *config = &socket->config;
	char quoted[CONFREPORT_QUOTE];

	/* One that stood there and was refused has been reported. */
	if (config->key_listen == NULL && !socket->spoiled)
		report(build, socket, SOCKET_listen,
		    "is missing in socket '%s': each socket needs an address", config->name);
	if (config->key_fd_name != NULL &&
	    !notify_is_fdname(config->key_fd_name, strlen(config->key_fd_name)))
		report(build, socket, SOCKET_fd_name,
		    "'%s' is not printable ASCII without ':' of at most %d bytes",
		    confreport_quote(config->key_fd_name, quoted), NOTIFY_FDNAME - 1);
	check_file_keys(build, socket);
	if (!build->applied)
		check_owner(build, socket);
}

/* What means nothing without a file. */
static void check_file_keys(struct build *build, const struct build_socket *socket)
{
	static const enum socket_key keys[] = {
	    SOCKET_mode, SOCKET_owner, SOCKET_group, SOCKET_remove_on_stop};
	bool has_file = socket->config.key_listen == NULL;

	for (size_t i = 0;
	     socket->config.key_listen != NULL && socket->config.key_listen[i] != NULL; i++) {
		struct socket_address address;
		const char *problem;

		if (socketaddress_parse(socket->config.key_listen[i], &address, &problem) == 0)
			has_file = has_file || address.path != NULL;
	}
	for (size_t i = 0; !has_file && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (socket->lines[keys[i]] > 0)
			report(build, socket, keys[i],
			    "is about the file of a unix socket or a fifo, which socket '%s' has "
			    "none of",
			    socket->config.name);
}

static void check_owner(struct build *build, const struct build_socket *socket)
{
	const struct socket_config *config = &socket->config;
	char quoted[CONFREPORT_QUOTE];
	struct ids_owner owner;
	const char *what = "user";
	int error;

	if (config->key_owner == NULL && config->key_group == NULL)
		return;
	error = ids_resolve_owner(config->key_owner, config->key_group, &owner, &what);
	if (error == 0)
		return;
	confreport_quote(
	    strcmp(what, "group") == 0 ? config->key_group : config->key_owner, quoted);
	report(build, socket, strcmp(what, "group") == 0 ? SOCKET_group : SOCKET_owner, "'%s' %s%s",
	    quoted,
	    error == -ENOENT  ? "does not exist: a user or group of this system is allowed"
	    : error == -EPERM ? "is somebody else: only root may give files away"
			      : "cannot be looked up: ",
	    error == -ENOENT || error == -EPERM ? "" : strerror(-error));
}

/* No two sockets have one address. */
static int check_addresses(struct build *build)
{
	struct place *places;
	size_t count = 0, room = 0;

	for (size_t i = 0; i < build->socket_count; i++)
		room += count_listen(&build->sockets[i].config);
	if (room > LIMIT_SOCKETS) {
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu addresses of sockets: at most %d are allowed", room, LIMIT_SOCKETS);
		return 0;
	}
	places = calloc(room + 1, sizeof(*places));
	if (places == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->socket_count; i++) {
		const string_list list = build->sockets[i].config.key_listen;

		for (size_t k = 0; list != NULL && list[k] != NULL; k++) {
			struct socket_address address;
			const char *problem;

			if (socketaddress_parse(list[k], &address, &problem) == 0)
				places[count++] = (struct place){socketaddress_hash(&address),
				    &build->sockets[i], list[k], address};
		}
	}
	qsort(places, count, sizeof(*places), compare_places);
	for (size_t i = 1; i < count; i++)
		if (places[i].hash == places[i - 1].hash)
			report(build, places[i].socket, SOCKET_listen,
			    "'%s' is already an address of socket '%s' (%s:%d)", places[i].text,
			    places[i - 1].socket->config.name,
			    build_file(build, places[i - 1].socket->place),
			    places[i - 1].socket->lines[SOCKET_listen]);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++)
			check_cover(build, &places[i], &places[k]);
	free(places);
	return 0;
}

/* The kernel gives the second one only if both say reuse_port. */
static void check_cover(struct build *build, const struct place *place, const struct place *other)
{
	const struct socket_config *config = &place->socket->config;

	if (place->hash == other->hash ||
	    !socketaddress_covers(&place->address, config->key_v6_only, &other->address) ||
	    (config->key_reuse_port && other->socket->config.key_reuse_port))
		return;
	/* 0.0.0.0 and [::] cover each other: that is said once. */
	if (socketaddress_covers(
		&other->address, other->socket->config.key_v6_only, &place->address) &&
	    place->hash < other->hash)
		return;
	report(build, place->socket, SOCKET_listen,
	    "'%s' includes '%s' of socket '%s' (%s:%d): one of them, or reuse_port = true in both, "
	    "is allowed",
	    place->text, other->text, other->socket->config.name,
	    build_file(build, other->socket->place), other->socket->lines[SOCKET_listen]);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->socket > y->socket) - (x->socket < y->socket);
}

/* From here on they are the configuration's; where their keys are written stays here. */
static int give_sockets(struct build *build)
{
	struct config *config = &build->whole->config;

	config->sockets = calloc(build->socket_count, sizeof(*config->sockets));
	if (config->sockets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->socket_count; i++) {
		struct build_socket *socket = &build->sockets[i];

		config->sockets[i] = socket->config;
		config->sockets[i].file = build_file(build, socket->place);
		config->sockets[i].line = socket->lines[SOCKET_listen];
	}
	config->socket_count = build->socket_count;
	build->socket_count = 0;
	return 0;
}

/* ---- programs that have them ---------------------------------------------------------------- */

static void check_program(struct build *build, struct build_program *program)
{
	const struct life_config *life = program->program->life;
	uint64_t hash = 0;
	size_t count = 0;

	for (size_t i = 0; life->key_sockets != NULL && life->key_sockets[i] != NULL; i++) {
		const struct socket_config *socket =
		    config_find_socket(&build->whole->config, life->key_sockets[i]);

		if (socket == NULL) {
			refuse_unknown(build, program, life->key_sockets[i]);
			return;
		}
		count += count_listen(socket);
		hash = hash_socket(hash, socket);
	}
	program->program->sockets_hash = hash;
	check_demand(build, program, count);
	if (count > LIMIT_PROGRAM_SOCKETS)
		build_report(build, program, PROGRAM_sockets,
		    "have %zu addresses together: at most %d are allowed", count,
		    LIMIT_PROGRAM_SOCKETS);
	if (life->key_socket_as == SOCKET_AS_STDIN)
		check_stdin(build, program, count);
	else if (life->key_ready.kind == CHECK_FD &&
		 (size_t)life->key_ready.fd < FDSTORE_FIRST + count)
		build_report(build, program, PROGRAM_ready,
		    "'fd:%d' is one of the descriptors from %d to %zu, which are its sockets: a "
		    "larger one is allowed",
		    life->key_ready.fd, FDSTORE_FIRST, FDSTORE_FIRST + count - 1);
}

static void check_demand(struct build *build, const struct build_program *program, size_t count)
{
	const struct life_config *life = program->program->life;

	if (life->key_accept) /* confaccept.c */
		return;
	if (life->key_start == START_ON_DEMAND && count == 0)
		build_report(build, program, PROGRAM_start,
		    "'on-demand' is for programs with sockets: somebody has to connect to one");
	if (life->key_start == START_ON_DEMAND && life->key_type == TYPE_ONESHOT)
		build_report(build, program, PROGRAM_start,
		    "'on-demand' is not for a oneshot: what runs once for each connection has type "
		    "= \"service\" and ends");
	if (life->key_start == START_ON_DEMAND && life->key_trigger_limit == 0)
		build_report(build, program, PROGRAM_trigger_limit,
		    "0 would start one that never takes the connection without end: a number from "
		    "1 on is needed (only accept = true takes them itself)");
	if (life->key_idle_stop == 0)
		return;
	if (life->key_start != START_ON_DEMAND)
		build_report(build, program, PROGRAM_idle_stop,
		    "is for start = \"on-demand\" only: nothing else would start it again");
	for (size_t i = 0; life->key_sockets != NULL && life->key_sockets[i] != NULL; i++) {
		const struct socket_config *socket =
		    config_find_socket(&build->whole->config, life->key_sockets[i]);

		for (size_t k = 0; socket->key_listen != NULL && socket->key_listen[k] != NULL; k++)
			if (!is_stream(socket->key_listen[k]))
				build_report(build, program, PROGRAM_idle_stop,
				    "cannot be had with '%s': only who connects is known to be "
				    "there",
				    socket->key_listen[k]);
	}
}

static bool is_stream(const char *listen)
{
	struct socket_address address;
	const char *problem;

	return socketaddress_parse(listen, &address, &problem) == 0 &&
	       socketaddress_is_stream(&address);
}

static void refuse_unknown(
    struct build *build, const struct build_program *program, const char *name)
{
	const struct config *config = &build->whole->config;
	const char *names[LIMIT_SOCKETS], *nearest;
	size_t count = 0;

	if (!build->complete)
		return;
	for (; count < config->socket_count && count < LIMIT_SOCKETS; count++)
		names[count] = config->sockets[count].name;
	nearest = nearest_find(name, names, count);
	if (nearest != NULL)
		build_report(build, program, PROGRAM_sockets,
		    "there is no socket '%s': did you mean '%s'?", name, nearest);
	else
		build_report(build, program, PROGRAM_sockets,
		    "there is no socket '%s': a stanza socket \"%s\" { listen = ... } is needed",
		    name, name);
}

static void check_stdin(struct build *build, const struct build_program *program, size_t count)
{
	/* With accept = true it is the connection, wherever that came from. */
	if (count != 1 && !program->program->life->key_accept)
		build_report(build, program, PROGRAM_socket_as,
		    "'stdin' is for one socket with one address, and there are %zu", count);
	if (program->program->key_stdin.kind != STDIO_NULL)
		build_report(build, program, PROGRAM_socket_as,
		    "'stdin' cannot be had with a stdin of its own");
}

static size_t count_listen(const struct socket_config *socket)
{
	size_t count = 0;

	while (socket->key_listen != NULL && socket->key_listen[count] != NULL)
		count++;
	return count;
}

/* What a program was launched with: names and addresses in their order. */
static uint64_t hash_socket(uint64_t hash, const struct socket_config *socket)
{
	const char *name = socket->key_fd_name != NULL ? socket->key_fd_name : socket->name;

	for (const char *at = name; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * HASH_PRIME;
	for (size_t i = 0; socket->key_listen != NULL && socket->key_listen[i] != NULL; i++) {
		struct socket_address address;
		const char *problem;

		if (socketaddress_parse(socket->key_listen[i], &address, &problem) == 0)
			hash = (hash ^ socketaddress_hash(&address)) * HASH_PRIME;
	}
	return hash != 0 ? hash : 1;
}
