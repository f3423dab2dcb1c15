/* SPDX-License-Identifier: ISC */
/* varlink_test.c: framing: messages come out whole, once, in order, within their limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "lib/varlink.h"

struct pair {
	int ours;
	int peer;
	struct varlink_input in;
	struct varlink_output out;
};

static int setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int fds[2];

	assert_non_null(pair);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pair->ours = fds[0];
	pair->peer = fds[1];
	varlink_input_init(&pair->in, 100);
	varlink_output_init(&pair->out, LIMIT_CONTROL_QUEUE);
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	varlink_input_done(&pair->in);
	varlink_output_done(&pair->out);
	close(pair->ours);
	if (pair->peer >= 0)
		close(pair->peer);
	free(pair);
	return 0;
}

static void peer_sends(struct pair *pair, const char *bytes, size_t length)
{
	assert_int_equal(send(pair->peer, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void assert_next(struct pair *pair, const char *expected)
{
	char *message = NULL;
	size_t length = 0;

	assert_int_equal(varlink_input_next(&pair->in, &message, &length), 1);
	assert_string_equal(message, expected);
	assert_int_equal(length, strlen(expected));
}

static void assert_no_next(struct pair *pair)
{
	char *message;
	size_t length;

	assert_int_equal(varlink_input_next(&pair->in, &message, &length), 0);
}

static void test_fill_when_nothing_is_there_then_eagain(void **state)
{
	struct pair *pair = *state;

	assert_int_equal(varlink_input_fill(&pair->in, pair->ours), -EAGAIN);
	assert_no_next(pair);
}

static void test_fill_when_peer_closed_then_zero(void **state)
{
	struct pair *pair = *state;

	close(pair->peer);
	pair->peer = -1;
	assert_int_equal(varlink_input_fill(&pair->in, pair->ours), 0);
}

static void test_next_when_three_messages_in_one_read_then_each_in_order(void **state)
{
	struct pair *pair = *state;

	peer_sends(pair, "one\0\0three\0rest", 15);
	assert_int_equal(varlink_input_fill(&pair->in, pair->ours), 15);
	assert_next(pair, "one");
	assert_next(pair, "");
	assert_next(pair, "three");
	assert_no_next(pair);
	assert_true(varlink_input_is_partial(&pair->in));
	assert_false(varlink_input_is_full(&pair->in));
	peer_sends(pair, "\0", 1);
	assert_int_equal(varlink_input_fill(&pair->in, pair->ours), 1);
	assert_next(pair, "rest");
	assert_no_next(pair);
	assert_false(varlink_input_is_partial(&pair->in));
}

static void test_next_when_sent_byte_by_byte_then_one_message(void **state)
{
	struct pair *pair = *state;
	static const char text[] = "{\"method\":\"x\"}";

	for (size_t i = 0; i < sizeof(text); i++) {
		assert_no_next(pair);
		peer_sends(pair, text + i, 1);
		assert_int_equal(varlink_input_fill(&pair->in, pair->ours), 1);
	}
	assert_next(pair, text);
}

static void test_next_when_message_is_exactly_the_limit_then_taken(void **state)
{
	struct pair *pair = *state;
	char text[101];

	memset(text, 'x', 100);
	text[100] = '\0';
	peer_sends(pair, "first\0", 6);
	peer_sends(pair, text, 101);
	while (varlink_input_fill(&pair->in, pair->ours) == -EAGAIN)
		;
	assert_next(pair, "first");
	assert_no_next(pair);
	assert_true(varlink_input_fill(&pair->in, pair->ours) > 0);
	assert_next(pair, text);
}

static void test_fill_when_message_is_past_the_limit_then_emsgsize(void **state)
{
	struct pair *pair = *state;
	char text[200];
	int r;

	memset(text, 'x', sizeof(text));
	peer_sends(pair, text, sizeof(text));
	do {
		r = varlink_input_fill(&pair->in, pair->ours);
		assert_no_next(pair);
	} while (r > 0);
	assert_int_equal(r, -EMSGSIZE);
	assert_true(varlink_input_is_full(&pair->in));
	assert_true(pair->in.size <= 101);
}

static void test_input_when_idle_then_holds_no_memory(void **state)
{
	struct pair *pair = *state;
	const size_t length = 60000;
	char *text = calloc(1, length + 1);
	char *message;
	size_t got;
	int r;

	assert_non_null(text);
	varlink_input_init(&pair->in, LIMIT_VARLINK_BYTES);
	memset(text, 'x', length);
	peer_sends(pair, text, length + 1);
	do {
		assert_true(varlink_input_fill(&pair->in, pair->ours) > 0);
		r = varlink_input_next(&pair->in, &message, &got);
	} while (r == 0);
	assert_int_equal(got, length);
	assert_true(pair->in.size >= length);
	assert_no_next(pair);
	assert_null(pair->in.data);
	assert_int_equal(pair->in.size, 0);
	free(text);
}

static void test_append_when_past_the_limit_then_enobufs_and_nothing_queued(void **state)
{
	struct pair *pair = *state;

	varlink_output_init(&pair->out, 8);
	assert_int_equal(varlink_output_append(&pair->out, "12345", 5), 0);
	assert_int_equal(varlink_output_append(&pair->out, "6789", 4), -ENOBUFS);
	assert_int_equal(varlink_output_append(&pair->out, "678", 3), 0);
	assert_int_equal(varlink_output_pending(&pair->out), 8);
	assert_int_equal(varlink_output_append(&pair->out, "9", 1), -ENOBUFS);
	assert_int_equal(varlink_output_append(&pair->out, "x", SIZE_MAX), -ENOBUFS);
}

static void test_flush_when_peer_is_gone_then_epipe_and_no_signal(void **state)
{
	struct pair *pair = *state;

	close(pair->peer);
	pair->peer = -1;
	assert_int_equal(varlink_output_append(&pair->out, "x", 2), 0);
	assert_int_equal(varlink_output_flush(&pair->out, pair->ours), -EPIPE);
}

/* What byte number `at` of the stream is. */
static char pattern(size_t at)
{
	return (char)(at * 7 + at / 251);
}

