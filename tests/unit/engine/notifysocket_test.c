/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/notifysocket.h with real senders. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/notifysocket.h"

static char run_dir[] = "/tmp/notifysocket.XXXXXX";
static int server = -1;
static struct notify_datagram datagram;

static int set_up(void **context)
{
	(void)context;
	memcpy(run_dir + sizeof(run_dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(run_dir));
	assert_int_equal(notifysocket_make(run_dir, "web", geteuid(), getegid(), &server), 0);
	return 0;
}

static int tear_down(void **context)
{
	(void)context;
	notifysocket_remove(server);
	close(server);
	assert_int_equal(rmdir(run_dir), 0); /* nothing is left in it */
	return 0;
}

static size_t count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

/* Returns 0 or an errno. */
static int send_message(const char *text, size_t length, size_t fd_count)
{
	struct sockaddr_un address;
	char control[CMSG_SPACE(sizeof(int) * NOTIFYSOCKET_FDS)] = {0};
	struct iovec part = {.iov_base = (char *)(uintptr_t)text, .iov_len = length};
	struct msghdr header = {.msg_name = &address,
	    .msg_namelen = sizeof(address),
	    .msg_iov = &part,
	    .msg_iovlen = 1};
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	assert_true(client >= 0);
	assert_int_equal(notifysocket_path(server, &address), 0);
	if (fd_count > 0) {
		struct cmsghdr *cmsg;

		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		for (size_t i = 0; i < fd_count; i++)
			((int *)(void *)CMSG_DATA(cmsg))[i] = server;
	}
	if (sendmsg(client, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		error = errno;
	close(client);
	return error;
}

static void test_make_when_made_then_it_is_the_users_alone(void **context)
{
	struct sockaddr_un address;
	char path[128];
	struct stat st;

	(void)context;
	assert_int_equal(notifysocket_path(server, &address), 0);
	(void)snprintf(path, sizeof(path), "%s/notify/web", run_dir);
	assert_string_equal(address.sun_path, path);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0666 : 0600);
	assert_int_equal(st.st_uid, geteuid());
	assert_true(notifysocket_is_there(server, geteuid()));
	assert_false(notifysocket_is_there(server, geteuid() + 1));
	(void)snprintf(path, sizeof(path), "%s/notify", run_dir);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
}

static void test_make_when_another_user_is_to_write_then_it_is_his(void **context)
{
	int other = -1;

	(void)context;
	if (geteuid() != 0)
		skip();
	assert_int_equal(notifysocket_make(run_dir, "db", 65534, 65534, &other), 0);
	assert_int_equal(notifysocket_owner(other), 65534);
	notifysocket_remove(other);
	assert_int_equal(notifysocket_owner(other), (uid_t)-1);
	close(other);
	/* The directory is still needed. */
	assert_true(notifysocket_is_there(server, 0));
}

static void test_make_when_something_is_there_then_it_is_replaced(void **context)
{
	int again = -1;

	(void)context;
	assert_int_equal(notifysocket_make(run_dir, "web", geteuid(), getegid(), &again), 0);
	close(server);
	server = again;
	assert_int_equal(send_message("READY=1", 7, 0), 0);
	assert_int_equal(notifysocket_receive(server, &datagram), 1);
}

static void test_make_when_the_path_is_too_long_then_that_is_said(void **context)
{
	char name[64];
	int fd = -1;

	(void)context;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	/* 108 bytes with the NUL: run_dir, "/notify/", and the name are one too many. */
	char directory[64];

	memset(directory, 'd', sizeof(directory));
	directory[0] = '/';
	directory[108 - 8 - 63] = '\0';
	assert_int_equal(
	    notifysocket_make(directory, name, geteuid(), getegid(), &fd), -ENAMETOOLONG);
	/* One less is something else. */
	directory[108 - 8 - 64] = '\0';
	assert_int_equal(notifysocket_make(directory, name, geteuid(), getegid(), &fd), -ENOENT);
	assert_int_equal(fd, -1);
}

static void test_make_when_the_directory_is_a_link_then_refused(void **context)
{
	char path[128];
	int fd = -1;

	(void)context;
	notifysocket_remove(server);
	(void)snprintf(path, sizeof(path), "%s/notify", run_dir);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(notifysocket_make(run_dir, "web", geteuid(), getegid(), &fd), -ENOTDIR);
	assert_int_equal(unlink(path), 0);
}

static void test_is_there_when_its_name_was_removed_then_not(void **context)
{
	struct sockaddr_un address;

	(void)context;
	assert_int_equal(notifysocket_path(server, &address), 0);
	assert_int_equal(unlink(address.sun_path), 0);
	assert_false(notifysocket_is_there(server, geteuid()));
}

static void test_receive_when_nothing_is_there_then_it_does_not_wait(void **context)
{
	(void)context;
	assert_int_equal(notifysocket_receive(server, &datagram), 0);
}

static void test_receive_when_a_child_has_sent_it_then_it_is_named(void **context)
{
	pid_t child = fork();

	(void)context;
	if (child == 0)
		_exit(send_message("READY=1\nX=\n", 11, 0));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(notifysocket_receive(server, &datagram), 1);
	assert_int_equal(datagram.pid, child);
	assert_int_equal(datagram.uid, geteuid());
	assert_int_equal(datagram.length, 11);
	assert_memory_equal(datagram.text, "READY=1\nX=\n", 11);
	assert_int_equal(datagram.fd_count, 0);
}

static void test_receive_when_there_are_descriptors_then_they_close_on_exec(void **context)
{
	size_t before = count_fds();

	(void)context;
	assert_int_equal(send_message("FDSTORE=1", 9, 3), 0);
	assert_int_equal(notifysocket_receive(server, &datagram), 1);
	assert_int_equal(datagram.fd_count, 3);
	for (int i = 0; i < 3; i++)
		assert_true(fcntl(datagram.fds[i], F_GETFD) & FD_CLOEXEC);
	/* One is taken. */
	assert_int_equal(close(datagram.fds[1]), 0);
	datagram.fds[1] = -1;
	notifysocket_drop_fds(&datagram);
	notifysocket_drop_fds(&datagram);
	assert_int_equal(count_fds(), before);
}

static void test_receive_when_as_many_as_can_be_then_all_come(void **context)
{
	size_t before = count_fds();

	(void)context;
	assert_int_equal(send_message("FDSTORE=1", 9, NOTIFYSOCKET_FDS), 0);
	assert_int_equal(notifysocket_receive(server, &datagram), 1);
	assert_int_equal(datagram.fd_count, NOTIFYSOCKET_FDS);
	notifysocket_drop_fds(&datagram);
	assert_int_equal(count_fds(), before);
}

static void test_receive_when_it_is_too_long_then_lost_and_its_descriptors_closed(void **context)
{
	static char text[LIMIT_NOTIFY_BYTES + 1];
	size_t before = count_fds();

	(void)context;
	memset(text, 'x', sizeof(text));
	assert_int_equal(send_message(text, sizeof(text), 2), 0);
	assert_int_equal(send_message(text, sizeof(text) - 1, 2), 0);
	assert_int_equal(notifysocket_receive(server, &datagram), -EBADMSG);
	assert_int_equal(count_fds(), before);
	/* The next one is read. */
	assert_int_equal(notifysocket_receive(server, &datagram), 1);
	assert_int_equal(datagram.length, LIMIT_NOTIFY_BYTES);
	notifysocket_drop_fds(&datagram);
	assert_int_equal(count_fds(), before);
}

/* The rest of the descriptors is lost in the kernel: what came is not what was meant. */
static void test_receive_when_there_is_no_room_for_descriptors_then_lost(void **context)
{
	size_t before = count_fds();
	struct rlimit limit, low;
	int lowest = dup(server);

	(void)context;
	assert_int_equal(send_message("FDSTORE=1", 9, 8), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	close(lowest);
	low = (struct rlimit){.rlim_cur = (rlim_t)lowest + 2, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(notifysocket_receive(server, &datagram), -EBADMSG);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(datagram.fd_count, 0);
	assert_int_equal(count_fds(), before);
}

static void test_receive_when_it_is_empty_then_it_is_a_message(void **context)
{
	(void)context;
	assert_int_equal(send_message("", 0, 0), 0);
	assert_int_equal(notifysocket_receive(server, &datagram), 1);
	assert_int_equal(datagram.length, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_make_when_made_then_it_is_the_users_alone),
	    TEST(test_make_when_another_user_is_to_write_then_it_is_his),
	    TEST(test_make_when_something_is_there_then_it_is_replaced),
	    TEST(test_make_when_the_path_is_too_long_then_that_is_said),
	    TEST(test_make_when_the_directory_is_a_link_then_refused),
	    TEST(test_is_there_when_its_name_was_removed_then_not),
	    TEST(test_receive_when_nothing_is_there_then_it_does_not_wait),
	    TEST(test_receive_when_a_child_has_sent_it_then_it_is_named),
	    TEST(test_receive_when_there_are_descriptors_then_they_close_on_exec),
	    TEST(test_receive_when_as_many_as_can_be_then_all_come),
	    TEST(test_receive_when_it_is_too_long_then_lost_and_its_descriptors_closed),
	    TEST(test_receive_when_there_is_no_room_for_descriptors_then_lost),
	    TEST(test_receive_when_it_is_empty_then_it_is_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
