/* SPDX-License-Identifier: ISC */
/* Streams and their specs: which comes first, changes, goes; and no descriptor stays behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/logger/streams.h"

static char directory[] = "/tmp/streams_test.XXXXXX";
static char path[64], other_path[64];
static struct readers readers;
static struct streams streams;
static struct specs specs;
static int writer;

/* The next free descriptor tells whether one was leaked. */
static int next_fd(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	close(fd);
	return fd;
}

static void set_specs(const struct logspec *list, size_t count)
{
	struct specs fresh;
	int fd;

	assert_int_equal(logspec_write(list, count, &fd), 0);
	assert_int_equal(specs_read(fd, &fresh), 0);
	close(fd);
	streams_apply_specs(&streams, &fresh);
	specs_done(&specs);
	specs = fresh;
}

static void hold(uint32_t slot, uint32_t row)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	writer = ends[1];
	assert_int_equal(streams_hold_consume(&streams, &specs, slot, row, 0, ends[0]), 0);
}

static void say(const char *text)
{
	assert_int_equal(write(writer, text, strlen(text)), (ssize_t)strlen(text));
}

/* Serve what is ready now; returns how many events there were. */
static int serve(void)
{
	struct epoll_event events[8];
	int count = epoll_wait(streams.epoll_fd, events, 8, 0);

	for (int i = 0; i < count; i++)
		streams_run(&streams, events[i].data.ptr);
	return count;
}

static const char *content(const char *file_path)
{
	static char text[256];
	int fd = open(file_path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return NULL;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(got >= 0);
	text[got] = '\0';
	return text;
}

static uint32_t drained_slot;
static uint64_t drained_key;

static void note_drained(uint32_t slot, uint64_t key)
{
	drained_slot = slot;
	drained_key = key;
}

static int set_up(void **state)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	(void)state;
	readers_init(&readers, epoll_fd, &specs, &streams);
	specs = (struct specs){0};
	return streams_init(&streams, epoll_fd, &readers, NULL);
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	for (uint32_t slot = 0; slot < streams.slots; slot++)
		streams_release(&streams, slot, held_key(HELD_LOG_READ, 0, 0));
	free(streams.by_slot);
	specs_done(&specs);
	close(streams.world.scratch[0]);
	close(streams.world.scratch[1]);
	free(streams.world.look);
	close(streams.epoll_fd);
	(void)snprintf(command, sizeof(command), "rm -rf %s/*", directory);
	return system(command);
}

static void test_specs_when_found_then_by_row_and_stream_in_any_order(void **state)
{
	const struct logspec list[] = {
	    {.row = 9, .stream = 1, .name = "c", .path = "/c"},
	    {.row = 9, .stream = 0, .name = "b", .path = "/b"},
	    {.row = 1, .stream = 0, .name = "a", .path = "/a"},
	};
	struct logspec *copy;

	(void)state;
	set_specs(list, 3);
	assert_string_equal(specs_find(&specs, 1, 0)->path, "/a");
	assert_string_equal(specs_find(&specs, 9, 0)->path, "/b");
	assert_string_equal(specs_find(&specs, 9, 1)->path, "/c");
	assert_null(specs_find(&specs, 1, 1));
	copy = specs_copy(specs_find(&specs, 9, 1));
	assert_string_equal(copy->name, "c");
	assert_string_equal(copy->path, "/c");
	free(copy);
}

static void test_pipe_when_it_has_no_spec_then_unread_until_it_comes(void **state)
{
	const struct logspec spec = {.row = 1, .name = "web", .path = path};

	(void)state;
	hold(20, 1);
	say("one\n");
	assert_int_equal(serve(), 0);
	assert_null(content(path));
	set_specs(&spec, 1);
	assert_int_equal(serve(), 1);
	assert_string_equal(content(path), "one\n");
	assert_int_equal(serve(), 0);
	close(writer);
}

static void test_specs_when_the_path_changes_then_from_the_next_line(void **state)
{
	struct logspec spec = {.row = 1, .name = "web", .path = path};

	(void)state;
	set_specs(&spec, 1);
	hold(20, 1);
	say("one\ntw");
	serve();
	spec.path = other_path;
	set_specs(&spec, 1);
	say("o\nthree\n");
	serve();
	assert_string_equal(content(path), "one\ntwo\n");
	assert_string_equal(content(other_path), "three\n");
	close(writer);
}

