/* SPDX-License-Identifier: ISC */
/* sockets.c: see sockets.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/engine/confreport.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/socketbind.h"
#include "supervisord/engine/socketcheck.h"
#include "supervisord/engine/socketowner.h"
#include "supervisord/engine/sockets.h"

static int list_all(const struct config *config, struct sockets *ret_sockets);
static void close_fresh(struct engine *engine, const struct listener *listener);
static uint64_t key_of(const struct socket_address *address);
static int hold(struct engine *engine, struct listener *listener);
static void tell_open(const struct listener *listener);
static const char *explain(const struct engine *engine, const struct listener *listener, int error,
    char buffer[SOCKETCHECK_TEXT]);
static const struct listener *find_ours(
    const struct engine *engine, const struct socket_owner *owner);
static bool is_same_socket(int fd, ino_t inode);
static void open_late(struct engine *engine, struct listener *listener);
static void refresh(struct engine *engine, struct listener *listener);
static void close_others(struct engine *engine, const struct sockets *before);
static void close_one(struct engine *engine, const struct sockets *before, int slot);
static const struct listener *find_slot(const struct sockets *sockets, int slot);
static void check_one(const struct engine *engine, const struct listener *listener,
    struct confreport *report, struct confreport *notes);
static bool is_daemon(const struct socket_owner *owner);

int sockets_open(struct engine *engine, const struct config *config, struct config_errors *errors)
{
	struct confreport report = {.errors = errors};
	struct sockets wanted = {0};
	bool fresh[LIMIT_SOCKETS] = {false};
	char text[SOCKETCHECK_TEXT];
	int error = list_all(config, &wanted);

	for (size_t i = 0; error == 0 && i < wanted.count; i++) {
		struct listener *listener = &wanted.list[i];
		int failure;

		listener->slot = slots_find(&engine->slots, key_of(&listener->address));
		if (listener->slot >= 0)
			continue;
		failure = hold(engine, listener);
		fresh[i] = failure == 0;
		if (failure < 0)
			confreport_add(&report, listener->config->file, listener->config->line,
			    "listen", "%s", explain(engine, listener, failure, text));
	}
	if (error == 0 && report.no_memory)
		error = -ENOMEM;
	if (error == 0 && errors->count > 0)
		error = -EINVAL;
	for (size_t i = 0; i < wanted.count; i++) {
		if (fresh[i] && error == 0)
			tell_open(&wanted.list[i]);
		else if (fresh[i])
			close_fresh(engine, &wanted.list[i]);
	}
	sockets_done(&wanted);
	return error;
}

int sockets_use(struct engine *engine)
{
	struct sockets now, before = engine->sockets;
	int error = list_all(engine->config, &now);

	if (error < 0) { /* no pointer into the old configuration may stay */
		sockets_done(&engine->sockets);
		return error;
	}
	engine->sockets = now;
	for (size_t i = 0; i < now.count; i++) {
		struct listener *listener = &now.list[i];

		listener->slot = slots_find(&engine->slots, key_of(&listener->address));
		if (listener->slot >= 0)
			refresh(engine, listener);
		else if (!engine->safe_mode)
			open_late(engine, listener);
	}
	if (!engine->config_lost)
		close_others(engine, &before);
	sockets_done(&before);
	return 0;
}

void sockets_done(struct sockets *sockets)
{
	free(sockets->list);
	*sockets = (struct sockets){0};
}

void sockets_remove_files(const struct engine *engine)
{
	for (size_t i = 0; i < engine->sockets.count; i++) {
		const struct listener *listener = &engine->sockets.list[i];

		if (listener->slot >= 0 && listener->config->key_remove_on_stop)
			socketbind_remove(
			    &listener->address, slots_get_fd(&engine->slots, listener->slot));
	}
}

void sockets_check(const struct engine *engine, const struct config *config,
    struct config_errors *errors, struct config_errors *notes)
{
	struct confreport report = {.errors = errors}, remarks = {.errors = notes};
	struct sockets wanted;

	if (list_all(config, &wanted) < 0)
		return;
	for (size_t i = 0; i < wanted.count; i++)
		check_one(engine, &wanted.list[i], &report, &remarks);
	sockets_done(&wanted);
}