static void read_and_check(struct pair *pair, size_t *at, size_t at_most)
{
	char buffer[65536];
	ssize_t got = recv(
	    pair->peer, buffer, at_most < sizeof(buffer) ? at_most : sizeof(buffer), MSG_DONTWAIT);

	assert_true(got > 0);
	for (ssize_t i = 0; i < got; i++)
		assert_int_equal(buffer[i], pattern(*at + (size_t)i));
	*at += (size_t)got;
}

/* Appends and reads of changing sizes: the queue wraps, moves and grows, and no byte is lost or
 * changed. */
static void test_output_when_peer_reads_slowly_then_every_byte_in_order(void **state)
{
	struct pair *pair = *state;
	size_t written = 0, seen = 0, total = 3 * 1024 * 1024;
	bool waited = false;

	while (written < total) {
		char part[50000];
		size_t length = 1 + (written * 31 + 17) % sizeof(part);
		int r;

		for (size_t i = 0; i < length; i++)
			part[i] = pattern(written + i);
		if (length % 2 == 0) {
			r = varlink_output_send(&pair->out, pair->ours, part, length);
		} else {
			assert_int_equal(varlink_output_append(&pair->out, part, length), 0);
			r = varlink_output_flush(&pair->out, pair->ours);
		}
		written += length;
		assert_true(r == 0 || r == -EAGAIN);
		assert_true((r == -EAGAIN) == (varlink_output_pending(&pair->out) > 0));
		waited = waited || r == -EAGAIN;
		read_and_check(pair, &seen, 1 + length / 2);
	}
	assert_true(waited);
	while (seen < written) {
		varlink_output_flush(&pair->out, pair->ours);
		read_and_check(pair, &seen, 65536);
	}
	assert_int_equal(varlink_output_flush(&pair->out, pair->ours), 0);
	assert_null(pair->out.data);
}

static void test_send_when_the_rest_is_past_the_limit_then_enobufs(void **state)
{
	struct pair *pair = *state;
	const size_t length = 4 * 1024 * 1024;
	char *bytes = calloc(1, length);

	assert_non_null(bytes);
	varlink_output_init(&pair->out, 1024);
	assert_int_equal(varlink_output_send(&pair->out, pair->ours, bytes, length), -ENOBUFS);
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_fill_when_nothing_is_there_then_eagain),
	    TEST(test_fill_when_peer_closed_then_zero),
	    TEST(test_next_when_three_messages_in_one_read_then_each_in_order),
	    TEST(test_next_when_sent_byte_by_byte_then_one_message),
	    TEST(test_next_when_message_is_exactly_the_limit_then_taken),
	    TEST(test_fill_when_message_is_past_the_limit_then_emsgsize),
	    TEST(test_input_when_idle_then_holds_no_memory),
	    TEST(test_append_when_past_the_limit_then_enobufs_and_nothing_queued),
	    TEST(test_flush_when_peer_is_gone_then_epipe_and_no_signal),
	    TEST(test_output_when_peer_reads_slowly_then_every_byte_in_order),
	    TEST(test_send_when_the_rest_is_past_the_limit_then_enobufs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