static void test_specs_when_max_bytes_shrinks_then_the_next_line_rotates(void **state)
{
	struct logspec spec = {.row = 1, .name = "web", .path = path, .max_bytes = 100, .keep = 1};
	struct archives archives;
	char archive[128];

	(void)state;
	archives_init(&archives, path);
	set_specs(&spec, 1);
	hold(20, 1);
	say("one\ntwo\n");
	serve();
	spec.max_bytes = 5;
	set_specs(&spec, 1);
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives.count, 0);
	say("three\n");
	serve();
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives.count, 1);
	assert_int_equal(archive_format_path(archive, sizeof(archive), path, &archives.list[0]), 0);
	archives_done(&archives);
	assert_string_equal(content(archive), "one\ntwo\n");
	assert_string_equal(content(path), "three\n");
	close(writer);
}

static void test_specs_when_the_row_goes_then_its_pipe_is_still_written(void **state)
{
	const struct logspec spec = {.row = 1, .name = "web", .path = path};

	(void)state;
	set_specs(&spec, 1);
	hold(20, 1);
	set_specs(NULL, 0);
	set_specs(NULL, 0);
	say("one\n");
	serve();
	say("two\n");
	drained_slot = 0;
	streams.drained = note_drained;
	streams_release(&streams, 20, held_key(HELD_LOG_READ, 1, 0));
	assert_string_equal(content(path), "one\ntwo\n");
	assert_int_equal(drained_slot, 20);
	assert_int_equal(drained_key, held_key(HELD_LOG_READ, 1, 0));
	close(writer);
}

static void test_hold_when_the_slot_is_taken_then_the_former_is_drained_and_closed(void **state)
{
	const struct logspec list[] = {
	    {.row = 1, .name = "web", .path = path},
	    {.row = 2, .name = "db", .path = other_path},
	};
	int before, first;

	(void)state;
	set_specs(list, 2);
	before = next_fd();
	hold(20, 1);
	first = writer;
	say("one\n");
	hold(20, 2);
	say("two\n");
	serve();
	assert_string_equal(content(path), "one\n");
	assert_string_equal(content(other_path), "two\n");
	close(first);
	close(writer);
	/* No writer is left: the hang-up ends it. */
	assert_int_equal(serve(), 1);
	assert_true(LIST_EMPTY(&streams.list));
	assert_int_equal(next_fd(), before);
}

static void test_hold_when_the_slot_is_out_of_range_then_refused_and_closed(void **state)
{
	int ends[2], before = next_fd();

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(streams_hold_consume(&streams, &specs, 1U << 31, 1, 0, ends[0]), -ERANGE);
	close(ends[1]);
	assert_int_equal(next_fd(), before);
}

static void test_run_when_the_file_fails_then_it_waits_and_is_retried(void **state)
{
	const struct logspec spec = {.row = 1, .name = "web", .path = path};

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	set_specs(&spec, 1);
	hold(20, 1);
	say("one\n");
	assert_int_equal(streams_get_timeout_ms(&streams), -1);
	assert_int_equal(serve(), 1);
	assert_int_equal(serve(), 0);
	assert_in_range(streams_get_timeout_ms(&streams), 1, 1001);
	assert_int_equal(rmdir(path), 0);
	streams.retry_ns = 0;
	streams_retry(&streams);
	assert_string_equal(content(path), "one\n");
	assert_int_equal(streams_get_timeout_ms(&streams), -1);
	say("two\n");
	assert_int_equal(serve(), 1);
	assert_string_equal(content(path), "one\ntwo\n");
	close(writer);
}

/* The next try is due. */
static void try_again(void)
{
	streams.retry_ns = 0;
	streams_retry(&streams);
}

