/* SPDX-License-Identifier: ISC */
/* boot.c: see boot.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bsd/string.h>

#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "lib/rundir.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/boot.h"
#include "supervisord/engine/cgroupold.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/engine.h"

static int make_history(struct engine *engine, uint64_t first);
static int load_empty_config(const struct engine *engine, struct config **ret_config);
static int make_directory(const char *path, mode_t mode);
static int take_lock(struct engine *engine, const char *run_dir);
static bool is_file_at(int fd, const char *path);
static int take_socket(struct engine *engine, const char *run_dir);

int boot_load_config(struct engine *engine, struct config **ret_config)
{
	struct config_errors errors = {0};
	int slot = slots_find(&engine->slots, held_key(HELD_CONFIG, 0, 0));
	int error;

	error = slot >= 0
		    ? config_load_applied(slots_get_fd(&engine->slots, slot), ret_config, &errors)
		    : config_load(engine->config_path, ret_config, &errors);
	for (size_t i = 0; i < errors.count; i++) {
		char *text = config_error_text(&errors.list[i]);

		log_error("%s", text != NULL ? text : "out of memory");
		free(text);
	}
	config_errors_done(&errors);
	if (error < 0 && engine->safe_mode) {
		log_error("safe mode: going on without a configuration");
		engine->config_lost = true;
		error = load_empty_config(engine, ret_config);
	}
	return error;
}

int boot_open_history(struct engine *engine)
{
	const struct ledger_header *header = &engine->ledger->header;
	int slot = slots_find(&engine->slots, held_key(HELD_HISTORY, 0, 0));
	struct history_event event = {
	    .kind = HISTORY_ENGINE,
	    .row = HISTORY_NO_ROW,
	    .detail = (int32_t)atomic_load(&header->engine_starts),
	    .delay_ms = UINT32_MAX,
	    .uid = HISTORY_NO_UID,
	};
	uint64_t next = 1;
	int error = -ENOENT;

	if (slot >= 0)
		error = history_map(slots_get_fd(&engine->slots, slot), &engine->history, &next);
	if (error == 0)
		history_recover(engine->history, engine->ledger);
	else if (error == -ENOENT || error == -EPROTO)
		error = make_history(engine, next);
	if (error < 0)
		return error;
	if (slot < 0 && atomic_load(&header->served) == 0)
		event.kind = HISTORY_DAEMON;
	history_note(engine->history, &event);
	event.kind = HISTORY_SAFE;
	event.detail = 1;
	if (engine->safe_mode)
		history_note(engine->history, &event);
	return 0;
}

static int make_history(struct engine *engine, uint64_t first)
{
	int fd, slot, error = history_create(first, &fd, &engine->history);

	if (error < 0)
		return error;
	slot = slots_hold(&engine->slots, held_key(HELD_HISTORY, 0, 0), fd);
	if (slot < 0)
		close(fd);
	return slot < 0 ? slot : 0;
}

void boot_prepare_log_dir(const char *log_dir)
{
	int error = make_directory(log_dir, 0755);

	if (error == 0 && access(log_dir, W_OK) < 0)
		error = -errno;
	if (error < 0)
		log_warning("log_dir %s: %s: what goes to a log will wait until it can be written",
		    log_dir, strerror(-error));
}

int boot_take_run_dir(struct engine *engine, const char *run_dir)
{
	int error = make_directory(run_dir, geteuid() == 0 ? 0755 : 0700);

	if (error < 0)
		log_error("run_dir %s: %s", run_dir, strerror(-error));
	if (error == 0)
		error = take_lock(engine, run_dir);
	return error == 0 ? take_socket(engine, run_dir) : error;
}

/* All defaults, no program. */
static int load_empty_config(const struct engine *engine, struct config **ret_config)
{
	char path[PATH_MAX], text[] = "";
	struct config_source source = {.path = path, .text = text};
	struct config_errors errors = {0};
	int fd, error;

	if (strlcpy(path, engine->config_path, sizeof(path)) >= sizeof(path))
		return -ENAMETOOLONG;
	error = confsource_write(&source, 1, &fd);
	if (error < 0)
		return error;
	error = config_load_applied(fd, ret_config, &errors);
	config_errors_done(&errors);
	close(fd);
	return error;
}

/* With parents.  One that others may write to is not for us: the socket in it could be anybody's.
 */
static int make_directory(const char *path, mode_t mode)
{
	char copy[4096];
	struct stat st;

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	memcpy(copy, path, strlen(path) + 1);
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return -errno;
	if (stat(copy, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return (st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & S_IWOTH) ? -EPERM : 0;
}

/*
 * The lock is the open file description's: it lives as long as guardian or engine has it.  A lock
 * whose file was removed keeps nobody out, so it is taken again.  What stands in it is
 * cgroupold.h's.
 */
static int take_lock(struct engine *engine, const char *run_dir)
{
	char path[PATH_MAX];
	int held =
	    slots_get_fd(&engine->slots, slots_find(&engine->slots, held_key(HELD_LOCK, 0, 0)));
	int fd, slot, error;

	if (snprintf(path, sizeof(path), "%s/supervisord.lock", run_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (held >= 0 && is_file_at(held, path))
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		error = -errno;
		if (error == -EWOULDBLOCK)
			log_error("supervisord is already running with run_dir %s (%s is locked)",
			    run_dir, path);
		else
			log_error("%s: %s", path, strerror(-error));
		if (fd >= 0)
			close(fd);
		return error;
	}
	error = cgroupold_sweep(&engine->cgroups, fd);
	if (error < 0)
		log_warning(
		    "%s: %s: a later start will not find our cgroups", path, strerror(-error));
	slot = slots_hold(&engine->slots, held_key(HELD_LOCK, 0, 0), fd);
	if (slot < 0)
		close(fd);
	return slot < 0 ? slot : 0;
}

static bool is_file_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* Held, or made; and made again when somebody has removed its name. */
static int take_socket(struct engine *engine, const char *run_dir)
{
	char path[PATH_MAX];
	struct stat there;
	int fd = -1, slot, error;

	error = rundir_socket(run_dir, path, sizeof(path));
	if (error == 0 && slots_find(&engine->slots, held_key(HELD_CONTROL, 0, 0)) >= 0 &&
	    lstat(path, &there) == 0 && S_ISSOCK(there.st_mode))
		return 0;
	if (error == 0)
		error = control_bind(path, &fd);
	if (error < 0) {
		log_error("control socket in %s: %s", run_dir,
		    error == -EADDRINUSE ? "somebody else serves on it" : strerror(-error));
		return error;
	}
	/* Not before the loop has let go of the old one. */
	if (engine->control.engine != NULL)
		control_replace_listener(&engine->control, fd);
	slot = slots_hold(&engine->slots, held_key(HELD_CONTROL, 0, 0), fd);
	if (slot < 0)
		close(fd);
	else if (engine->config != NULL) /* the first one gets its group from the first apply */
		access_take_config(engine);
	return slot < 0 ? slot : 0;
}
