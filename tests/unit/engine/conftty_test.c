/* SPDX-License-Identifier: ISC */
/* tty: the companion that a program gets for it, and what is refused. */
#include "tests/unit/engine/confdir.h"

#include "lib/clock.h"

static const struct program_config *find(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);

	assert_non_null(program);
	return program;
}

static void test_tty_when_true_then_a_program_relays_it(void **state)
{
	struct config *config = confdir_accept(
	    "log_dir = \"/l\"\n"
	    "defaults { wants = {\"db\"} autostart = false start_limit = 3 directory = \"/x\" }\n"
	    "program db { command = x }\n"
	    "program sh { command = x tty = true stop_timeout = 7s }\n"
	    "program two { command = x tty = true instances = 2 log_filter = \"exec:cat\" }\n");
	const struct program_config *sh = find(config, "sh"), *relay = find(config, "sh+tty");

	(void)state;
	assert_int_equal(config->program_count, 9);
	for (size_t i = 1; i < config->program_count; i++)
		assert_true(strcmp(config->programs[i - 1]->name, config->programs[i]->name) < 0);
	assert_int_equal(sh->key_stdout.kind, STDIO_LOG);
	assert_string_equal(sh->life->key_wants[1], "sh+tty:started");
	assert_non_null(strstr(relay->key_command[0], "/terminal"));
	assert_null(relay->key_command[1]);
	assert_int_equal(relay->key_stdout.kind, STDIO_INHERIT);
	assert_int_equal(relay->key_stderr.kind, STDIO_INHERIT);
	assert_int_equal(relay->key_restart, RESTART_ALWAYS);
	assert_int_equal(relay->key_start_limit, 0);
	assert_true(relay->key_autostart);
	assert_string_equal(relay->key_directory, "/");
	assert_int_equal(relay->key_stop_timeout, 17 * NS_PER_S);
	assert_null(relay->life->key_wants);
	assert_false(relay->life->key_tty);
	assert_string_equal(find(config, "two@2")->life->key_wants[1], "two+filter@2:started");
	assert_string_equal(find(config, "two@2")->life->key_wants[2], "two+tty@2:started");
	assert_int_equal(find(config, "two+tty@2")->instances, 2);
	config_free(config);
}

static void test_tty_when_it_cannot_be_then_refused(void **state)
{
	(void)state;
	confdir_refuse("socket s { listen = {\"tcp:127.0.0.1:1\"} }\n"
		       "program a { command = x tty = true\n stdin = pipe }\n"
		       "program b { command = x tty = true\n stderr = log }\n"
		       "program c { command = x type = forking\n tty = true }\n"
		       "program d { command = x instances = 2 update = start-first\n tty = true }\n"
		       "program e { command = x tty = true sockets = {s}\n socket_as = stdin }\n"
		       "program f { command = x tty = true }\n"
		       "program g { command = x\n stdout = \"program:f\" }\n"
		       "program a23456789-123456789-123456789-123456789-123456789-12345 {\n"
		       " command = x instances = 2\n tty = true }\n",
	    "@/main.conf:3: stdin: is the terminal with tty = true: it cannot be given, too\n"
	    "@/main.conf:5: stderr: is the terminal with tty = true, as standard output is: "
	    "\"stdout\" is allowed\n"
	    "@/main.conf:7: tty: is not for type = \"forking\": what goes to the background has no "
	    "terminal\n"
	    "@/main.conf:9: tty: is not for update = \"start-first\": \"stop-start\" and "
	    "\"rolling\" are allowed\n"
	    "@/main.conf:11: socket_as: 'stdin' cannot be had with tty = true: \"descriptors\" is "
	    "allowed\n"
	    "@/main.conf:14: stdout: program 'f' reads from its terminal (tty = true): it cannot "
	    "read a pipe\n"
	    "@/main.conf:17: tty: has no room for '+tty' behind the name "
	    "'a23456789-123456789-123456789-123456789-123456789-12345': at most 54 bytes are "
	    "allowed in the name of a program with a terminal and instances\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tty_when_true_then_a_program_relays_it),
	    cmocka_unit_test(test_tty_when_it_cannot_be_then_refused),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