int sockets_of_program(struct engine *engine, const struct program_config *program, int *fds,
    const char **names, size_t *ret_count)
{
	string_list list = program->life->key_sockets;
	size_t count = 0;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
		for (size_t k = 0; k < engine->sockets.count; k++) {
			struct listener *listener = &engine->sockets.list[k];
			const struct socket_config *config = listener->config;

			if (strcmp(config->name, list[i]) != 0)
				continue;
			if (count == LIMIT_PROGRAM_SOCKETS)
				return -E2BIG;
			if (listener->slot < 0) {
				int error = hold(engine, listener);

				if (error < 0)
					return error;
				tell_open(listener);
			}
			fds[count] = slots_get_fd(&engine->slots, listener->slot);
			names[count++] =
			    config->key_fd_name != NULL ? config->key_fd_name : config->name;
		}
	}
	*ret_count = count;
	return 0;
}

const char *sockets_find_missing(const struct engine *engine, const struct program_config *program)
{
	string_list list = program->life->key_sockets;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		for (size_t k = 0; k < engine->sockets.count; k++)
			if (engine->sockets.list[k].slot < 0 &&
			    strcmp(engine->sockets.list[k].config->name, list[i]) == 0)
				return engine->sockets.list[k].text;
	return NULL;
}

/* None of them with a slot yet. */
static int list_all(const struct config *config, struct sockets *ret_sockets)
{
	struct sockets sockets = {0};

	for (size_t i = 0; i < config->socket_count; i++)
		for (size_t k = 0; config->sockets[i].key_listen[k] != NULL; k++)
			sockets.count++;
	sockets.list = calloc(sockets.count + 1, sizeof(*sockets.list));
	if (sockets.list == NULL)
		return -ENOMEM;
	sockets.count = 0;
	for (size_t i = 0; i < config->socket_count; i++) {
		const struct socket_config *socket = &config->sockets[i];

		for (size_t k = 0; socket->key_listen[k] != NULL; k++) {
			struct listener *listener = &sockets.list[sockets.count];
			const char *problem;

			/* It was read before, by the check of the configuration. */
			if (socketaddress_parse(
				socket->key_listen[k], &listener->address, &problem) < 0)
				continue;
			listener->config = socket;
			listener->text = socket->key_listen[k];
			listener->slot = -1;
			sockets.count++;
		}
	}
	*ret_sockets = sockets;
	return 0;
}

/* As if it had never been open. */
static void close_fresh(struct engine *engine, const struct listener *listener)
{
	socketbind_remove(&listener->address, slots_get_fd(&engine->slots, listener->slot));
	slots_release(&engine->slots, listener->slot);
}

static uint64_t key_of(const struct socket_address *address)
{
	return held_key(HELD_SOCKET, 0, 0) | socketaddress_hash(address);
}

/* Open it, and give it to the guardian. */
static int hold(struct engine *engine, struct listener *listener)
{
	int fd, slot, error = socketbind_open(listener->config, &listener->address, &fd);

	if (error < 0)
		return error;
	slot = slots_hold(&engine->slots, key_of(&listener->address), fd);
	if (slot < 0) {
		socketbind_remove(&listener->address, fd);
		close(fd);
		return slot;
	}
	listener->slot = slot;
	return 0;
}

static void tell_open(const struct listener *listener)
{
	log_notice("socket %s: listens on %s", listener->config->name, listener->text);
}

static const char *explain(const struct engine *engine, const struct listener *listener, int error,
    char buffer[SOCKETCHECK_TEXT])
{
	struct socket_owner owner;
	const struct listener *ours;

	if (error != -EADDRINUSE || !socketowner_find(&listener->address, &owner))
		return socketcheck_explain(error, listener->text, &listener->address, NULL, buffer);
	ours = find_ours(engine, &owner);
	if (ours == NULL)
		return socketcheck_explain(
		    error, listener->text, &listener->address, &owner, buffer);
	(void)snprintf(buffer, SOCKETCHECK_TEXT,
	    "'%s' overlaps '%s' of socket '%s', which is open: apply its removal first, then this",
	    listener->text, ours->text, ours->config->name);
	return buffer;
}

