/* SPDX-License-Identifier: ISC */
/* What was compressed is what was there, in one whole file, and the archive has gone. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "supervisord/logger/compress.h"

#define MOST 300000

static char directory[] = "/tmp/compress_test.XXXXXX";
static char path[64];
static unsigned char text[MOST], packed[2 * MOST], back[MOST + 1];
static const struct archive plain = {.time_us = 7};

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s/*", directory);
	return system(command);
}

static void put(size_t length)
{
	char name[128];
	FILE *file;

	assert_int_equal(archive_format_path(name, sizeof(name), path, &plain), 0);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, 0604), 0);
}

/* The bytes of the compressed archive, which is the only file there. */
static size_t get(enum logspec_compress form)
{
	struct archives archives;
	struct stat st;
	ssize_t got;
	int fd;

	archives_init(&archives, path);
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives.count, 1);
	assert_int_equal(archives.list[0].form, form);
	assert_int_equal(archives_open(&archives, 0, &fd, &st, &(enum logspec_compress){0}), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	got = read(fd, packed, sizeof(packed));
	assert_int_equal(got, st.st_size);
	close(fd);
	archives_done(&archives);
	return (size_t)got;
}

static void expect_gzip(size_t length)
{
	z_stream stream = {.next_in = packed,
	    .avail_in = (uInt)get(LOGSPEC_GZIP),
	    .next_out = back,
	    .avail_out = sizeof(back)};

	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(stream.total_out, length);
	assert_int_equal(inflateEnd(&stream), Z_OK);
	assert_memory_equal(back, text, length);
}

static void expect_zstd(size_t length)
{
	size_t size = ZSTD_decompress(back, sizeof(back), packed, get(LOGSPEC_ZSTD));

	assert_false(ZSTD_isError(size));
	assert_int_equal(size, length);
	assert_memory_equal(back, text, length);
}

static void test_archive_when_compressed_then_the_same_bytes(void **state)
{
	static const size_t lengths[] = {0, 1, 65535, 65536, 65537, MOST};

	for (size_t i = 0; i < MOST; i++)
		text[i] = (unsigned char)(i * i / 7 + (size_t)random());
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		put(lengths[i]);
		assert_int_equal(compress_archive(path, &plain, LOGSPEC_GZIP), 0);
		expect_gzip(lengths[i]);
		(void)tear_down(state);
		put(lengths[i]);
		assert_int_equal(compress_archive(path, &plain, LOGSPEC_ZSTD), 0);
		expect_zstd(lengths[i]);
		(void)tear_down(state);
	}
}

static void test_archive_when_it_is_gone_then_nothing_is_made(void **state)
{
	(void)state;
	assert_int_equal(compress_archive(path, &plain, LOGSPEC_GZIP), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
}

static void test_archive_when_both_are_there_then_made_again(void **state)
{
	char name[128];
	FILE *file;

	(void)state;
	put(100);
	assert_int_equal(archive_format_path(name, sizeof(name), path,
			     &(struct archive){.time_us = 7, .form = LOGSPEC_GZIP}),
	    0);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(compress_archive(path, &plain, LOGSPEC_GZIP), 0);
	expect_gzip(100);
}

static void test_child_when_it_ends_then_its_status_tells(void **state)
{
	pid_t pid;
	int pidfd, status;

	(void)state;
	put(1000);
	assert_int_equal(compress_start(path, &plain, LOGSPEC_ZSTD, &pid, &pidfd), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(pidfd);
	expect_zstd(1000);
	(void)tear_down(state);
	/* There is no such form. */
	put(0);
	assert_int_equal(compress_start(path, &plain, LOGSPEC_PLAIN, &pid, &pidfd), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EINVAL);
	close(pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_archive_when_compressed_then_the_same_bytes, tear_down),
	    cmocka_unit_test_teardown(test_archive_when_it_is_gone_then_nothing_is_made, tear_down),
	    cmocka_unit_test_teardown(test_archive_when_both_are_there_then_made_again, tear_down),
	    cmocka_unit_test_teardown(test_child_when_it_ends_then_its_status_tells, tear_down),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
