/* SPDX-License-Identifier: ISC */
/* editfile.c: see editfile.h, rename(2). */
#define _GNU_SOURCE /* asprintf, mkostemp, renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/editfile.h"
#include "lib/limits.h"
#include "lib/writeall.h"

#define NEW_MODE 0644

static enum exitcode fail(struct ctl *ctl, const char *path, int error);
static char *get_directory(const char *path);
static int read_file(const char *path, char **ret_text, size_t *ret_length, struct stat *ret_stat);
static int write_copy(struct editfile *file);
static int take_looks(const struct editfile *file);
static int take_place(const struct editfile *file);
static int sync_directory(const struct editfile *file);

enum exitcode editfile_begin(
    struct ctl *ctl, const char *path, const char *text, struct editfile *ret_file)
{
	struct editfile *file = ret_file;
	char *directory;
	int error = 0;

	*file = (struct editfile){.path = path, .is_new = text != NULL};
	file->real = file->is_new ? strdup(path) : realpath(path, NULL);
	if (file->real == NULL)
		return fail(ctl, path, errno);
	if (text != NULL) {
		file->text = strdup(text);
		file->length = strlen(text);
		error = file->text == NULL ? -ENOMEM : 0;
	} else {
		error = read_file(file->real, &file->text, &file->length, &file->before);
	}
	if (error == 0 && !file->is_new && access(file->real, W_OK) < 0)
		error = -errno;
	if (error < 0)
		return fail(ctl, path, -error);
	directory = get_directory(file->real);
	if (directory == NULL)
		return fail(ctl, path, ENOMEM);
	if (access(directory, W_OK | X_OK) < 0) {
		enum exitcode code = fail(ctl, directory, errno);

		free(directory);
		return code;
	}
	/* No wildcard means a name that begins with a dot. */
	error =
	    asprintf(&file->copy, "%s/.%s.edit-XXXXXX", directory, strrchr(file->real, '/') + 1) < 0
		? -ENOMEM
		: 0;
	free(directory);
	if (error < 0)
		file->copy = NULL;
	else
		error = write_copy(file);
	return error < 0 ? fail(ctl, path, -error) : EXITCODE_OK;
}

int editfile_is_same(const struct editfile *file)
{
	char *text;
	size_t length;
	struct stat st;
	int error = read_file(file->copy, &text, &length, &st);
	bool same;

	if (error < 0)
		return error;
	same = length == file->length && memcmp(text, file->text, length) == 0;
	free(text);
	return same;
}

enum exitcode editfile_finish(struct ctl *ctl, struct editfile *file)
{
	char *text = NULL;
	size_t length = 0;
	struct stat now;
	int error = 0;

	if (!file->is_new) {
		error = read_file(file->real, &text, &length, &now);
		if (error == 0 && (length != file->length || now.st_ino != file->before.st_ino ||
				      memcmp(text, file->text, length) != 0))
			error = -EBUSY;
		free(text);
	}
	if (error == 0)
		error = take_looks(file);
	if (error == 0)
		error = take_place(file);
	if (error == 0) {
		free(file->copy);
		file->copy = NULL;
		error = sync_directory(file);
	}
	if (error == -EBUSY || error == -EEXIST)
		ctl_complain(ctl, "%s: somebody else has changed it meanwhile: it is left alone",
		    file->path);
	else if (error < 0)
		return fail(ctl, file->path, -error);
	return error < 0 ? EXITCODE_FAILED : EXITCODE_OK;
}

void editfile_done(struct editfile *file, bool keep)
{
	if (file->copy != NULL && !keep)
		(void)unlink(file->copy);
	free(file->copy);
	free(file->real);
	free(file->text);
	*file = (struct editfile){.path = NULL};
}

static enum exitcode fail(struct ctl *ctl, const char *path, int error)
{
	bool denied = error == EACCES || error == EPERM || error == EROFS;

	ctl_complain(ctl, "%s: %s%s", path, strerror(error),
	    denied && geteuid() != 0 ? ": only who may write it can edit it, as with sudo" : "");
	return denied ? EXITCODE_DENIED : EXITCODE_FAILED;
}

static char *get_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int read_file(const char *path, char **ret_text, size_t *ret_length, struct stat *ret_stat)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = 0;
	char *text = NULL;
	size_t length = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, ret_stat) < 0)
		error = -errno;
	else if (!S_ISREG(ret_stat->st_mode))
		error = -EINVAL;
	else if (ret_stat->st_size > LIMIT_CONFIG_FILE_BYTES)
		error = -EFBIG;
	else
		text = malloc(LIMIT_CONFIG_FILE_BYTES + 1);
	if (error == 0 && text == NULL)
		error = -ENOMEM;
	while (error == 0) {
		ssize_t got = read(fd, text + length, LIMIT_CONFIG_FILE_BYTES + 1 - length);

		if (got < 0 && errno != EINTR)
			error = -errno;
		if (got == 0)
			break;
		length += got > 0 ? (size_t)got : 0;
		if (length > LIMIT_CONFIG_FILE_BYTES)
			error = -EFBIG;
	}
	close(fd);
	if (error < 0) {
		free(text);
		return error;
	}
	*ret_text = text;
	*ret_length = length;
	return 0;
}

static int write_copy(struct editfile *file)
{
	int fd = mkostemp(file->copy, O_CLOEXEC), error;

	if (fd < 0) {
		error = -errno;
		free(file->copy);
		file->copy = NULL;
		return error;
	}
	error = write_all(fd, file->text, file->length);
	return close(fd) < 0 && error == 0 ? -errno : error;
}

/* Editors may have written a new file under the name of the copy. */
static int take_looks(const struct editfile *file)
{
	int fd = open(file->copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), error = 0;
	mode_t mode = file->is_new ? NEW_MODE : file->before.st_mode & 07777;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		error = -errno;
	if (error == 0 && !file->is_new &&
	    (st.st_uid != file->before.st_uid || st.st_gid != file->before.st_gid) &&
	    fchown(fd, file->before.st_uid, file->before.st_gid) < 0)
		error = -errno;
	if (error == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		error = -errno;
	close(fd);
	return error;
}

static int take_place(const struct editfile *file)
{
	if (!file->is_new)
		return rename(file->copy, file->real) < 0 ? -errno : 0;
	/* One that somebody has made meanwhile is not written over. */
	if (link(file->copy, file->real) < 0)
		return -errno;
	(void)unlink(file->copy);
	return 0;
}

static int sync_directory(const struct editfile *file)
{
	char *directory = get_directory(file->real);
	int fd = directory != NULL ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int error = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(directory);
	return error == -EINVAL ? 0 : error; /* a file system that does not know that */
}
