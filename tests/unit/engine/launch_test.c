/* SPDX-License-Identifier: ISC */
/*
 * launch_test.c: real children.  The test is the guardian (its children's parent and reaper), a
 * process of its own for each launch is the engine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/cgroup.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/launchfd.h"
#include "supervisord/engine/launchplan.h"

#define ROW 3
/* Above everything that launch_init() takes. */
#define HIGH 200

/* What the engine tells of a launch. */
struct outcome {
	int error;
	enum launch_step step;
	struct launch_lack lack;
};

static struct ledger *ledger;
static struct outcome *outcome;
static int output, null;
static struct program_config config;
static struct ids ids;
static struct launch_request request;
static int child_status;
static char text[16384];

static int set_up_group(void **context)
{
	int fd;

	(void)context;
	if (ledger_create(&fd, &ledger) < 0)
		return -1;
	close(fd);
	outcome =
	    mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	null = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	close(fd);
	return outcome == MAP_FAILED || null < 0 ? -1 : 0;
}

static int set_up(void **context)
{
	static char word0[] = "true", *command[] = {word0, NULL};
	static char directory[] = "/", name[] = "web", user[] = "someone", home[] = "/home/x",
		    shell[] = "/bin/sh";
	int fd = memfd_create("output", MFD_CLOEXEC);

	(void)context;
	memset(&ledger->table[ROW], 0, sizeof(ledger->table[ROW]));
	atomic_store(&ledger->pids[ROW], 0);
	output = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	close(fd);
	config = (struct program_config){
	    .name = name,
	    .key_command = command,
	    .key_directory = directory,
	    .key_umask = 022,
	};
	ids = (struct ids){
	    .uid = geteuid(), .gid = getegid(), .user = user, .home = home, .shell = shell};
	request = (struct launch_request){
	    .config = &config,
	    .ids = &ids,
	    .name = "web",
	    .run_name = "#3.pre_start",
	    .run_dir = "/run/x",
	    .run = 5,
	    .nonce = 0xabc,
	    .nofile = {.rlim_cur = 512, .rlim_max = 512},
	    .streams = {null, output, output},
	    .cgroup = -1,
	};
	return 0;
}

static int tear_down(void **context)
{
	(void)context;
	close(output);
	return 0;
}

/* Launch as an engine would, after `prepare` (may be NULL), wait for the end of engine and program,
 * and read what the program said into `text`. */
static void launch_after(void (*prepare)(void))
{
	pid_t engine = fork(), pid;
	int status, engine_status = -1;
	ssize_t got;

	if (engine == 0) {
		if (prepare != NULL)
			prepare();
		outcome->error = launch_init();
		if (outcome->error == 0)
			outcome->error =
			    launch_program(&request, ledger, ROW, &outcome->step, &outcome->lack);
		_exit(0);
	}
	assert_true(engine > 0);
	while ((pid = waitpid(-1, &status, 0)) > 0) {
		if (pid == engine)
			engine_status = status;
		else if (pid == atomic_load(&ledger->pids[ROW]))
			child_status = status;
	}
	assert_int_equal(engine_status, 0);
	got = pread(output, text, sizeof(text) - 2, 0);
	assert_true(got >= 0);
	text[got] = '\0';
}

static void launch(void)
{
	launch_after(NULL);
}

static void launch_shell(const char *script)
{
	static char sh[] = "/bin/sh", option[] = "-c", *words[4];

	words[0] = sh;
	words[1] = option;
	words[2] = strdup(script);
	request.words = words;
	launch();
	free(words[2]);
}

/* Lines of the output that are, or that begin with, `start`. */
static int count_lines(const char *start, bool whole)
{
	int count = 0;

	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n");

		count +=
		    strncmp(line, start, strlen(start)) == 0 && (!whole || length == strlen(start));
		if (line[length] == '\0')
			break;
	}
	return count;
}

#define assert_line(line) assert_int_equal(count_lines(line, true), 1)

