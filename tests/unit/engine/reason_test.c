/* SPDX-License-Identifier: ISC */
/* What a person reads of a reason. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/engine/reason.h"
#include "supervisord/engine/step.h"

static const char *say(enum reason reason, int32_t detail)
{
	static char text[REASON_TEXT];
	const struct ledger_state state = {
	    .state = STATE_STOPPING, .reason = (uint8_t)reason, .detail = detail};
	const struct reason_words words = {0};

	return reason_text(&state, &words, text, sizeof(text));
}

static void test_stuck_worker_then_what_it_did_not_do(void **state)
{
	(void)state;
	assert_string_equal(say(REASON_STUCK, 0), "took no connection for 10 s");
	assert_string_equal(say(REASON_STUCK, 1), "had closed its channel and not ended for 10 s");
}

static void test_phrase_with_a_number_then_it_stands_in_it(void **state)
{
	(void)state;
	assert_string_equal(say(REASON_STARTED, 7), "started by uid 7");
	assert_string_equal(say(REASON_IDLE, 3), "nobody was connected for 3 s (idle_stop)");
	assert_string_equal(say(REASON_SHUTDOWN, 9), "supervisord shuts down");
	assert_string_equal(say(REASON_REMOVED, 0), "removed from the configuration");
	assert_string_equal(say(REASON_REMOVED, 2), "its program has 2 instances now");
}

static void test_ready_when_the_stanza_has_changed_since_then_not_how(void **state)
{
	char text[REASON_TEXT], target[] = "80";
	struct check check = {.kind = CHECK_TCP, .target = target};
	const struct ledger_state row = {
	    .state = STATE_RUNNING, .reason = REASON_READY, .detail = CHECK_TCP};
	const struct reason_words words = {.ready = &check};

	(void)state;
	assert_string_equal(reason_text(&row, &words, text, sizeof(text)), "ready (tcp:80)");
	check = (struct check){.kind = CHECK_NONE};
	assert_string_equal(reason_text(&row, &words, text, sizeof(text)), "ready");
}

static void test_requirement_when_it_is_up_again_then_it_is_back(void **state)
{
	static const struct {
		enum state state;
		uint16_t flags;
		const char *text;
	} rows[] = {
	    {STATE_RUNNING, LEDGER_FLAG_LOST, "db, which it requires, is not there any more"},
	    {STATE_STOPPING, LEDGER_FLAG_LOST, "db, which it requires, is not there any more"},
	    {STATE_WAITING, 0, "db, which it requires, is not there any more"},
	    {STATE_STARTING, 0, "db, which it requires, is back"},
	};
	char text[REASON_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reason_words words = {.retry_ms = -1, .other = "db"};
		const struct ledger_state ledger = {
		    .state = (uint8_t)rows[i].state, .flags = rows[i].flags, .reason = REASON_LOST};

		assert_string_equal(reason_text(&ledger, &words, text, sizeof(text)), rows[i].text);
	}
}

static char word[] = "/usr/bin/ready";
static char *words_of_exec[] = {word, NULL};
static char target[] = "127.0.0.1:80";
static const struct check none = {.kind = CHECK_NONE};
static const struct check notify = {.kind = CHECK_NOTIFY};
static const struct check fd = {.kind = CHECK_FD, .fd = 3};
static const struct check tcp = {.kind = CHECK_TCP, .target = target};
static const struct check exec = {.kind = CHECK_EXEC, .words = words_of_exec};

static void test_readiness_when_it_does_not_come_then_says_what_was_waited_for(void **state)
{
	static const struct {
		const struct check *check;
		enum reason reason;
		int32_t detail;
		const char *text;
	} rows[] = {
	    {&notify, REASON_NOT_READY, 0, "was not ready in time (notify)"},
	    {&tcp, REASON_NOT_READY, 0, "was not ready in time (tcp:127.0.0.1:80)"},
	    {&exec, REASON_NOT_READY, 0, "was not ready in time (exec:/usr/bin/ready)"},
	    {&fd, REASON_NOT_READY, EPIPE, "closed fd:3 without saying that it is ready"},
	    {&none, REASON_NOT_READY, 0, "its command did not end in time"},
	    {&none, REASON_NO_MAIN, ESRCH, "its command left no main process that could be found"},
	    {&tcp, REASON_READY, CHECK_TCP, "ready (tcp:127.0.0.1:80)"},
	};
	char text[REASON_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reason_words words = {.retry_ms = -1, .ready = rows[i].check};
		const struct ledger_state ledger = {.state = STATE_STOPPING,
		    .reason = (uint8_t)rows[i].reason,
		    .detail = rows[i].detail};

		assert_string_equal(reason_text(&ledger, &words, text, sizeof(text)), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requirement_when_it_is_up_again_then_it_is_back),
	    cmocka_unit_test(test_readiness_when_it_does_not_come_then_says_what_was_waited_for),
	    cmocka_unit_test(test_stuck_worker_then_what_it_did_not_do),
	    cmocka_unit_test(test_phrase_with_a_number_then_it_stands_in_it),
	    cmocka_unit_test(test_ready_when_the_stanza_has_changed_since_then_not_how),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
