/* SPDX-License-Identifier: ISC */
/*
 * launchplan.c: see launchplan.h.
 *
 * An environment has three layers, and of two variables with one name the first wins: what the
 * caller adds (NOTIFY_SOCKET, a hook's EXIT_STATUS), what the stanza says, and what every program
 * gets from us.  NODE_OPTIONS is added to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vclone.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/launchplan.h"
#include "supervisord/engine/tty.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* Of our own making in an environment: PATH, HOME, USER, LOGNAME, SHELL, the three SUPERVISORD_*,
 * and TERM where there is a terminal; and NODE_OPTIONS. */
#define OWN_VARIABLES 9
#define ADDED_TO      1
/* A pid has ten digits at most. */
#define PID_ROOM 11

static int build_argv(struct launch_plan *plan, const struct launch_request *request,
    const struct expand_words *words);
static int build_environment(struct launch_plan *plan, const struct launch_request *request,
    const struct expand_words *words);
static int add_callers(struct launch_plan *plan, char *const *environment);
static int add_stanzas(
    struct launch_plan *plan, char *const *environment, const struct expand_words *words);
static int add_ours(struct launch_plan *plan, const struct launch_request *request,
    const struct expand_words *words);
static int add_node_preload(struct launch_plan *plan, const char *path);
static int build_paths(struct launch_plan *plan);
static bool is_pid_variable(const char *entry);
static bool has_variable(char *const *environment, const char *entry);
static const char *find_variable(char *const *environment, const char *name);
static size_t count_strings(char *const *list);
static int own_format(struct launch_plan *plan, char **ret_text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int own(struct launch_plan *plan, char *text);

int launch_plan_build(struct launch_plan *plan, const struct launch_request *request)
{
	const struct ids *ids = request->ids;
	struct instname parts;
	struct expand_words words = {
	    .name = request->name,
	    .program = parts.program,
	    .instance = parts.number,
	    .user = ids->user,
	    .home = ids->home,
	    .run_dir = request->run_dir,
	};
	int error;

	instname_split(request->name, &parts);
	plan->ids = ids;
	plan->umask = request->config->key_umask;
	plan->tty = request->tty;
	plan->nofile = request->nofile;
	sigemptyset(&plan->no_signals);
	error = expand_string(request->config->key_directory, &words, &plan->directory);
	if (error < 0)
		return error;
	error = own(plan, plan->directory);
	if (error == 0)
		error = build_argv(plan, request, &words);
	if (error == 0)
		error = build_environment(plan, request, &words);
	return error == 0 ? build_paths(plan) : error;
}

void launch_plan_done(struct launch_plan *plan)
{
	for (size_t i = 0; i < plan->owned_count; i++)
		free(plan->owned[i]);
	free(plan->owned);
	free(plan->argv);
	free(plan->envp);
	free(plan->paths);
}

int launch_add_variable(char **environment, size_t *count, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	environment[(*count)++] = text;
	return 0;
}

VCLONE_CHILD void launch_plan_write_pid(const struct launch_plan *plan, pid_t pid)
{
	for (size_t i = 0; i < plan->pid_count; i++) {
		char *at = plan->pid_places[i];
		pid_t unit = 1;

		while (pid / unit >= 10)
			unit *= 10;
		for (; unit > 0; unit /= 10)
			*at++ = (char)('0' + pid / unit % 10);
		*at = '\0';
	}
}

static int build_argv(struct launch_plan *plan, const struct launch_request *request,
    const struct expand_words *words)
{
	char *const *wanted =
	    request->words != NULL ? request->words : request->config->key_command;
	size_t count = count_strings(wanted);

	if (count == 0)
		return -EINVAL;
	plan->argv = calloc(count + 1, sizeof(*plan->argv));
	if (plan->argv == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int error = expand_string(wanted[i], words, &plan->argv[i]);

		if (error == 0)
			error = own(plan, plan->argv[i]);
		if (error < 0)
			return error;
	}
	return 0;
}

static int build_environment(struct launch_plan *plan, const struct launch_request *request,
    const struct expand_words *words)
{
	size_t count = count_strings(request->environment) +
		       count_strings(request->config->key_environment) + OWN_VARIABLES + ADDED_TO;
	int error;

	plan->envp = calloc(count + 1, sizeof(*plan->envp));
	if (plan->envp == NULL)
		return -ENOMEM;
	error = add_callers(plan, request->environment);
	if (error == 0)
		error = add_stanzas(plan, request->config->key_environment, words);
	if (error == 0)
		error = add_node_preload(plan, request->node_preload);
	return error == 0 ? add_ours(plan, request, words) : error;
}

static int add_callers(struct launch_plan *plan, char *const *environment)
{
	size_t at = 0;

	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
		if (has_variable(plan->envp, environment[i]))
			continue;
		plan->envp[at] = environment[i];
		if (is_pid_variable(environment[i])) {
			int error = own_format(
			    plan, &plan->envp[at], "%s%*s", environment[i], PID_ROOM, "");

			if (error < 0)
				return error;
			plan->pid_places[plan->pid_count++] =
			    plan->envp[at] + strlen(environment[i]);
		}
		at++;
	}
	return 0;
}