static void test_environment_then_the_callers_wins_over_the_stanzas_and_that_over_ours(
    void **context)
{
	static char a[] = "A=1", b[] = "B=2", c[] = "C=%{name}", home[] = "HOME=/elsewhere";
	static char b3[] = "B=3", d[] = "D=%{name}", b4[] = "B=4";
	char *stanzas[] = {a, b, c, home, NULL}, *callers[] = {b3, d, b4, NULL};
	static char env[] = "env", *words[] = {env, NULL};

	(void)context;
	config.key_environment = stanzas;
	request.environment = callers;
	request.words = words;
	launch();
	assert_int_equal(outcome->error, 0);
	assert_int_equal(child_status, 0);
	assert_line("A=1");
	assert_line("B=3");
	assert_int_equal(count_lines("B=", false), 1);
	assert_line("C=web");
	assert_line("D=%{name}"); /* a value of ours: nothing in it is to be replaced */
	assert_line("HOME=/elsewhere");
	assert_line("USER=someone");
	assert_line("SUPERVISORD_NAME=web");
	assert_line("SUPERVISORD_INSTANCE=1");
	assert_line("SUPERVISORD_RUN=#3.pre_start:5:0000000000000abc");
	assert_int_equal(count_lines("PATH=", false), 1);
	assert_int_equal(count_lines("", false), 12);
}

static void test_node_preload_then_it_stands_behind_the_stanzas_options(void **context)
{
	static char options[] = "NODE_OPTIONS=--a --b=%{name}", none[] = "NODE_OPTIONS=";
	char *stanzas[] = {options, NULL};
	static char env[] = "env", *words[] = {env, NULL};

	(void)context;
	config.key_environment = stanzas;
	request.words = words;
	request.node_preload = "/proc/self/../version"; /* anybody may read it */
	launch();
	assert_line("NODE_OPTIONS=--a --b=web --require \"/proc/self/../version\"");
	/* The output is that of all launches. */
	stanzas[0] = none;
	launch();
	assert_line("NODE_OPTIONS=--require \"/proc/self/../version\"");
	config.key_environment = NULL;
	launch();
	assert_int_equal(count_lines("NODE_OPTIONS=--require \"/proc/self/../version\"", true), 2);
	assert_int_equal(count_lines("NODE_OPTIONS=", false), 3);
	assert_int_equal(outcome->lack.node_preload, 0);
	/* One that it may not read, and Node would end because of. */
	request.node_preload = "/nonexistent/worker.cjs";
	launch();
	assert_int_equal(outcome->lack.node_preload, -ENOENT);
	assert_line("NODE_OPTIONS=");
	config.key_environment = stanzas;
	stanzas[0] = options;
	launch();
	assert_line("NODE_OPTIONS=--a --b=web");
	config.key_environment = NULL;
	/* No path that would need more than quotes: then none. */
	request.node_preload = "/opt/\"/worker.cjs";
	launch();
	request.node_preload = NULL;
	launch();
	assert_int_equal(count_lines("NODE_OPTIONS=", false), 5);
}

/* Whoever builds supervisord in /root has users that may not search that. */
static void test_own_executable_when_its_user_may_not_search_its_directory_then_it_runs(
    void **context)
{
	char directory[] = "/tmp/launch.XXXXXX", path[64], copy[96], *words[] = {path, NULL};

	(void)context;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(directory)); /* 0700 */
	(void)snprintf(path, sizeof(path), "%s/env", directory);
	(void)snprintf(copy, sizeof(copy), "cp /usr/bin/env %s", path);
	assert_int_equal(system(copy), 0);
	ids.change = true;
	ids.uid = 65534;
	ids.gid = 65534;
	request.words = words;
	launch();
	assert_int_equal(ledger->table[ROW].failure.step, LAUNCH_EXEC);
	assert_int_equal(ledger->table[ROW].failure.error, EACCES);
	assert_int_equal(setenv("SUPERVISORD_LIBEXEC", directory, 1), 0);
	launch();
	assert_int_equal(ledger->table[ROW].failure.error, 0);
	assert_line("USER=someone");
	assert_int_equal(unsetenv("SUPERVISORD_LIBEXEC"), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void test_pid_variables_then_they_are_the_childs(void **context)
{
	static char watchdog[] = "WATCHDOG_PID=", listen[] = "LISTEN_PID=", other[] = "OTHER_PID=";
	char *callers[] = {watchdog, listen, other, NULL}, wanted[40];

	(void)context;
	request.environment = callers;
	launch_shell("echo W=$WATCHDOG_PID; echo L=$LISTEN_PID; echo O=$OTHER_PID");
	(void)snprintf(wanted, sizeof(wanted), "W=%d", (int)atomic_load(&ledger->pids[ROW]));
	assert_line(wanted);
	wanted[0] = 'L';
	assert_line(wanted);
	assert_line("O=");
	assert_string_equal(watchdog, "WATCHDOG_PID=");
}

static void test_pid_then_it_is_written_in_full(void **context)
{
	static const pid_t pids[] = {1, 9, 10, 4194304, 2147483647};

	(void)context;
	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		char place[12], wanted[12];
		struct launch_plan plan = {.pid_places = {place}, .pid_count = 1};

		memset(place, ' ', sizeof(place));
		launch_plan_write_pid(&plan, pids[i]);
		(void)snprintf(wanted, sizeof(wanted), "%d", (int)pids[i]);
		assert_string_equal(place, wanted);
	}
}

