/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/config.h: whole loads from real files, the text of each error, the
 * applied configuration.
 */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/fnv.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "lib/rundir.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/value.h"

/* ---- good ones ------------------------------------------------------------------------------ */

static void test_program_with_only_a_command_has_all_defaults(void **state)
{
	struct config *config =
	    confdir_accept("\nprogram \"web\" {\n command = \"/bin/echo 'a b'\"\n}\n");
	const struct program_config *web = config_find_program(config, "web");

	(void)state;
	assert_int_equal(config->program_count, 1);
	assert_ptr_equal(web, config->programs[0]);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->file, confdir_path("main.conf"));
	assert_int_equal(web->line, 2);
	assert_string_equal(web->key_command[0], "/bin/echo");
	assert_string_equal(web->key_command[1], "a b");
	assert_null(web->key_command[2]);
	assert_false(web->key_shell);
	assert_string_equal(web->key_directory, "/");
	assert_null(web->key_user);
	assert_null(web->key_environment);
	assert_int_equal(web->key_umask, 022);
	assert_true(web->key_autostart);
	assert_int_equal(web->key_restart, RESTART_ON_FAILURE);
	assert_int_equal(web->key_success_exit.codes[0], 1);
	assert_int_equal(web->key_success_exit.signals, 0);
	assert_int_equal(web->key_restart_delay, 200 * NS_PER_MS);
	assert_int_equal(web->key_restart_delay_max, 30 * NS_PER_S);
	assert_true(web->key_restart_factor > 1.99 && web->key_restart_factor < 2.01);
	assert_int_equal(web->key_start_limit, 5);
	assert_int_equal(web->key_stop_signal, SIGTERM);
	assert_int_equal(web->key_stop_timeout, 10 * NS_PER_S);
	assert_int_equal(web->key_stdin.kind, STDIO_NULL);
	assert_int_equal(web->key_stdout.kind, STDIO_LOG);
	assert_int_equal(web->key_stderr.kind, STDIO_STDOUT);
	assert_int_equal(web->key_log_max_size, 10000000);
	assert_int_equal(web->key_log_keep, 5);
	assert_null(config_find_program(config, "we"));
	assert_null(config_find_program(config, "webb"));
	config_free(config);
}

static void test_empty_file_is_a_configuration_without_programs(void **state)
{
	struct config *config = confdir_accept("# nothing\n");
	char run_dir[128];

	(void)state;
	assert_int_equal(config->program_count, 0);
	assert_null(config_find_program(config, "web"));
	assert_int_equal(rundir_default(run_dir, sizeof(run_dir)), 0);
	assert_string_equal(config->settings.key_run_dir, run_dir);
	assert_int_equal(config->settings.key_log_dir[0], '/');
	assert_int_equal(config->settings.key_log_level, OWNLOG_NOTICE);
	assert_int_equal(config->settings.key_shutdown_timeout, 60 * NS_PER_S);
	config_free(config);
}

static void test_defaults_hold_for_all_files_and_own_keys_win(void **state)
{
	struct config *config;

	(void)state;
	confdir_write(
	    "a.conf", "program \"a\" { command = x }\ndefaults { shell = true stop_timeout = 3s }");
	config = confdir_accept(
	    "program \"b\" { command = \"y z\" stop_timeout = 4s }\ninclude = \"a.conf\"\n"
	    "defaults { environment = {\"A=b\"} stdout = \"append:o/%{name}\" }\n"
	    "program \"c\" { command = {z} shell = false environment = {} directory = /srv }\n");
	assert_int_equal(config->program_count, 3);
	assert_string_equal(config->programs[0]->name, "a");
	assert_string_equal(config->programs[0]->key_command[2], "x");
	assert_int_equal(config->programs[0]->key_stop_timeout, 3 * NS_PER_S);
	assert_string_equal(config->programs[0]->key_environment[0], "A=b");
	assert_string_equal(config->programs[0]->key_stdout.target, "/o/%{name}");
	assert_string_equal(config->programs[1]->key_command[2], "y z");
	assert_int_equal(config->programs[1]->key_stop_timeout, 4 * NS_PER_S);
	assert_string_equal(config->programs[2]->key_command[0], "z");
	assert_null(config->programs[2]->key_environment);
	assert_string_equal(config->programs[2]->key_stdout.target, "/srv/o/%{name}");
	config_free(config);
}

