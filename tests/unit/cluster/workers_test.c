/* SPDX-License-Identifier: ISC */
/* Runs of workers: who is ready, who goes, and what is left of them. */
#include "tests/unit/cluster/world.h"

static void test_begin_when_the_run_is_known_then_it_goes_on(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);
	uint64_t member = worker->state->member;

	(void)state;
	assert_int_equal(worker->state->phase, PHASE_ONLINE);
	assert_true(member != 0);
	/* The engine says it again: half a line of before is not lost either. */
	world_say(0, "{\"cmd\":\"NODE_CLU");
	world_begin(0, 7);
	assert_int_equal(worker->state->phase, PHASE_ONLINE);
	assert_int_equal(worker->state->member, member);
	world_say(0, "STER\",\"act\":\"exitedAfterDisconnect\",\"seq\":4}\n");
	world_expect(0, "\"ack\":4");
}

static void test_begin_when_another_run_then_from_the_beginning(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);

	(void)state;
	world_say(0, "{\"cmd\":\"NODE_CLU");
	world_begin(0, 8);
	assert_int_equal(worker->state->phase, PHASE_NEW);
	assert_int_equal(worker->state->member, 0);
	assert_int_equal(worker->state->listening, 0);
	world_say(0, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":1}\n");
	assert_int_equal(worker->state->phase, PHASE_ONLINE);
}

static void test_begin_when_the_slot_is_none_then_refused(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	workers_begin(cluster, LIMIT_CLUSTER_WORKERS, 7, pair[0]);
	workers_begin(cluster, UINT32_MAX, 7, -1);
	/* It was taken, and closed. */
	assert_int_equal(read(pair[1], &(char){0}, 1), 0);
	close(pair[1]);
}

static void test_listening_when_all_is_there_then_told_once(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);

	(void)state;
	assert_true(worker->state->listening_told);
	assert_true(world_is_told(LINK_LISTENING, 0));
	world_ask(0, "listening", 0, 4);
	assert_false(world_is_told(LINK_LISTENING, 0));
	/* But to an engine that asks. */
	workers_tell(worker);
	assert_true(world_is_told(LINK_LISTENING, 0));
}

static void test_disconnect_when_told_then_gap_word_and_no_connection(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);

	(void)state;
	assert_true(workers_has_room(worker, 0));
	workers_disconnect(cluster, worker, 200 * NS_PER_MS);
	world_expect(0, "{\"cmd\":\"NODE_SUPERVISOR\",\"act\":\"gap\",\"ms\":200}");
	assert_false(workers_has_room(worker, 0));
	world_pass(0);
	world_expect_silence(0);
	/* A second time is none. */
	workers_disconnect(cluster, worker, 10 * NS_PER_S);
	world_pass(300 * NS_PER_MS);
	world_expect(0, "\"act\":\"disconnect\"");
	assert_int_equal(worker->state->phase, PHASE_LEAVING);
	world_pass(NS_PER_S);
	world_expect_silence(0);
	/* Who goes gets no more answer, as with Node's primary. */
	world_ask(0, "queryServer", 0, 9);
	world_expect_silence(0);
}

static void test_disconnect_when_the_primary_is_another_then_the_gap_goes_on(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);

	(void)state;
	workers_disconnect(cluster, worker, 200 * NS_PER_MS);
	world_expect(0, "\"gap\"");
	world_begin(0, 7); /* as a new one is told */
	assert_int_equal(worker->state->phase, PHASE_GAP);
	world_pass(0);
	world_expect(0, "\"gap\"");
	world_pass(300 * NS_PER_MS);
	world_expect(0, "\"act\":\"disconnect\"");
}

static void test_disconnect_without_a_gap_then_the_word_at_once(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);

	(void)state;
	workers_disconnect(cluster, worker, 0);
	world_expect(0, "\"act\":\"disconnect\"");
}

static void test_disconnect_when_its_channel_is_full_then_as_soon_as_it_is_not(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);
	int fd, words = 0;

	(void)state;
	while (!worker->full)
		workers_send_message(cluster, worker, "1", 1);
	workers_disconnect(cluster, worker, 0);
	assert_int_equal(worker->state->phase, PHASE_GAP);
	while (world_hear(0, &fd))
		assert_string_equal(world_heard, "1");
	workers_note_event(cluster, worker, true, false);
	world_pass(NS_PER_S);
	while (world_hear(0, &fd))
		words += strstr(world_heard, "disconnect") != NULL;
	assert_int_equal(words, 1);
}

static void test_end_when_the_channel_stays_then_stuck_unless_it_is_gone(void **state)
{
	struct worker *gone = world_listen(0, 7, 0), *stays = world_listen(1, 8, 0);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		close(world_peers[i]);
		world_peers[i] = -1;
		cluster->workers[i]->readable = true;
		workers_read(cluster, cluster->workers[i]);
	}
	assert_int_equal(stays->state->phase, PHASE_CLOSED);
	workers_end(cluster, gone);
	assert_int_equal(gone->state->phase, PHASE_NONE);
	world_pass(LIMIT_CLUSTER_STUCK_NS / 2);
	assert_false(world_is_told(LINK_STUCK, 1));
	world_pass(LIMIT_CLUSTER_STUCK_NS + NS_PER_S);
	assert_true(gone->due == 0);
	assert_true(world_is_told(LINK_STUCK, 1));
	world_pass(2 * LIMIT_CLUSTER_STUCK_NS);
	assert_false(world_is_told(LINK_STUCK, 1));
	/* An engine that was killed over it has a successor. */
	workers_tell(stays);
	assert_true(world_is_told(LINK_STUCK, 1));
}

static void test_message_when_it_is_no_line_then_dropped(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);

	(void)state;
	workers_send_message(cluster, worker, "", 0);
	workers_send_message(cluster, worker, "1\n2", 3);
	world_expect_silence(0);
	workers_send_message(cluster, worker, "{\"a\":1}", 7);
	world_expect(0, "{\"a\":1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	    TEST(test_begin_when_the_run_is_known_then_it_goes_on),
	    TEST(test_begin_when_another_run_then_from_the_beginning),
	    TEST(test_begin_when_the_slot_is_none_then_refused),
	    TEST(test_listening_when_all_is_there_then_told_once),
	    TEST(test_disconnect_when_told_then_gap_word_and_no_connection),
	    TEST(test_disconnect_when_the_primary_is_another_then_the_gap_goes_on),
	    TEST(test_disconnect_without_a_gap_then_the_word_at_once),
	    TEST(test_disconnect_when_its_channel_is_full_then_as_soon_as_it_is_not),
	    TEST(test_end_when_the_channel_stays_then_stuck_unless_it_is_gone),
	    TEST(test_message_when_it_is_no_line_then_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