static void test_words_then_they_stand_in_for_the_command(void **context)
{
	static char echo[] = "echo", word[] = "%{name} %d", *words[] = {echo, word, NULL};

	(void)context;
	request.words = words;
	launch();
	assert_line("web %d");
}

static void test_failing_step_then_the_row_names_it(void **context)
{
	static char nothing[] = "/nonexistent/x", *words[] = {nothing, NULL};

	(void)context;
	request.words = words;
	launch();
	assert_int_equal(outcome->error, 0);
	assert_int_equal(atomic_load(&ledger->table[ROW].failure.step), LAUNCH_EXEC);
	assert_int_equal(atomic_load(&ledger->table[ROW].failure.error), ENOENT);
	assert_int_equal(child_status, 127 << 8);
	assert_int_equal(ledger->table[ROW].last_pid, atomic_load(&ledger->pids[ROW]));
}

static void test_no_words_at_all_then_nothing_is_made(void **context)
{
	char *none[] = {NULL};

	(void)context;
	config.key_command = none;
	launch();
	assert_int_equal(outcome->error, -EINVAL);
	assert_int_equal(outcome->step, LAUNCH_PREPARE);
	assert_int_equal(atomic_load(&ledger->pids[ROW]), 0);
}

/* The child has exactly these, at these numbers, whatever order they come in. */
static void test_further_descriptors_then_the_child_has_them_and_no_others(void **context)
{
	static const int numbers[] = {250, 3, 12, 11, 4, 14};
	enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };
	struct launch_fd extra[COUNT];
	char wanted[64];

	(void)context;
	for (int i = 0; i < COUNT; i++) {
		int fd = memfd_create("extra", MFD_CLOEXEC);

		extra[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH + 100);
		extra[i].number = numbers[i];
		assert_int_equal(dprintf(extra[i].fd, "for %d\n", numbers[i]) > 0, true);
		close(fd);
	}
	request.extra = extra;
	request.extra_count = COUNT;
	/* No more than built-in commands: a pipe of the shell's own would be found, too. */
	launch_shell("n=3; while [ $n -lt 300 ]; do "
		     "[ ! -e /proc/$$/fd/$n ] || cat /proc/$$/fd/$n; n=$((n + 1)); done");
	for (int i = 0; i < COUNT; i++) {
		(void)snprintf(wanted, sizeof(wanted), "for %d", numbers[i]);
		assert_line(wanted);
		close(extra[i].fd);
	}
	assert_string_equal(text, "for 3\nfor 4\nfor 11\nfor 12\nfor 14\nfor 250\n");
}

static void test_two_descriptors_of_one_number_then_it_is_refused(void **context)
{
	const struct launch_fd extra[] = {{null, 5}, {null, 4}, {null, 5}};

	(void)context;
	request.extra = extra;
	request.extra_count = 3;
	launch();
	assert_int_equal(outcome->error, -EEXIST);
	assert_int_equal(outcome->step, LAUNCH_DESCRIPTORS);
}

