/* SPDX-License-Identifier: ISC */
/* logwatch_test.c: each line that was written after the mark is looked at once, through rotations.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/archives.h"
#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/logwatch.h"

#define KEEP 3

static char directory[64], path[80];
static struct logwatch *watch;

static int set_up(void **context)
{
	(void)context;
	snprintf(directory, sizeof(directory), "/tmp/logwatch.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/p.log", directory);
	watch = NULL;
	return 0;
}

static int tear_down(void **context)
{
	char command[96];

	(void)context;
	logwatch_free(watch);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static void write_to(const char *name, const char *text)
{
	FILE *file = fopen(name, "a");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void add(const char *text)
{
	write_to(path, text);
}

/* As the logger does it; see logger/rotation.c. */
static void rotate(void)
{
	static int64_t time_us;
	struct archive archive = {.time_us = ++time_us};
	char to[ARCHIVE_PATH_SIZE];

	if (archive_format_path(to, sizeof(to), path, &archive) < 0)
		fail();
	assert_true(rename(path, to) == 0 || errno == ENOENT);
	archive.time_us -= KEEP;
	if (archive.time_us > 0 && archive_format_path(to, sizeof(to), path, &archive) == 0)
		assert_true(unlink(to) == 0 || errno == ENOENT);
}

static void begin(const char *regex, uint64_t mark)
{
	logwatch_free(watch);
	watch = NULL;
	assert_int_equal(logwatch_new(path, regex, mark, clock_wall_ns(), &watch), 0);
}

static void test_look_when_there_is_no_file_yet_then_waits_for_it(void **context)
{
	(void)context;
	begin("ready", logwatch_mark(path, -1));
	assert_int_equal(logwatch_look(watch), 0);
	add("starting\n");
	assert_int_equal(logwatch_look(watch), 0);
	add("now ready\n");
	assert_int_equal(logwatch_look(watch), 1);
	/* A new engine that finds it rotated away already. */
	begin("^starting", 0);
	rotate();
	add("more\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_a_line_is_from_before_the_mark_then_it_does_not_count(void **context)
{
	(void)context;
	add("ready of the first run\n");
	begin("ready", logwatch_mark(path, -1));
	assert_int_equal(logwatch_look(watch), 0);
	add("starting\n");
	assert_int_equal(logwatch_look(watch), 0);
	add("ready\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_earlier_runs_have_left_something_in_the_pipe_then_it_does_not_count(
    void **context)
{
	const char *old = "ready, says the first run\n";
	int fds[2];

	(void)context;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	add("ready\n");
	assert_int_equal(write(fds[1], old, strlen(old)), strlen(old));
	begin("ready", logwatch_mark(path, fds[1]));
	assert_int_equal(logwatch_look(watch), 0);
	/* The logger writes it down, the first half into this file, the rest into the next one. */
	write_to(path, "ready, sa");
	assert_int_equal(logwatch_look(watch), 0);
	rotate();
	add("ys the first run\nready\n");
	assert_int_equal(logwatch_look(watch), 1);
	close(fds[0]);
	close(fds[1]);
}

static void test_look_when_only_old_bytes_come_then_none_counts(void **context)
{
	const char *old = "ready\nready\n";
	int fds[2];

	(void)context;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], old, strlen(old)), strlen(old));
	/* There is not even a file. */
	begin("^ready", logwatch_mark(path, fds[0]));
	add(old);
	assert_int_equal(logwatch_look(watch), 0);
	add("ready\n");
	assert_int_equal(logwatch_look(watch), 1);
	close(fds[0]);
	close(fds[1]);
}