static void test_paths_are_seen_from_the_right_place(void **state)
{
	char expected[128], *path;
	struct config *config = confdir_accept(
	    "run_dir = \"run\"\nlog_dir = \"./l\"\n"
	    "program \"a\" { command = x directory = \"%{home}/a\" stdin = \"file:in\"\n"
	    " stdout = \"append:/abs\" stderr = \"fifo:%{run_dir}/f\" }\n");

	(void)state;
	snprintf(expected, sizeof(expected), "%s/run", confdir);
	assert_string_equal(config->settings.key_run_dir, expected);
	assert_string_equal(config->programs[0]->key_stdin.target, "%{home}/a/in");
	assert_string_equal(config->programs[0]->key_stdout.target, "/abs");
	assert_string_equal(config->programs[0]->key_stderr.target, "%{run_dir}/f");
	snprintf(expected, sizeof(expected), "%s/l/a.log", confdir);
	path = config_log_path(config, config->programs[0], 0);
	assert_string_equal(path, expected);
	free(path);
	snprintf(expected, sizeof(expected), "%s/l/a.err.log", confdir);
	path = config_log_path(config, config->programs[0], 1);
	assert_string_equal(path, expected);
	free(path);
	config_free(config);
}

static void test_includes_are_sorted_and_read_once(void **state)
{
	struct config *config;
	const char *names[] = {"main.conf", "d/10.conf", "d/9.conf", "e/sub/x.conf"};

	(void)state;
	assert_int_equal(mkdir(confdir_path("d"), 0700), 0);
	assert_int_equal(mkdir(confdir_path("e"), 0700), 0);
	assert_int_equal(mkdir(confdir_path("e/sub"), 0700), 0);
	confdir_write("d/9.conf", "program \"nine\" { command = x }");
	confdir_write("d/10.conf", "program \"ten\" { command = x }");
	confdir_write("d/.hidden.conf", "nonsense");
	confdir_write("d/old.conf~", "nonsense");
	confdir_write("e/sub/x.conf", "program \"deep\" { command = x }");
	config = confdir_accept("include = {\"d/*.conf\", \"d/9.conf\", \"none/*.conf\", "
				"\"e/*/x.conf\", \"d/*/x.conf\"}");
	assert_int_equal(config->source_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(config->sources[i].path, confdir_path(names[i]));
	assert_int_equal(config->program_count, 3);
	config_free(config);
}

/* So one that has more keys starts nothing anew when it takes over from this version. */
static void test_hash_is_of_nothing_but_what_differs_from_the_defaults(void **state)
{
	struct config *config = confdir_accept("program \"web\" { command = x }\n");
	const struct program_config *web = config->programs[0];
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);
	uint64_t hash, plain = web->hash;

	(void)state;
	assert_non_null(file);
	fputs("command=", file);
	value_write(&program_rows[PROGRAM_command], &web->key_command, file);
	fputs("\n", file);
	assert_int_equal(fclose(file), 0);
	hash = fnv_add_number(FNV_START, fnv_add_bytes(FNV_START, text, length));
	assert_int_equal(plain, plan_mark_hash(fnv_add_number(hash, web->sockets_hash), false));
	free(text);
	config_free(config);
	config = confdir_accept("program \"web\" { command = x directory = \"/tmp\" }\n");
	assert_int_not_equal(config->programs[0]->hash, plain);
	config_free(config);
}

