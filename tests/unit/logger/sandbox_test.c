/* SPDX-License-Identifier: ISC */
/* The sandbox, from within: each test confines a child, which says by its exit code how far it got.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ownlog.h"
#include "supervisord/logger/sandbox.h"

/* A child that finds nothing wrong. */
#define CHILD_GOOD 0
/* The kernel cannot do it here. */
#define CHILD_SKIP 77

struct place {
	char directory[64];
	char log[80];     /* in it, closed for others */
	char outside[80]; /* beside it */
};

static struct sandbox sandbox;

static void make_path(char *ret_path, size_t size, const char *directory, const char *name)
{
	assert_true(snprintf(ret_path, size, "%s%s", directory, name) < (int)size);
}

static int set_up(void **state)
{
	static struct place place;

	memcpy(place.directory, "/tmp/sandbox.XXXXXX", 20);
	assert_non_null(mkdtemp(place.directory));
	make_path(place.outside, sizeof(place.outside), place.directory, "/outside");
	make_path(place.log, sizeof(place.log), place.directory, "/logs");
	assert_int_equal(close(open(place.outside, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), 0);
	make_path(place.log, sizeof(place.log), place.directory, "/logs/web.log");
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	const struct place *place = *state;
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", place->directory);
	return system(command);
}

/* The line number of the check that failed is the exit code; codes have 8 bits, so modulo. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "# line %d: %s (%s)\n", __LINE__, #condition,        \
			    strerror(errno));                                                      \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void run_child(void (*act)(const struct place *place), const struct place *place)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		act(place);
		_exit(CHILD_GOOD);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIP)
		skip();
	assert_int_equal(status, 0);
}

static void close_paths(const struct place *place)
{
	struct logspec spec = {.name = "web", .path = place->log};
	struct logspec_table table = {.count = 1, .specs = &spec};

	sandbox_close_paths(&sandbox, &table);
	if (sandbox.paths < 0)
		_exit(CHILD_SKIP);
}

static void enter(const struct place *place)
{
	(void)place;
	ownlog_init("test", OWNLOG_ERROR);
	sandbox_enter(&sandbox);
	CHECK(sandbox.no_new_privs == 0);
	CHECK(sandbox.capabilities == 0);
	CHECK(sandbox.filter == 0);
}

static void child_calls(const struct place *place)
{
	static char word[] = "true";
	char *const argv[] = {word, NULL};

	enter(place);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(execv("/bin/true", argv) < 0 && errno == EPERM);
	CHECK(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL, 0) < 0 && errno == EPERM);
	CHECK(unshare(CLONE_NEWUSER) < 0 && errno == EPERM);
	CHECK(
	    syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) < 0 && errno == EPERM);
	CHECK(syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM);
	CHECK(syscall(425 /* io_uring_setup */, 1, NULL) < 0 && errno == EPERM);
	CHECK(syscall(SYS_adjtimex, NULL) < 0 && errno == EPERM);
	CHECK(syscall(435 /* clone3 */, NULL, 0) < 0 && errno == ENOSYS);
	CHECK(ioctl(STDIN_FILENO, TIOCSTI, "x") < 0 && errno == EPERM);
}

static void test_enter_when_done_then_nothing_can_be_executed_or_unshared(void **state)
{
	run_child(child_calls, *state);
}

