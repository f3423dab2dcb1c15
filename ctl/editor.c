/* SPDX-License-Identifier: ISC */
/* editor.c: see editor.h, environ(7). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/editor.h"
#include "ctl/foreground.h"

static const char *const fallbacks[] = {"editor", "vi", "nano"};

static bool is_there(const char *name);
static void become(const char *editor, const char *path, int64_t line) __attribute__((noreturn));

const char *editor_find(void)
{
	static const char *const variables[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value != NULL && value[strspn(value, " \t")] != '\0')
			return value;
	}
	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(fallbacks[0]); i++)
		if (is_there(fallbacks[i]))
			return fallbacks[i];
	return NULL;
}

bool editor_takes_line(const char *editor)
{
	static const char *const known[] = {"vi", "vim", "nvim", "vim.basic", "vim.tiny", "nano",
	    "emacs", "emacsclient", "joe", "micro", "kak", "mg", "ne", "editor", "zile", "jed"};
	const char *word = editor + strspn(editor, " \t");
	size_t length = strcspn(word, " \t");

	for (size_t i = length; i > 0; i--)
		if (word[i - 1] == '/') {
			word += i;
			length -= i;
			break;
		}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == length && strncmp(known[i], word, length) == 0)
			return true;
	return false;
}

enum exitcode editor_run(struct ctl *ctl, const char *editor, const char *path, int64_t line)
{
	struct foreground foreground;
	int status = 0;
	pid_t pid;

	out_flush(&ctl->out);
	out_flush(&ctl->err);
	/* Ctrl-C is for the editor. */
	foreground_begin(&foreground);
	pid = foreground_fork(&foreground);
	if (pid == 0)
		become(editor, path, line);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	foreground_end(&foreground);
	if (pid < 0)
		ctl_complain(ctl, "cannot run %s: %s", editor, strerror(errno));
	else if (WIFSIGNALED(status))
		ctl_complain(ctl, "%s was ended by signal %d", editor, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		ctl_complain(ctl, "%s ended with status %d", editor, WEXITSTATUS(status));
	return pid > 0 && status == 0 ? EXITCODE_OK : EXITCODE_FAILED;
}

static bool is_there(const char *name)
{
	const char *path = getenv("PATH");
	char candidate[4096];

	for (path = path != NULL ? path : "/usr/bin:/bin"; *path != '\0';) {
		size_t length = strcspn(path, ":");

		(void)snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, path, name);
		if (length > 0 && access(candidate, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

/* The variables have command lines, as git(1) and others take them. */
static void become(const char *editor, const char *path, int64_t line)
{
	char *command = NULL, at[24];
	size_t size = strlen(editor) + sizeof("exec  \"$@\"");

	command = malloc(size);
	if (command == NULL)
		_exit(127);
	(void)snprintf(command, size, "exec %s \"$@\"", editor);
	(void)snprintf(at, sizeof(at), "+%lld", (long long)line);
	if (line > 1 && editor_takes_line(editor))
		execl("/bin/sh", "sh", "-c", command, "sh", at, path, (char *)NULL);
	else
		execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
	_exit(127);
}