static void test_applied_configuration_is_the_same_without_the_files(void **state)
{
	struct config *config, *applied;
	struct config_errors errors = {0};
	int fd;

	(void)state;
	confdir_write("web.conf", "program \"web\" {\n\n command = \"x y\"\n environment = "
				  "{\"A=b\"}\n after = {db}\n}\n");
	config =
	    confdir_accept("run_dir = \"r\"\ninclude = \"web.conf\"\ndefaults { umask = 077 }\n"
			   "program \"db\" { command = z }\n");
	assert_int_equal(config_write_applied(config, &fd), 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(unlink(confdir_path("web.conf")), 0);
	assert_int_equal(unlink(confdir_path("main.conf")), 0);
	/* Twice: the place in the file is nobody's. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(config_load_applied(fd, &applied, &errors), 0);
		assert_int_equal(errors.count, 0);
		assert_string_equal(applied->settings.key_run_dir, config->settings.key_run_dir);
		assert_int_equal(applied->source_count, 2);
		assert_int_equal(applied->program_count, 2);
		for (size_t j = 0; j < 2; j++) {
			assert_string_equal(applied->programs[j]->name, config->programs[j]->name);
			assert_string_equal(applied->programs[j]->file, config->programs[j]->file);
			assert_int_equal(applied->programs[j]->line, config->programs[j]->line);
			assert_int_equal(applied->programs[j]->hash, config->programs[j]->hash);
			assert_int_equal(config_diff_program(
					     applied->programs[j], config->programs[j], NULL, NULL),
			    CHANGE_NONE);
		}
		config_free(applied);
	}
	close(fd);
	config_free(config);
}

static void test_applied_configuration_that_is_damaged_is_refused(void **state)
{
	struct config_errors errors = {0};
	struct config *config = confdir_accept("program \"a\" { command = x }"), *applied = NULL;
	char bytes[4096], damaged[4096];
	ssize_t length;
	int fd;

	(void)state;
	assert_int_equal(config_write_applied(config, &fd), 0);
	config_free(config);
	length = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(length > 0 && length < (ssize_t)sizeof(bytes));
	close(fd);
	for (ssize_t i = 0; i < length; i++) {
		/* Cut at each byte. */
		fd = memfd_create("test", MFD_CLOEXEC);
		assert_int_equal(write(fd, bytes, (size_t)i), i);
		assert_int_equal(config_load_applied(fd, &applied, &errors), -EINVAL);
		assert_null(applied);
		assert_int_equal(errors.count, 1);
		config_errors_done(&errors);
		close(fd);
		/* Each byte another one: refused or read, but never past the end. */
		memcpy(damaged, bytes, (size_t)length);
		damaged[i] = (char)(damaged[i] ^ 0x55);
		fd = memfd_create("test", MFD_CLOEXEC);
		assert_int_equal(write(fd, damaged, (size_t)length), length);
		if (config_load_applied(fd, &applied, &errors) == 0)
			config_free(applied);
		applied = NULL;
		config_errors_done(&errors);
		close(fd);
	}
}

static void test_ten_thousand_programs_load_in_a_second(void **state)
{
	FILE *file = fopen(confdir_path("many.conf"), "w");
	struct config *config;
	int64_t begin;

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 10000; i++)
		fprintf(file, "program \"p%d\" { command = x user = %u after = {p%d} }\n", i,
		    (unsigned)geteuid(), (i + 1) % 10000);
	fclose(file);
	begin = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	confdir_refuse("include = \"many.conf\"",
	    "@/many.conf:1: after: p0 -> p1 -> p2 -> p3 -> p4 -> p5 -> p6 -> p7 -> p8 -> p9 -> ... "
	    "-> p0: a program "
	    "cannot come after itself\n");
	file = fopen(confdir_path("many.conf"), "w");
	assert_non_null(file);
	for (int i = 0; i < 10000; i++)
		fprintf(
		    file, "program \"p%d\" { command = x%s }\n", i, i == 0 ? "" : " after = {p0}");
	fclose(file);
	config = confdir_load();
	assert_int_equal(config->program_count, 10000);
	config_free(config);
	/* Two loads, also of an instrumented build; a quadratic one takes minutes. */
	assert_true(clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - begin < 10 * NS_PER_S);
}

/* ---- bad ones ------------------------------------------------------------------------------- */

static void test_unknown_key_names_the_nearest(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" {\n comand = x\n}\n",
	    "@/main.conf:2: comand: unknown key: did you mean 'command'?\n");
}

