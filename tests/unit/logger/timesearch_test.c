/* SPDX-License-Identifier: ISC */
/* The search for a time in a file of stamped lines: the right place, and few bytes read. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/limits.h"
#include "lib/timestamp.h"
#include "supervisord/logger/timesearch.h"

#define S        INT64_C(1000000000)
#define BEGIN_NS (INT64_C(1700000000) * S)

enum style { STAMP, JSON, MIXED };

static FILE *file;
static uint64_t size;
/* Where line N begins; it is of BEGIN_NS + N s. */
static uint64_t *starts;
static size_t count;
static size_t reads;

/* The linker puts this in place of the search's pread(2). */
ssize_t __real_pread(int fd, void *bytes, size_t length, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t length, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t length, off_t offset)
{
	reads++;
	return __real_pread(fd, bytes, length, offset);
}

static void write_file(size_t lines, enum style style)
{
	srand(7);
	file = fdopen(memfd_create("log", MFD_CLOEXEC), "w+");
	assert_non_null(file);
	starts = calloc(lines, sizeof(*starts));
	assert_non_null(starts);
	count = lines;
	size = 0;
	for (size_t i = 0; i < lines; i++) {
		char time[TIMESTAMP_SIZE];
		int length = 0, width = rand() % 200;

		if (style == MIXED &&
		    rand() % 3 == 0) /* no time, or one that is not at the beginning */
			length += fprintf(file, "%s%0*d\n",
			    rand() % 2 ? "at 2026-01-01T00:00:00Z " : "", width, 1);
		size += (uint64_t)length;
		starts[i] = size;
		timestamp_format(BEGIN_NS + (int64_t)i * S, time);
		length = style == JSON ? fprintf(file, "{\"time\":\"%s\",\"text\":\"%0*d\"}\n",
					     time, width, 1)
				       : fprintf(file, "%s web 1 out %0*d\n", time, width, 1);
		assert_true(length > 0);
		size += (uint64_t)length;
	}
	assert_int_equal(fflush(file), 0);
}

static int tear_down(void **state)
{
	(void)state;
	free(starts);
	starts = NULL;
	return fclose(file);
}

static uint64_t search(int64_t since_ns)
{
	uint64_t offset = UINT64_MAX;

	reads = 0;
	assert_int_equal(time_search(fileno(file), size, since_ns, &offset), 0);
	return offset;
}

/* Nothing that is wanted lies before it, little that is not behind it, and it is where a line
 * begins. */
static void assert_found(size_t line, int64_t since_ns)
{
	uint64_t offset = search(since_ns), wanted = line < count ? starts[line] : size;
	bool is_start = offset == 0;

	assert_true(offset <= wanted);
	assert_true(wanted - offset <= 2 * LIMIT_LOG_BLOCK);
	for (size_t i = 0; i < count && !is_start; i++)
		is_start = starts[i] == offset;
	assert_true(is_start);
}

static void assert_all_found(enum style style)
{
	write_file(20000, style);
	for (size_t line = 0; line < count; line += 37) {
		assert_found(line, BEGIN_NS + (int64_t)line * S);
		assert_found(line, BEGIN_NS + (int64_t)line * S - 1);
		assert_found(line + 1, BEGIN_NS + (int64_t)line * S + 1);
	}
	assert_found(0, 0);
	assert_found(count, INT64_MAX);
}

static void test_stamped_lines_are_found(void **state)
{
	(void)state;
	assert_all_found(STAMP);
}

static void test_json_lines_are_found(void **state)
{
	(void)state;
	assert_all_found(JSON);
}

static void test_lines_without_a_time_are_passed_over(void **state)
{
	(void)state;
	assert_all_found(MIXED);
}

static void test_large_file_then_little_is_read(void **state)
{
	(void)state;
	write_file(200000, STAMP);
	assert_true(size > 25000000);
	for (size_t line = 0; line < count; line += 9973) {
		(void)search(BEGIN_NS + (int64_t)line * S);
		assert_true(reads <= 12);
	}
}

static void test_what_has_no_times_is_read_from_its_beginning(void **state)
{
	(void)state;
	write_file(1, STAMP);
	for (int i = 0; i < 100000; i++)
		size += (uint64_t)fprintf(file, "a line of somebody else\n");
	assert_int_equal(fflush(file), 0);
	assert_int_equal(search(BEGIN_NS + S), 0);
	assert_true(reads <= 8);
	/* Nor does one line without an end hold it up. */
	size += (uint64_t)fprintf(file, "%02000000d", 1);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(search(BEGIN_NS + S), 0);
}

static void test_empty_file_then_its_beginning(void **state)
{
	(void)state;
	write_file(0, STAMP);
	assert_int_equal(search(BEGIN_NS), 0);
	assert_int_equal(reads, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stamped_lines_are_found),
	    TEST(test_json_lines_are_found),
	    TEST(test_lines_without_a_time_are_passed_over),
	    TEST(test_large_file_then_little_is_read),
	    TEST(test_what_has_no_times_is_read_from_its_beginning),
	    TEST(test_empty_file_then_its_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
