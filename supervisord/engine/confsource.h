/* SPDX-License-Identifier: ISC */
/*
 * confsource.h: the files a configuration is made of, as text.
 *
 * Reads a file without ever waiting for it (a FIFO, a device) and finds the files a pattern means.
 * The only part of the configuration that touches the file system, but for users and groups.
 */
#ifndef ENGINE_CONFSOURCE_H
#define ENGINE_CONFSOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "supervisord/engine/config.h"

/* What tells a file from others, and from itself after a change. */
struct confsource_id {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed; /* a rename as well */
};

/*
 * Read a file.  Gives its text (with a NUL after `length` bytes) and what tells it from others.
 * -EINVAL: cannot be a configuration file, *ret_problem (to be freed) says why; -ENOMEM.
 */
int confsource_read(const char *path, char **ret_text, size_t *ret_length,
    struct confsource_id *ret_id, char **ret_problem);

/* The same of a file that is not read; false: it cannot be looked at. */
bool confsource_look(const char *path, struct confsource_id *ret_id);

/* `path` as an absolute one, seen from directory `base` (NULL: the working directory); NULL: no
 * memory. */
char *confsource_absolute(const char *base, const char *path);

/* The directory part of an absolute path; NULL: no memory. */
char *confsource_directory(const char *path);

/*
 * The files that `pattern` means, seen from directory `base`, sorted; without wildcards it means
 * itself, there or not.  Wildcards as glob(7), in any part.  Errors as confsource_read(), also for
 * more files than LIMIT_CONFIG_FILES.
 */
int confsource_expand(const char *base, const char *pattern, char ***ret_paths, size_t *ret_count,
    char **ret_problem);
void confsource_free_paths(char **paths, size_t count);

/* Add an absolute path to these where the pattern means it and it is only not there yet. */
int confsource_add(
    const char *base, const char *pattern, const char *path, char ***paths, size_t *count);

/* config_write_applied() and its reverse.  -EBADMSG: not an applied configuration. */
int confsource_write(const struct config_source *sources, size_t count, int *ret_fd);
int confsource_read_applied(int fd, struct config_source **ret_sources, size_t *ret_count);
void confsource_free(struct config_source *sources, size_t count);

/* A source of its own: copies both.  0 or -ENOMEM, and then there is nothing to free. */
int confsource_copy(
    const char *path, const char *text, size_t length, struct config_source *ret_source);

#endif