static void test_double_name_names_both_places(void **state)
{
	(void)state;
	confdir_write("b.conf", "\n\nprogram \"web\" { command = y }\n");
	confdir_refuse("program \"web\" { command = x }\ninclude = {\"b.conf\"}\n",
	    "@/b.conf:3: program: 'web' is already defined at @/main.conf:1\n");
	confdir_refuse("program \"web\" { command = x }\nprogram \"web\" { command = x }\nprogram "
		       "\"web\" { command = x }\n",
	    "@/main.conf:2: program: 'web' is already defined at @/main.conf:1\n"
	    "@/main.conf:3: program: 'web' is already defined at @/main.conf:1\n");
}

static void test_setting_in_two_files_names_both_places(void **state)
{
	(void)state;
	confdir_write("b.conf", "\nlog_level = debug\ndefaults {\n umask = 0\n}\n");
	confdir_refuse("log_level = error\ninclude = {\"b.conf\"}\ndefaults { umask = 0 }",
	    "@/b.conf:2: log_level: is already given at @/main.conf:1\n"
	    "@/b.conf:4: umask: is already given at @/main.conf:3\n");
	confdir_refuse("run_dir = a\nrun_dir = b\n",
	    "@/main.conf:2: run_dir: is already given at @/main.conf:1\n");
	confdir_refuse("include = \"none*\"\ninclude = \"none*\"\n",
	    "@/main.conf:2: include: is already given at @/main.conf:1\n");
}

static void test_unclosed_comment_and_section_are_refused(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" { command = x }\n/* b\n",
	    "@/main.conf:2: the comment that begins here is not closed: '*/' is missing\n");
	confdir_refuse("program \"a\" {\n command = x\n",
	    "@/main.conf:1: the section that begins here is not closed: a '}' is missing\n");
}

static void test_bytes_that_are_no_text_are_refused(void **state)
{
	static const char nul[] = "program \"a\" {\n command = \"x\0y\"\n}\n";
	char *line;

	(void)state;
	confdir_write_bytes("main.conf", nul, sizeof(nul) - 1);
	confdir_expect_errors("@/main.conf:2: a NUL byte: a configuration file is plain text\n");
	confdir_refuse("\xef\xbb\xbfprogram \"a\" { command = x }\n",
	    "@/main.conf:1: begins with a byte order mark: save it as UTF-8 without BOM\n");
	line = malloc(1024 * 1024);
	assert_non_null(line);
	memset(line, 'x', 1024 * 1024);
	memcpy(line, "log_dir = \"", 11);
	confdir_write_bytes("main.conf", line, 1024 * 1024);
	confdir_expect_errors("@/main.conf:1: the string that begins here is longer than 4096 "
			      "bytes, or not closed\n");
	memcpy(line, "log_dir =  ", 11);
	confdir_write_bytes("main.conf", line, 1024 * 1024);
	confdir_expect_errors("@/main.conf:1: a word of more than 4096 bytes\n");
	free(line);
}

static void test_file_that_is_none_is_refused(void **state)
{
	char *large = calloc(1, LIMIT_CONFIG_FILE_BYTES + 1);

	(void)state;
	unlink(confdir_path("main.conf"));
	confdir_expect_errors("@/main.conf: cannot be read: No such file or directory\n");
	assert_int_equal(mkdir(confdir_path("main.conf"), 0700), 0);
	confdir_expect_errors("@/main.conf: is a directory: a file is needed\n");
	assert_int_equal(rmdir(confdir_path("main.conf")), 0);
	/* Nobody writes to it: open(2) would wait. */
	assert_int_equal(mkfifo(confdir_path("main.conf"), 0600), 0);
	confdir_expect_errors("@/main.conf: is not a regular file\n");
	assert_int_equal(unlink(confdir_path("main.conf")), 0);
	assert_non_null(large);
	confdir_write_bytes("main.conf", large, LIMIT_CONFIG_FILE_BYTES + 1);
	free(large);
	confdir_expect_errors("@/main.conf: is too large: at most 1048576 bytes\n");
}

static void test_empty_number_is_refused(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" {\n command = x\n log_keep = \"\"\n}\n",
	    "@/main.conf:3: log_keep: '' is not a number: a whole number from 0 to 1000 is "
	    "allowed\n");
}

