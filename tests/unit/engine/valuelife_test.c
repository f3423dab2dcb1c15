/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/value.h: the types of the keys of a life (type, ready, stop_sequence
 * …). */
#define _GNU_SOURCE
#include "tests/unit/engine/valuetext.h"

#define READY_ALLOWED                                                                              \
	"none, notify, fd:N, tcp:HOST:PORT, unix:PATH, http://HOST[:PORT]/PATH, exec:COMMAND, "    \
	"log:REGEX or file:PATH is allowed"
#define HEALTH_ALLOWED                                                                             \
	"none, tcp:HOST:PORT, unix:PATH, http://HOST[:PORT]/PATH, exec:COMMAND or file:PATH is "   \
	"allowed"
#define HOST_ALLOWED "HOST being a number, an IPv6 number in [ ] or localhost"

static void test_words_of_a_life_are_read(void **state)
{
	(void)state;
	assert_prints("type", "oneshot", "oneshot");
	assert_prints("type", "forking", "forking");
	assert_refused(
	    "type", "simple", "'simple' is not known: service, oneshot or forking is allowed");
	assert_prints("boot", "last-state", "last-state");
	assert_refused("boot", "last", "'last' is not known: config or last-state is allowed");
	assert_prints("kill_mode", "process", "process");
	assert_prints("kill_mode", "mixed", "mixed");
	assert_refused(
	    "kill_mode", "none", "'none' is not known: all, process or mixed is allowed");
	assert_prints("health_on_failure", "restart", "restart");
	assert_prints("health_on_failure", "none", "none");
	assert_prints("health_on_failure", "signal:usr1", "\"signal:USR1\"");
	assert_refused("health_on_failure", "signal:FOO",
	    "'signal:FOO' names no signal: restart, signal:NAME or none is allowed");
	assert_refused("health_on_failure",
	    "signal:", "'signal:' names no signal: restart, signal:NAME or none is allowed");
	assert_refused("health_on_failure", "stop",
	    "'stop' is not known: restart, signal:NAME or none is allowed");
}

static void test_percentages_are_read(void **state)
{
	static const char *const bad[] = {"", "%", "10 %", "10%%", "-1", "1.5%", "ten", "10%x"};

	(void)state;
	assert_prints("restart_jitter", "10%", "10%");
	assert_prints("restart_jitter", "007", "7%");
	assert_prints("restart_jitter", "0", "0%");
	assert_prints("restart_jitter", "100%", "100%");
	assert_refused("restart_jitter", "101%",
	    "'101%' is out of range: a whole percentage from 0% to 100% is allowed");
	assert_refused("restart_jitter", "99999999999999999999999999999999999999999999999999%",
	    "'99999999999999999999999999999999999999999999999999%' is out of range: a whole "
	    "percentage from 0% to 100% is allowed");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char message[160];

		snprintf(message, sizeof(message),
		    "'%s' is not a percentage: a whole percentage from 0%% to 100%% is allowed",
		    bad[i]);
		assert_refused("restart_jitter", bad[i], message);
	}
}

static void test_signal_that_is_unset_is_not_printed(void **state)
{
	int none = 0;
	char *printed = NULL;
	size_t size;
	FILE *file = open_memstream(&printed, &size);

	(void)state;
	assert_non_null(file);
	value_write(row_of("reload_signal"), &none, file);
	fclose(file);
	assert_string_equal(printed, "");
	free(printed);
	assert_prints("reload_signal", "HUP", "HUP");
}

static void test_steps_are_read(void **state)
{
	static const char *const patient[] = {"none:5min", "TERM:10s"};
	static const char *const three[] = {"TERM:10s", "sigint:500ms", "KILL"};
	static const char *const two[] = {"TERM:1min30s", "KILL:2s"};
	static const char *const many[] = {"TERM:1s", "TERM:1s", "TERM:1s", "TERM:1s", "TERM:1s",
	    "TERM:1s", "TERM:1s", "TERM:1s", "KILL"};

	(void)state;
	list_prints("stop_sequence", three, 3, "{\"TERM:10s\", \"INT:500ms\", \"KILL:1s\"}");
	list_prints("stop_sequence", patient, 2, "{\"none:5min\", \"TERM:10s\"}");
	list_prints("stop_sequence", two, 2, "{\"TERM:1min30s\", \"KILL:2s\"}");
	list_prints("stop_sequence", many, 8,
	    "{\"TERM:1s\", \"TERM:1s\", \"TERM:1s\", \"TERM:1s\", \"TERM:1s\", \"TERM:1s\", "
	    "\"TERM:1s\", \"TERM:1s\"}");
	list_prints("stop_sequence", many, 0, "{}");
	assert_prints("stop_sequence", "RTMIN+3:1d", "{\"RTMIN+3:1d\"}");
	assert_prints("stop_sequence", "KILL", "{\"KILL:1s\"}");
	refuse_list("stop_sequence", many, 9, false, "9 steps: at most 8 are allowed");
}

