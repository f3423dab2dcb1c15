/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/controlplace.h: who gets a connection, and who has to make room. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/control.h"
#include "supervisord/engine/controlplace.h"

#define ALICE 61001
#define BOB   61002
#define CAROL 61003
#define DAVE  61004

static struct control control;

/* The linker puts it in the place of the one of control.c, which needs a loop. */
void __wrap_control_free_if_dead(struct control_client *client);

void __wrap_control_free_if_dead(struct control_client *client)
{
	if (!client->dead)
		return;
	TAILQ_REMOVE(&control.clients, client, link);
	control.client_count--;
	free(client);
}

static struct control_client *add(uid_t uid, int64_t silent_ns)
{
	struct control_client *client = calloc(1, sizeof(*client));

	assert_non_null(client);
	client->uid = uid;
	client->reader.fd = -1;
	client->active_ns = clock_boot_ns() - silent_ns;
	TAILQ_INSERT_TAIL(&control.clients, client, link);
	control.client_count++;
	return client;
}

static void add_many(uid_t uid, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		(void)add(uid, 0);
}

static bool is_there(const struct control_client *wanted)
{
	const struct control_client *client;

	TAILQ_FOREACH (client, &control.clients, link)
		if (client == wanted)
			return true;
	return false;
}

static int setup(void **state)
{
	(void)state;
	control = (struct control){.listen_fd = -1};
	TAILQ_INIT(&control.clients);
	TAILQ_INIT(&control.due);
	return 0;
}

static int teardown(void **state)
{
	struct control_client *client;

	(void)state;
	while ((client = TAILQ_FIRST(&control.clients)) != NULL) {
		client->dead = true;
		__wrap_control_free_if_dead(client);
	}
	return 0;
}

static void test_a_user_has_its_share_and_others_theirs(void **state)
{
	(void)state;
	add_many(ALICE, LIMIT_CONTROL_PER_USER - 1);
	assert_null(controlplace_find(&control, ALICE));
	add_many(ALICE, 1);
	assert_string_equal(
	    controlplace_find(&control, ALICE), "too many connections of this user");
	assert_null(controlplace_find(&control, BOB));
	assert_null(controlplace_find(&control, 0));
}

static void test_some_connections_are_for_root_alone(void **state)
{
	(void)state;
	add_many(ALICE, LIMIT_CONTROL_PER_USER);
	add_many(BOB, LIMIT_CONTROL_PER_USER);
	add_many(CAROL, LIMIT_CONTROL_PER_USER);
	add_many(DAVE, LIMIT_CONTROL_CLIENTS - LIMIT_CONTROL_RESERVED - 3 * LIMIT_CONTROL_PER_USER);
	assert_string_equal(controlplace_find(&control, DAVE), "too many connections");
	assert_string_equal(controlplace_find(&control, DAVE + 1), "too many connections");
	add_many(0, LIMIT_CONTROL_RESERVED - 1);
	assert_null(controlplace_find(&control, 0));
	add_many(0, 1);
	assert_string_equal(controlplace_find(&control, 0), "too many connections");
}

static void test_who_is_silent_longest_makes_room(void **state)
{
	struct control_client *longer, *longest, *waits;

	(void)state;
	(void)add(ALICE, LIMIT_CONTROL_SILENT_NS - NS_PER_S);
	longer = add(ALICE, 2 * LIMIT_CONTROL_SILENT_NS);
	longest = add(ALICE, 3 * LIMIT_CONTROL_SILENT_NS);
	waits = add(ALICE, 4 * LIMIT_CONTROL_SILENT_NS);
	waits->op = (struct op *)(void *)waits; /* for its command */
	add_many(ALICE, LIMIT_CONTROL_PER_USER - 4);
	assert_null(controlplace_find(&control, ALICE));
	assert_false(is_there(longest));
	assert_true(is_there(longer));
	add_many(ALICE, 1);
	assert_null(controlplace_find(&control, ALICE));
	assert_false(is_there(longer));
	add_many(ALICE, 1);
	assert_non_null(controlplace_find(&control, ALICE));
	assert_true(is_there(waits));
}

/* Neither for want of its own share, nor of all. */
static void test_a_user_never_makes_root_make_room(void **state)
{
	struct control_client *roots = add(0, 9 * LIMIT_CONTROL_SILENT_NS), *bobs;

	(void)state;
	add_many(ALICE, LIMIT_CONTROL_PER_USER);
	bobs = add(BOB, 9 * LIMIT_CONTROL_SILENT_NS);
	assert_non_null(controlplace_find(&control, ALICE));
	assert_true(is_there(roots));
	assert_true(is_there(bobs));
	add_many(BOB, LIMIT_CONTROL_PER_USER - 1);
	add_many(CAROL, LIMIT_CONTROL_PER_USER);
	add_many(DAVE, LIMIT_CONTROL_CLIENTS - LIMIT_CONTROL_RESERVED - 3 * LIMIT_CONTROL_PER_USER);
	assert_null(controlplace_find(&control, DAVE));
	assert_false(is_there(bobs));
	assert_true(is_there(roots));
	/* Root's own makes room for root. */
	add_many(0, LIMIT_CONTROL_CLIENTS - control.client_count);
	assert_null(controlplace_find(&control, 0));
	assert_false(is_there(roots));
}

static void test_who_is_turned_away_is_told_why(void **state)
{
	static const char wanted[] =
	    "{\"error\":\"io.superctl.Busy\",\"parameters\":{\"reason\":\"x \\\"y\\\"\"}}";
	char got[256];
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	controlplace_turn_away(fds[0], "x \"y\"");
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), sizeof(wanted));
	assert_memory_equal(got, wanted, sizeof(wanted));
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), 0);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_a_user_has_its_share_and_others_theirs, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_some_connections_are_for_root_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_who_is_silent_longest_makes_room, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_a_user_never_makes_root_make_room, setup, teardown),
	    cmocka_unit_test(test_who_is_turned_away_is_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