static void test_include_that_goes_wrong_is_refused(void **state)
{
	(void)state;
	confdir_write("b.conf", "\ninclude = \"c.conf\"\n");
	confdir_write("c.conf", "include = {\"main.conf\"}\nprogram \"c\" { }\n");
	confdir_refuse("include = \"b.conf\"\n",
	    "@/c.conf:1: include: recursive include: @/main.conf includes @/b.conf includes "
	    "@/c.conf includes "
	    "@/main.conf\n@/c.conf:2: command: is missing in program 'c': each program needs "
	    "one\n");
	confdir_refuse("include = \"main.conf\"\n",
	    "@/main.conf:1: include: recursive include: @/main.conf includes @/main.conf\n");
	confdir_refuse("\ninclude = \"nope.conf\"\n",
	    "@/main.conf:2: include: @/nope.conf cannot be read: No such file or directory\n");
	assert_int_equal(mkdir(confdir_path("dir"), 0700), 0);
	assert_int_equal(mkdir(confdir_path("dir/x.conf"), 0700), 0);
	confdir_refuse("include = \"dir\"\n",
	    "@/main.conf:1: include: @/dir is a directory: a file is needed\n");
	confdir_refuse("include = \"dir/*.conf\"\n",
	    "@/main.conf:1: include: @/dir/x.conf is a directory: a file is needed\n");
	confdir_refuse("include = {\"\"}\n", "@/main.conf:1: include: '' is empty: a list of "
					     "patterns such as {\"conf.d/*.conf\"} is allowed\n");
}

static void test_includes_too_deep_are_refused(void **state)
{
	char name[32], text[64];

	(void)state;
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "n%d.conf", i);
		snprintf(text, sizeof(text), "include = \"n%d.conf\"\n", i + 1);
		confdir_write(name, text);
	}
	confdir_refuse("include = \"n0.conf\"\n",
	    "@/n7.conf:1: include: too deep: at most 8 files may include one another\n");
}

static void test_missing_user_and_group_are_refused(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" {\n command = x\n user = nobody-at-all\n}\n",
	    "@/main.conf:3: user: 'nobody-at-all' does not exist: a user of this system is "
	    "allowed\n");
	confdir_refuse("defaults {\n group = none-at-all\n}\nprogram \"a\" { command = x "
		       "}\nprogram \"b\" { command = x }\n",
	    "@/main.conf:2: group: 'none-at-all' does not exist: a group of this system is "
	    "allowed\n");
	if (geteuid() != 0)
		confdir_refuse("program \"a\" { command = x user = root }\n",
		    "@/main.conf:1: user: 'root' is somebody else: only root may run programs as "
		    "another user\n");
}

static void test_command_is_required_and_must_be_one(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" {\n umask = 0\n command = {}\n}\nprogram \"b\" { }\n"
		       "program \"c\" { command = {\"a\"} shell = true }\nprogram \"d\" { command "
		       "= \"a %{x}\" }\n"
		       "program \"e\" { command = \"a 'b\" }\n",
	    "@/main.conf:3: command: is empty: a program to run is needed\n"
	    "@/main.conf:5: command: is missing in program 'b': each program needs one\n"
	    "@/main.conf:6: command: a list with shell = true: one string is allowed\n"
	    "@/main.conf:7: command: '%{x}' is not known: %{name}, %{program}, %{instance}, "
	    "%{user}, %{home}, "
	    "%{run_dir} and %{percent} are allowed\n"
	    "@/main.conf:8: command: a ' that is not closed in the command: put a \\ before it (in "
	    "\"...\" of this file: "
	    "\\\\) to take it literally\n");
}

static void test_program_names_are_checked(void **state)
{
	(void)state;
	confdir_refuse("program \"all\" { command = x }\nprogram \"a@b\" { command = x }\nprogram "
		       "\"\" { command = x }\n",
	    "@/main.conf:1: program: the name 'all' has a meaning of its own in commands\n"
	    "@/main.conf:2: program: the name 'a@b' has other characters than letters, digits, "
	    "'_', '.' and '-'\n"
	    "@/main.conf:3: program: the name '' is empty\n");
}

