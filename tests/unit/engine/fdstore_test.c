/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/fdstore.h against a guardian of its own, which writes down every
 * message, so that the engine can be killed after each of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/channel.h"
#include "supervisord/engine/fdstore.h"

#define ROW      5
#define SLOTS    256
#define MESSAGES 512

struct message {
	struct msg_head head;
	int fd; /* -1: none */
};

static struct message messages[MESSAGES]; /* that the engine has sent */
static size_t message_count;
static int guardian = -1;
static struct slots slots;
static struct fdstore store;

/* ---- the guardian -----------------------------------------------------------------------------
 */

static void hear(void)
{
	struct msg msg;

	while (channel_receive(guardian, &msg, MSG_DONTWAIT) > 0) {
		assert_true(message_count < MESSAGES);
		messages[message_count++] =
		    (struct message){.head = msg.head, .fd = msg.fd_count > 0 ? msg.fds[0] : -1};
	}
}

/* A new engine: of what it was sent, the guardian has the first `count` messages. */
static void begin(size_t count, bool backwards)
{
	struct message held[SLOTS] = {{.fd = -1}};
	int pair[2];

	for (size_t i = 0; i < count; i++) {
		assert_true(messages[i].head.slot < SLOTS);
		held[messages[i].head.slot] =
		    messages[i].head.type == MSG_HOLD ? messages[i] : (struct message){.fd = -1};
	}
	assert_int_equal(channel_pair(pair), 0);
	for (size_t i = HELD_SINGLE_MAX; i < SLOTS; i++) {
		struct msg_head head = {
		    .type = MSG_HELD, .slot = (uint32_t)i, .key = held[i].head.key};

		if (held[i].head.key != 0)
			assert_int_equal(channel_send_head(pair[0], &head, held[i].fd, 0), 0);
	}
	assert_int_equal(
	    channel_send_head(pair[0], &(struct msg_head){.type = MSG_HELD_END}, -1, 0), 0);
	assert_int_equal(slots_receive(&slots, pair[1]), 0);
	guardian = pair[0];
	fdstore_init(&store, &slots, ROW);
	for (size_t i = 0; i < slots.count; i++) {
		size_t slot = backwards ? slots.count - 1 - i : i;

		if (slots.list[slot].key != 0)
			fdstore_adopt(&store, slots.list[slot].key, (int)slot);
	}
}

static void end(void)
{
	for (size_t i = 0; i < LIMIT_FDSTORE; i++)
		free(store.entries[i].name);
	close(slots.channel);
	slots_done(&slots);
	close(guardian);
	guardian = -1;
}

static void forget_messages(void)
{
	for (size_t i = 0; i < message_count; i++)
		if (messages[i].fd >= 0)
			close(messages[i].fd);
	message_count = 0;
}

static int set_up(void **context)
{
	(void)context;
	begin(0, false);
	return 0;
}

static int tear_down(void **context)
{
	(void)context;
	hear();
	end();
	forget_messages();
	return 0;
}

/* ---- descriptors ------------------------------------------------------------------------------
 */

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static int make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

/* Stores a new socket; returns its inode. */
static ino_t add_socket(const char *name)
{
	int fd = make_socket();
	ino_t inode = inode_of(fd);

	assert_int_equal(fdstore_add(&store, fd, name, LIMIT_FDSTORE), 0);
	return inode;
}

