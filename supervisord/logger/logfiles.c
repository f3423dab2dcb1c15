/* SPDX-License-Identifier: ISC */
/* logfiles.c: see logfiles.h. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/logger/logfiles.h"

static int compare_files(const void *left, const void *right);

struct logfile *logfiles_get(struct logfiles *files, const char *path)
{
	struct logfile *file = logfiles_find(files, path);
	size_t length = strlen(path) + 1;

	if (file != NULL)
		return file;
	/* The path sits behind its file: one allocation less for each. */
	file = malloc(sizeof(*file) + length);
	if (file == NULL)
		return NULL;
	logfile_init(file, memcpy(file + 1, path, length));
	file->owner = files;
	if (tsearch(file, &files->root, compare_files) != NULL)
		return file;
	free(file);
	return NULL;
}

struct logfile *logfiles_find(const struct logfiles *files, const char *path)
{
	/* Not written through. */
	const struct logfile key = {.path = (char *)(uintptr_t)path};
	struct logfile *const *found = tfind(&key, &files->root, compare_files);

	return found != NULL ? *found : NULL;
}

void logfiles_drop(struct logfiles *files, struct logfile *file)
{
	if (file->user_count > 0 || file->is_kept)
		return;
	(void)tdelete(file, &files->root, compare_files);
	logfile_done(file);
	free(file);
}

static int compare_files(const void *left, const void *right)
{
	const struct logfile *a = left, *b = right;

	return strcmp(a->path, b->path);
}