static void test_streams_between_programs_are_checked(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" {\n command = x\n stdout = \"program:nope\"\n}\n",
	    "@/main.conf:3: stdout: there is no program 'nope'\n");
	confdir_refuse("program \"a\" {\n command = x\n stdout = \"program:a\"\n}\n",
	    "@/main.conf:3: stdout: a -> a: a program cannot read what it has written\n");
	confdir_refuse(
	    "program \"a\" { command = x stdout = \"program:b\" }\nprogram \"b\" { command = x\n"
	    " stderr = \"program:a\" }\n",
	    "@/main.conf:1: stdout: a (stdout) -> b (stderr) -> a: a program cannot read what it "
	    "has written\n");
	confdir_refuse(
	    "program \"a\" { command = x stdout = \"program:b\" }\nprogram \"b\" { command = x\n"
	    " stdin = \"file:/x\" }\n",
	    "@/main.conf:1: stdout: program 'b' has a stdin of its own (@/main.conf:3): only one "
	    "whose stdin is null can "
	    "read a pipe\n");
}

static void test_order_is_checked(void **state)
{
	(void)state;
	confdir_refuse("program \"a\" { command = x\n after = {b, c} }\nprogram \"b\" { command = "
		       "x after = {d} }\n"
		       "program \"d\" { command = x after = {a} }\n",
	    "@/main.conf:2: after: there is no program or group 'c'\n"
	    "@/main.conf:2: after: a -> b -> d -> a: a program cannot come after itself\n");
}

static void test_delays_must_fit_together(void **state)
{
	(void)state;
	confdir_refuse(
	    "program \"a\" { command = x\n restart_delay = 1min\n}\nprogram \"b\" { command = x\n"
	    " restart_delay_max = 100ms\n}\n",
	    "@/main.conf:2: restart_delay: '1min' is more than restart_delay_max: at most 30s is "
	    "allowed\n"
	    "@/main.conf:5: restart_delay_max: '100ms' is less than restart_delay: at least 200ms "
	    "is allowed\n");
}

static void test_directories_are_checked(void **state)
{
	char text[300], dir[120];

	(void)state;
	confdir_refuse("program \"a\" { command = x\n directory = srv }\n",
	    "@/main.conf:2: directory: 'srv' is not absolute: a path that begins with /, %{home} "
	    "or %{run_dir} is "
	    "allowed\n");
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	snprintf(text, sizeof(text), "run_dir = \"/%s\"", dir);
	confdir_refuse(
	    text, "@/main.conf:1: run_dir: is too long: a path of at most 94 bytes is allowed\n");
}

static void test_all_errors_of_all_files_are_told_in_order(void **state)
{
	(void)state;
	confdir_write("b.conf", "program \"b\" {\n umask = 9\n command = x\n after = {ghost}\n}\n");
	confdir_write("c.conf", "program \"c\" {\n command = \"\\999\"\n}\n");
	confdir_refuse("include = {\"b.conf\", \"c.conf\"}\nlog_level = loud\nprogram \"a\" {\n "
		       "command = \"\"\n}\n",
	    "@/main.conf:2: log_level: 'loud' is not known: error, warning, notice or debug is "
	    "allowed\n"
	    "@/main.conf:4: command: is empty: a program to run is needed\n"
	    "@/b.conf:2: umask: '9' is not an octal number: an octal number from 0 to 777 is "
	    "allowed\n"
	    "@/c.conf:2: bad escape sequence '\\999'\n");
}

static void test_errors_have_a_limit(void **state)
{
	struct config_errors errors = {0};
	struct config *config = NULL;
	FILE *file = fopen(confdir_path("main.conf"), "w");

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 300; i++)
		fprintf(file, "program \"p%d\" { umask = 9 command = x }\n", i);
	fclose(file);
	assert_int_equal(config_load(confdir_path("main.conf"), &config, &errors), -EINVAL);
	assert_int_equal(errors.count, LIMIT_CONFIG_ERRORS);
	assert_string_equal(errors.list[LIMIT_CONFIG_ERRORS - 1].message,
	    "there are more errors, which are not shown");
	config_errors_done(&errors);
}

/* ---- a file that is being edited ------------------------------------------------------------- */

