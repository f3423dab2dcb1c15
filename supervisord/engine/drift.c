/* SPDX-License-Identifier: ISC */
/* drift.c: see drift.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/confwatch.h"
#include "supervisord/engine/drift.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/planner.h"

static bool is_as_before(struct drift *drift);
static void forget(struct engine *engine);
static void compare(struct engine *engine, const struct config *files);

void drift_note_applied(struct engine *engine, struct config *config)
{
	forget(engine);
	engine->drift.stamp = config->stamp;
	config->stamp = NULL;
}

void drift_look(struct engine *engine)
{
	struct config_errors errors = {0};
	struct config *files = NULL;
	struct confstamp *stamp = NULL;
	int error;

	if (engine->config_lost || is_as_before(&engine->drift))
		return;
	forget(engine);
	error = config_load_stamped(engine->config_path, &files, &errors, &stamp);
	if (error == -ENOMEM) {
		/* The next look tries again. */
		confstamp_free(stamp);
		stamp = NULL;
	}
	engine->drift.stamp = stamp;
	if (error == 0)
		compare(engine, files);
	engine->drift.errors = errors.count;
	config_free(files);
	config_errors_done(&errors);
}

void drift_done(struct drift *drift)
{
	if (drift->watch_fd > 0)
		close(drift->watch_fd);
	confstamp_free(drift->stamp);
	*drift = (struct drift){0};
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

static void forget(struct engine *engine)
{
	drift_done(&engine->drift);
	for (size_t i = 0; i < engine->program_count; i++)
		engine->programs[i]->files_differ = false;
}

/* What only follows from the state of others is no difference of the files. */
static void compare(struct engine *engine, const struct config *files)
{
	struct planner planner;

	if (planner_make(&planner, engine, files, false) < 0) {
		/* No memory: the next look tries again. */
		drift_done(&engine->drift);
		planner_done(&planner);
		return;
	}
	engine->drift.differs = planner_has_own_steps(&planner);
	for (size_t i = 0; i < planner.plan.count; i++) {
		const struct plan_step *step = &planner.plan.steps[i];
		struct program *program = planner_program(&planner, step);

		if (program != NULL && !step->follows)
			program->files_differ = true;
	}
	planner_done(&planner);
}