/* What compresses is a child without exec; it is as confined as its parent. */
static void child_forks(const struct place *place)
{
	static char word[] = "true";
	char *const argv[] = {word, NULL};
	int status;
	pid_t pid;

	enter(place);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(execv("/bin/true", argv) < 0 && errno == EPERM && nice(5) >= 0 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void test_enter_when_done_then_a_child_may_be_forked_but_not_exec(void **state)
{
	run_child(child_forks, *state);
}

static void child_capabilities(const struct place *place)
{
	char line[128];
	unsigned long long value;
	unsigned found = 0;
	FILE *status;

	enter(place);
	status = fopen("/proc/self/status", "re");
	CHECK(status != NULL);
	while (fgets(line, sizeof(line), status) != NULL) {
		if (sscanf(line, "CapInh: %llx", &value) == 1 ||
		    sscanf(line, "CapAmb: %llx", &value) == 1)
			CHECK(value == 0 && ++found);
		if (sscanf(line, "CapPrm: %llx", &value) == 1 ||
		    sscanf(line, "CapEff: %llx", &value) == 1)
			CHECK((value & ~0xbULL) == 0 && ++found); /* chown, dac_override, fowner */
		if (sscanf(line, "CapBnd: %llx", &value) == 1 && sandbox.bounding_set == 0)
			CHECK((value & ~0xbULL) == 0);
	}
	CHECK(found == 4);
	(void)fclose(status);
}

static void test_enter_when_done_then_at_most_three_capabilities_are_left(void **state)
{
	run_child(child_capabilities, *state);
}

/* As root: a log of somebody else in a directory of somebody else. */
static void child_owner(const struct place *place)
{
	char directory[80];
	struct stat st;
	int fd;

	if (geteuid() != 0)
		_exit(CHILD_SKIP);
	make_path(directory, sizeof(directory), place->directory, "/logs");
	CHECK(mkdir(directory, 0700) == 0);
	if (chown(directory, 1234, 1234) < 0)
		_exit(CHILD_SKIP); /* root of a container that may not even do this */
	enter(place);
	close_paths(place);
	fd = open(place->log, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	CHECK(fd >= 0);
	CHECK(fchown(fd, 1234, 4321) == 0);
	CHECK(fchmod(fd, 0600) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_uid == 1234 && st.st_gid == 4321);
	CHECK(close(fd) == 0 && open(place->log, O_RDWR | O_CLOEXEC) >= 0);
	CHECK(setuid(1) < 0 && errno == EPERM);
	CHECK(kill(1, 0) < 0 || getpid() != 1);
}

static void test_enter_when_root_then_files_can_be_given_away_and_still_be_written(void **state)
{
	run_child(child_owner, *state);
}

static void child_files(const struct place *place)
{
	char archive[80], other[80];

	enter(place);
	close_paths(place);
	/* Inside: what rotation does, in a directory that was made for it. */
	CHECK(close(open(place->log, O_RDWR | O_CREAT | O_CLOEXEC, 0640)) == 0);
	make_path(archive, sizeof(archive), place->directory, "/logs/web.log.1");
	CHECK(rename(place->log, archive) == 0);
	CHECK(truncate(archive, 0) == 0);
	CHECK(unlink(archive) == 0);
	make_path(other, sizeof(other), place->directory, "/logs/below");
	CHECK(mkdir(other, 0755) == 0);
	make_path(other, sizeof(other), place->directory, "/logs/below/db.log");
	CHECK(close(open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0640)) == 0);
	/* Outside. */
	CHECK(open(place->outside, O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
	CHECK(open(place->outside, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
	CHECK(unlink(place->outside) < 0 && errno == EACCES);
	make_path(other, sizeof(other), place->directory, "/new");
	CHECK(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0640) < 0 && errno == EACCES);
	CHECK(mkdir(other, 0755) < 0 && errno == EACCES);
	CHECK(open("/dev/null", O_WRONLY | O_CLOEXEC) >= 0);
	CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
	CHECK(open("/etc/passwd", O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES);
}

static void test_close_paths_when_done_then_only_log_directories_are_written(void **state)
{
	run_child(child_files, *state);
}

static void child_outdated(const struct place *place)
{
	char logs[80], path[96];

	enter(place);
	make_path(path, sizeof(path), place->directory, "/new/web.log");
	CHECK(!sandbox_is_outdated(&sandbox, path)); /* nothing is closed yet */
	close_paths(place);
	CHECK(sandbox_is_outdated(&sandbox, path));
	CHECK(!sandbox_is_outdated(&sandbox, place->log));
	make_path(path, sizeof(path), place->directory, "/logs/below/x.log");
	CHECK(sandbox_is_outdated(&sandbox, path)); /* somebody has to make it: not so below */
	make_path(logs, sizeof(logs), place->directory, "/logs/below");
	CHECK(mkdir(logs, 0755) == 0 && !sandbox_is_outdated(&sandbox, path));
	CHECK(!sandbox_is_outdated(&sandbox, "relative"));
}

static void test_is_outdated_when_a_directory_is_not_open_then_true(void **state)
{
	run_child(child_outdated, *state);
}

/* The child may not, so its parent moves the directory away; they take turns by two pipes. */
static int turn[2][2];

static void give_turn(int to)
{
	CHECK(write(turn[to][1], "", 1) == 1);
}

static void await_turn(int who)
{
	char byte;

	CHECK(read(turn[who][0], &byte, 1) == 1);
}

static void child_replaced(const struct place *place)
{
	enter(place);
	close_paths(place);
	give_turn(1);
	await_turn(0); /* it is gone */
	CHECK(sandbox_is_outdated(&sandbox, place->log));
	give_turn(1);
	await_turn(0); /* and another one is there */
	CHECK(sandbox_is_outdated(&sandbox, place->log));
	CHECK(open(place->log, O_RDWR | O_CREAT | O_CLOEXEC, 0640) < 0 && errno == EACCES);
}

static void test_is_outdated_when_the_directory_was_replaced_then_true(void **state)
{
	const struct place *place = *state;
	char logs[80], moved[80];
	int status;
	pid_t pid;

	make_path(logs, sizeof(logs), place->directory, "/logs");
	make_path(moved, sizeof(moved), place->directory, "/moved");
	assert_int_equal(pipe2(turn[0], O_CLOEXEC), 0);
	assert_int_equal(pipe2(turn[1], O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(turn[0][1]);
		child_replaced(place);
		_exit(CHILD_GOOD);
	}
	(void)close(turn[1][1]);
	for (int step = 0; step < 2; step++) {
		char byte;

		if (read(turn[1][0], &byte, 1) != 1)
			break; /* it ended: the status tells */
		assert_int_equal(step == 0 ? rename(logs, moved) : mkdir(logs, 0755), 0);
		assert_int_equal(write(turn[0][1], "", 1), 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 0; i < 2; i++)
		(void)close(turn[i][0]);
	(void)close(turn[0][1]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIP)
		skip();
	assert_int_equal(status, 0);
}

static void child_unmakeable(const struct place *place)
{
	struct place other = *place;

	make_path(other.log, sizeof(other.log), place->outside, "/web.log"); /* below a file */
	enter(place);
	close_paths(&other);
	CHECK(!sandbox_is_outdated(&sandbox, other.log));
	make_path(other.log, sizeof(other.log), "/proc/no/such", "/web.log");
	CHECK(sandbox_is_outdated(&sandbox, other.log)); /* the first time it is heard of */
}

static void child_unmakeable_twice(const struct place *place)
{
	struct place other = *place;

	make_path(other.log, sizeof(other.log), "/proc/no/such", "/web.log");
	enter(place);
	close_paths(&other);
	CHECK(!sandbox_is_outdated(&sandbox, other.log));
}

static void test_is_outdated_when_a_directory_could_not_be_made_then_not_again(void **state)
{
	run_child(child_unmakeable, *state);
	run_child(child_unmakeable_twice, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_enter_when_done_then_nothing_can_be_executed_or_unshared, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_enter_when_done_then_a_child_may_be_forked_but_not_exec, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_enter_when_done_then_at_most_three_capabilities_are_left, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_enter_when_root_then_files_can_be_given_away_and_still_be_written, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_close_paths_when_done_then_only_log_directories_are_written, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_is_outdated_when_a_directory_is_not_open_then_true, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_is_outdated_when_the_directory_was_replaced_then_true, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_is_outdated_when_a_directory_could_not_be_made_then_not_again, set_up,
		tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
