/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/socketdiff.h. */
#include "tests/unit/engine/confdir.h"

#include "supervisord/engine/socketdiff.h"

static void note(void *context, const char *name, const char *action, const char *reason)
{
	char *text = context;
	size_t length = strlen(text);

	(void)snprintf(text + length, 1024 - length, "%s %s: %s\n", action, name, reason);
}

static void assert_diff(const char *before, const char *after, const char *expected)
{
	struct config *old_config = confdir_accept(before), *new_config = confdir_accept(after);
	char text[1024] = "";

	assert_int_equal(socketdiff_each(old_config, new_config, note, text), 0);
	assert_string_equal(text, expected);
	config_free(old_config);
	config_free(new_config);
}

#define A "socket \"a\" { listen = \"tcp:1\" }\n"
#define B "socket \"b\" { listen = \"unix:@b\" }\n"
#define C "socket \"c\" { listen = \"udp:3\" }\n"

static void test_same_sockets_then_nothing_is_told(void **state)
{
	(void)state;
	assert_diff("", "", "");
	assert_diff(A B, B A, "");
	/* One address written in two ways differs for people alone. */
	assert_diff(A, "socket \"a\" { listen = {\"tcp:1\"} backlog = 4096 }\n", "");
}

static void test_sockets_that_come_and_go_are_told_by_name(void **state)
{
	(void)state;
	assert_diff("", A, "open a: new stanza\n");
	assert_diff(A, "", "close a: its stanza is gone\n");
	assert_diff(A C, B,
	    "close a: its stanza is gone\nopen b: new stanza\nclose c: its stanza is "
	    "gone\n");
	assert_diff(B, A B C, "open a: new stanza\nopen c: new stanza\n");
}

static void test_other_address_is_opened_other_options_are_live(void **state)
{
	(void)state;
	assert_diff(A, "socket \"a\" { listen = \"tcp:2\" }\n", "open a: listen changed\n");
	assert_diff(A, "socket \"a\" { listen = {\"tcp:1\", \"tcp:2\"} backlog = 5 }\n",
	    "open a: listen changed, backlog changed\n");
	assert_diff(A, "socket \"a\" { listen = \"tcp:1\" backlog = 5 nodelay = true }\n",
	    "live a: backlog changed, nodelay changed\n");
}

/* What belongs to the act of opening. */
static void test_option_that_waits_for_the_next_opening_says_so(void **state)
{
	(void)state;
	assert_diff(A, "socket \"a\" { listen = \"tcp:1\" reuse_port = true }\n",
	    "live a: reuse_port changed (when it is opened anew)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_sockets_then_nothing_is_told),
	    cmocka_unit_test(test_sockets_that_come_and_go_are_told_by_name),
	    cmocka_unit_test(test_other_address_is_opened_other_options_are_live),
	    cmocka_unit_test(test_option_that_waits_for_the_next_opening_says_so),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