static void test_alone_when_the_file_fails_then_tried_ever_later_and_given_up_at_the_end(
    void **state)
{
	const struct logspec spec = {.row = 1, .name = "web", .path = path};
	int before = next_fd();

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	set_specs(&spec, 1);
	hold(20, 1);
	say("one\n");
	assert_int_equal(serve(), 1);
	try_again();
	assert_int_equal(streams.delay_ns, NS_PER_S);
	streams.is_alone = true;
	/* For as long as somebody writes, but not each second. */
	for (int i = 0; i < 20; i++) {
		int64_t delay_ns = streams.delay_ns;

		try_again();
		assert_in_range(streams.delay_ns,
		    delay_ns < LIMIT_LOG_ALONE_NS ? delay_ns + 1 : delay_ns, LIMIT_LOG_ALONE_NS);
	}
	assert_int_equal(streams.delay_ns, LIMIT_LOG_ALONE_NS);
	assert_true(streams_is_active(&streams));
	close(writer);
	try_again();
	assert_false(streams_is_active(&streams));
	assert_int_equal(streams_get_timeout_ms(&streams), -1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(next_fd(), before);
}

/* A full disk may have room again, and what has ended has then said all. */
static void test_alone_when_the_program_has_ended_then_tried_a_while(void **state)
{
	const struct logspec spec = {.row = 1, .name = "web", .path = path};

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	set_specs(&spec, 1);
	hold(20, 1);
	say("one\n");
	close(writer);
	streams.is_alone = true;
	assert_int_equal(serve(), 1);
	for (int i = 0; i < 3; i++)
		try_again();
	assert_true(streams_is_active(&streams));
	assert_int_equal(rmdir(path), 0);
	try_again();
	assert_string_equal(content(path), "one\n");
	assert_int_equal(serve(), 1);
	assert_false(streams_is_active(&streams));
}

static void serve_all(void)
{
	while (serve() > 0)
		continue;
}

static void test_shared_when_a_line_is_held_then_looked_at_again_ever_later_until_it_is_written(
    void **state)
{
	const struct logspec list[] = {
	    {.row = 1, .name = "web", .path = path},
	    {.row = 2, .name = "db", .path = path},
	};
	int timeout_ms, looks = 0;

	(void)state;
	set_specs(list, 2);
	hold(20, 1);
	say("half");
	serve_all();
	assert_string_equal(content(path), "");
	assert_in_range(streams_get_timeout_ms(&streams), 0, 2);
	while ((timeout_ms = streams_get_timeout_ms(&streams)) >= 0) {
		(void)poll(NULL, 0, timeout_ms);
		streams_retry(&streams);
		assert_int_equal(serve(), 0);
		looks++;
	}
	/* 1, 2, 4 … 1024 ms, and the end of the hold: on a slow machine less, never more. */
	assert_in_range(looks, 1, 12);
	assert_string_equal(content(path), "half");
	close(writer);
}

/* Its neighbour's line is open in the file and gets no end. */
static void test_shared_when_a_waiting_one_gets_another_file_then_it_is_watched_again(void **state)
{
	static char part[40 * 1024];
	struct logspec list[] = {
	    {.row = 1, .name = "web", .path = path},
	    {.row = 2, .name = "db", .path = path},
	};
	struct stream *stream;
	int neighbour;

	(void)state;
	set_specs(list, 2);
	hold(21, 2);
	neighbour = writer;
	memset(part, 'x', sizeof(part));
	assert_int_equal(write(neighbour, part, sizeof(part)), sizeof(part));
	serve_all();
	hold(20, 1);
	say("one\n");
	serve_all();
	list[0].path = other_path;
	set_specs(list, 2);
	serve_all();
	stream = streams.by_slot[20];
	assert_true(stream->waits);
	/* As if it had waited for long. */
	stream->file->hold_end_ns = stream->deadline_ns = streams.wait_ns = 1;
	streams_retry(&streams);
	assert_string_equal(content(other_path), "one\n");
	say("two\n");
	assert_int_equal(serve(), 1);
	assert_string_equal(content(other_path), "one\ntwo\n");
	close(neighbour);
	close(writer);
}

static void test_specs_when_they_come_again_then_a_held_line_is_still_due(void **state)
{
	const struct logspec spec = {
	    .row = 1, .name = "web", .path = path, .format = LOGSPEC_STAMP};

	(void)state;
	set_specs(&spec, 1);
	hold(20, 1);
	say("half");
	serve_all();
	assert_true(streams_get_timeout_ms(&streams) >= 0);
	set_specs(&spec, 1);
	serve_all();
	assert_true(streams_get_timeout_ms(&streams) >= 0);
	close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_specs_when_found_then_by_row_and_stream_in_any_order, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_pipe_when_it_has_no_spec_then_unread_until_it_comes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_specs_when_the_path_changes_then_from_the_next_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_specs_when_max_bytes_shrinks_then_the_next_line_rotates, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_specs_when_the_row_goes_then_its_pipe_is_still_written, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_hold_when_the_slot_is_taken_then_the_former_is_drained_and_closed, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_hold_when_the_slot_is_out_of_range_then_refused_and_closed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_run_when_the_file_fails_then_it_waits_and_is_retried, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_alone_when_the_file_fails_then_tried_ever_later_and_given_up_at_the_end,
		set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_alone_when_the_program_has_ended_then_tried_a_while, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_shared_when_a_line_is_held_then_looked_at_again_ever_later_until_it_is_written,
		set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_shared_when_a_waiting_one_gets_another_file_then_it_is_watched_again, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_specs_when_they_come_again_then_a_held_line_is_still_due, set_up, tear_down),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	(void)snprintf(other_path, sizeof(other_path), "%s/other.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
