/* SPDX-License-Identifier: ISC */
/* lastwords.c: see lastwords.h. */
#include <string.h>
#include <sys/socket.h>

#include "lib/channel.h"
#include "lib/clock.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/lognews.h"
#include "supervisord/engine/route.h"

static void on_logger(struct ev_loop *loop, ev_io *io, int events);
static void ask(const struct program *program, uint64_t run);
static int stream_of(const struct program *program);
static bool may_ask(struct engine *engine);

void lastwords_start(struct engine *engine)
{
	ev_io_init(&engine->logger_io, on_logger, FD_PEER, EV_READ);
	engine->logger_io.data = engine;
	ev_io_start(engine->loop, &engine->logger_io);
}

void lastwords_note_end(struct program *program, uint64_t run)
{
	struct engine *engine = program->engine;
	const struct history_run *record = history_find_run(engine->history, program->run.row, run);

	if (record == NULL || !record->failed || !record->launched)
		return;
	if (!step_is_at_rest(program_state_of(program)) && !may_ask(engine))
		return;
	ask(program, run);
}

/* In a storm it is not the last words that matter. */
static bool may_ask(struct engine *engine)
{
	int64_t second = clock_boot_ns() / NS_PER_S;

	if (engine->asked_second != second) {
		engine->asked_second = second;
		engine->asked = 0;
	}
	return engine->asked++ < LIMIT_LAST_WORDS_RATE;
}

const char *lastwords_find(const struct program *program, uint64_t run)
{
	const struct engine *engine = program->engine;
	const struct history_run *record = history_find_run(engine->history, program->run.row, run);

	if (record == NULL || !record->failed || !record->launched)
		return NULL;
	if (record->words == 0)
		ask(program, run);
	return history_words(engine->history, record);
}

static void ask(const struct program *program, uint64_t run)
{
	struct msg_last_words request = {.row = (uint32_t)program->run.row, .run = run};
	const struct msg_head head = {.type = MSG_LAST_WORDS};
	int stream = stream_of(program);

	if (stream < 0)
		return;
	request.stream = (uint16_t)stream;
	(void)channel_send(FD_PEER, &head, &request, sizeof(request), NULL, 0, MSG_DONTWAIT);
}

/* Where its stderr is logged; -1: nowhere.  (The filter of a log writes what it likes.) */
static int stream_of(const struct program *program)
{
	const struct program_config *config = program->config;
	enum logspec_format inherit = engine_inherit_format(program->engine);

	if (route_is_logged(&config->key_stderr, inherit))
		return 1;
	return config->key_stderr.kind == STDIO_STDOUT &&
		       route_is_logged(&config->key_stdout, inherit)
		   ? 0
		   : -1;
}

static void on_logger(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	struct msg msg;
	int got = channel_receive(FD_PEER, &msg, MSG_DONTWAIT);

	(void)events;
	if (got == 0) /* the guardian is gone, and has its end no more */
		ev_io_stop(loop, io);
	if (got <= 0)
		return;
	if (msg.head.type == MSG_LAST_WORDS_ARE && msg.head.key < LIMIT_ROWS &&
	    msg.length <= LIMIT_LAST_WORDS_BYTES)
		history_put_words(engine->history, (int)msg.head.key, (uint64_t)msg.head.value,
		    (const char *)msg.payload, msg.length);
	else if (msg.head.type == MSG_LOG_NEWS)
		lognews_take(engine, &msg.head);
	channel_drop_fds(&msg);
}