static void load_instead(const char *path, const char *copy, size_t programs, const char *told)
{
	char main_path[160], edited[160], from[160];
	const char *paths[] = {main_path};
	struct config_instead instead = {edited, from};
	struct config_errors errors = {0};
	struct config *config = NULL;
	int error;

	(void)snprintf(main_path, sizeof(main_path), "%s", confdir_path("main.conf"));
	(void)snprintf(edited, sizeof(edited), "%s", confdir_path(path));
	(void)snprintf(from, sizeof(from), "%s", confdir_path(copy));
	error = config_load_files(paths, 1, &instead, &config, &errors);
	if (told == NULL) {
		assert_int_equal(error, 0);
		assert_int_equal(config->program_count, programs);
		config_free(config);
	} else {
		char *text = errors.count == 1 ? config_error_text(&errors.list[0]) : NULL;

		assert_int_equal(error, -EINVAL);
		assert_non_null(text);
		assert_memory_equal(text + strlen(confdir) + 1, told, strlen(told));
		free(text);
	}
	config_errors_done(&errors);
}

static void test_copy_when_it_is_read_instead_then_errors_have_the_name_of_the_file(void **state)
{
	(void)state;
	confdir_write("main.conf", "include = {\"i-*.part\"}\n");
	confdir_write("i-a.part", "program a { command = x }\n");
	confdir_write("i-b.part", "this is not read {\n");
	confdir_write(".copy", "program b { command = x }\nprogram c { command = x }\n");
	load_instead("i-b.part", ".copy", 3, NULL);
	confdir_write(".copy", "program b { command = x }\nprogram a { command = x }\n");
	load_instead("i-b.part", ".copy", 0, "i-b.part:2: program: 'a' is already defined at");
	/* One that is not there yet. */
	assert_int_equal(unlink(confdir_path("i-b.part")), 0);
	confdir_write(".copy", "program b { command = x }\n");
	load_instead("i-b.part", ".copy", 2, NULL);
	/* And that no pattern means. */
	load_instead("b.part", ".copy", 1, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_copy_when_it_is_read_instead_then_errors_have_the_name_of_the_file),
	    cmocka_unit_test(test_program_with_only_a_command_has_all_defaults),
	    cmocka_unit_test(test_hash_is_of_nothing_but_what_differs_from_the_defaults),
	    cmocka_unit_test(test_empty_file_is_a_configuration_without_programs),
	    cmocka_unit_test(test_defaults_hold_for_all_files_and_own_keys_win),
	    cmocka_unit_test(test_paths_are_seen_from_the_right_place),
	    cmocka_unit_test(test_includes_are_sorted_and_read_once),
	    cmocka_unit_test(test_applied_configuration_is_the_same_without_the_files),
	    cmocka_unit_test(test_applied_configuration_that_is_damaged_is_refused),
	    cmocka_unit_test(test_ten_thousand_programs_load_in_a_second),
	    cmocka_unit_test(test_unknown_key_names_the_nearest),
	    cmocka_unit_test(test_double_name_names_both_places),
	    cmocka_unit_test(test_setting_in_two_files_names_both_places),
	    cmocka_unit_test(test_unclosed_comment_and_section_are_refused),
	    cmocka_unit_test(test_bytes_that_are_no_text_are_refused),
	    cmocka_unit_test(test_file_that_is_none_is_refused),
	    cmocka_unit_test(test_empty_number_is_refused),
	    cmocka_unit_test(test_include_that_goes_wrong_is_refused),
	    cmocka_unit_test(test_includes_too_deep_are_refused),
	    cmocka_unit_test(test_missing_user_and_group_are_refused),
	    cmocka_unit_test(test_command_is_required_and_must_be_one),
	    cmocka_unit_test(test_program_names_are_checked),
	    cmocka_unit_test(test_streams_between_programs_are_checked),
	    cmocka_unit_test(test_order_is_checked),
	    cmocka_unit_test(test_delays_must_fit_together),
	    cmocka_unit_test(test_directories_are_checked),
	    cmocka_unit_test(test_all_errors_of_all_files_are_told_in_order),
	    cmocka_unit_test(test_errors_have_a_limit),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
