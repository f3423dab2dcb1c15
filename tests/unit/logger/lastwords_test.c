/* SPDX-License-Identifier: ISC */
/* lastwords_test.c: what a run wrote last, out of each kind of log. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "supervisord/logger/lastwords.h"

#define ROW 3

static char directory[] = "/tmp/lastwords_test.XXXXXX";
static char path[64];
static struct readers readers;
static struct streams streams;
static struct specs specs;
static struct ledger *ledger;
static int writer;

static int set_up(void **state)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), fd;

	(void)state;
	assert_int_equal(ledger_create(&fd, &ledger), 0);
	close(fd);
	readers_init(&readers, epoll_fd, &specs, &streams);
	specs = (struct specs){0};
	return streams_init(&streams, epoll_fd, &readers, ledger);
}

static int tear_down(void **state)
{
	(void)state;
	close(writer);
	for (uint32_t slot = 0; slot < streams.slots; slot++)
		streams_release(&streams, slot, held_key(HELD_LOG_READ, ROW, 0));
	free(streams.by_slot);
	specs_done(&specs);
	close(streams.world.scratch[0]);
	close(streams.world.scratch[1]);
	free(streams.world.look);
	sinks_sweep(&streams.copier.sinks);
	free(streams.copier.in);
	jsonw_done(&streams.copier.out);
	close(streams.epoll_fd);
	(void)unlink(path);
	return munmap(ledger, sizeof(*ledger));
}

/* A stream of this form, to a file or (NULL) only to memory. */
static void hold(enum logspec_format format, const char *file)
{
	const struct logspec spec = {
	    .row = ROW,
	    .name = "web",
	    .path = file != NULL ? file : "",
	    .format = format,
	    .targets = file != NULL ? NULL : "inherit:raw",
	};
	struct specs fresh;
	int ends[2], fd;

	assert_int_equal(logspec_write(&spec, 1, &fd), 0);
	assert_int_equal(specs_read(fd, &fresh), 0);
	close(fd);
	streams_apply_specs(&streams, &fresh);
	specs = fresh;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	writer = ends[1];
	assert_int_equal(streams_hold_consume(&streams, &specs, 0, ROW, 0, ends[0]), 0);
}

/* What a run says; the logger has written it when `served`. */
static void say(uint64_t run, const char *text, bool served)
{
	ledger->table[ROW].run = run;
	assert_int_equal(write(writer, text, strlen(text)), (ssize_t)strlen(text));
	if (served)
		streams_run(&streams, streams.by_slot[0]);
}

static const char *words(uint64_t run, size_t size)
{
	static char text[LIMIT_LAST_WORDS_BYTES + 1];

	text[lastwords_get(&streams, ROW, 0, run, text, size)] = '\0';
	return text;
}

static void test_raw_when_runs_followed_then_each_has_its_own(void **state)
{
	(void)state;
	hold(LOGSPEC_RAW, path);
	say(7, "one\ntwo\n", true);
	say(8, "three\n", true);
	assert_string_equal(words(7, 400), "one\ntwo");
	assert_string_equal(words(8, 400), "three");
	assert_string_equal(words(6, 400), "");
}

static void test_raw_when_it_is_still_in_the_pipe_then_written_first(void **state)
{
	(void)state;
	hold(LOGSPEC_RAW, path);
	say(1, "no newline at the end", false);
	assert_string_equal(words(1, 400), "no newline at the end");
}

static void test_lines_when_they_do_not_fit_then_the_last_whole_ones(void **state)
{
	(void)state;
	hold(LOGSPEC_RAW, path);
	say(1, "first line\nsecond\nthird\n", true);
	assert_string_equal(words(1, 12), "second\nthird");
	assert_string_equal(words(1, 11), "third");
	assert_string_equal(words(1, 5), "third");
	assert_string_equal(words(1, 4), "...d");
}

static void test_raw_when_another_logger_wrote_it_then_only_of_the_last_run(void **state)
{
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	(void)fputs("from before\n", file);
	(void)fclose(file);
	hold(LOGSPEC_RAW, path);
	say(4, "x", true);
	streams.by_slot[0]->shares[0] = (struct stream_share){0};
	assert_string_equal(words(4, 400), "from before\nx");
	assert_string_equal(words(3, 400), "");
}

static void test_file_when_lines_say_whose_they_are_then_those_of_the_run(void **state)
{
	static const enum logspec_format formats[] = {LOGSPEC_STAMP, LOGSPEC_JSON};

	for (size_t i = 0; i < 2; i++) {
		hold(formats[i], path);
		say(1, "one\n", true);
		say(2, "a \"word\"\nand more\n", true);
		assert_string_equal(words(1, 400), "one");
		assert_string_equal(words(2, 400), "a \"word\"\nand more");
		assert_string_equal(words(3, 400), "");
		if (i == 0) {
			tear_down(state);
			set_up(state);
		}
	}
}

static void test_ring_when_there_is_no_file_then_by_its_records(void **state)
{
	(void)state;
	hold(LOGSPEC_RAW, NULL);
	say(1, "one\n", true);
	say(2, "two\n", true);
	assert_string_equal(words(1, 400), "one");
	assert_string_equal(words(2, 400), "two");
}

static void test_words_when_there_is_no_such_stream_then_none(void **state)
{
	char text[8];

	(void)state;
	hold(LOGSPEC_RAW, path);
	assert_int_equal(lastwords_get(&streams, ROW, 1, 1, text, sizeof(text)), 0);
	assert_int_equal(lastwords_get(&streams, UINT32_MAX, 0, 1, text, sizeof(text)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_raw_when_runs_followed_then_each_has_its_own),
	    TEST(test_raw_when_it_is_still_in_the_pipe_then_written_first),
	    TEST(test_lines_when_they_do_not_fit_then_the_last_whole_ones),
	    TEST(test_raw_when_another_logger_wrote_it_then_only_of_the_last_run),
	    TEST(test_file_when_lines_say_whose_they_are_then_those_of_the_run),
	    TEST(test_ring_when_there_is_no_file_then_by_its_records),
	    TEST(test_words_when_there_is_no_such_stream_then_none),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
