/* SPDX-License-Identifier: ISC */
/* response_test.c: the written answers, and the paths of --debug. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hello/debug.h"
#include "hello/response.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110. */
#define EXAMPLE 784111777

static void check(const struct responses *responses, int status,
    enum response_connection connection, bool is_head, const char *expected)
{
	char out[RESPONSE_BYTES + 1];
	size_t length = responses_put(responses, status, connection, is_head, out);

	out[length] = '\0';
	assert_string_equal(out, expected);
}

static void test_put_when_200_then_hello(void **state)
{
	static struct responses r;

	(void)state;
	responses_init(&r, EXAMPLE);
	check(&r, 200, RESPONSE_KEEP, false,
	    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 12\r\n\r\nHello World\n");
	check(&r, 200, RESPONSE_KEEP_OLD, true,
	    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 12\r\nConnection: keep-alive\r\n\r\n");
}

static void test_put_when_refused_then_reason_allow_and_close(void **state)
{
	static struct responses r;

	(void)state;
	responses_init(&r, EXAMPLE);
	responses_date(&r, EXAMPLE + 86400);
	check(&r, 405, RESPONSE_CLOSE, false,
	    "HTTP/1.1 405 Method Not Allowed\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 23\r\nAllow: GET, HEAD\r\n"
	    "Connection: close\r\n\r\n405 Method Not Allowed\n");
}

static void test_put_when_any_status_then_known(void **state)
{
	static const int all[] = {200, 400, 405, 408, 413, 414, 431, 501, 505};
	static struct responses r;
	char out[RESPONSE_BYTES];

	(void)state;
	responses_init(&r, EXAMPLE);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (int c = 0; c < RESPONSE_CONNECTIONS; c++)
			assert_true(responses_put(
					&r, all[i], (enum response_connection)c, false, out) > 100);
}

static enum debug_act find(const char *target, int *ret_code)
{
	struct request request = {.target_length = (uint32_t)strlen(target)};

	memcpy(request.target, target,
	    request.target_length < REQUEST_TARGET ? request.target_length : REQUEST_TARGET);
	return debug_find_act(&request, ret_code);
}

static void test_debug_when_path_known_then_act(void **state)
{
	int code = -1;

	(void)state;
	assert_int_equal(find("/crash", &code), DEBUG_CRASH);
	assert_int_equal(find("/crash?x", &code), DEBUG_CRASH);
	assert_int_equal(find("/hang", &code), DEBUG_HANG);
	assert_int_equal(code, -1);
	assert_int_equal(find("/exit?code=0", &code), DEBUG_EXIT);
	assert_int_equal(code, 0);
	assert_int_equal(find("/exit?code=255", &code), DEBUG_EXIT);
	assert_int_equal(code, 255);
}

static void test_debug_when_other_then_none_or_malformed(void **state)
{
	static const char *const none[] = {"/", "/crashed", "/Crash", "/crash/", "/exit1?code=1",
	    "/hangs",
	    "/exit/0123456789012345678901234567890123456789012345678901234567890123456789"};
	static const char *const malformed[] = {"/exit", "/exit?", "/exit?code=", "/exit?code=256",
	    "/exit?code=-1", "/exit?code=1&x", "/exit?Code=1", "/exit?code=99999999999999"};
	int code;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(find(none[i], &code), DEBUG_NONE);
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_int_equal(find(malformed[i], &code), DEBUG_MALFORMED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_put_when_200_then_hello),
	    cmocka_unit_test(test_put_when_refused_then_reason_allow_and_close),
	    cmocka_unit_test(test_put_when_any_status_then_known),
	    cmocka_unit_test(test_debug_when_path_known_then_act),
	    cmocka_unit_test(test_debug_when_other_then_none_or_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
