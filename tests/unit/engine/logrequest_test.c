/* SPDX-License-Identifier: ISC */
/* logrequest_test.c: what may be asked of Logs, and what becomes of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/limits.h"
#include "supervisord/engine/logrequest.h"

static json_t *parameters;

static int tear_down(void **state)
{
	(void)state;
	json_decref(parameters);
	parameters = NULL;
	return 0;
}

static struct log_request read_valid(const char *text)
{
	struct log_request request;
	const char *wrong = NULL;

	json_decref(parameters);
	parameters = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(parameters);
	assert_int_equal(log_request_read(parameters, &request, &wrong), 0);
	return request;
}

static void assert_wrong(const char *text, const char *expected)
{
	struct log_request request;
	const char *wrong = NULL;

	json_decref(parameters);
	parameters = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(parameters);
	assert_int_equal(log_request_read(parameters, &request, &wrong), -EINVAL);
	assert_string_equal(wrong, expected);
}

/* What superctl asked before it knew more than lines, follow and stderr. */
static void test_read_when_asked_as_before_then_as_before(void **state)
{
	struct log_request request = read_valid("{\"name\":\"web\"}");

	(void)state;
	assert_string_equal(request.name, "web");
	assert_int_equal(request.lines, 10);
	assert_false(request.follow);
	assert_false(request.of_stderr);
	assert_int_equal(request.since_ns, 0);
	assert_null(request.from);
	request = read_valid("{\"name\":\"web\",\"lines\":-1,\"follow\":true,\"stderr\":true}");
	assert_true(request.lines == UINT64_MAX);
	assert_true(request.follow);
	assert_true(request.of_stderr);
}

static void test_read_when_null_then_as_not_given(void **state)
{
	struct log_request request = read_valid("{\"name\":\"web\",\"lines\":null,\"follow\":null,"
						"\"stderr\":null,\"since\":null,\"from\":null}");

	(void)state;
	assert_int_equal(request.lines, 10);
	assert_null(request.from);
	assert_wrong("{\"name\":null}", "name");
}

static void test_read_when_wrong_then_the_parameter_is_named(void **state)
{
	(void)state;
	assert_wrong("{}", "name");
	assert_wrong("{\"name\":7}", "name");
	assert_wrong("{\"name\":\"web\",\"lines\":-2}", "lines");
	assert_wrong("{\"name\":\"web\",\"lines\":1000001}", "lines");
	assert_wrong("{\"name\":\"web\",\"lines\":1.5}", "lines");
	assert_wrong("{\"name\":\"web\",\"follow\":1}", "follow");
	assert_wrong("{\"name\":\"web\",\"stderr\":\"yes\"}", "stderr");
	assert_wrong("{\"name\":\"web\",\"since\":\"10min\"}", "since");
	assert_wrong("{\"name\":\"web\",\"since\":1769860800}", "since");
	assert_wrong("{\"name\":\"web\",\"from\":\"\"}", "from");
	assert_wrong("{\"name\":\"web\",\"from\":{}}", "from");
	assert_wrong("{\"name\":\"web\",\"grep\":\"x\"}", "grep");
}

static void test_message_when_all_is_asked_for_then_all_is_in_it(void **state)
{
	struct log_request request =
	    read_valid("{\"name\":\"web\",\"lines\":5,\"follow\":true,\"stderr\":true,"
		       "\"since\":\"2026-01-31T12:00:00.5Z\",\"from\":\"f1.2.3.4.5\"}");
	struct msg_read_log message = log_request_to_message(&request, 7, true);

	(void)state;
	assert_int_equal(message.row, 7);
	assert_int_equal(message.stream, 1);
	assert_int_equal(message.follow, 1);
	assert_int_equal(message.more, 1);
	assert_int_equal(message.lines, 5);
	assert_true(message.since_ns == 1769860800500000000LL);
	assert_string_equal(message.from, "f1.2.3.4.5");
}

static void test_from_when_as_long_as_allowed_then_it_ends_with_a_nul(void **state)
{
	char text[LIMIT_LOG_PLACE + 64];
	struct log_request request;
	struct msg_read_log message;
	size_t at = (size_t)snprintf(text, sizeof(text), "{\"name\":\"web\",\"from\":\"");

	(void)state;
	memset(text + at, 'a', LIMIT_LOG_PLACE);
	memcpy(text + at + LIMIT_LOG_PLACE - 1, "\"}", 3);
	request = read_valid(text);
	message = log_request_to_message(&request, 0, false);
	assert_int_equal(strlen(message.from), LIMIT_LOG_PLACE - 1);
	memcpy(text + at + LIMIT_LOG_PLACE - 1, "a\"}", 4);
	assert_wrong(text, "from");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_read_when_asked_as_before_then_as_before),
	    TEST(test_read_when_null_then_as_not_given),
	    TEST(test_read_when_wrong_then_the_parameter_is_named),
	    TEST(test_message_when_all_is_asked_for_then_all_is_in_it),
	    TEST(test_from_when_as_long_as_allowed_then_it_ends_with_a_nul),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
