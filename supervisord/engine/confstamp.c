/* SPDX-License-Identifier: ISC */
/* confstamp.c: see confstamp.h.  The number is a sum, as the order of the files is that of their
 * names. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/fnv.h"
#include "lib/limits.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/confwatch.h"

struct pattern {
	char *directory;
	char *text;
};

struct confstamp {
	char *path; /* of the first file */
	struct pattern *patterns;
	size_t count;
	size_t room;
	uint64_t sum;
};

/* One look: each file counts once, whatever names it has. */
struct look {
	struct confsource_id *ids;
	size_t count;
	size_t room;
	bool failed; /* something cannot be looked at, or there is no memory: read, and it will tell
		      */
};

static void print_string(const char *text, FILE *file);
static uint64_t hash(const struct confsource_id *id);
static void look_at_pattern(struct look *look, const struct pattern *pattern);
static void look_at_file(struct look *look, const char *path);
static int compare_ids(const void *a, const void *b);
static bool watch_pattern(const struct pattern *pattern, int watch_fd);
static bool watch_file(const char *path, int watch_fd);
static bool watch_directory_of(const char *path, int watch_fd);

int confstamp_new(struct confstamp **ret_stamp)
{
	*ret_stamp = calloc(1, sizeof(**ret_stamp));
	return *ret_stamp != NULL ? 0 : -ENOMEM;
}

int confstamp_set_first(struct confstamp *stamp, const char *path)
{
	stamp->path = strdup(path);
	return stamp->path != NULL ? 0 : -ENOMEM;
}

void confstamp_free(struct confstamp *stamp)
{
	if (stamp == NULL)
		return;
	for (size_t i = 0; i < stamp->count; i++) {
		free(stamp->patterns[i].directory);
		free(stamp->patterns[i].text);
	}
	free(stamp->patterns);
	free(stamp->path);
	free(stamp);
}

void confstamp_add_file(struct confstamp *stamp, const struct confsource_id *id)
{
	stamp->sum += hash(id);
}

int confstamp_add_pattern(struct confstamp *stamp, const char *directory, const char *pattern)
{
	struct pattern copy;

	if (stamp->count == stamp->room) {
		size_t room = stamp->room == 0 ? 4 : stamp->room * 2;
		struct pattern *patterns = realloc(stamp->patterns, room * sizeof(*patterns));

		if (patterns == NULL)
			return -ENOMEM;
		stamp->patterns = patterns;
		stamp->room = room;
	}
	copy = (struct pattern){.directory = strdup(directory), .text = strdup(pattern)};
	if (copy.directory == NULL || copy.text == NULL) {
		free(copy.directory);
		free(copy.text);
		return -ENOMEM;
	}
	stamp->patterns[stamp->count++] = copy;
	return 0;
}

void confstamp_print(const struct confstamp *stamp, FILE *file)
{
	fprintf(file, "%" PRIu64 " %zu", stamp->sum, stamp->count);
	fputc('\0', file);
	print_string(stamp->path, file);
	for (size_t i = 0; i < stamp->count; i++) {
		print_string(stamp->patterns[i].directory, file);
		print_string(stamp->patterns[i].text, file);
	}
}

int confstamp_scan(const char **at, const char *end, struct confstamp **ret_stamp)
{
	struct confstamp *stamp;
	size_t count = 0;
	int error = confstamp_new(&stamp);

	if (error < 0)
		return error;
	if (*at >= end || sscanf(*at, "%" SCNu64 " %zu", &stamp->sum, &count) != 2)
		error = -EBADMSG;
	else
		*at += strlen(*at) + 1;
	if (error == 0 && *at < end)
		error = confstamp_set_first(stamp, *at);
	if (error == 0 && *at < end)
		*at += strlen(*at) + 1;
	for (size_t i = 0; error == 0 && i < count; i++) {
		const char *directory = *at, *text = directory;

		if (directory < end)
			text += strlen(directory) + 1;
		error = text < end ? confstamp_add_pattern(stamp, directory, text) : -EBADMSG;
		if (error == 0)
			*at = text + strlen(text) + 1;
	}
	if (error == 0 && stamp->path == NULL)
		error = -EBADMSG;
	if (error < 0)
		confstamp_free(stamp);
	else
		*ret_stamp = stamp;
	return error;
}

