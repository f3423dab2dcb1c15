/* SPDX-License-Identifier: ISC */
/* Node's own messages, told from the application's, and what they are answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ipcmsg.h"
#include "lib/limits.h"

static struct jsonr json;
static char line[256];

static enum ipcmsg_kind kind_of(const char *text, const char **ret_cmd)
{
	assert_true(strlen(text) < sizeof(line));
	memcpy(line, text, strlen(text) + 1);
	assert_int_equal(jsonr_parse(&json, line, strlen(line), LIMIT_IPC_DEPTH), 0);
	return ipcmsg_read(&json, ret_cmd);
}

static void test_read_when_cmd_is_nodes_then_its_kind(void **state)
{
	static const struct {
		const char *text;
		enum ipcmsg_kind kind;
		const char *cmd;
	} cases[] = {
	    {"{\"cmd\":\"NODE_HANDLE\",\"msg\":1}", IPCMSG_HANDLE, "NODE_HANDLE"},
	    {"{\"cmd\":\"NODE_SOCKET_NOTIFY_CLOSE\"}", IPCMSG_CLOSE_SOCKETS,
		"NODE_SOCKET_NOTIFY_CLOSE"},
	    {"{\"cmd\":\"NODE_SOCKET_GET_COUNT\"}", IPCMSG_COUNT_SOCKETS, "NODE_SOCKET_GET_COUNT"},
	    {"{\"cmd\":\"NODE_HANDLE_ACK\"}", IPCMSG_INTERNAL, "NODE_HANDLE_ACK"},
	    {"{\"cmd\":\"NODE_x\"}", IPCMSG_INTERNAL, "NODE_x"},
	    /* As Node: the prefix alone, another type, another place. */
	    {"{\"cmd\":\"NODE_\"}", IPCMSG_APPLICATION, ""},
	    {"{\"cmd\":\"node_HANDLE\"}", IPCMSG_APPLICATION, ""},
	    {"{\"cmd\":[\"NODE_HANDLE\"]}", IPCMSG_APPLICATION, ""},
	    {"{\"a\":{\"cmd\":\"NODE_HANDLE\"}}", IPCMSG_APPLICATION, ""},
	    {"[\"cmd\",\"NODE_HANDLE\"]", IPCMSG_APPLICATION, ""},
	    {"\"NODE_HANDLE\"", IPCMSG_APPLICATION, ""},
	    {"null", IPCMSG_APPLICATION, ""},
	    {"{}", IPCMSG_APPLICATION, ""},
	    /* As JSON.parse(): the last one, and names mean what their escapes say. */
	    {"{\"cmd\":\"x\",\"cmd\":\"NODE_HANDLE\"}", IPCMSG_HANDLE, "NODE_HANDLE"},
	    {"{\"cmd\":\"NODE_HANDLE\",\"cmd\":\"x\"}", IPCMSG_APPLICATION, ""},
	    {"{\"cmd\":\"NODE_HANDLE\",\"cmd\":1}", IPCMSG_APPLICATION, ""},
	    {"{\"\\u0063md\":\"NODE_HANDLE\"}", IPCMSG_HANDLE, "NODE_HANDLE"},
	    {"{\"cmd\":\"\\u004eODE_HANDLE\"}", IPCMSG_HANDLE, "NODE_HANDLE"},
	    {"{\"cmd\":\"NODE_HANDLE\\u0000\"}", IPCMSG_INTERNAL, "NODE_HANDLE"},
	    {"{\"cmd\":\"NODE_\\u0000\"}", IPCMSG_INTERNAL, "NODE_"},
	};
	const char *cmd;

	(void)state;
	jsonr_init(&json);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kind_of(cases[i].text, &cmd), cases[i].kind);
		assert_string_equal(cmd, cases[i].cmd);
	}
	jsonr_done(&json);
}

static void test_is_ready_when_the_word_or_the_type_says_so_then_true(void **state)
{
	static const char *const ready[] = {
	    "\"ready\"", "{\"type\":\"ready\"}", "{\"a\":1,\"type\":\"ready\",\"b\":[]}"};
	static const char *const other[] = {"\"Ready\"", "\"ready \"", "{\"ready\":true}",
	    "[\"ready\"]", "{\"type\":[\"ready\"]}", "{\"x\":{\"type\":\"ready\"}}", "true", "null",
	    "1"};
	const char *cmd;

	(void)state;
	jsonr_init(&json);
	for (size_t i = 0; i < sizeof(ready) / sizeof(ready[0]); i++) {
		(void)kind_of(ready[i], &cmd);
		assert_true(ipcmsg_is_ready(&json));
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		(void)kind_of(other[i], &cmd);
		assert_false(ipcmsg_is_ready(&json));
	}
	jsonr_done(&json);
}

static void expect_answer(enum ipcmsg_kind kind, const char *key, const char *wanted)
{
	struct jsonw w;

	jsonw_init(&w, 1000);
	ipcmsg_answer(&w, kind, key);
	assert_int_equal(jsonw_error(&w), 0);
	assert_int_equal(w.length, strlen(wanted));
	assert_memory_equal(w.data, wanted, w.length);
	jsonw_done(&w);
}

static void test_answer_when_its_key_is_nasty_then_one_line(void **state)
{
	(void)state;
	expect_answer(IPCMSG_HANDLE, "", "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
	expect_answer(IPCMSG_CLOSE_SOCKETS, "a\"\n",
	    "{\"cmd\":\"NODE_SOCKET_ALL_CLOSED\",\"key\":\"a\\\"\\n\"}\n");
	expect_answer(IPCMSG_COUNT_SOCKETS, "k",
	    "{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"k\",\"count\":0}\n");
}

static void test_get_key_when_it_is_no_text_then_none(void **state)
{
	const char *cmd;

	(void)state;
	jsonr_init(&json);
	(void)kind_of("{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":\"k:1\"}", &cmd);
	assert_string_equal(ipcmsg_get_key(&json), "k:1");
	(void)kind_of("{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":7}", &cmd);
	assert_string_equal(ipcmsg_get_key(&json), "");
	(void)kind_of("[]", &cmd);
	assert_string_equal(ipcmsg_get_key(&json), "");
	jsonr_done(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_when_cmd_is_nodes_then_its_kind),
	    cmocka_unit_test(test_is_ready_when_the_word_or_the_type_says_so_then_true),
	    cmocka_unit_test(test_answer_when_its_key_is_nasty_then_one_line),
	    cmocka_unit_test(test_get_key_when_it_is_no_text_then_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
