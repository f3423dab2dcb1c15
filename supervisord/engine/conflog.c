/* SPDX-License-Identifier: ISC */
/*
 * conflog.c: checks of the keys about log files, see confbuild.h.
 *
 * Two streams that name one file share it, and then it has one size, one owner and so on: what they
 * say about the file must be the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/route.h"

/* Room for what an archive has behind the name, in a path and in a name of a directory. */
#define LOG_PATH_MAX (PATH_MAX - 64)
#define LOG_NAME_MAX (NAME_MAX - 40)

/* A log file and one of the streams that it is of. */
struct log_use {
	char *path;
	const struct build_program *program;
	int stream;
};

/* What was found wrong last: what programs have from the defaults is told once. */
struct told {
	const char *user;
	const char *group;
	const char *path;
	bool mode;
	bool total;
};

static void check_mode(struct build *build, const struct build_program *program, struct told *told);
static void check_total(
    struct build *build, const struct build_program *program, struct told *told);
static void check_path(struct build *build, const struct build_program *program, int stream,
    const char *path, struct told *told);
static int check_owner(struct build *build, const struct build_program *program, struct told *told);
static int add_uses(
    struct build *build, const struct build_program *program, struct log_use *uses, size_t *count);
static int compare_uses(const void *left, const void *right);
static void check_shared(
    struct build *build, const struct log_use *first, const struct log_use *other);
static enum program_key differing_key(
    const struct program_config *one, const struct program_config *other);
static bool is_log(const struct build_program *program, int stream);

int build_check_logs(struct build *build)
{
	struct log_use *uses = calloc(2 * build->program_count + 1, sizeof(*uses));
	struct told told = {0};
	size_t count = 0, first = 0;
	int error = 0;

	if (uses == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->program_count && error == 0; i++) {
		const struct build_program *program = &build->programs[i];
		const struct life_config *life = program->program->life;

		check_mode(build, program, &told);
		check_total(build, program, &told);
		check_path(build, program, 0, life->key_log_file, &told);
		check_path(build, program, 1, life->key_log_file_stderr, &told);
		if (!build->applied)
			error = check_owner(build, program, &told);
		if (error == 0)
			error = add_uses(build, program, uses, &count);
	}
	qsort(uses, count, sizeof(*uses), compare_uses);
	for (size_t i = 1; i < count && error == 0; i++) {
		if (strcmp(uses[i].path, uses[first].path) == 0)
			check_shared(build, &uses[first], &uses[i]);
		else
			first = i;
	}
	for (size_t i = 0; i < count; i++)
		free(uses[i].path);
	free(uses);
	return error;
}

static void check_mode(struct build *build, const struct build_program *program, struct told *told)
{
	unsigned mode = program->program->life->key_log_mode;
	bool own = program->lines[PROGRAM_log_mode] > 0;

	if ((mode & 0600) == 0600 || (!own && told->mode))
		return;
	told->mode = told->mode || !own;
	build_report(build, program, PROGRAM_log_mode,
	    "'%03o' locks the logger out: a mode in which the owner reads and writes, such as "
	    "0640, "
	    "is allowed",
	    mode);
}

/* Room for a log that is about to be rotated. */
static void check_total(struct build *build, const struct build_program *program, struct told *told)
{
	uint64_t total = program->program->life->key_log_total_size,
		 most = program->program->key_log_max_size;
	bool own = program->lines[PROGRAM_log_total_size] > 0;
	enum program_key key = own || program->lines[PROGRAM_log_max_size] == 0
				   ? PROGRAM_log_total_size
				   : PROGRAM_log_max_size;

	own = own || key == PROGRAM_log_max_size;
	if (total == 0 || total >= most || (!own && told->total))
		return;
	told->total = told->total || !own;
	if (key == PROGRAM_log_total_size)
		build_report(build, program, key,
		    "is less than log_max_size, and the log alone may grow to that: at least "
		    "%" PRIu64 "B is allowed",
		    most);
	else
		build_report(build, program, key,
		    "is more than log_total_size, which is for the log with its archives: at most "
		    "%" PRIu64 "B is allowed",
		    total);
}

static void check_path(struct build *build, const struct build_program *program, int stream,
    const char *path, struct told *told)
{
	enum program_key key = stream == 0 ? PROGRAM_log_file : PROGRAM_log_file_stderr;
	char quoted[CONFREPORT_QUOTE];
	const char *slash;
	bool own = program->lines[key] > 0;

	if (path == NULL || (!own && told->path == path))
		return;
	if (!own)
		told->path = path;
	slash = strrchr(path, '/');
	confreport_quote(path, quoted);
	if (strstr(path, "%{user}") != NULL || strstr(path, "%{home}") != NULL)
		build_report(build, program, key,
		    "'%s' names the user that the program runs as: %%{name}, %%{program}, "
		    "%%{instance} and %%{run_dir} are allowed",
		    quoted);
	else if (path[strlen(path) - 1] == '/')
		build_report(build, program, key, "'%s' is a directory: a file is allowed", quoted);
	else if (strlen(path) > LOG_PATH_MAX ||
		 strlen(slash != NULL ? slash + 1 : path) > LOG_NAME_MAX)
		build_report(build, program, key,
		    "'%s' is too long: a path of at most %d bytes, whose last part has at most %d, "
		    "is allowed",
		    quoted, LOG_PATH_MAX, LOG_NAME_MAX);
	else if (own && !is_log(program, stream))
		build_report(build, program, key, "needs %s = \"log\": there is no log otherwise",
		    stream == 0 ? "stdout" : "stderr");
}

