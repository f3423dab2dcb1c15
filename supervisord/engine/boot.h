/* SPDX-License-Identifier: ISC */
/*
 * boot.h: what an engine needs before it can serve: a configuration, and the run directory with its
 * lock and socket.  All of it is inherited from the engine before, if there was one; what cannot be
 * had is said here.
 */
#ifndef ENGINE_BOOT_H
#define ENGINE_BOOT_H

struct config;
struct engine;

/*
 * The configuration that was applied last, else the files; in safe mode anything will do, and
 * engine->config_lost tells when it is an empty one.  Returns 0 or -errno, having logged every
 * error.
 */
int boot_load_config(struct engine *engine, struct config **ret_config);

/*
 * Map the history that the guardian holds, or make the first one, and note in it that we are here.
 * One that another build has left is not understood: then a new one goes on with its numbers.
 * Returns 0 or -errno.
 */
int boot_open_history(struct engine *engine);

/*
 * Make the run directory, lock it against a second supervisord, and listen on the control socket in
 * it; all of it is held by the guardian then.  Returns 0 or -errno, having logged why.
 */
int boot_take_run_dir(struct engine *engine, const char *run_dir);

/* Make the log directory and say so when logs cannot be written there: no reason not to start. */
void boot_prepare_log_dir(const char *log_dir);

#endif
