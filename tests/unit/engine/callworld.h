/* SPDX-License-Identifier: ISC */
/*
 * callworld.h: for tests of methods that change what is applied: an engineworld.h with a client,
 * whose answers are read as it would read them.  What they apply is written down in place of being
 * done: the Makefile puts this apply_config() in the place of the one of apply.c.
 */
#ifndef TESTS_ENGINE_CALLWORLD_H
#define TESTS_ENGINE_CALLWORLD_H

#include "tests/unit/engine/engineworld.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/limits.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/op.h"

struct callworld {
	struct engineworld world;
	struct control_client client;
	struct call call;
	int peer; /* the client's end of its connection */
};

/* What apply_config() says, and what it was given. */
static int callworld_error;
static unsigned callworld_applies;

int __wrap_apply_config(
    struct engine *engine, const struct apply_request *request, struct config *config);

/* It is held, and switched to as far as names and stanzas go; rows stay as they are. */
int __wrap_apply_config(
    struct engine *engine, const struct apply_request *request, struct config *config)
{
	const int slot = slots_find(&engine->slots, held_key(HELD_CONFIG, 0, 0));
	int fd;

	if (callworld_error < 0)
		return callworld_error;
	if (request->op != NULL && request->file != NULL) {
		struct jsonw extra;

		jsonw_init(&extra, LIMIT_CONTROL_QUEUE);
		jsonw_member_string(&extra, "file", request->file);
		op_set_extra(request->op, &extra);
		jsonw_done(&extra);
	}
	if (config_write_applied(config, &fd) < 0)
		return -ENOMEM;
	slots_release(&engine->slots, slot);
	assert_true(slots_hold(&engine->slots, held_key(HELD_CONFIG, 0, 0), fd) >= 0);
	callworld_applies++;
	config_free(config);
	return 0;
}

/* This is applied, which it takes. */
static inline void callworld_begin_with(struct callworld *w, struct config *config)
{
	struct engine *engine = &w->world.engine;
	int pair[2];

	engineworld_begin_with(&w->world, config);
	TAILQ_INIT(&engine->control.clients);
	TAILQ_INIT(&engine->control.due);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	w->peer = pair[1];
	w->client = (struct control_client){.engine = engine, .uid = geteuid(), .gid = getegid()};
	w->client.reader.fd = pair[0];
	varlink_output_init(&w->client.output, LIMIT_CONTROL_QUEUE);
	w->call = (struct call){.client = &w->client, .engine = engine};
	callworld_error = 0;
	callworld_applies = 0;
}

/* `text` is, and in main.conf. */
static inline void callworld_begin(struct callworld *w, const char *text)
{
	callworld_begin_with(w, confdir_accept(text));
}

static inline void callworld_end(struct callworld *w)
{
	assert_null(w->client.op);
	varlink_output_done(&w->client.output);
	close(w->client.reader.fd);
	close(w->peer);
	engineworld_end(&w->world);
}

/* All that the client was told since, or "" */
static inline const char *callworld_answer(struct callworld *w)
{
	static char text[64 * 1024];
	ssize_t got = recv(w->peer, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	/* One answer, which ends with its NUL. */
	assert_true(got <= 0 || strlen(text) == (size_t)got - 1);
	return text;
}

/* Call with these parameters; what is answered. */
static inline const char *callworld_ask(
    struct callworld *w, void (*method)(struct call *call), const char *parameters)
{
	json_error_t error;

	w->call.parameters = json_loads(parameters, 0, &error);
	if (w->call.parameters == NULL)
		fail_msg("%s: %s", parameters, error.text);
	w->client.dead = false;
	jsonw_init(&w->call.w, LIMIT_CONTROL_QUEUE);
	method(&w->call);
	jsonw_done(&w->call.w);
	json_decref(w->call.parameters);
	w->call.parameters = NULL;
	if (w->client.due) {
		TAILQ_REMOVE(&w->world.engine.control.due, &w->client, due_link);
		w->client.due = false;
	}
	return callworld_answer(w);
}

/* It is answered with this, somewhere in it. */
static inline void callworld_expect(struct callworld *w, void (*method)(struct call *call),
    const char *parameters, const char *expected)
{
	const char *answer = callworld_ask(w, method, parameters);

	if (strstr(answer, expected) == NULL)
		fail_msg("%s: answered %s, not %s", parameters, answer, expected);
}

/* The source of this name in what is held; NULL: there is none.  Good until the next call. */
static inline const char *callworld_source(struct callworld *w, const char *path)
{
	static char text[64 * 1024];
	const struct slots *slots = &w->world.engine.slots;
	struct config_source *sources;
	size_t count;
	bool found = false;

	assert_int_equal(confsource_read_applied(
			     slots_get_fd(slots, slots_find(slots, held_key(HELD_CONFIG, 0, 0))),
			     &sources, &count),
	    0);
	for (size_t i = 0; i < count; i++)
		if (strcmp(sources[i].path, path) == 0) {
			snprintf(text, sizeof(text), "%s", sources[i].text);
			found = true;
		}
	confsource_free(sources, count);
	return found ? text : NULL;
}

#endif
