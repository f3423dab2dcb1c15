/* SPDX-License-Identifier: ISC */
/* history.c: lines of the shell in the user's state directory; for nobody else to read. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/shell/shell.h"
#include "lib/limits.h"

static char *make_path(void);
static int make_directories(char *path);

void shell_open_history(struct shell *shell)
{
	HistEvent event;

	shell->history = history_init();
	if (shell->history == NULL)
		return;
	history(shell->history, &event, H_SETSIZE, LIMIT_SHELL_HISTORY);
	history(shell->history, &event, H_SETUNIQUE, 1);
	shell->history_path = make_path();
	if (shell->history_path != NULL)
		history(shell->history, &event, H_LOAD, shell->history_path);
}

/* Kept at once: a terminal may be closed at any time. */
void shell_add_history(struct shell *shell, const char *line)
{
	mode_t mask = umask(0077);
	HistEvent event;

	if (shell->history != NULL) {
		history(shell->history, &event, H_ENTER, line);
		if (shell->history_path != NULL)
			history(shell->history, &event, H_SAVE, shell->history_path);
	}
	umask(mask);
}

void shell_close_history(struct shell *shell)
{
	if (shell->history != NULL)
		history_end(shell->history);
	free(shell->history_path);
	shell->history = NULL;
	shell->history_path = NULL;
}

/* NULL: there is no such place, and nothing is kept. */
static char *make_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int length = -1;

	if (state != NULL && state[0] == '/')
		length = asprintf(&path, "%s/superctl/history", state);
	else if (home != NULL && home[0] == '/')
		length = asprintf(&path, "%s/.local/state/superctl/history", home);
	if (length < 0)
		return NULL;
	if (make_directories(path) == 0)
		return path;
	free(path);
	return NULL;
}

static int make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}
