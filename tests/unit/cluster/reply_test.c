/* SPDX-License-Identifier: ISC */
/* What workers are told: one line of JSON each, whatever they had put into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <cmocka.h>

#include "lib/jsonr.h"
#include "lib/limits.h"
#include "supervisord/cluster/reply.h"

static struct jsonw line;
static struct jsonr json;
static char text[LIMIT_IPC_LINE + 1];

static int set_up(void **state)
{
	(void)state;
	jsonw_init(&line, LIMIT_IPC_LINE + 1);
	jsonr_init(&json);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	jsonw_done(&line);
	jsonr_done(&json);
	return 0;
}

/* Not an empty one, not two, and JSON: else the worker dies. */
static void read_line(void)
{
	assert_int_equal(jsonw_error(&line), 0);
	assert_true(line.length > 1 && line.length < sizeof(text));
	memcpy(text, line.data, line.length);
	assert_ptr_equal(memchr(text, '\n', line.length), text + line.length - 1);
	text[line.length - 1] = '\0';
	assert_int_equal(jsonr_parse(&json, text, line.length - 1, LIMIT_IPC_DEPTH), 0);
}

static void equals(int object, const char *key, const char *wanted)
{
	assert_string_equal(jsonr_text(&json, jsonr_member(&json, object, key), "none"), wanted);
}

static int64_t number(int object, const char *key)
{
	return jsonr_int(&json, jsonr_member(&json, object, key), -99);
}

static void test_newconn_when_its_key_is_nasty_then_one_line_that_says_it(void **state)
{
	int message;

	(void)state;
	reply_write_newconn(&line, "a\n\"b\\\x01:80", 7);
	read_line();
	equals(JSONR_ROOT, "cmd", "NODE_HANDLE");
	equals(JSONR_ROOT, "type", "net.Native");
	message = jsonr_member(&json, JSONR_ROOT, "msg");
	equals(message, "cmd", "NODE_CLUSTER");
	equals(message, "act", "newconn");
	assert_int_equal(number(message, "seq"), 7);
	equals(message, "key", "a\n\"b\\\x01:80");
}

static void test_query_when_dealt_out_then_a_name_and_no_handle(void **state)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(8124)};
	struct reply_query query = {.ack = 3,
	    .seq = 9,
	    .key = "null:8124:4",
	    .name = (const struct sockaddr *)&name,
	    .data = "{\"ticketKeys\":\"00\"}",
	    .data_length = 19};
	int member;

	(void)state;
	reply_write_query(&line, &query);
	read_line();
	equals(JSONR_ROOT, "cmd", "NODE_CLUSTER");
	assert_int_equal(number(JSONR_ROOT, "ack"), 3);
	assert_int_equal(number(JSONR_ROOT, "errno"), 0);
	member = jsonr_member(&json, JSONR_ROOT, "sockname");
	equals(member, "address", "::");
	equals(member, "family", "IPv6");
	assert_int_equal(number(member, "port"), 8124);
	equals(jsonr_member(&json, JSONR_ROOT, "data"), "ticketKeys", "00");
}

static void test_query_when_shared_then_a_handle_of_its_kind(void **state)
{
	static const char *const kinds[] = {"net.Native", "dgram.Native"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct reply_query query = {
		    .ack = 3, .seq = 9, .key = "k", .handle_type = kinds[i]};

		reply_write_query(&line, &query);
		read_line();
		equals(JSONR_ROOT, "cmd", "NODE_HANDLE");
		equals(JSONR_ROOT, "type", kinds[i]);
		assert_int_equal(number(jsonr_member(&json, JSONR_ROOT, "msg"), "ack"), 3);
	}
}

/* A TLS server reads data before it looks at errno, and dies when there is none. */
static void test_query_when_refused_then_errno_and_the_data_too(void **state)
{
	struct reply_query query = {.ack = 3,
	    .seq = 9,
	    .key = "k",
	    .error = -EADDRINUSE,
	    .data = "{\"ticketKeys\":\"00\"}",
	    .data_length = 19};

	(void)state;
	reply_write_query(&line, &query);
	read_line();
	equals(JSONR_ROOT, "cmd", "NODE_CLUSTER");
	assert_int_equal(number(JSONR_ROOT, "errno"), -EADDRINUSE);
	equals(jsonr_member(&json, JSONR_ROOT, "data"), "ticketKeys", "00");
	assert_int_equal(
	    jsonr_member(&json, JSONR_ROOT, "sockname"), jsonr_member(&json, JSONR_ROOT, "nobody"));
}

static void test_words_of_the_end_when_written_then_as_node_and_the_script_read_them(void **state)
{
	(void)state;
	reply_write_gap(&line, 300);
	read_line();
	equals(JSONR_ROOT, "cmd", "NODE_SUPERVISOR");
	equals(JSONR_ROOT, "act", "gap");
	assert_int_equal(number(JSONR_ROOT, "ms"), 300);
	reply_write_disconnect(&line, 4);
	read_line();
	equals(JSONR_ROOT, "cmd", "NODE_CLUSTER");
	equals(JSONR_ROOT, "act", "disconnect");
	reply_write_ack(&line, 5, 6);
	read_line();
	equals(JSONR_ROOT, "cmd", "NODE_CLUSTER");
	assert_int_equal(number(JSONR_ROOT, "ack"), 5);
	equals(JSONR_ROOT, "act", "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_newconn_when_its_key_is_nasty_then_one_line_that_says_it),
	    TEST(test_query_when_dealt_out_then_a_name_and_no_handle),
	    TEST(test_query_when_shared_then_a_handle_of_its_kind),
	    TEST(test_query_when_refused_then_errno_and_the_data_too),
	    TEST(test_words_of_the_end_when_written_then_as_node_and_the_script_read_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