static int check_owner(struct build *build, const struct build_program *program, struct told *told)
{
	const char *user = program->program->life->key_log_user,
		   *group = program->program->life->key_log_group, *what = "user", *text;
	bool own = program->lines[PROGRAM_log_user] > 0 || program->lines[PROGRAM_log_group] > 0;
	enum program_key key;
	char quoted[CONFREPORT_QUOTE];
	struct ids_owner owner;
	int error;

	if ((user == NULL && group == NULL) || (!own && told->user == user && told->group == group))
		return 0;
	told->user = own ? told->user : user;
	told->group = own ? told->group : group;
	error = ids_resolve_owner(user, group, &owner, &what);
	if (error == 0 || error == -ENOMEM)
		return error;
	key = strcmp(what, "user") == 0 ? PROGRAM_log_user : PROGRAM_log_group;
	text = key == PROGRAM_log_user ? user : group;
	confreport_quote(text, quoted);
	if (error == -EPERM)
		build_report(build, program, key,
		    "'%s' is not ours: only root may give files to %s", quoted,
		    key == PROGRAM_log_user ? "another user" : "a group it is not in");
	else if (error == -ENOENT)
		build_report(build, program, key,
		    "'%s' does not exist: a %s of this system is allowed", quoted, what);
	else
		build_report(
		    build, program, key, "'%s' cannot be looked up: %s", quoted, strerror(-error));
	return 0;
}

static int add_uses(
    struct build *build, const struct build_program *program, struct log_use *uses, size_t *count)
{
	const struct config *config = &build->whole->config;
	char *own;
	int length;

	length = asprintf(&own, "%s/" CONFIG_OWN_LOG, config->settings.key_log_dir);
	if (length < 0)
		return -ENOMEM;
	for (int stream = 0; stream < 2; stream++) {
		char *path;

		if (!is_log(program, stream))
			continue;
		path = config_log_path(config, program->program, stream);
		if (path == NULL) {
			free(own);
			return -ENOMEM;
		}
		if (strcmp(path, own) == 0)
			build_report(build, program,
			    stream == 0 ? PROGRAM_log_file : PROGRAM_log_file_stderr,
			    "'%s' is the daemon's own log: any other file is allowed", path);
		uses[(*count)++] =
		    (struct log_use){.path = path, .program = program, .stream = stream};
	}
	free(own);
	return 0;
}

static int compare_uses(const void *left, const void *right)
{
	const struct log_use *a = left, *b = right;
	int order = strcmp(a->path, b->path);

	if (order != 0)
		return order;
	if (a->program != b->program)
		return a->program < b->program ? -1 : 1;
	return a->stream - b->stream;
}

static void check_shared(
    struct build *build, const struct log_use *first, const struct log_use *other)
{
	const struct program_config *one = first->program->program, *two = other->program->program;
	enum program_key key = differing_key(one, two);

	if (key != PROGRAM_KEY_COUNT)
		build_report(build, other->program, key,
		    "differs from that of program '%s' (%s:%d), but both write %s: what is said "
		    "about one file must be the same",
		    one->name, one->file, one->line, first->path);
	/* Lines of others would be among those that it looks at, and nothing tells which. */
	for (int i = 0; i < 2; i++) {
		const struct log_use *use = i == 0 ? first : other;

		if (use->stream == 0 && use->program->program->life->key_ready.kind == CHECK_LOG)
			build_report(build, use->program, PROGRAM_ready,
			    "'log:' looks into %s, which is shared with %s: a log of its own is "
			    "needed",
			    use->path, one == two ? "stderr" : (i == 0 ? two : one)->name);
	}
}

/* The first key about a file in which two programs differ; PROGRAM_KEY_COUNT: none. */
static enum program_key differing_key(
    const struct program_config *one, const struct program_config *other)
{
	static const enum program_key about_files[] = {PROGRAM_log_max_size, PROGRAM_log_keep,
	    PROGRAM_log_rotate, PROGRAM_log_max_age, PROGRAM_log_total_size, PROGRAM_log_compress,
	    PROGRAM_log_user, PROGRAM_log_group, PROGRAM_log_mode, PROGRAM_log_format};

	for (size_t i = 0; i < sizeof(about_files) / sizeof(about_files[0]); i++) {
		const struct key_row *row = &program_rows[about_files[i]];
		const void *a = row->part == PART_PROGRAM ? (const void *)one : one->life;
		const void *b = row->part == PART_PROGRAM ? (const void *)other : other->life;

		a = (const char *)a + row->offset;
		b = (const char *)b + row->offset;
		if (row->type == KEY_STRING) {
			const char *x = *(char *const *)a, *y = *(char *const *)b;

			if (x != y && (x == NULL || y == NULL || strcmp(x, y) != 0))
				return about_files[i];
		} else if (memcmp(a, b, row->size) != 0) {
			return about_files[i];
		}
	}
	return PROGRAM_KEY_COUNT;
}

static bool is_log(const struct build_program *program, int stream)
{
	return route_has_file(
	    stream == 0 ? &program->program->key_stdout : &program->program->key_stderr);
}
