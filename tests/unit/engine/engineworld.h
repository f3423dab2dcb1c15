/* SPDX-License-Identifier: ISC */
/*
 * engineworld.h: for tests of what lies between configurations and programs: an engine without a
 * loop, whose applied configuration is held as the guardian would hold it, with a row for each
 * program.  The files are those of confdir.h.
 */
#ifndef TESTS_ENGINE_ENGINEWORLD_H
#define TESTS_ENGINE_ENGINEWORLD_H

#include "tests/unit/engine/confdir.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/channel.h"
#include "lib/protocol.h"
#include "supervisord/engine/engine.h"

struct engineworld {
	struct engine engine;
	int guardian; /* the other end of its channel */
	char path[160];
};

/* Hold the text of a configuration, as an apply does. */
static inline void engineworld_hold(struct engineworld *world, const struct config *config)
{
	int fd;

	assert_int_equal(config_write_applied(config, &fd), 0);
	assert_true(slots_hold(&world->engine.slots, held_key(HELD_CONFIG, 0, 0), fd) >= 0);
}

/* What is applied, which it takes: every program is RUNNING its first run, launched with that. */
static inline void engineworld_begin_with(struct engineworld *world, struct config *config)
{
	struct engine *engine = &world->engine;
	int pair[2], fd;

	*world = (struct engineworld){.guardian = -1};
	TAILQ_INIT(&engine->pending);
	TAILQ_INIT(&engine->pending_tasks);
	assert_int_equal(ledger_create(&fd, &engine->ledger), 0);
	close(fd);
	engine->history = calloc(1, sizeof(*engine->history));
	engine->history->begin = 1;
	atomic_store(&engine->history->next, 1);
	assert_int_equal(channel_pair(pair), 0);
	assert_int_equal(
	    channel_send_head(pair[0], &(struct msg_head){.type = MSG_HELD_END}, -1, 0), 0);
	assert_int_equal(slots_receive(&engine->slots, pair[1]), 0);
	world->guardian = pair[0];
	assert_int_equal(timers_init(&engine->timers), 0);
	engine->config = config;
	engine->cgroups.base = -1;
	snprintf(world->path, sizeof(world->path), "%s", confdir_path("main.conf"));
	engine->config_path = world->path;
	engineworld_hold(world, engine->config);
	for (size_t i = 0; i < engine->config->program_count; i++) {
		struct program *program;

		assert_int_equal(program_new(engine, config->programs[i],
				     &(struct cause){.reason = REASON_AUTOSTART}, &program),
		    0);
		assert_int_equal(engine_add(engine, program), 0);
		ledger_commit_state(engine->ledger, program->run.row,
		    &(struct ledger_state){.state = STATE_RUNNING,
			.wanted = WANTED_UP,
			.starts = 1,
			.config_hash = config->programs[i]->hash});
	}
	assert_int_equal(engine_link_programs(engine), 0);
}

/* The same of `text`, as main.conf. */
static inline void engineworld_begin(struct engineworld *world, const char *text)
{
	engineworld_begin_with(world, confdir_accept(text));
}

static inline void engineworld_end(struct engineworld *world)
{
	struct engine *engine = &world->engine;

	while (engine->program_count > 0)
		program_free(engine->programs[--engine->program_count]);
	free(engine->programs);
	timers_done(&engine->timers);
	close(engine->slots.channel);
	close(world->guardian);
	slots_done(&engine->slots);
	config_free(engine->config);
	free(engine->history);
	munmap(engine->ledger, sizeof(*engine->ledger));
}

/* As the guardian holds it under this key: what another engine would get.  Everything else that was
 * sent to the guardian until now is dropped. */
static inline int engineworld_take_held(struct engineworld *world, uint64_t key)
{
	struct msg msg;
	int fd = -1;

	while (channel_receive(world->guardian, &msg, MSG_DONTWAIT) == 1) {
		if (msg.head.type == MSG_HOLD && msg.head.key == key && msg.fd_count == 1) {
			if (fd >= 0)
				close(fd);
			fd = msg.fds[0];
			msg.fd_count = 0;
		}
		channel_drop_fds(&msg);
	}
	assert_true(fd >= 0);
	return fd;
}

/* What stands in `w`, which is emptied. */
static inline const char *engineworld_text(struct jsonw *w)
{
	static char text[8192];

	assert_int_equal(jsonw_error(w), 0);
	snprintf(text, sizeof(text), "%.*s", (int)w->length, w->data);
	jsonw_done(w);
	return text;
}

#endif
