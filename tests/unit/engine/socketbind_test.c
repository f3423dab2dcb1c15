/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/socketbind.h and socketowner.h, with real sockets. */
#include "tests/unit/engine/confdir.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>

#include "supervisord/engine/socketbind.h"
#include "supervisord/engine/socketowner.h"

static const struct socket_config plain = {.key_backlog = 8, .key_mode = 0640};

/* Of a file in the private directory; what was given before is gone then. */
static struct socket_address named(const char *kind, const char *name)
{
	static char text[256];
	struct socket_address address;
	const char *problem = "";

	snprintf(text, sizeof(text), "%s:%s", kind, confdir_path(name));
	if (socketaddress_parse(text, &address, &problem) < 0)
		fail_msg("%s: %s", text, problem);
	return address;
}

/* 127.0.0.1, a port that is free. */
static struct socket_address free_port(int type)
{
	struct socket_address address = {.kind = type == SOCK_STREAM ? SOCKET_TCP : SOCKET_UDP};
	int fd = socket(AF_INET, type, 0);

	address.in =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	address.length = sizeof(address.in);
	assert_int_equal(bind(fd, &address.any, address.length), 0);
	assert_int_equal(getsockname(fd, &address.any, &address.length), 0);
	close(fd);
	return address;
}

static int option(int fd, int level, int name)
{
	socklen_t size = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

static int open_one(const struct socket_config *config, const struct socket_address *address)
{
	int fd = -1, error = socketbind_open(config, address, &fd);

	assert_int_equal(error, 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	return fd;
}

static void test_tcp_socket_listens_with_its_options(void **state)
{
	const struct socket_config config = {.key_backlog = 8,
	    .key_nodelay = true,
	    .key_keepalive = true,
	    .key_reuse_port = true,
	    .key_receive_buffer = 65536};
	struct socket_address address = free_port(SOCK_STREAM);
	int fd = open_one(&config, &address);

	(void)state;
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_RCVBUF), 2 * 65536); /* socket(7) */
	close(fd);
}

static void test_options_of_an_open_socket_change(void **state)
{
	const struct socket_config changed = {
	    .key_backlog = 3, .key_nodelay = true, .key_mode = 0600};
	struct socket_address address = free_port(SOCK_STREAM);
	int fd = open_one(&plain, &address);

	(void)state;
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(socketbind_adjust(&changed, &address, fd), 0);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	close(fd);
}

static void test_address_that_is_in_use_is_refused_and_its_owner_is_known(void **state)
{
	struct socket_address kinds[] = {free_port(SOCK_STREAM), free_port(SOCK_DGRAM)};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct socket_owner owner;
		struct socket_address all = {.kind = kinds[i].kind, .everywhere = true};
		char text[SOCKETOWNER_TEXT], expected[64];
		int fd, other = -1;
		struct stat st;

		assert_false(socketowner_find(&kinds[i], &owner));
		fd = open_one(&plain, &kinds[i]);
		assert_int_equal(socketbind_open(&plain, &kinds[i], &other), -EADDRINUSE);
		assert_int_equal(other, -1);
		assert_true(socketowner_find(&kinds[i], &owner));
		assert_int_equal(owner.pid, getpid());
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(owner.inode, st.st_ino);
		snprintf(expected, sizeof(expected), " (process %d)", (int)getpid());
		assert_non_null(strstr(socketowner_text(&owner, text), expected));
		/* Every address of the machine has this one in it. */
		all.in6 = (struct sockaddr_in6){
		    .sin6_family = AF_INET6, .sin6_port = kinds[i].in.sin_port};
		all.length = sizeof(all.in6);
		assert_true(socketowner_find(&all, &owner));
		close(fd);
		assert_false(socketowner_find(&kinds[i], &owner));
	}
}

static void test_unix_socket_has_its_mode_and_goes_with_its_name(void **state)
{
	const char *kinds[] = {"unix", "unix-dgram", "unix-seqpacket"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct socket_address address = named(kinds[i], "s");
		int fd = open_one(&plain, &address);
		struct socket_owner owner;
		struct stat st;

		assert_int_equal(lstat(address.path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0640);
		assert_true(socketowner_find(&address, &owner));
		assert_int_equal(owner.pid, getpid());
		assert_true(socketbind_is_there(&address, fd));
		socketbind_remove(&address, fd);
		assert_int_equal(lstat(address.path, &st), -1);
		assert_false(socketbind_is_there(&address, fd));
		close(fd);
	}
}

static void test_file_of_a_socket_that_nobody_serves_is_replaced(void **state)
{
	struct socket_address address = named("unix", "stale");
	int first = open_one(&plain, &address), second = -1;

	(void)state;
	assert_int_equal(socketbind_open(&plain, &address, &second), -EADDRINUSE);
	close(first);
	second = open_one(&plain, &address);
	socketbind_remove(&address, second);
	close(second);
}

/* It stands at the same place, and is another one's. */
static void test_name_that_leads_to_another_socket_is_left_alone(void **state)
{
	struct socket_address address = named("unix", "moved");
	int ours = open_one(&plain, &address), other;
	struct stat st;

	(void)state;
	assert_int_equal(unlink(address.path), 0);
	other = open_one(&plain, &address);
	assert_false(socketbind_is_there(&address, ours));
	socketbind_remove(&address, ours);
	assert_int_equal(lstat(address.path, &st), 0);
	assert_true(socketbind_is_there(&address, other));
	socketbind_remove(&address, other);
	close(ours);
	close(other);
}

static void test_file_of_another_kind_is_left_alone(void **state)
{
	struct socket_address address = named("unix", "file");
	int fd = -1;

	(void)state;
	confdir_write("file", "text");
	address = named("unix", "file");
	assert_int_equal(socketbind_open(&plain, &address, &fd), -EEXIST);
	address = named("fifo", "file");
	assert_int_equal(socketbind_open(&plain, &address, &fd), -EEXIST);
	assert_int_equal(access(address.path, F_OK), 0);
}

static void test_fifo_is_made_or_taken_as_it_is(void **state)
{
	struct socket_address address = named("fifo", "f");
	int fd = open_one(&plain, &address), other;
	struct stat st;

	(void)state;
	assert_int_equal(lstat(address.path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0640);
	other = open_one(&plain, &address);
	assert_true(socketbind_is_there(&address, other));
	close(other);
	socketbind_remove(&address, fd);
	assert_int_equal(access(address.path, F_OK), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tcp_socket_listens_with_its_options),
	    cmocka_unit_test(test_options_of_an_open_socket_change),
	    cmocka_unit_test(test_address_that_is_in_use_is_refused_and_its_owner_is_known),
	    cmocka_unit_test(test_unix_socket_has_its_mode_and_goes_with_its_name),
	    cmocka_unit_test(test_file_of_a_socket_that_nobody_serves_is_replaced),
	    cmocka_unit_test(test_name_that_leads_to_another_socket_is_left_alone),
	    cmocka_unit_test(test_file_of_another_kind_is_left_alone),
	    cmocka_unit_test(test_fifo_is_made_or_taken_as_it_is),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