static void assert_names(const char *wanted)
{
	char *names = fdstore_names(&store, LIMIT_FDSTORE);

	assert_non_null(names);
	assert_string_equal(names, wanted);
	free(names);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void test_list_when_there_are_some_then_in_one_row_with_their_names(void **context)
{
	struct launch_fd list[LIMIT_FDSTORE];
	ino_t one = add_socket("one"), two = add_socket(""), three = add_socket("three 3");

	(void)context;
	assert_int_equal(store.count, 3);
	assert_int_equal(fdstore_list(&store, list, FDSTORE_FIRST, LIMIT_FDSTORE), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(list[i].number, FDSTORE_FIRST + i);
	assert_int_equal(inode_of(list[0].fd), one);
	assert_int_equal(inode_of(list[1].fd), two);
	assert_int_equal(inode_of(list[2].fd), three);
	assert_names("one:stored:three 3");
	/* No more than there is room for. */
	assert_int_equal(fdstore_list(&store, list, FDSTORE_FIRST, 2), 2);
}

static void test_add_when_full_then_refused(void **context)
{
	int fd = make_socket();

	(void)context;
	add_socket("a");
	assert_int_equal(fdstore_add(&store, fd, "b", 1), -ENOSPC);
	for (int i = 1; i < LIMIT_FDSTORE; i++)
		add_socket("a");
	assert_int_equal(fdstore_add(&store, fd, "b", 1000), -ENOSPC);
	assert_int_equal(close(fd), 0); /* it is still ours */
	assert_int_equal(store.count, LIMIT_FDSTORE);
}

static void test_add_when_it_is_there_already_then_not_twice(void **context)
{
	int one = make_socket(), other, event, event_other;

	(void)context;
	other = dup(one);
	assert_int_equal(fdstore_add(&store, one, "a", 9), 0);
	assert_int_equal(fdstore_add(&store, other, "b", 9), -EEXIST);
	close(other);
	/* These have one inode and are two things all the same. */
	event = eventfd(0, EFD_CLOEXEC);
	event_other = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(fdstore_add(&store, event, "c", 9), 0);
	assert_int_equal(fdstore_add(&store, event_other, "c", 9), 0);
	assert_int_equal(store.count, 3);
}

static void test_remove_when_several_have_the_name_then_all_of_them_go(void **context)
{
	(void)context;
	add_socket("a");
	add_socket("b");
	add_socket("a");
	add_socket("");
	assert_int_equal(fdstore_remove(&store, "c"), 0);
	assert_int_equal(fdstore_remove(&store, "a"), 2);
	assert_names("b:stored");
	assert_int_equal(fdstore_remove(&store, "stored"), 1);
	assert_names("b");
	assert_int_equal(store.count, 1);
}

static void test_clear_when_done_then_the_guardian_has_nothing_more(void **context)
{
	(void)context;
	add_socket("a");
	add_socket("b");
	fdstore_clear(&store);
	assert_int_equal(store.count, 0);
	assert_names("");
	hear();
	end();
	begin(message_count, false);
	assert_int_equal(slots.used, 0);
	assert_int_equal(store.count, 0);
	/* And once more: it is a state, not an event. */
	fdstore_clear(&store);
}

static void test_adopt_when_all_is_there_then_it_is_as_before(void **context)
{
	struct launch_fd list[LIMIT_FDSTORE];
	ino_t one = add_socket("one"), two;

	(void)context;
	add_socket("gone");
	two = add_socket("two");
	assert_int_equal(fdstore_remove(&store, "gone"), 1);
	for (int backwards = 0; backwards < 2; backwards++) {
		hear();
		end();
		begin(message_count, backwards);
		assert_names("one:two");
		assert_int_equal(fdstore_list(&store, list, FDSTORE_FIRST, LIMIT_FDSTORE), 2);
		assert_int_equal(inode_of(list[0].fd), one);
		assert_int_equal(inode_of(list[1].fd), two);
	}
	/* The free place is used again, under a name of its own. */
	add_socket("three");
	assert_names("one:three:two");
	hear();
	end();
	begin(message_count, false);
	assert_names("one:three:two");
}

/* As if the guardian had released none of the lists of names: each has a slot of its own. */
static void keep_all_names(void)
{
	uint64_t keys[SLOTS] = {0};
	uint32_t next = SLOTS / 2;

	for (size_t i = 0; i < message_count; i++) {
		struct msg_head *head = &messages[i].head;
		uint32_t slot = head->slot;

		if (head->type == MSG_HOLD)
			keys[slot] = head->key;
		if (held_key_kind(keys[slot]) == HELD_STORE_NAMES)
			head->slot = head->type == MSG_HOLD ? next++ : SLOTS - 1;
		if (head->type == MSG_RELEASE)
			keys[slot] = 0;
	}
	assert_true(next > SLOTS / 2 + 8);
}

static void test_adopt_when_names_were_counted_past_their_end_then_the_later_ones_count(
    void **context)
{
	(void)context;
	store.generation = UINT16_MAX - 1;
	for (int i = 0; i < 4; i++) {
		add_socket("x");
		assert_int_equal(fdstore_remove(&store, "x"), 1);
	}
	add_socket("last");
	hear();
	keep_all_names();
	for (int backwards = 0; backwards < 2; backwards++) {
		end();
		begin(message_count, backwards);
		assert_names("last");
	}
}

/* What each descriptor was stored as. */
static struct {
	ino_t inode;
	const char *name;
} known[MESSAGES];
static size_t known_count;

static void know(ino_t inode, const char *name)
{
	known[known_count].inode = inode;
	known[known_count++].name = name;
}

static void assert_right_names(void)
{
	struct launch_fd list[LIMIT_FDSTORE];
	size_t count = fdstore_list(&store, list, FDSTORE_FIRST, LIMIT_FDSTORE);
	char *names = fdstore_names(&store, LIMIT_FDSTORE), *rest = names;

	assert_non_null(names);
	for (size_t i = 0; i < count; i++) {
		const char *name = strsep(&rest, ":");
		bool right = false;

		assert_non_null(name);
		for (size_t k = 0; k < known_count; k++)
			right |= known[k].inode == inode_of(list[i].fd) &&
				 strcmp(known[k].name, name) == 0;
		assert_true(right);
	}
	free(names);
}

static void test_adopt_when_the_engine_was_killed_anywhere_then_no_name_is_wrong(void **context)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	size_t all;

	(void)context;
	known_count = 0;
	srand(3);
	for (int i = 0; i < 60; i++) {
		const char *name = names[rand() % 4];

		if (rand() % 3 == 0)
			(void)fdstore_remove(&store, name);
		else
			know(add_socket(name), name);
	}
	hear();
	all = message_count;
	for (size_t count = 0; count <= all; count++) {
		for (int backwards = 0; backwards < 2; backwards++) {
			end();
			begin(count, backwards);
			assert_right_names();
			hear();
			/* At most one list of names is left. */
			assert_true(slots.used <= store.count + 1);
			for (; message_count > all; message_count--)
				if (messages[message_count - 1].fd >= 0)
					close(messages[message_count - 1].fd);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_list_when_there_are_some_then_in_one_row_with_their_names),
	    TEST(test_add_when_full_then_refused),
	    TEST(test_add_when_it_is_there_already_then_not_twice),
	    TEST(test_remove_when_several_have_the_name_then_all_of_them_go),
	    TEST(test_clear_when_done_then_the_guardian_has_nothing_more),
	    TEST(test_adopt_when_all_is_there_then_it_is_as_before),
	    TEST(test_adopt_when_names_were_counted_past_their_end_then_the_later_ones_count),
	    TEST(test_adopt_when_the_engine_was_killed_anywhere_then_no_name_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