static void print_string(const char *text, FILE *file)
{
	(void)fwrite(text, 1, strlen(text) + 1, file);
}

bool confstamp_has_changed(const struct confstamp *stamp)
{
	struct look look = {0};
	uint64_t sum = 0;

	look_at_file(&look, stamp->path);
	for (size_t i = 0; i < stamp->count && !look.failed; i++)
		look_at_pattern(&look, &stamp->patterns[i]);
	if (look.count > 1)
		qsort(look.ids, look.count, sizeof(*look.ids), compare_ids);
	for (size_t i = 0; i < look.count; i++)
		if (i == 0 || compare_ids(&look.ids[i - 1], &look.ids[i]) != 0)
			sum += hash(&look.ids[i]);
	free(look.ids);
	return look.failed || sum != stamp->sum;
}

bool confstamp_watch(const struct confstamp *stamp, int watch_fd)
{
	bool good = watch_file(stamp->path, watch_fd);

	for (size_t i = 0; good && i < stamp->count; i++)
		good = watch_pattern(&stamp->patterns[i], watch_fd);
	return good;
}

static uint64_t hash(const struct confsource_id *id)
{
	const uint64_t parts[] = {
	    (uint64_t)id->device,
	    (uint64_t)id->inode,
	    (uint64_t)id->size,
	    (uint64_t)id->modified.tv_sec,
	    (uint64_t)id->modified.tv_nsec,
	    (uint64_t)id->changed.tv_sec,
	    (uint64_t)id->changed.tv_nsec,
	};
	uint64_t value = FNV_START;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		value = fnv_add_number(value, parts[i]);
	return value;
}

static void look_at_pattern(struct look *look, const struct pattern *pattern)
{
	char **paths = NULL, *problem = NULL;
	size_t count = 0;

	if (confsource_expand(pattern->directory, pattern->text, &paths, &count, &problem) < 0) {
		free(problem);
		look->failed = true;
		return;
	}
	for (size_t i = 0; i < count && !look->failed; i++)
		look_at_file(look, paths[i]);
	confsource_free_paths(paths, count);
}

static void look_at_file(struct look *look, const char *path)
{
	if (look->count == look->room) {
		size_t room = look->room == 0 ? 16 : look->room * 2;
		struct confsource_id *ids = realloc(look->ids, room * sizeof(*ids));

		if (ids == NULL) {
			look->failed = true;
			return;
		}
		look->ids = ids;
		look->room = room;
	}
	if (confsource_look(path, &look->ids[look->count]))
		look->count++;
	else
		look->failed = true;
}

/* By what tells files apart. */
static int compare_ids(const void *a, const void *b)
{
	const struct confsource_id *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Files may come to the directory of a pattern; which directories a pattern means is not watched.
 */
static bool watch_pattern(const struct pattern *pattern, int watch_fd)
{
	char **paths = NULL, *problem = NULL, *whole;
	const char *slash = strrchr(pattern->text, '/');
	size_t count = 0, directory = slash != NULL ? (size_t)(slash - pattern->text) : 0;
	bool good;

	if (strcspn(pattern->text, "*?[") < directory)
		return false;
	whole = confsource_absolute(pattern->directory, pattern->text);
	good = whole != NULL && watch_directory_of(whole, watch_fd);
	free(whole);
	if (!good)
		return false;
	if (confsource_expand(pattern->directory, pattern->text, &paths, &count, &problem) < 0) {
		free(problem);
		return false;
	}
	for (size_t i = 0; good && i < count; i++) {
		struct stat st;

		/* In the directory that is watched, unless it points elsewhere. */
		good = lstat(paths[i], &st) == 0 &&
		       (!S_ISLNK(st.st_mode) || watch_file(paths[i], watch_fd));
	}
	confsource_free_paths(paths, count);
	return good;
}

/* Where its name is, and where the file is that this leads to. */
static bool watch_file(const char *path, int watch_fd)
{
	char *real = realpath(path, NULL);
	bool good = real != NULL && watch_directory_of(path, watch_fd) &&
		    watch_directory_of(real, watch_fd);

	free(real);
	return good;
}

static bool watch_directory_of(const char *path, int watch_fd)
{
	char *directory = confsource_directory(path);
	bool good = directory != NULL && confwatch_add(watch_fd, directory);

	free(directory);
	return good;
}