/* The socket of ours that it is. */
static const struct listener *find_ours(
    const struct engine *engine, const struct socket_owner *owner)
{
	for (size_t i = 0; i < engine->sockets.count; i++) {
		const struct listener *listener = &engine->sockets.list[i];

		if (listener->slot >= 0 &&
		    is_same_socket(slots_get_fd(&engine->slots, listener->slot), owner->inode))
			return listener;
	}
	return NULL;
}

static bool is_same_socket(int fd, ino_t inode)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == inode;
}

/* At the start of the daemon, whose other programs have nothing to do with it. */
static void open_late(struct engine *engine, struct listener *listener)
{
	char text[SOCKETCHECK_TEXT];
	int error = hold(engine, listener);

	if (error < 0)
		log_error("socket %s: %s: programs that need it cannot start",
		    listener->config->name, explain(engine, listener, error, text));
	else
		tell_open(listener);
}

static void refresh(struct engine *engine, struct listener *listener)
{
	int slot = listener->slot, fd = slots_get_fd(&engine->slots, slot), error;

	if (!socketbind_is_there(&listener->address, fd)) {
		log_warning("socket %s: somebody has removed %s: it is made anew, and who runs "
			    "with the old one must be restarted",
		    listener->config->name, listener->address.path);
		listener->slot = -1;
		open_late(engine, listener);
		slots_release(&engine->slots, slot);
		return;
	}
	error = socketbind_adjust(listener->config, &listener->address, fd);
	if (error < 0)
		log_warning("socket %s: %s: its options: %s", listener->config->name,
		    listener->text, strerror(-error));
}

/*
 * Held and not wanted: of a configuration before this one, or opened for one that did not come to
 * be.  A program that has it keeps it for as long as it runs.
 */
static void close_others(struct engine *engine, const struct sockets *before)
{
	for (size_t i = HELD_SINGLE_MAX; i < engine->slots.count; i++)
		if (held_key_kind(engine->slots.list[i].key) == HELD_SOCKET &&
		    find_slot(&engine->sockets, (int)i) == NULL)
			close_one(engine, before, (int)i);
}

static void close_one(struct engine *engine, const struct sockets *before, int slot)
{
	const struct listener *listener = find_slot(before, slot);
	int fd = slots_get_fd(&engine->slots, slot);
	struct socket_address address = {.kind = SOCKET_UNIX, .length = sizeof(address.un)};

	if (listener != NULL && listener->config->key_remove_on_stop) {
		socketbind_remove(&listener->address, fd);
	} else if (listener == NULL && getsockname(fd, &address.any, &address.length) == 0 &&
		   address.any.sa_family == AF_UNIX && address.un.sun_path[0] == '/') {
		/* The engine that made it did not live to use it. */
		address.path = address.un.sun_path;
		socketbind_remove(&address, fd);
	}
	if (listener != NULL)
		log_notice("socket %s: %s is closed", listener->config->name, listener->text);
	slots_release(&engine->slots, slot);
}

static const struct listener *find_slot(const struct sockets *sockets, int slot)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].slot == slot)
			return &sockets->list[i];
	return NULL;
}

static void check_one(const struct engine *engine, const struct listener *listener,
    struct confreport *report, struct confreport *notes)
{
	const struct socket_config *config = listener->config;
	struct socket_owner owner;
	char text[SOCKETCHECK_TEXT];
	int error;

	if (engine != NULL && slots_find(&engine->slots, key_of(&listener->address)) >= 0)
		return;
	error = socketcheck_foresee(config, &listener->address);
	if (error < 0)
		confreport_add(report, config->file, config->line, "listen", "%s",
		    socketcheck_explain(error, listener->text, &listener->address, NULL, text));
	else if (socketowner_find(&listener->address, &owner) &&
		 (engine != NULL ? find_ours(engine, &owner) == NULL : !is_daemon(&owner)))
		confreport_add(notes, config->file, config->line, "listen", "%s",
		    socketcheck_explain(
			-EADDRINUSE, listener->text, &listener->address, &owner, text));
}

/* Without an engine to ask: one that is held has it. */
static bool is_daemon(const struct socket_owner *owner)
{
	return strcmp(owner->name, "supervisord") == 0 || strcmp(owner->name, "engine") == 0;
}