static int add_stanzas(
    struct launch_plan *plan, char *const *environment, const struct expand_words *words)
{
	size_t at = count_strings(plan->envp);

	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
		char *text;
		int error;

		if (has_variable(plan->envp, environment[i]))
			continue;
		error = expand_string(environment[i], words, &text);
		if (error == 0)
			error = own(plan, text);
		if (error < 0)
			return error;
		plan->envp[at++] = text;
	}
	return 0;
}

/* Behind the stanza's own options, and once.  Quoted as Node reads it; a path that would need more
 * than quotes is not to be had by `make install`. */
static int add_node_preload(struct launch_plan *plan, const char *path)
{
	static char none[] = "NODE_OPTIONS=";
	size_t at = 0;

	if (path == NULL || strpbrk(path, "\"\\") != NULL)
		return 0;
	while (plan->envp[at] != NULL && strncmp(plan->envp[at], "NODE_OPTIONS=", 13) != 0)
		at++;
	plan->preload = path;
	plan->preload_at = at;
	plan->preload_without = plan->envp[at] != NULL ? plan->envp[at] : none;
	return own_format(plan, &plan->envp[at], "%s%s--require \"%s\"",
	    plan->envp[at] != NULL ? plan->envp[at] : "NODE_OPTIONS=",
	    plan->envp[at] != NULL && plan->envp[at][13] != '\0' ? " " : "", path);
}

static int add_ours(struct launch_plan *plan, const struct launch_request *request,
    const struct expand_words *words)
{
	size_t at = count_strings(plan->envp);
	char mark[LAUNCH_MARK];
	const struct {
		const char *name;
		const char *value;
	} ours[OWN_VARIABLES] = {
	    {"PATH", DEFAULT_PATH},
	    {"HOME", request->ids->home},
	    {"USER", request->ids->user},
	    {"LOGNAME", request->ids->user},
	    {"SHELL", request->ids->shell},
	    {"SUPERVISORD_NAME", request->name},
	    {"SUPERVISORD_INSTANCE", words->instance},
	    {"SUPERVISORD_RUN",
		launch_mark(request->run_name, request->run, request->nonce, mark, sizeof(mark))},
	    {"TERM", request->tty ? TTY_TERM : NULL},
	};
	size_t room = 0;
	char *text;
	int error;

	for (size_t i = 0; i < OWN_VARIABLES; i++)
		if (ours[i].value != NULL)
			room += strlen(ours[i].name) + 1 + strlen(ours[i].value) + 1;
	text = malloc(room); /* one for all */
	error = text == NULL ? -ENOMEM : own(plan, text);
	for (size_t i = 0; error == 0 && i < OWN_VARIABLES; i++) {
		if (ours[i].value == NULL || find_variable(plan->envp, ours[i].name) != NULL)
			continue;
		plan->envp[at++] = text;
		text = stpcpy(stpcpy(stpcpy(text, ours[i].name), "="), ours[i].value) + 1;
	}
	return error;
}

/* As execvp(3) would look, but with the program's PATH, and without a shell for a text file. */
static int build_paths(struct launch_plan *plan)
{
	const char *name = plan->argv[0];
	const char *libexec = getenv("SUPERVISORD_LIBEXEC");
	size_t length = libexec != NULL ? strlen(libexec) : 0;
	const char *path = find_variable(plan->envp, "PATH");
	size_t count = 1, at = 0;

	for (const char *c = path; *c != '\0'; c++)
		count += *c == ':';
	plan->paths = calloc(count + 1, sizeof(*plan->paths));
	if (plan->paths == NULL)
		return -ENOMEM;
	if (strchr(name, '/') != NULL) {
		plan->paths[0] = plan->argv[0];
		plan->is_own = length > 0 && strncmp(name, libexec, length) == 0 &&
			       name[length] == '/' && strchr(name + length + 1, '/') == NULL;
		return 0;
	}
	for (;;) {
		size_t part = strcspn(path, ":");
		int error = own_format(plan, &plan->paths[at++], "%.*s%s%s", (int)part, path,
		    part > 0 ? "/" : "", name);

		if (error < 0)
			return error;
		if (path[part] == '\0')
			return 0;
		path += part + 1;
	}
}

/* One without a value, which only the child knows. */
static bool is_pid_variable(const char *entry)
{
	return strcmp(entry, "WATCHDOG_PID=") == 0 || strcmp(entry, "LISTEN_PID=") == 0;
}

/* Whether one of the same name as `entry` ("NAME=VALUE") is there. */
static bool has_variable(char *const *environment, const char *entry)
{
	size_t length = strcspn(entry, "=");

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, entry, length) == 0 && (*environment)[length] == '=')
			return true;
	return false;
}

static const char *find_variable(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

static size_t count_strings(char *const *list)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL)
		count++;
	return count;
}

static int own_format(struct launch_plan *plan, char **ret_text, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	*ret_text = text;
	return own(plan, text);
}

/* Takes `text`, also when it fails. */
static int own(struct launch_plan *plan, char *text)
{
	if (plan->owned_count % 16 == 0) {
		char **list = realloc(plan->owned, (plan->owned_count + 16) * sizeof(*list));

		if (list == NULL) {
			free(text);
			return -ENOMEM;
		}
		plan->owned = list;
	}
	plan->owned[plan->owned_count++] = text;
	return 0;
}
