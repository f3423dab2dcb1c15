/* SPDX-License-Identifier: ISC */
/* drift.c: see drift.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/confwatch.h"
#include "supervisord/engine/drift.h"
#include "supervisord/engine/driftlook.h"
#include "supervisord/engine/engine.h"

static bool is_as_before(struct drift *drift);
static int start(struct engine *engine);
static void on_timer(struct timer *timer);
static void on_end(struct helpers *helpers);
static void take(struct engine *engine, struct driftlook *look);
static void end_look(struct engine *engine);
static void forget(struct engine *engine);
static struct engine *engine_of(struct drift *drift);

void drift_init(struct drift *drift)
{
	helpers_init(&drift->looker, 1);
	drift->looker.on_end = on_end;
	drift->timer.fire = on_timer;
}

void drift_note_applied(struct engine *engine, struct config *config)
{
	forget(engine);
	engine->drift.applies++;
	engine->drift.stamp = config->stamp;
	config->stamp = NULL;
}

enum drift_state drift_look(struct engine *engine)
{
	struct drift *drift = &engine->drift;
	int error;

	if (drift->result_fd == 0) {
		if (engine->config_lost || is_as_before(drift))
			return DRIFT_KNOWN;
		forget(engine);
		error = start(engine);
		if (error < 0) {
			log_error("cannot look whether the files differ from what is applied: %s",
			    strerror(-error));
			return DRIFT_UNKNOWN;
		}
	}
	return drift->late ? DRIFT_UNKNOWN : DRIFT_SOON;
}

void drift_done(struct engine *engine)
{
	end_look(engine);
	helpers_done(&engine->drift.looker, engine->loop);
	forget(engine);
}

/* Watched from before they are looked at, so that nothing happens unseen in between. */
static bool is_as_before(struct drift *drift)
{
	if (drift->stamp == NULL)
		return false;
	if (drift->watch_fd > 0 && !confwatch_has_news(drift->watch_fd))
		return true;
	if (drift->watch_fd > 0)
		close(drift->watch_fd);
	drift->watch_fd = 0;
	if (confwatch_new(&drift->watch_fd) == 0 &&
	    !confstamp_watch(drift->stamp, drift->watch_fd)) {
		close(drift->watch_fd);
		drift->watch_fd = 0;
	}
	return !confstamp_has_changed(drift->stamp);
}

static int start(struct engine *engine)
{
	struct drift *drift = &engine->drift;
	int applied = slots_find(&engine->slots, held_key(HELD_CONFIG, 0, 0));
	int result = memfd_create("supervisord-drift", MFD_CLOEXEC), error;
	const int fds[] = {slots_get_fd(&engine->slots, applied), result};
	char name[] = "drift", option[] = DRIFTLOOK_OPTION;
	/* exec copies the words and writes to none of them. */
	char *argv[] = {name, option, (char *)(uintptr_t)engine->config_path, NULL};

	if (result < 0)
		return -errno;
	error = helper_start(&drift->looker, engine->loop, argv, fds, sizeof(fds) / sizeof(fds[0]));
	if (error < 0) {
		close(result);
		return error;
	}
	drift->result_fd = result;
	drift->look_of = drift->applies;
	drift->late = false;
	(void)timers_arm(
	    &engine->timers, &drift->timer, clock_boot_ns() + LIMIT_DRIFT_WAIT_MS * NS_PER_MS);
	return 0;
}

/* Who has waited is answered without it. */
static void on_timer(struct timer *timer)
{
	struct drift *drift =
	    (struct drift *)(void *)((char *)timer - offsetof(struct drift, timer));

	drift->late = true;
	control_wake_held(&engine_of(drift)->control);
}

static void on_end(struct helpers *helpers)
{
	struct drift *drift =
	    (struct drift *)(void *)((char *)helpers - offsetof(struct drift, looker));
	struct engine *engine = engine_of(drift);
	struct driftlook look = {0};

	if (drift->result_fd == 0)
		return; /* the engine ends */
	/* Of another applied configuration it says nothing, nor when it was killed: look again. */
	if (driftlook_read(drift->result_fd, &look) == 0 && drift->look_of == drift->applies)
		take(engine, &look);
	driftlook_done(&look);
	end_look(engine);
	control_wake_held(&engine->control);
}

static void take(struct engine *engine, struct driftlook *look)
{
	struct drift *drift = &engine->drift;

	drift->stamp = look->stamp;
	look->stamp = NULL;
	drift->differs = look->differs;
	drift->errors = look->errors;
	for (size_t i = 0; i < look->count; i++) {
		struct program *program = engine_find(engine, look->names[i]);

		if (program != NULL)
			program->files_differ = true;
	}
}

static void end_look(struct engine *engine)
{
	struct drift *drift = &engine->drift;

	timers_cancel(&engine->timers, &drift->timer);
	if (drift->result_fd > 0)
		close(drift->result_fd);
	drift->result_fd = 0;
	drift->late = false;
}

static void forget(struct engine *engine)
{
	struct drift *drift = &engine->drift;

	if (drift->watch_fd > 0)
		close(drift->watch_fd);
	drift->watch_fd = 0;
	confstamp_free(drift->stamp);
	drift->stamp = NULL;
	drift->differs = false;
	drift->errors = 0;
	for (size_t i = 0; i < engine->program_count; i++)
		engine->programs[i]->files_differ = false;
}

static struct engine *engine_of(struct drift *drift)
{
	return (struct engine *)(void *)((char *)drift - offsetof(struct engine, drift));
}
