/* SPDX-License-Identifier: ISC */
/*
 * confapplied.c: the sources of a configuration in a sealed memfd, see confsource.h.
 *
 * Layout: a head, then for each source a record, its path and its text.  Numbers in host order: it
 * never leaves the machine.  Read with the care for a file of somebody else, as an older or newer
 * engine may have written it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/writeall.h"
#include "supervisord/engine/confsource.h"

#define MAGIC 0x31666e6f63707573ULL /* "supconf1" */

/* Bytes of a path in it. */
#define PATH_LIMIT (2 * LIMIT_CONFIG_WORD)

struct head {
	uint64_t magic;
	uint64_t count;
};

struct record {
	uint32_t path_length;
	uint32_t text_length;
};

static int read_all(int fd, off_t *at, void *bytes, size_t length);
static int read_source(int fd, off_t *at, struct config_source *ret_source);

int confsource_write(const struct config_source *sources, size_t count, int *ret_fd)
{
	struct head head = {.magic = MAGIC, .count = count};
	int fd, error;

	fd = memfd_create("supervisord-applied", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	error = write_all(fd, &head, sizeof(head));
	for (size_t i = 0; error == 0 && i < count; i++) {
		struct record record = {
		    .path_length = (uint32_t)strlen(sources[i].path),
		    .text_length = (uint32_t)sources[i].length,
		};

		error = write_all(fd, &record, sizeof(record));
		if (error == 0)
			error = write_all(fd, sources[i].path, record.path_length);
		if (error == 0)
			error = write_all(fd, sources[i].text, record.text_length);
	}
	if (error == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		error = -errno;
	if (error < 0) {
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int confsource_read_applied(int fd, struct config_source **ret_sources, size_t *ret_count)
{
	struct config_source *sources;
	struct head head;
	size_t count = 0;
	off_t at = 0;
	int error;

	error = read_all(fd, &at, &head, sizeof(head));
	if (error < 0)
		return error;
	if (head.magic != MAGIC || head.count == 0 || head.count > LIMIT_CONFIG_FILES)
		return -EBADMSG;
	sources = calloc(head.count, sizeof(*sources));
	if (sources == NULL)
		return -ENOMEM;
	while (error == 0 && count < head.count)
		error = read_source(fd, &at, &sources[count++]);
	if (error < 0) {
		confsource_free(sources, count);
		return error;
	}
	*ret_sources = sources;
	*ret_count = count;
	return 0;
}

static int read_source(int fd, off_t *at, struct config_source *ret_source)
{
	struct record record;
	int error;

	error = read_all(fd, at, &record, sizeof(record));
	if (error < 0)
		return error;
	if (record.path_length == 0 || record.path_length > PATH_LIMIT ||
	    record.text_length > LIMIT_CONFIG_FILE_BYTES)
		return -EBADMSG;
	ret_source->path = calloc(1, record.path_length + 1);
	ret_source->text = calloc(1, record.text_length + 1);
	ret_source->length = record.text_length;
	if (ret_source->path == NULL || ret_source->text == NULL)
		return -ENOMEM;
	error = read_all(fd, at, ret_source->path, record.path_length);
	if (error == 0)
		error = read_all(fd, at, ret_source->text, record.text_length);
	return error;
}

/* By position, as others may share the descriptor's own. */
static int read_all(int fd, off_t *at, void *bytes, size_t length)
{
	char *to = bytes;

	while (length > 0) {
		ssize_t done = pread(fd, to, length, *at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -EBADMSG;
		to += done;
		*at += done;
		length -= (size_t)done;
	}
	return 0;
}
