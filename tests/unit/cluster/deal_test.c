/* SPDX-License-Identifier: ISC */
/* Connections in turn, and those that come back. */
#include "tests/unit/cluster/world.h"

static void test_pick_when_several_have_room_then_the_next_in_turn(void **state)
{
	const uint64_t some[2] = {1ULL << 3 | 1ULL << 63, 1ULL << 1}, none[2] = {0};

	(void)state;
	assert_int_equal(deal_pick(some, 0), 3);
	assert_int_equal(deal_pick(some, 3), 3);
	assert_int_equal(deal_pick(some, 4), 63);
	assert_int_equal(deal_pick(some, 64), 65);
	assert_int_equal(deal_pick(some, 66), 3);
	assert_int_equal(deal_pick(some, 127), 3);
	assert_int_equal(deal_pick(some, 128), 3);
	assert_int_equal(deal_pick(none, 5), -1);
}

/* It has been offered one, and says so: its seq. */
static int64_t offered(uint32_t slot)
{
	int fd;
	const char *at;

	assert_true(world_hear(slot, &fd));
	assert_true(fd >= 0);
	close(fd);
	assert_non_null(strstr(world_heard, "newconn"));
	at = strstr(world_heard, "\"seq\":");
	assert_non_null(at);
	return strtoll(at + 6, NULL, 10);
}

static void answer(uint32_t slot, int64_t seq, bool accepted)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "{\"cmd\":\"NODE_HANDLE_ACK\"}\n{\"cmd\":\"NODE_CLUSTER\",\"ack\":%lld,\"accepted\":%s}"
	    "\n",
	    (long long)seq, accepted ? "true" : "false");
	world_say(slot, text);
}

static bool is_closed(int client)
{
	char byte;

	return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_deal_when_both_have_room_then_by_turns(void **state)
{
	int clients[4];

	(void)state;
	world_listen(0, 7, 0);
	world_listen(1, 8, 0);
	for (size_t i = 0; i < 4; i++) {
		clients[i] = world_connect();
		deal_out(cluster);
		answer(i % 2, offered(i % 2), true);
		world_expect_silence(1 - i % 2);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_true(is_closed(clients[i])); /* nobody has it any more, here */
		close(clients[i]);
	}
}

static void test_deal_when_nobody_has_room_then_it_waits_in_the_kernel(void **state)
{
	int one, two;
	int64_t seq;

	(void)state;
	world_listen(0, 7, 0);
	one = world_connect();
	two = world_connect();
	deal_out(cluster);
	seq = offered(0);
	world_expect_silence(0);
	assert_int_equal(cluster->listeners[0]->waiting_count, 0);
	answer(0, seq, true);
	deal_out(cluster);
	answer(0, offered(0), true);
	close(one);
	close(two);
}

static void test_refusal_when_another_is_there_then_that_one_and_all_then_a_rest(void **state)
{
	int client;

	(void)state;
	world_listen(0, 7, 0);
	world_listen(1, 8, 0);
	client = world_connect();
	deal_out(cluster);
	answer(0, offered(0), false);
	deal_out(cluster);
	answer(1, offered(1), false);
	deal_out(cluster);
	world_expect_silence(0);
	world_expect_silence(1);
	world_pass(2 * LIMIT_CLUSTER_REFUSED_NS);
	answer(0, offered(0), true);
	assert_true(is_closed(client));
	close(client);
}

static void test_nack_when_too_often_then_back_and_a_rest(void **state)
{
	int client;

	(void)state;
	world_listen(0, 7, 0);
	client = world_connect();
	deal_out(cluster);
	for (int i = 0; i < 4; i++) { /* once, and three times again */
		(void)offered(0);
		world_say(0, "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
	}
	world_expect_silence(0);
	assert_int_equal(cluster->listeners[0]->waiting_count, 1);
	assert_false(is_closed(client));
	world_pass(2 * LIMIT_CLUSTER_REFUSED_NS);
	answer(0, offered(0), true);
	close(client);
}

static void test_answers_when_nobody_asked_then_nothing(void **state)
{
	int client;
	int64_t seq;

	(void)state;
	world_listen(0, 7, 0);
	world_say(0, "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
	answer(0, 12345, true);
	client = world_connect();
	deal_out(cluster);
	seq = offered(0);
	answer(0, seq + 1, true); /* not to this one */
	assert_false(is_closed(client));
	answer(0, seq, true);
	answer(0, seq, false); /* twice */
	assert_int_equal(cluster->listeners[0]->waiting_count, 0);
	close(client);
}

static void test_end_when_unanswered_then_anothers(void **state)
{
	struct worker *first = world_listen(0, 7, 0);
	int client;

	(void)state;
	client = world_connect();
	deal_out(cluster);
	(void)offered(0);
	world_listen(1, 8, 0);
	deal_out(cluster);
	world_expect_silence(1);
	/* Its channel is still open in the test. */
	workers_end(cluster, first);
	deal_out(cluster);
	answer(1, offered(1), true);
	assert_true(is_closed(client));
	close(client);
}

static void test_stuck_when_it_answers_late_then_not_any_more(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);
	int client = world_connect();
	int64_t seq;

	(void)state;
	deal_out(cluster);
	seq = offered(0);
	world_pass(LIMIT_CLUSTER_STUCK_NS + NS_PER_S);
	assert_true(world_is_told(LINK_STUCK, 0));
	assert_false(workers_has_room(worker, 0));
	answer(0, seq, true);
	assert_true(workers_has_room(worker, 0));
	close(client);
}

/* The kernel still chooses the socket of one that has gone. */
static void test_reuse_port_when_a_worker_has_gone_then_others_get_what_is_its(void **state)
{
	int clients[2];

	(void)state;
	options.mode = MODE_REUSE_PORT;
	for (uint32_t i = 0; i < 2; i++) {
		world_listen(i, 7 + i, 0);
		world_say(i, "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
	}
	/* Only the first one does, so that the kernel has no choice. */
	assert_int_equal(listen(cluster->listeners[0]->slot_fds[0], 5), 0);
	clients[0] = world_connect();
	deal_out(cluster);
	world_expect_silence(1);
	workers_end(cluster, cluster->workers[0]);
	deal_out(cluster);
	answer(1, offered(1), true);
	/* Until there is another one in its place. */
	world_listen(0, 9, 0);
	assert_int_equal(listeners_next_orphan(cluster->listeners[0], 0), -1);
	clients[1] = world_connect();
	deal_out(cluster);
	world_expect_silence(1);
	for (size_t i = 0; i < 2; i++)
		close(clients[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	    cmocka_unit_test(test_pick_when_several_have_room_then_the_next_in_turn),
	    TEST(test_deal_when_both_have_room_then_by_turns),
	    TEST(test_deal_when_nobody_has_room_then_it_waits_in_the_kernel),
	    TEST(test_refusal_when_another_is_there_then_that_one_and_all_then_a_rest),
	    TEST(test_nack_when_too_often_then_back_and_a_rest),
	    TEST(test_answers_when_nobody_asked_then_nothing),
	    TEST(test_end_when_unanswered_then_anothers),
	    TEST(test_stuck_when_it_answers_late_then_not_any_more),
	    TEST(test_reuse_port_when_a_worker_has_gone_then_others_get_what_is_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