static void test_sort_then_bad_numbers_are_refused(void **context)
{
	static struct launch_fd many[LAUNCH_EXTRA + 1], sorted[LAUNCH_EXTRA];
	const struct launch_fd low[] = {{null, 2}};

	(void)context;
	for (int i = 0; i <= LAUNCH_EXTRA; i++)
		many[i].number = 3 + LAUNCH_EXTRA - i;
	assert_int_equal(launch_fd_sort(many, LAUNCH_EXTRA + 1, sorted), -E2BIG);
	assert_int_equal(launch_fd_sort(low, 1, sorted), -EINVAL);
	assert_int_equal(launch_fd_sort(many, LAUNCH_EXTRA, sorted), 0);
	for (int i = 1; i < LAUNCH_EXTRA; i++)
		assert_true(sorted[i - 1].number < sorted[i].number);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* In a process of its own, whose descriptors are at our mercy: stage, place, and compare. */
static int place_and_compare(const struct launch_fd *sorted, size_t count, const int streams[3])
{
	int error;

	if (launch_fd_reserve() < 0 || launch_fd_stage(streams, sorted, count) < 0)
		return 2;
	error = launch_fd_place(sorted, count);
	if (error < 0)
		return 3;
	for (int i = 0; i < 3; i++)
		if (inode_of(i) != inode_of(streams[i]) || fcntl(i, F_GETFD) != 0)
			return 4;
	for (size_t i = 0; i < count; i++)
		if (inode_of(sorted[i].number) != inode_of(sorted[i].fd) ||
		    fcntl(sorted[i].number, F_GETFD) != 0)
			return 5;
	return 0;
}

/* As place_and_compare(); an idle place is our own standard input, which is /dev/null. */
static int stage_and_look(const int streams[3])
{
	static const int nothing[3] = {STDIN_FILENO, STDIN_FILENO, STDIN_FILENO};
	const int bad[3] = {streams[0], streams[1], -1};

	if (dup2(null, STDIN_FILENO) < 0 || launch_fd_reserve() < 0)
		return 2;
	for (int round = 0; round < 3; round++) {
		/* At first, after those of a launch, and after a stage that failed half way. */
		if (round == 1) {
			if (launch_fd_stage(streams, NULL, 0) < 0)
				return 3;
			if (inode_of(LAUNCH_STAGE + 1) != inode_of(streams[1]))
				return 4;
			launch_fd_unstage(streams, 0);
		}
		if (round == 2 && launch_fd_stage(bad, NULL, 0) != -EBADF)
			return 5;
		if (launch_fd_stage(nothing, NULL, 0) < 0)
			return 6;
		for (int i = 0; i < 3; i++)
			if (inode_of(LAUNCH_STAGE + i) != inode_of(null))
				return 7 + i;
	}
	return 0;
}

static void test_nothing_wanted_then_it_is_null_whatever_was_there_before(void **context)
{
	const int streams[3] = {output, output, output};
	pid_t pid = fork();
	int status;

	(void)context;
	if (pid == 0)
		_exit(stage_and_look(streams));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Every set of numbers around the stage, where the copies could hit each other. */
static void test_numbers_within_the_stage_then_each_gets_what_it_should(void **context)
{
	enum { FIRST = 9, SPAN = 10, FILES = SPAN + 3 };
	int files[FILES];
	pid_t pid;

	(void)context;
	for (int i = 0; i < FILES; i++) {
		int fd = memfd_create("file", MFD_CLOEXEC);

		files[i] = fcntl(fd, F_DUPFD_CLOEXEC, HIGH + 100);
		close(fd);
	}
	for (unsigned set = 0; set < 1U << SPAN; set++) {
		struct launch_fd sorted[SPAN];
		size_t count = 0;
		int status;

		for (int i = 0; i < SPAN; i++)
			if (set & (1U << i))
				sorted[count++] = (struct launch_fd){files[i + 3], FIRST + i};
		pid = fork();
		if (pid == 0)
			_exit(place_and_compare(sorted, count, files));
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("set %#x: %d", set, WEXITSTATUS(status));
	}
	for (int i = 0; i < FILES; i++)
		close(files[i]);
}

/* From here on the system call does nothing and returns this error; 0: as if it had done all. */
static void forbid(unsigned number, unsigned error)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(1);
}

/* As container run times do that do not know the call. */
static void forbid_clone3(void)
{
	forbid(SYS_clone3, ENOSYS);
}

static void forbid_setgroups(void)
{
	forbid(SYS_setgroups, EPERM);
}

static void forbid_setresgid(void)
{
	forbid(SYS_setresgid, EINVAL);
}

static void forbid_setresuid(void)
{
	forbid(SYS_setresuid, EAGAIN);
}

static void ignore_setresgid(void)
{
	forbid(SYS_setresgid, 0);
}

static void ignore_setresuid(void)
{
	forbid(SYS_setresuid, 0);
}

/* A program under another user, of whose rights something cannot be dropped, does not run. */
static void assert_not_run(void (*prepare)(void), enum launch_step step, int error)
{
	static char echo[] = "echo", word[] = "here", *words[] = {echo, word, NULL};

	ids.uid = ids.gid = geteuid() == 0 ? 65534 : geteuid();
	ids.change = true;
	memset(&ledger->table[ROW].failure, 0, sizeof(ledger->table[ROW].failure));
	request.words = words;
	launch_after(prepare);
	assert_int_equal(outcome->error, 0);
	assert_int_equal(atomic_load(&ledger->table[ROW].failure.step), step);
	assert_int_equal(atomic_load(&ledger->table[ROW].failure.error), error);
	assert_string_equal(text, "");
	assert_int_equal(child_status, 127 << 8);
}

static void test_rights_that_cannot_be_dropped_then_the_row_names_the_step(void **context)
{
	(void)context;
	assert_not_run(forbid_setgroups, LAUNCH_GROUPS, EPERM);
	if (geteuid() != 0)
		skip(); /* setgroups(2) is the first that fails */
	assert_not_run(forbid_setresgid, LAUNCH_GID, EINVAL);
	assert_not_run(forbid_setresuid, LAUNCH_UID, EAGAIN);
}

static void test_rights_that_only_seem_dropped_then_the_program_does_not_run(void **context)
{
	(void)context;
	if (geteuid() != 0)
		skip();
	assert_not_run(ignore_setresgid, LAUNCH_UID, EPERM);
	assert_not_run(ignore_setresuid, LAUNCH_UID, EPERM);
}

/* The path of the child's cgroup as it sees it itself, behind "0::". */
static void launch_into_cgroup(void (*prepare)(void))
{
	static char cat[] = "cat", file[] = "/proc/self/cgroup", *words[] = {cat, file, NULL};
	struct cgroups cgroups;
	char wanted[PATH_MAX + 32];

	cgroups_init(&cgroups, UINT64_C(0x1a00000000) + (uint64_t)getpid());
	if (cgroups.base < 0) {
		print_message("no cgroups: %s\n", cgroups.reason);
		skip();
	}
	request.words = words;
	request.cgroup = cgroup_open(&cgroups, ROW, "web");
	assert_true(request.cgroup >= 0);
	launch_after(prepare);
	close(request.cgroup);
	(void)snprintf(wanted, sizeof(wanted), "0::%s/%d-web", cgroups.path, ROW);
	cgroups_remove(&cgroups);
	cgroups_done(&cgroups);
	assert_int_equal(outcome->error, 0);
	assert_int_equal(outcome->lack.cgroup, 0);
	assert_line(wanted);
}

static void test_cgroup_then_the_child_is_in_it(void **context)
{
	(void)context;
	launch_into_cgroup(NULL);
}

static void test_cgroup_without_clone3_then_the_child_is_in_it_all_the_same(void **context)
{
	(void)context;
	launch_into_cgroup(forbid_clone3);
}

static void test_cgroup_that_is_none_then_the_program_runs_without(void **context)
{
	(void)context;
	request.cgroup = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	launch_shell("echo here");
	close(request.cgroup);
	assert_int_equal(outcome->error, 0);
	assert_int_equal(outcome->lack.cgroup, -ENOENT);
	assert_line("here");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_environment_then_the_callers_wins_over_the_stanzas_and_that_over_ours),
	    TEST(test_node_preload_then_it_stands_behind_the_stanzas_options),
	    TEST(test_own_executable_when_its_user_may_not_search_its_directory_then_it_runs),
	    TEST(test_pid_variables_then_they_are_the_childs),
	    TEST(test_pid_then_it_is_written_in_full),
	    TEST(test_words_then_they_stand_in_for_the_command),
	    TEST(test_failing_step_then_the_row_names_it),
	    TEST(test_no_words_at_all_then_nothing_is_made),
	    TEST(test_further_descriptors_then_the_child_has_them_and_no_others),
	    TEST(test_two_descriptors_of_one_number_then_it_is_refused),
	    TEST(test_sort_then_bad_numbers_are_refused),
	    TEST(test_numbers_within_the_stage_then_each_gets_what_it_should),
	    TEST(test_nothing_wanted_then_it_is_null_whatever_was_there_before),
	    TEST(test_cgroup_then_the_child_is_in_it),
	    TEST(test_cgroup_without_clone3_then_the_child_is_in_it_all_the_same),
	    TEST(test_cgroup_that_is_none_then_the_program_runs_without),
	    TEST(test_rights_that_cannot_be_dropped_then_the_row_names_the_step),
	    TEST(test_rights_that_only_seem_dropped_then_the_program_does_not_run),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