static void test_bad_steps_are_refused(void **state)
{
	static const char *const early[] = {"KILL:1s", "TERM:1s"};
	static const char *const timeless[] = {"TERM", "KILL"};
	static const char *const no_wait =
	    "has no good time to wait: a duration from 10ms to 1d is "
	    "allowed behind the colon";
	static const char *const waits[] = {"TERM:", "TERM:10", "TERM:x", "TERM:9ms", "TERM:25h",
	    "TERM:10s:", "TERM:-1s", "KILL:0s"};
	static const char *const names[] = {"", ":10s", "FOO:1s", "TERM ;1s", "0:1s", "65:1s"};
	char message[256];

	(void)state;
	refuse_list("stop_sequence", early, 2, false,
	    "'KILL:1s' leaves nothing for the steps after it: KILL is the last one");
	refuse_list("stop_sequence", timeless, 2, false,
	    "'TERM' has no time to wait: a step such as TERM:10s is allowed, only KILL needs no "
	    "time");
	assert_refused("stop_sequence", "INT",
	    "'INT' has no time to wait: a step such as INT:10s is allowed, only KILL needs no "
	    "time");
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		/* A number without a unit is seconds. */
		if (strcmp(waits[i], "TERM:10") == 0) {
			assert_prints("stop_sequence", waits[i], "{\"TERM:10s\"}");
			continue;
		}
		snprintf(message, sizeof(message), "'%s' %s", waits[i], no_wait);
		assert_refused("stop_sequence", waits[i], message);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' begins with no signal: a list of up to 8 steps SIGNAL:DURATION such as "
		    "{\"TERM:10s\", \"INT:5s\", \"KILL\"} is allowed",
		    names[i]);
		assert_refused("stop_sequence", names[i], message);
	}
}

static void test_dependencies_are_read_with_their_condition(void **state)
{
	static const char *const all[] = {
	    "a", "b:started", "c:ready", "d:healthy", "e.f-g:completed"};
	static const char *const twice[] = {"a", "b", "a:ready"};
	static const char *const bad[] = {"a:", "a:redy", "a:ready:", "a: ready", "a:started,b"};
	char message[200];

	(void)state;
	list_prints("requires", all, 5,
	    "{\"a\", \"b:started\", \"c:ready\", \"d:healthy\", \"e.f-g:completed\"}");
	refuse_list("wants", twice, 3, false, "'a' is given twice");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' has no known condition: NAME, NAME:started, NAME:ready, NAME:healthy or "
		    "NAME:completed is allowed",
		    bad[i]);
		assert_refused("after", bad[i], message);
	}
	assert_refused("before", "a b:ready",
	    "the program name 'a b' has other characters than letters, digits, '_', '.' and '-'");
	assert_refused("before", ":ready", "the program name '' is empty");
	/* No conditions there. */
	assert_refused("conflicts", "a:ready",
	    "the program name 'a:ready' has other characters than letters, digits, '_', '.' and "
	    "'-'");
}

static void test_forms_of_ready_are_read(void **state)
{
	static const char *const words[] = {"exec:/bin/a b", "c d", ""};

	(void)state;
	assert_prints("ready", "none", "\"none\"");
	assert_prints("ready", "notify", "\"notify\"");
	assert_prints("ready", "fd:3", "\"fd:3\"");
	assert_prints("ready", "fd:250", "\"fd:250\"");
	assert_prints("ready", "tcp:127.0.0.1:80", "\"tcp:127.0.0.1:80\"");
	assert_prints("ready", "tcp:localhost:65535", "\"tcp:localhost:65535\"");
	assert_prints("ready", "tcp:[::1]:1", "\"tcp:[::1]:1\"");
	assert_prints("ready", "unix:/run/x.sock", "\"unix:/run/x.sock\"");
	assert_prints("ready", "unix:%{run_dir}/x", "\"unix:%{run_dir}/x\"");
	assert_prints("ready", "http://localhost/", "\"http://localhost/\"");
	assert_prints("ready", "http://[::1]:8080/a?b=%20", "\"http://[::1]:8080/a?b=%20\"");
	assert_prints("ready", "exec:/bin/a 'b c' d", "{\"exec:/bin/a\", \"b c\", \"d\"}");
	list_prints("ready", words, 3, "{\"exec:/bin/a b\", \"c d\", \"\"}");
	list_prints("ready", words, 1, "{\"exec:/bin/a b\"}");
	assert_prints("ready", "log:^Ready( now)?[.]$", "\"log:^Ready( now)?[.]\\$\"");
	assert_prints("ready", "file:/run/a", "\"file:/run/a\"");
	assert_prints("ready", "file:a", "\"file:a\"");
	assert_prints("health_check", "exec:true", "{\"exec:true\"}");
	assert_prints("health_check", "none", "\"none\"");
}

