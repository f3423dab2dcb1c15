/* SPDX-License-Identifier: ISC */
/* logready.c: see logready.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/logready.h"
#include "supervisord/engine/logwatch.h"

struct logready {
	struct program *program;
	char *path;
	struct logwatch *watch; /* NULL: a thread has it */
	struct filelook *look;
	ev_io io; /* its answer */
	logready_done *done;
	void *context;
};

static FILELOOK_ACT(mark);
static FILELOOK_ACT(read_on);
static void release_watch(void *watch);
static void on_answer(struct ev_loop *loop, ev_io *io, int events);

int logready_mark(struct program *program)
{
	struct engine *engine = program->engine;
	char *path = config_log_path(engine->config, program->config, 0);
	int pipe = slots_get_fd(&engine->slots, program->streams.log_write[0]), copy = -1, error;
	struct filelook_answer answer = {.mark = 0};

	if (path == NULL)
		return -ENOMEM;
	/* One of its own: the thread may come back when the pipe has long been closed. */
	if (pipe >= 0)
		copy = fcntl(pipe, F_DUPFD_CLOEXEC, 0);
	error = pipe >= 0 && copy < 0 ? -errno
				      : filelook_now(&engine->filelooks, path, mark, copy,
					    LIMIT_FILE_WAIT_MS, &answer);
	if (error < 0 && error != -ETIMEDOUT && copy >= 0)
		close(copy); /* there is no thread */
	free(path);
	/* Nobody could tell an old line from a new one: the start fails. */
	if (error < 0)
		return error;
	atomic_store(&engine->ledger->table[program->run.row].ready_mark, answer.mark);
	return 0;
}

int logready_new(struct program *program, const char *regex, logready_done *done, void *context,
    struct logready **ret_log)
{
	const struct engine *engine = program->engine;
	int64_t age_ns = clock_boot_ns() - program_state(program)->run_start_ns;
	struct logready *log = calloc(1, sizeof(*log));
	int error;

	if (log == NULL)
		return -ENOMEM;
	log->program = program;
	log->done = done;
	log->context = context;
	ev_init(&log->io, on_answer);
	log->io.data = log;
	log->path = config_log_path(engine->config, program->config, 0);
	error = log->path == NULL
		    ? -ENOMEM
		    : logwatch_new(log->path, regex,
			  atomic_load(&engine->ledger->table[program->run.row].ready_mark),
			  clock_wall_ns() - age_ns, &log->watch);
	if (error < 0) {
		logready_free(log);
		return error;
	}
	*ret_log = log;
	return 0;
}

int logready_look(struct logready *log)
{
	struct engine *engine = log->program->engine;
	int error;

	if (log->look != NULL)
		return -EBUSY;
	error = filelook_begin_with(
	    &engine->filelooks, log->path, read_on, log->watch, release_watch, &log->look);
	if (error < 0)
		return error;
	log->watch = NULL;
	ev_io_set(&log->io, filelook_fd(log->look), EV_READ);
	ev_io_start(engine->loop, &log->io);
	return 0;
}

void logready_free(struct logready *log)
{
	if (log == NULL)
		return;
	if (log->look != NULL) {
		ev_io_stop(log->program->engine->loop, &log->io);
		filelook_end(log->look);
	}
	logwatch_free(log->watch);
	free(log->path);
	free(log);
}

/* `option`: an end of the pipe, to be closed, or -1. */
static FILELOOK_ACT(mark)
{
	ret_answer->mark = logwatch_mark(path, option);
	if (option >= 0)
		close(option);
	return 0;
}

static FILELOOK_ACT(read_on)
{
	(void)path;
	(void)option;
	ret_answer->mark = (uint64_t)(int64_t)logwatch_look(ret_answer->subject);
	return 0;
}

static void release_watch(void *watch)
{
	logwatch_free(watch);
}

static void on_answer(struct ev_loop *loop, ev_io *io, int events)
{
	struct logready *log = io->data;
	struct filelook_answer answer;

	(void)events;
	if (filelook_get(log->look, &answer) != 0)
		return; /* not yet */
	ev_io_stop(loop, io);
	filelook_end(log->look);
	log->look = NULL;
	log->watch = answer.subject;
	log->done(log->context, (int)(int64_t)answer.mark); /* which may end us */
}
