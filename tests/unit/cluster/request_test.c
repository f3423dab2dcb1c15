/* SPDX-License-Identifier: ISC */
/* What workers say, as Node 16 to 26 say it and as nobody should, and what they are told. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "supervisord/cluster/deal.h"
#include "supervisord/cluster/reply.h"

static struct request_reader reader;
static struct request request;
static struct jsonw w;

static int set_up(void **state)
{
	(void)state;
	request_reader_init(&reader);
	jsonw_init(&w, LIMIT_IPC_LINE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	request_reader_done(&reader);
	jsonw_done(&w);
	return 0;
}

static enum request_act read_line(const char *line)
{
	request_read(&reader, line, strlen(line), &request);
	return request.act;
}

static const char *key(void)
{
	static char text[LIMIT_CLUSTER_KEY];

	assert_int_equal(request_make_key(&request, text), 0);
	return text;
}

static void test_read_when_http_of_node_20_then_query(void **state)
{
	(void)state;
	assert_int_equal(
	    read_line("{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"index\":0,\"data\":null,"
		      "\"address\":null,\"port\":8124,\"addressType\":4,\"fd\":null,\"seq\":3}"),
	    REQUEST_QUERY);
	assert_int_equal(request.error, 0);
	assert_int_equal(request.seq, 3);
	assert_int_equal(request.type, TYPE_TCP);
	assert_false(request.has_address);
	assert_null(request.data);
	assert_string_equal(key(), "null:8124:4");
}

static void test_read_when_port_0_then_the_key_has_the_index(void **state)
{
	(void)state;
	read_line(
	    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"index\":2,\"address\":\"::1\","
	    "\"port\":0,\"addressType\":6,\"flags\":1,\"seq\":1,\"backlog\":99}");
	assert_string_equal(key(), "::1:0:6:2");
	assert_true(request.v6_only);
	assert_int_equal(request.backlog, 99);
}

static void test_read_when_tls_then_its_data_as_it_came(void **state)
{
	(void)state;
	read_line("{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"index\":0,"
		  "\"data\":{\"ticketKeys\":\"0a\\u0062\"},\"address\":\"1.2.3.4\",\"port\":443,"
		  "\"addressType\":4,\"seq\":1}");
	assert_int_equal(request.data_length, strlen("{\"ticketKeys\":\"0a\\u0062\"}"));
	assert_memory_equal(request.data, "{\"ticketKeys\":\"0a\\u0062\"}", request.data_length);
}

static void test_read_when_path_or_datagrams_then_their_types(void **state)
{
	(void)state;
	read_line(
	    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"address\":\"/run/x\",\"port\":-1,"
	    "\"addressType\":-1,\"seq\":1,\"readableAll\":true}");
	assert_int_equal(request.type, TYPE_PATH);
	assert_true(request.readable_all);
	assert_false(request.writable_all);
	assert_string_equal(key(), "/run/x:-1:-1");
	read_line("{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"address\":null,\"port\":53,"
		  "\"addressType\":\"udp6\",\"flags\":4,\"seq\":1}");
	assert_int_equal(request.type, TYPE_UDP6);
	assert_true(request.reuse_address);
	assert_string_equal(key(), "null:53:udp6");
}

static void test_read_when_it_cannot_be_done_then_says_which_error(void **state)
{
	static const struct {
		const char *fields;
		int error;
	} cases[] = {
	    {"\"fd\":0,\"port\":null", -EINVAL},
	    {"\"port\":70000", -EINVAL},
	    {"\"port\":1e99", -EINVAL},
	    {"\"port\":-1,\"address\":\"relative\"", -EINVAL},
	    {"\"port\":-1,\"address\":null", -EINVAL},
	    {"\"port\":-1,\"address\":\"/\\u0000x\"", -EINVAL},
	    {"\"addressType\":\"udp4\",\"port\":-1", -EINVAL},
	    {"\"port\":-1,\"address\":\"/0123456789012345678901234567890123456789012345678901234567"
	     "89012345678901234567890123456789012345678901234567\"",
		-ENAMETOOLONG},
	};
	char line[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int length = snprintf(line, sizeof(line),
		    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"seq\":1,%s}",
		    cases[i].fields);

		assert_in_range(length, 1, sizeof(line) - 1);
		assert_int_equal(read_line(line), REQUEST_QUERY);
		assert_int_equal(request.error, cases[i].error);
	}
}

static void test_read_when_answers_then_ack_and_whether_it_took_it(void **state)
{
	(void)state;
	assert_int_equal(
	    read_line("{\"cmd\":\"NODE_CLUSTER\",\"ack\":7,\"accepted\":true,\"seq\":9}"),
	    REQUEST_ANSWER);
	assert_int_equal(request.ack, 7);
	assert_true(request.accepted);
	read_line("{\"cmd\":\"NODE_CLUSTER\",\"ack\":7,\"accepted\":\"true\"}");
	assert_false(request.accepted);
	assert_int_equal(read_line("{\"cmd\":\"NODE_HANDLE_ACK\"}"), REQUEST_HANDLE_ACK);
	assert_int_equal(read_line("{\"cmd\":\"NODE_HANDLE_NACK\"}"), REQUEST_HANDLE_NACK);
}

static void test_read_when_of_the_application_then_message(void **state)
{
	static const char *const messages[] = {"\"ready\"", "1", "null", "[]", "{}",
	    "{\"cmd\":\"NODE_\"}", "{\"cmd\":1}", "{\"type\":\"ready\"}",
	    "{\"cmd\":\"node_CLUSTER\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_int_equal(read_line(messages[i]), REQUEST_MESSAGE);
}

static void test_read_when_nonsense_then_nothing_comes_of_it(void **state)
{
	static const char *const lines[] = {"", "{", "\xff", "{\"cmd\":\"NODE_CLUSTER\"}",
	    "{\"cmd\":\"NODE_NOBODY\"}", "{\"cmd\":\"NODE_CLUSTER\",\"ack\":\"x\"}",
	    "{\"cmd\":\"NODE_CLUSTER\",\"ack\":-1}", "{\"cmd\":\"NODE_CLUSTER\",\"act\":[]}",
	    "{\"cmd\":\"NODE_CLUSTER\",\"ack\":1e3}", "{\"cmd\":\"NODE_SOCKET_NOTIFY_CLOSE\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(read_line(lines[i]), REQUEST_NONSENSE);
}

static void test_write_when_newconn_then_one_line_whatever_the_key(void **state)
{
	(void)state;
	reply_write_newconn(&w, "/run/\"\n\x01:-1:-1", 5);
	assert_int_equal(jsonw_error(&w), 0);
	assert_ptr_equal(memchr(w.data, '\n', w.length), w.data + w.length - 1);
	jsonw_raw(&w, "", 1);
	assert_string_equal(w.data,
	    "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":{\"cmd\":\"NODE_CLUSTER\","
	    "\"seq\":5,\"act\":\"newconn\",\"key\":\"/run/\\\"\\n\\u0001:-1:-1\"}}\n");
}

static void test_write_when_query_then_data_comes_with_an_error_too(void **state)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct reply_query query = {
	    .ack = 3, .seq = 1, .key = "k", .error = -98, .data = "{}", .data_length = 2};

	(void)state;
	reply_write_query(&w, &query);
	jsonw_raw(&w, "", 1);
	assert_string_equal(w.data, "{\"cmd\":\"NODE_CLUSTER\",\"seq\":1,\"ack\":3,\"key\":\"k\","
				    "\"errno\":-98,\"data\":{}}\n");
	query = (struct reply_query){
	    .ack = 3, .seq = 1, .key = "k", .name = (const struct sockaddr *)&name};
	reply_write_query(&w, &query);
	jsonw_raw(&w, "", 1);
	assert_string_equal(w.data,
	    "{\"cmd\":\"NODE_CLUSTER\",\"seq\":1,\"ack\":3,\"key\":\"k\",\"errno\":0,\"sockname\":{"
	    "\"address\":\"0.0.0.0\",\"family\":\"IPv4\",\"port\":80}}\n");
}

static void test_pick_when_some_have_room_then_in_turn(void **state)
{
	uint64_t room[2] = {1ULL << 2 | 1ULL << 5, 1ULL << 3};

	(void)state;
	assert_int_equal(deal_pick(room, 0), 2);
	assert_int_equal(deal_pick(room, 3), 5);
	assert_int_equal(deal_pick(room, 6), 67);
	assert_int_equal(deal_pick(room, 68), 2);
	room[0] = 0;
	room[1] = 0;
	assert_int_equal(deal_pick(room, 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(test_read_when_http_of_node_20_then_query),
	    TEST(test_read_when_port_0_then_the_key_has_the_index),
	    TEST(test_read_when_tls_then_its_data_as_it_came),
	    TEST(test_read_when_path_or_datagrams_then_their_types),
	    TEST(test_read_when_it_cannot_be_done_then_says_which_error),
	    TEST(test_read_when_answers_then_ack_and_whether_it_took_it),
	    TEST(test_read_when_of_the_application_then_message),
	    TEST(test_read_when_nonsense_then_nothing_comes_of_it),
	    TEST(test_write_when_newconn_then_one_line_whatever_the_key),
	    TEST(test_write_when_query_then_data_comes_with_an_error_too),
	    TEST(test_pick_when_some_have_room_then_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
