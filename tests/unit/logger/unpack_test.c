/* SPDX-License-Identifier: ISC */
/* unpack_test.c: compressed archives come out whole, in pieces, and damage is noticed. */
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
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/logger/archivefiles.h"
#include "supervisord/logger/unpack.h"

#define TEXT_BYTES 300000

static char text[TEXT_BYTES];
static char packed[TEXT_BYTES + 1024];

static int set_up(void **state)
{
	unsigned value = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		value = value * 1103515245 + 12345;
		text[i] = i % 61 == 60 ? '\n' : (char)('a' + (value >> 16) % 26);
	}
	return 0;
}

static struct unpack *open_bytes(enum logspec_compress form, const char *bytes, size_t length)
{
	struct unpack *unpack = NULL;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(unpack_new(fd, form, &unpack), 0);
	return unpack;
}

/* All of it in pieces of `size`; what unpack_read() said at last. */
static ssize_t read_all(struct unpack *unpack, size_t size, char *ret_bytes, size_t *ret_length)
{
	ssize_t got;

	*ret_length = 0;
	while ((got = unpack_read(unpack, ret_bytes + *ret_length, size)) > 0 || got == -EAGAIN)
		if (got > 0)
			*ret_length += (size_t)got;
	unpack_free(unpack);
	return got;
}

static void assert_unpacks(enum logspec_compress form, const char *bytes, size_t length,
    const char *expected, size_t expected_length)
{
	static const size_t sizes[] = {1000, 7777, 65536};
	char *out = malloc(expected_length + 65536);
	size_t out_length;

	assert_non_null(out);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct unpack *unpack = open_bytes(form, bytes, length);

		assert_int_equal(read_all(unpack, sizes[i], out, &out_length), 0);
		assert_int_equal(out_length, expected_length);
		assert_memory_equal(out, expected, expected_length);
	}
	free(out);
}

static void test_read_when_whole_then_the_text(void **state)
{
	(void)state;
	for (int form = LOGSPEC_GZIP; form <= LOGSPEC_ZSTD; form++) {
		size_t length = files_pack(
		    (enum logspec_compress)form, text, sizeof(text), packed, sizeof(packed));

		assert_unpacks((enum logspec_compress)form, packed, length, text, sizeof(text));
		length = files_pack((enum logspec_compress)form, "", 0, packed, sizeof(packed));
		assert_unpacks((enum logspec_compress)form, packed, length, "", 0);
	}
}

/* As `cat a.gz b.gz >c.gz` makes it. */
static void test_read_when_two_are_joined_then_both(void **state)
{
	(void)state;
	for (int form = LOGSPEC_GZIP; form <= LOGSPEC_ZSTD; form++) {
		size_t first =
		    files_pack((enum logspec_compress)form, text, 100000, packed, sizeof(packed));
		size_t second = files_pack((enum logspec_compress)form, text + 100000,
		    sizeof(text) - 100000, packed + first, sizeof(packed) - first);

		assert_unpacks(
		    (enum logspec_compress)form, packed, first + second, text, sizeof(text));
	}
}

static void test_read_when_cut_then_damaged_behind_what_was_there(void **state)
{
	static char out[TEXT_BYTES + 65536];
	size_t length, out_length;

	(void)state;
	for (int form = LOGSPEC_GZIP; form <= LOGSPEC_ZSTD; form++) {
		length = files_pack(
		    (enum logspec_compress)form, text, sizeof(text), packed, sizeof(packed));
		assert_int_equal(
		    read_all(open_bytes((enum logspec_compress)form, packed, length - 1), 65536,
			out, &out_length),
		    -EBADMSG);
		assert_memory_equal(out, text, out_length);
	}
}

static void test_read_when_not_compressed_then_damaged(void **state)
{
	size_t out_length;
	char out[65536];

	(void)state;
	for (int form = LOGSPEC_GZIP; form <= LOGSPEC_ZSTD; form++)
		assert_int_equal(
		    read_all(open_bytes((enum logspec_compress)form, "just some text\n", 15),
			sizeof(out), out, &out_length),
		    -EBADMSG);
}

/* A tiny archive may be a huge log: each call gives no more than it was asked for. */
static void test_read_when_it_is_a_bomb_then_in_pieces(void **state)
{
	enum { BYTES = 64 * 1024 * 1024 };
	char *zeros = calloc(1, BYTES), *bomb = malloc(BYTES / 100), out[4096];
	struct unpack *unpack;
	size_t length, total = 0;
	ssize_t got;

	(void)state;
	assert_non_null(zeros);
	assert_non_null(bomb);
	length = files_pack(LOGSPEC_GZIP, zeros, BYTES, bomb, BYTES / 100);
	unpack = open_bytes(LOGSPEC_GZIP, bomb, length);
	while ((got = unpack_read(unpack, out, sizeof(out))) > 0 || got == -EAGAIN) {
		assert_true(got <= (ssize_t)sizeof(out));
		total += got > 0 ? (size_t)got : 0;
	}
	assert_int_equal(got, 0);
	assert_int_equal(total, BYTES);
	unpack_free(unpack);
	free(zeros);
	free(bomb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_when_whole_then_the_text),
	    cmocka_unit_test(test_read_when_two_are_joined_then_both),
	    cmocka_unit_test(test_read_when_cut_then_damaged_behind_what_was_there),
	    cmocka_unit_test(test_read_when_not_compressed_then_damaged),
	    cmocka_unit_test(test_read_when_it_is_a_bomb_then_in_pieces),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
