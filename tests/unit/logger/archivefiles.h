/* SPDX-License-Identifier: ISC */
/* archivefiles.h: a log with archives, plain and compressed, in a directory of its own, for tests.
 */
#ifndef TESTS_LOGGER_ARCHIVEFILES_H
#define TESTS_LOGGER_ARCHIVEFILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/archives.h"

static char files_directory[] = "/tmp/archives_test.XXXXXX";
static char files_log[64];

static inline int files_set_up_group(void **state)
{
	(void)state;
	if (mkdtemp(files_directory) == NULL)
		return -1;
	(void)snprintf(files_log, sizeof(files_log), "%s/web.log", files_directory);
	return 0;
}

static inline int files_remove_all(void)
{
	char command[96];

	(void)snprintf(command, sizeof(command), "rm -f %s/*", files_directory);
	return system(command);
}

static inline int files_tear_down_group(void **state)
{
	(void)state;
	return rmdir(files_directory);
}

static inline void files_append_bytes(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static inline void files_append(const char *text)
{
	files_append_bytes(files_log, text, strlen(text));
}

static inline size_t files_pack(
    enum logspec_compress form, const char *text, size_t length, char *ret_packed, size_t size)
{
	z_stream gzip = {.next_in = (Bytef *)(uintptr_t)text,
	    .avail_in = (uInt)length,
	    .next_out = (Bytef *)ret_packed,
	    .avail_out = (uInt)size};

	if (form == LOGSPEC_ZSTD) {
		size_t packed = ZSTD_compress(ret_packed, size, text, length, 3);

		assert_false(ZSTD_isError(packed));
		return packed;
	}
	assert_int_equal(deflateInit2(&gzip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&gzip, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&gzip), Z_OK);
	return size - gzip.avail_out;
}

static inline const char *files_path(int64_t time_us, enum logspec_compress form)
{
	static char path[128];
	struct archive archive = {.time_us = time_us, .form = form};

	assert_int_equal(archive_format_path(path, sizeof(path), files_log, &archive), 0);
	return path;
}

/* Make an archive out of nothing. */
static inline void files_archive_bytes(
    int64_t time_us, enum logspec_compress form, const char *text, size_t length)
{
	char *packed;
	size_t packed_length;

	if (form == LOGSPEC_PLAIN) {
		files_append_bytes(files_path(time_us, form), text, length);
		return;
	}
	packed = malloc(length + 1024);
	assert_non_null(packed);
	packed_length = files_pack(form, text, length, packed, length + 1024);
	files_append_bytes(files_path(time_us, form), packed, packed_length);
	free(packed);
}

static inline void files_archive(int64_t time_us, enum logspec_compress form, const char *text)
{
	files_archive_bytes(time_us, form, text, strlen(text));
}

/* The log becomes an archive, as the logger does it. */
static inline struct archive files_rotate(int64_t time_us)
{
	struct archive archive = {.time_us = time_us};
	struct stat st;

	assert_int_equal(stat(files_log, &st), 0);
	archive.ino = st.st_ino;
	assert_int_equal(rename(files_log, files_path(time_us, LOGSPEC_PLAIN)), 0);
	return archive;
}

/* A plain archive is compressed, and the plain one goes. */
static inline void files_compress(int64_t time_us, enum logspec_compress form)
{
	char text[65536];
	FILE *file = fopen(files_path(time_us, LOGSPEC_PLAIN), "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	files_archive_bytes(time_us, form, text, length);
	assert_int_equal(unlink(files_path(time_us, LOGSPEC_PLAIN)), 0);
}

#endif