static void test_look_when_a_line_comes_in_parts_then_it_is_matched_as_a_whole(void **context)
{
	(void)context;
	begin("^server ready$", logwatch_mark(path, -1));
	add("ready\nserver ");
	assert_int_equal(logwatch_look(watch), 0);
	add("rea");
	assert_int_equal(logwatch_look(watch), 0);
	add("dy");
	assert_int_equal(logwatch_look(watch), 0);
	add("\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_a_line_ends_with_cr_then_the_dollar_matches(void **context)
{
	(void)context;
	begin("ready$", logwatch_mark(path, -1));
	add("ready\r\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_rotated_between_two_looks_then_no_line_is_missed(void **context)
{
	(void)context;
	add("old\n");
	begin("ready", logwatch_mark(path, -1));
	assert_int_equal(logwatch_look(watch), 0);
	add("ready in the last line\n");
	rotate();
	add("new\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_rotated_several_times_then_reads_the_files_in_order(void **context)
{
	(void)context;
	add("old\n");
	begin("ready", logwatch_mark(path, -1));
	assert_int_equal(logwatch_look(watch), 0);
	rotate();
	add("first\nrea");
	rotate();
	add("dy is cut by a rotation\n");
	rotate();
	add("third\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_rotated_out_of_the_chain_then_goes_on_with_the_oldest_that_is_left(
    void **context)
{
	(void)context;
	add("old\n");
	begin("ready", logwatch_mark(path, -1));
	assert_int_equal(logwatch_look(watch), 0);
	rotate();
	add("ready, but lost\n");
	rotate();
	for (int i = 0; i < KEEP; i++) {
		add("more\n");
		rotate();
	}
	add("more\n");
	assert_int_equal(logwatch_look(watch), 0);
	rotate();
	add("ready in an archive\n");
	for (int i = 0; i < KEEP; i++) {
		rotate();
		add("more\n");
	}
	assert_int_equal(logwatch_look(watch), 1);
}

/* The archives are of earlier runs. */
static void write_old_archives(void)
{
	const struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	char name[128];

	for (int number = 1; number <= KEEP; number++) {
		snprintf(name, sizeof(name), "%s.19700101T00000%d.000000Z", path, number);
		write_to(name, "ready\n");
		assert_int_equal(utimensat(AT_FDCWD, name, past, 0), 0);
	}
}

static void test_look_when_the_file_was_removed_then_older_archives_do_not_count(void **context)
{
	uint64_t mark;

	(void)context;
	write_old_archives();
	add("old\n");
	mark = logwatch_mark(path, -1);
	begin("ready", mark);
	assert_int_equal(logwatch_look(watch), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(logwatch_look(watch), 0);
	add("more\n");
	assert_int_equal(logwatch_look(watch), 0);
	add("ready\n");
	assert_int_equal(logwatch_look(watch), 1);
	/* A new engine that begins now has not seen the marked file. */
	begin("old", mark);
	assert_int_equal(logwatch_look(watch), 0);
	begin("more", mark);
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_begin_when_the_marked_file_is_out_of_the_chain_then_the_oldest_after_it(
    void **context)
{
	uint64_t mark;

	(void)context;
	add("old\n");
	mark = logwatch_mark(path, -1);
	begin("ready", mark);
	for (int i = 0; i <= KEEP; i++) {
		rotate();
		add(i == 1 ? "ready\n" : "more\n");
	}
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_the_marked_file_is_an_archive_by_now_then_finds_it(void **context)
{
	uint64_t mark;

	(void)context;
	add("ready, says the first run\n");
	mark = logwatch_mark(path, -1);
	add("second run: ready\n");
	rotate();
	add("more\n");
	rotate();
	add("much more\n");
	/* As a new engine does. */
	begin("ready", mark);
	assert_int_equal(logwatch_look(watch), 1);
	begin("first run", mark);
	assert_int_equal(logwatch_look(watch), 0);
	begin("much more", mark);
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_the_file_was_emptied_then_reads_from_its_beginning(void **context)
{
	(void)context;
	add("a long line of an earlier run\n");
	begin("ready", logwatch_mark(path, -1));
	assert_int_equal(logwatch_look(watch), 0);
	assert_int_equal(truncate(path, 0), 0);
	add("ready\n");
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_a_line_is_too_long_then_its_beginning_counts_once(void **context)
{
	char block[1001];

	(void)context;
	memset(block, 'x', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	begin("^xx.*ready|^ready|y", logwatch_mark(path, -1));
	for (int i = 0; i < 3 * LIMIT_CHECK_LINE / 1000; i++)
		add(block);
	add(" ready\n");
	assert_int_equal(logwatch_look(watch), 0);
	add("ready\n");
	assert_int_equal(logwatch_look(watch), 1);
	begin("^x+$", 0);
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_look_when_there_is_very_much_then_reads_a_part_and_says_so(void **context)
{
	char line[1001];
	int looks = 0, result;

	(void)context;
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 5 * LIMIT_CHECK_LOG_READ / 1000; i++)
		add(line);
	add("ready\n");
	begin("ready", 0);
	do {
		result = logwatch_look(watch);
		looks++;
	} while (result == -EAGAIN);
	assert_int_equal(result, 1);
	assert_int_equal(looks, 5);
}

static void test_look_when_a_line_has_a_nul_then_what_follows_it_counts(void **context)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)context;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a\0ready\n", 8), 8);
	close(fd);
	begin("ready", 0);
	assert_int_equal(logwatch_look(watch), 1);
}

static void test_new_when_the_expression_is_bad_then_einval(void **context)
{
	(void)context;
	assert_int_equal(logwatch_new(path, "(", 0, 0, &watch), -EINVAL);
	assert_null(watch);
}

/* A logger at work: what was written before the mark never counts, what came after it always does.
 */
static void test_mark_while_bytes_move_from_the_pipe_to_the_file_then_is_exact(void **context)
{
	enum { ROUNDS = 600, OLD_LINES = 400 };

	(void)context;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t mark;
		int fds[2], status;
		pid_t pid;

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		for (int i = 0; i < OLD_LINES; i++)
			assert_int_equal(write(fds[1], "old line\n", 9), 9);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
			off_t at = lseek(file, 0, SEEK_END);

			close(fds[1]);
			while (splice(fds[0], NULL, file, &at, 90, 0) > 0)
				;
			_exit(0);
		}
		mark = logwatch_mark(path, fds[1]);
		assert_int_equal(write(fds[1], "new line\n", 9), 9);
		close(fds[0]);
		close(fds[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		begin("^old", mark);
		assert_int_equal(logwatch_look(watch), 0);
		begin("^new", mark);
		assert_int_equal(logwatch_look(watch), 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_look_when_there_is_no_file_yet_then_waits_for_it),
	    TEST(test_look_when_a_line_is_from_before_the_mark_then_it_does_not_count),
	    TEST(
		test_look_when_earlier_runs_have_left_something_in_the_pipe_then_it_does_not_count),
	    TEST(test_look_when_only_old_bytes_come_then_none_counts),
	    TEST(test_look_when_a_line_comes_in_parts_then_it_is_matched_as_a_whole),
	    TEST(test_look_when_a_line_ends_with_cr_then_the_dollar_matches),
	    TEST(test_look_when_rotated_between_two_looks_then_no_line_is_missed),
	    TEST(test_look_when_rotated_several_times_then_reads_the_files_in_order),
	    TEST(test_look_when_rotated_out_of_the_chain_then_goes_on_with_the_oldest_that_is_left),
	    TEST(test_look_when_the_file_was_removed_then_older_archives_do_not_count),
	    TEST(test_begin_when_the_marked_file_is_out_of_the_chain_then_the_oldest_after_it),
	    TEST(test_look_when_the_marked_file_is_an_archive_by_now_then_finds_it),
	    TEST(test_look_when_the_file_was_emptied_then_reads_from_its_beginning),
	    TEST(test_look_when_a_line_is_too_long_then_its_beginning_counts_once),
	    TEST(test_look_when_there_is_very_much_then_reads_a_part_and_says_so),
	    TEST(test_look_when_a_line_has_a_nul_then_what_follows_it_counts),
	    TEST(test_new_when_the_expression_is_bad_then_einval),
	    TEST(test_mark_while_bytes_move_from_the_pipe_to_the_file_then_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
