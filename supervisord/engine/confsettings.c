/* SPDX-License-Identifier: ISC */
/*
 * confsettings.c: the top-level settings: their defaults, and directories that depend on who we
 * are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/rundir.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/value.h"

/* Room for "/control.sock" in an address, see unix(7). */
#define RUN_DIR_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/" RUNDIR_SOCKET))
/* Room for "/NAME.err.log" and the time in the name of an archive. */
#define LOG_DIR_MAX (PATH_MAX - LIMIT_NAME - 64)
/* Room for the name of a file in it. */
#define STATE_DIR_MAX (PATH_MAX - 64)

static int fill_defaults(struct build *build);
static int fill_directories(struct settings *settings);
static int default_directory(const char *of_root, char **ret_path);
static int finish_directory(struct build *build, enum setting_key key, size_t limit);

int build_finish_settings(struct build *build)
{
	int error;

	error = fill_defaults(build);
	if (error == 0)
		error = fill_directories(&build->whole->config.settings);
	if (error == 0)
		error = finish_directory(build, SETTING_run_dir, RUN_DIR_MAX);
	if (error == 0)
		error = finish_directory(build, SETTING_log_dir, LOG_DIR_MAX);
	if (error == 0)
		error = finish_directory(build, SETTING_state_dir, STATE_DIR_MAX);
	return error;
}

static int fill_defaults(struct build *build)
{
	int error = 0;

	for (size_t k = 0; k < SETTING_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &setting_rows[k];

		if (build->settings[k].line == 0)
			error = value_read_default(
			    row, build_member(&build->whole->config.settings, row));
	}
	return error;
}

static int fill_directories(struct settings *settings)
{
	char run_dir[PATH_MAX];
	int error = 0;

	if (settings->key_run_dir == NULL) {
		error = rundir_default(run_dir, sizeof(run_dir));
		if (error < 0)
			return error;
		settings->key_run_dir = strdup(run_dir);
		if (settings->key_run_dir == NULL)
			return -ENOMEM;
	}
	if (settings->key_log_dir == NULL)
		error = default_directory(LOCALSTATEDIR "/log/supervisord", &settings->key_log_dir);
	if (error == 0 && settings->key_state_dir == NULL)
		error =
		    default_directory(LOCALSTATEDIR "/lib/supervisord", &settings->key_state_dir);
	return error;
}

/* For a user both are one directory. */
static int default_directory(const char *of_root, char **ret_path)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME"), *what;
	struct ids ids = {0};
	int length, error;

	if (geteuid() == 0) {
		*ret_path = strdup(of_root);
		return *ret_path == NULL ? -ENOMEM : 0;
	}
	if (state != NULL && state[0] == '/') {
		length = asprintf(ret_path, "%s/supervisord", state);
		return length < 0 ? -ENOMEM : 0;
	}
	if (home == NULL || home[0] != '/') {
		error = ids_resolve(NULL, NULL, &ids, &what);
		if (error < 0)
			return error;
		home = ids.home;
	}
	length = asprintf(ret_path, "%s/.local/state/supervisord", home);
	ids_done(&ids);
	return length < 0 ? -ENOMEM : 0;
}

/* Absolute, seen from the file that sets it, and short enough. */
static int finish_directory(struct build *build, enum setting_key key, size_t limit)
{
	const struct key_row *row = &setting_rows[key];
	struct build_place place = build->settings[key];
	char **value = build_member(&build->whole->config.settings, row), *directory, *path;

	if (place.line > 0) {
		directory = confsource_directory(build_file(build, place));
		path = directory == NULL ? NULL : confsource_absolute(directory, *value);
		free(directory);
		if (path == NULL)
			return -ENOMEM;
		free(*value);
		*value = path;
	}
	if (strlen(*value) > limit)
		confreport_add(build->report, build_file(build, place), place.line, row->name,
		    "is too long: a path of at most %zu bytes is allowed", limit);
	return 0;
}