static void test_unknown_forms_of_ready_are_refused(void **state)
{
	static const char *const bad[] = {
	    "", "None", "none:", "notify:x", "udp:1:1", "fd", "http:x", " none", "exec"};
	static const char *const list[] = {"tcp:localhost:80"}, *const two[] = {"notify", "x"};
	char message[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(message, sizeof(message), "'%s' is not known: " READY_ALLOWED, bad[i]);
		assert_refused("ready", bad[i], message);
	}
	refuse_list("ready", list, 0, false, "'{}' is not known: " READY_ALLOWED);
	refuse_list(
	    "ready", list, 1, false, "is a list: only one that begins with \"exec:\" is allowed");
	refuse_list(
	    "ready", two, 2, false, "is a list: only one that begins with \"exec:\" is allowed");
	assert_refused("health_check", "notify",
	    "'notify' tells once that a program is ready, and nothing later: " HEALTH_ALLOWED);
	assert_refused("health_check", "fd:3",
	    "'fd:3' tells once that a program is ready, and nothing later: " HEALTH_ALLOWED);
	assert_refused("health_check", "log:x",
	    "'log:x' tells once that a program is ready, and nothing later: " HEALTH_ALLOWED);
	assert_refused("health_check", "ping", "'ping' is not known: " HEALTH_ALLOWED);
}

static void test_bad_targets_of_ready_are_refused(void **state)
{
	static const char *const fds[] = {"fd:", "fd:2", "fd:251", "fd:x", "fd:-3", "fd:3x"};
	static const char *const tcps[] = {"tcp:", "tcp:localhost", "tcp:80", "tcp:example.org:80",
	    "tcp:::1:80", "tcp:[::1]", "tcp:localhost:0", "tcp:localhost:65536", "tcp::80"};
	static const char *const urls[] = {"http://", "http://localhost", "http://example.org/",
	    "http://localhost:0/", "http://a@localhost/", "http://localhost/a b",
	    "http://localhost/\r\nX: y"};
	static const char *const files[] = {"file:", "file:/", "unix:", "unix:/run/"};
	char message[300];

	(void)state;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' is no descriptor to write to: fd:3 to fd:250 is allowed", fds[i]);
		assert_refused("ready", fds[i], message);
	}
	for (size_t i = 0; i < sizeof(tcps) / sizeof(tcps[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' is no address: tcp:HOST:PORT is allowed, " HOST_ALLOWED, tcps[i]);
		assert_refused("ready", tcps[i], message);
	}
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' cannot be asked: http://HOST/PATH or http://HOST:PORT/PATH is "
		    "allowed, " HOST_ALLOWED,
		    i == 6 ? "http://localhost/\\x0d\\x0aX: y" : urls[i]);
		assert_refused("ready", urls[i], message);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(message, sizeof(message), "'%s' names no file: " READY_ALLOWED, files[i]);
		assert_refused("ready", files[i], message);
	}
	assert_refused("ready", "https://localhost/",
	    "'https://localhost/' would need TLS, which is not spoken here: "
	    "http://HOST[:PORT]/PATH is allowed, or exec: with a command that asks");
	assert_refused("ready", "file:/%{nam}",
	    "'%{nam}' is not known: %{name}, %{program}, %{instance}, %{user}, %{home}, "
	    "%{run_dir} and %{percent} are allowed");
	assert_refused("ready", "exec:", "is empty: a program to run is needed");
	assert_refused("ready", "exec:a 'b",
	    "a ' that is not closed in the command: put a \\ before it (in \"...\" of this file: "
	    "\\\\) to take it literally");
}

static void test_expressions_of_ready_are_checked(void **state)
{
	static const char *const good[] = {"log:a{1000}", "log:[0-9a-f]{64}.*[0-9a-f]{64}",
	    "log:(a{10}b){100}", "log:[]{99}{99}]", "log:[[:alpha:]{]{3}", "log:\\{\\(",
	    "log:a{,3}", "log:[^]\\1]", "log:(((((a)))))", "log:x{2,}"};
	static const char *const large[] = {
	    "log:a{2001}", "log:(a{50}){50}", "log:((a|b)*{30}c){0,99}", "log:(a{32767}){32767}"};
	char message[256];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct value_input input = {.row = row_of("ready"), .items = &good[i], .count = 1};
		struct check check = {0};
		char *problem = NULL;

		if (value_parse(&input, &check, &problem) != 0)
			fail_msg("%s: %s", good[i], problem);
		assert_string_equal(check.target, good[i] + 4);
		value_done(input.row, &check, NULL);
	}
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' is no regular expression: it repeats too much: an extended one of POSIX "
		    "is allowed",
		    large[i] + 4);
		assert_refused("ready", large[i], message);
	}
	assert_refused("ready", "log:", "'log:' matches every line: " READY_ALLOWED);
	assert_refused("ready", "log:(a)\\1",
	    "'(a)\\1' is no regular expression: back-references are not allowed: an extended one "
	    "of POSIX is allowed");
	assert_refused("ready", "log:((((((((((((((((((((((((((((((((((((((((",
	    "'((((((((((((((((((((((((((((((((((((((((' is no regular expression: its parentheses "
	    "are nested too deeply: an extended one of POSIX is allowed");
}

