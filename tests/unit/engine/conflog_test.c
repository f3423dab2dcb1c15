/* SPDX-License-Identifier: ISC */
/* The keys about log files: where a log is, who may share one, and what is refused. */
#include "tests/unit/engine/confdir.h"

static void expect_path(const struct config *config, size_t index, int stream, const char *expected)
{
	char *path = config_log_path(config, config->programs[index], stream);

	assert_non_null(path);
	assert_string_equal(path, expected);
	free(path);
}

static void test_path_when_named_then_expanded_and_seen_from_log_dir(void **state)
{
	struct config *config =
	    confdir_accept("log_dir = \"/l\" run_dir = \"/r\"\n"
			   "defaults { log_file = \"all/%{program}.txt\" }\n"
			   "program a { command = x stderr = log }\n"
			   "program b { command = x stderr = log log_file = \"/b\" "
			   "log_file_stderr = \"%{run_dir}/b\" }\n");

	(void)state;
	expect_path(config, 0, 0, "/l/all/a.txt");
	expect_path(config, 0, 1, "/l/a.err.log");
	expect_path(config, 1, 0, "/b");
	expect_path(config, 1, 1, "/r/b");
	config_free(config);
}

static void test_path_when_no_file_can_stand_there_then_refused(void **state)
{
	(void)state;
	confdir_refuse("log_dir = \"/l\"\n"
		       "program a { command = x\n log_file = \"%{home}/a\" }\n"
		       "program b { command = x\n log_file = \"/b/\" }\n"
		       "program c { command = x\n log_file = \"supervisord.log\" }\n"
		       "program d { command = x\n log_file_stderr = \"d\" }\n",
	    "@/main.conf:3: log_file: '%{home}/a' names the user that the program runs as: "
	    "%{name}, %{program}, %{instance} and %{run_dir} are allowed\n"
	    "@/main.conf:5: log_file: '/b/' is a directory: a file is allowed\n"
	    "@/main.conf:7: log_file: '/l/supervisord.log' is the daemon's own log: any other file "
	    "is allowed\n"
	    "@/main.conf:9: log_file_stderr: needs stderr = \"log\": there is no log otherwise\n");
}

static void test_shared_file_when_what_is_said_of_it_differs_then_refused(void **state)
{
	unsigned user = (unsigned)getuid(); /* only root may name another one */
	char text[256];

	(void)state;
	confdir_refuse("log_dir = \"/l\" defaults { log_file = \"all\" }\n"
		       "program a { command = x }\n"
		       "program b { command = x }\n"
		       "program c { command = x\n log_keep = 3 }\n"
		       "program d { command = x\n log_mode = 0600 }\n",
	    "@/main.conf:5: log_keep: differs from that of program 'a' (@/main.conf:2), but both "
	    "write /l/all: what is said about one file must be the same\n"
	    "@/main.conf:7: log_mode: differs from that of program 'a' (@/main.conf:2), but both "
	    "write /l/all: what is said about one file must be the same\n");
	(void)snprintf(text, sizeof(text),
	    "log_dir = \"/l\" defaults { log_file = \"all\" log_user = %u }\n"
	    "program a { command = x log_rotate = daily log_user = \"%u\" }\n"
	    "program b { command = x log_rotate = daily }\n",
	    user, user);
	config_free(confdir_accept(text));
}

static void test_shared_file_when_a_line_of_it_is_waited_for_then_refused(void **state)
{
	(void)state;
	confdir_refuse("log_dir = \"/l\" defaults { log_file = \"all\" }\n"
		       "program a { command = x }\n"
		       "program b { command = x\n ready = \"log:up\" }\n",
	    "@/main.conf:4: ready: 'log:' looks into /l/all, which is shared with a: a log of its "
	    "own is needed\n");
}

#define OWNER_ERRORS                                                                               \
	"@/main.conf:2: log_user: 'no-such-user' does not exist: a user of this system is "        \
	"allowed\n"                                                                                \
	"@/main.conf:3: log_mode: '440' locks the logger out: a mode in which the owner reads "    \
	"and writes, such as 0640, is allowed\n"                                                   \
	"@/main.conf:7: "
#define MODE_ERROR                                                                                 \
	"@/main.conf:8: log_mode: '200' locks the logger out: a mode in which the owner reads "    \
	"and writes, such as 0640, is allowed\n"

static void test_owner_and_mode_when_impossible_then_refused_once(void **state)
{
	(void)state;
	confdir_refuse("defaults {\n log_user = \"no-such-user\"\n log_mode = 0440 }\n"
		       "program a { command = x }\n"
		       "program b { command = x }\n"
		       "program c { command = x\n log_group = \"no-such-group\" log_user = 0\n"
		       " log_mode = 0200 }\n",
	    geteuid() == 0 ? OWNER_ERRORS "log_group: 'no-such-group' does not exist: a group of "
					  "this system is allowed\n" MODE_ERROR
			   : OWNER_ERRORS "log_user: '0' is not ours: only root may give files to "
					  "another user\n" MODE_ERROR);
}

static void test_total_size_when_a_log_alone_is_larger_then_refused(void **state)
{
	(void)state;
	confdir_refuse("defaults {\n log_total_size = 5MB }\n"
		       "program a { command = x }\n"
		       "program b { command = x }\n"
		       "program c { command = x\n log_max_size = 6MB }\n"
		       "program d { command = x\n log_total_size = 9MB }\n"
		       "program e { command = x log_max_size = 0 }\n"
		       "program f { command = x log_max_size = 5MB }\n",
	    "@/main.conf:2: log_total_size: is less than log_max_size, and the log alone may grow "
	    "to that: at least 10000000B is allowed\n"
	    "@/main.conf:6: log_max_size: is more than log_total_size, which is for the log with "
	    "its archives: at most 5000000B is allowed\n"
	    "@/main.conf:8: log_total_size: is less than log_max_size, and the log alone may grow "
	    "to that: at least 10000000B is allowed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_path_when_named_then_expanded_and_seen_from_log_dir),
	    cmocka_unit_test(test_path_when_no_file_can_stand_there_then_refused),
	    cmocka_unit_test(test_shared_file_when_what_is_said_of_it_differs_then_refused),
	    cmocka_unit_test(test_shared_file_when_a_line_of_it_is_waited_for_then_refused),
	    cmocka_unit_test(test_total_size_when_a_log_alone_is_larger_then_refused),
	    cmocka_unit_test(test_owner_and_mode_when_impossible_then_refused_once),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