/* The words of the message are the C library's. */
static void test_expression_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"log:(", "log:[a", "log:a{3", "log:[[:foo:]]", "log:a\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct value_input input = {.row = row_of("ready"), .items = &bad[i], .count = 1};
		struct check check = {0};
		char *problem = NULL;

		assert_int_equal(value_parse(&input, &check, &problem), -EINVAL);
		assert_non_null(strstr(problem, "' is no regular expression: "));
		assert_non_null(strstr(problem, ": an extended one of POSIX is allowed"));
		free(problem);
	}
}

static void test_forms_of_on_failure_are_read(void **state)
{
	static const char *const words[] = {"exec:/bin/mail root", "x y"};
	static const char *const others[] = {"retry:5min", "start:web", "none"};
	static const char *const bad[] = {"", "restart", "shutdown:", "none ", "start", "Reboot"};
	static const char *const waits[] = {
	    "retry:", "retry:x", "retry:9ms", "retry:366d", "retry:-1"};
	char message[200];

	(void)state;
	assert_prints("on_failure", "none", "\"none\"");
	assert_prints("on_failure", "retry:300", "\"retry:5min\"");
	assert_prints("on_failure", "retry:10ms", "\"retry:10ms\"");
	assert_prints("on_failure", "shutdown", "\"shutdown\"");
	assert_prints("on_failure", "reboot", "\"reboot\"");
	assert_prints("on_failure", "start:web", "\"start:web\"");
	assert_prints("on_failure", "exec:/bin/a 'b c'", "{\"exec:/bin/a\", \"b c\"}");
	list_prints("on_failure", words, 2, "{\"exec:/bin/mail root\", \"x y\"}");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		refuse_list("on_failure", &others[i], 1, false,
		    "is a list: only one that begins with \"exec:\" is allowed");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' is not known: none, retry:DURATION, shutdown, reboot, start:NAME or "
		    "exec:COMMAND is allowed",
		    bad[i]);
		assert_refused("on_failure", bad[i], message);
	}
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		snprintf(message, sizeof(message),
		    "'%s' has no good time to wait: retry: with a duration from 10ms to 365d is "
		    "allowed",
		    waits[i]);
		assert_refused("on_failure", waits[i], message);
	}
	assert_refused("on_failure", "start:", "the program name '' is empty");
	assert_refused("on_failure", "start:all",
	    "the program name 'all' has a meaning of its own in commands");
	assert_refused("on_failure", "exec:", "is empty: a program to run is needed");
}

static void test_what_is_shared_with_a_default_is_not_freed(void **state)
{
	static const char *const keys[] = {
	    "ready", "ready", "on_failure", "on_failure", "requires"};
	static const char *const texts[] = {"file:a", "exec:a b", "start:a", "exec:a", "a"};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct value_input input = {.row = row_of(keys[i]), .items = &texts[i], .count = 1};
		union any shared = {{0}}, copy;
		char *problem = NULL;

		assert_int_equal(value_parse(&input, &shared, &problem), 0);
		copy = shared;
		value_done(input.row, &copy, &shared);
		/* A second free of it would end the test. */
		value_done(input.row, &shared, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_of_a_life_are_read),
	    cmocka_unit_test(test_percentages_are_read),
	    cmocka_unit_test(test_signal_that_is_unset_is_not_printed),
	    cmocka_unit_test(test_steps_are_read),
	    cmocka_unit_test(test_bad_steps_are_refused),
	    cmocka_unit_test(test_dependencies_are_read_with_their_condition),
	    cmocka_unit_test(test_forms_of_ready_are_read),
	    cmocka_unit_test(test_unknown_forms_of_ready_are_refused),
	    cmocka_unit_test(test_bad_targets_of_ready_are_refused),
	    cmocka_unit_test(test_expressions_of_ready_are_checked),
	    cmocka_unit_test(test_expression_that_is_none_is_refused),
	    cmocka_unit_test(test_forms_of_on_failure_are_read),
	    cmocka_unit_test(test_what_is_shared_with_a_default_is_not_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
