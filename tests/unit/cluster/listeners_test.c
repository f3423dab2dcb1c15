/* SPDX-License-Identifier: ISC */
/* Sockets of a cluster: who gets which, when one is closed, and what is expected of the next run.
 */
#include "tests/unit/cluster/world.h"

#include <errno.h>
#include <fcntl.h>

static void end(uint32_t slot)
{
	close(world_peers[slot]);
	world_peers[slot] = -1;
	cluster->workers[slot]->readable = true;
	workers_read(cluster, cluster->workers[slot]);
	workers_end(cluster, cluster->workers[slot]);
}

static void test_query_when_allowed_then_one_socket_for_all_and_held(void **state)
{
	int fd;

	(void)state;
	world_listen(0, 7, 0);
	assert_true(world_told(LINK_HOLD, 0, &fd));
	assert_true(fd >= 0);
	close(fd);
	world_listen(1, 8, 0);
	assert_false(world_is_told(LINK_HOLD, 0));
	assert_null(cluster->listeners[1]);
	/* The same once more is in use. */
	world_ask(1, "queryServer", 0, 5);
	world_expect(1, "\"errno\":-98");
}

static void test_query_when_not_allowed_then_its_errno(void **state)
{
	(void)state;
	world_begin(0, 7);
	world_ask(0, "queryServer", 443, 2);
	world_expect(0, "\"errno\":-13");
	world_say(0, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"address\":\"/tmp/x\","
		     "\"port\":-1,\"addressType\":-1,\"index\":0,\"seq\":3}\n");
	world_expect(0, "\"errno\":-13");
	assert_null(cluster->listeners[0]);
}

static void test_query_when_there_are_too_many_then_enobufs(void **state)
{
	char text[256];

	(void)state;
	world_begin(0, 7);
	for (int i = 0; i <= LIMIT_CLUSTER_LISTENERS; i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"address\":\"127.0.0.1\","
		    "\"port\":0,\"addressType\":4,\"index\":%d,\"seq\":%d}\n",
		    i, i + 1);
		world_say(0, text);
		world_expect(0, i < LIMIT_CLUSTER_LISTENERS ? "\"errno\":0" : "\"errno\":-105");
	}
}

static void test_privileged_when_the_engine_binds_then_waits_for_it(void **state)
{
	const char *problem;
	struct worker *worker;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	(void)state;
	assert_int_equal(listen_rule_parse("tcp:81-90", &options.rules[0], &problem), 0);
	worker = world_begin(0, 7);
	world_begin(1, 8);
	world_ask(0, "queryServer", 81, 2);
	world_ask(1, "queryServer", 81, 2);
	world_expect_silence(0);
	assert_true(world_is_told(LINK_BIND, 0));
	/* Refused. */
	listeners_note_bound(cluster, 0, 0, -EADDRINUSE, -1);
	workers_read(cluster, worker);
	world_expect(0, "\"errno\":-98");
	workers_read(cluster, cluster->workers[1]);
	world_expect(1, "\"errno\":-98");
	assert_null(cluster->listeners[0]);
	/* Given: for whoever asks. */
	world_ask(0, "queryServer", 82, 3);
	assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
	listeners_note_bound(cluster, 0, 0, 0, fd);
	workers_read(cluster, worker);
	world_expect(0, "\"errno\":0");
	/* An answer to nothing is closed. */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listeners_note_bound(cluster, 99, 0, 0, fd);
	listeners_note_bound(cluster, 5, 0, 0, -1);
}

/* Both wait, for different ones: each hears of its own. */
static void test_privileged_when_two_wait_then_each_has_its_own_answer(void **state)
{
	const char *problem;

	(void)state;
	assert_int_equal(listen_rule_parse("tcp:81-90", &options.rules[0], &problem), 0);
	world_begin(0, 7);
	world_begin(1, 8);
	world_ask(0, "queryServer", 81, 2);
	world_ask(1, "queryServer", 82, 2);
	assert_true(world_is_told(LINK_BIND, 0));
	listeners_note_bound(cluster, 0, 0, -EADDRINUSE, -1);
	workers_read(cluster, cluster->workers[0]);
	world_expect(0, "\"errno\":-98");
	workers_read(cluster, cluster->workers[1]);
	world_expect_silence(1);
	listeners_note_bound(cluster, 1, 1, -EACCES, -1);
	workers_read(cluster, cluster->workers[1]);
	world_expect(1, "\"errno\":-13");
}

static void test_privileged_when_another_engine_comes_then_it_is_asked_again(void **state)
{
	const char *problem;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	(void)state;
	assert_int_equal(listen_rule_parse("tcp:81-90", &options.rules[0], &problem), 0);
	world_begin(0, 7);
	world_ask(0, "queryServer", 81, 2);
	assert_true(world_is_told(LINK_BIND, 0));
	/* It was killed over that: nothing comes. */
	listeners_tell_again(cluster);
	workers_read(cluster, cluster->workers[0]);
	assert_true(world_is_told(LINK_BIND, 0));
	workers_read(cluster, cluster->workers[0]);
	assert_false(world_is_told(LINK_BIND, 0));
	/* Or had no room for the answer. */
	world_pass(LIMIT_CLUSTER_STUCK_NS);
	cluster->workers[0]->asked_ns -= LIMIT_CLUSTER_STUCK_NS;
	workers_read(cluster, cluster->workers[0]);
	assert_true(world_is_told(LINK_BIND, 0));
	/* Who is asked twice answers twice: the second time that it is taken. */
	assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
	listeners_note_bound(cluster, 0, 0, 0, fd);
	listeners_note_bound(cluster, 0, 0, -EADDRINUSE, -1);
	workers_read(cluster, cluster->workers[0]);
	world_expect(0, "\"errno\":0");
	assert_true(world_is_told(LINK_HOLD, 0));
	/* And the next one is told again what to hold. */
	listeners_tell_again(cluster);
	assert_true(world_is_told(LINK_HOLD, 0));
}

/* A full link is no error of the application. */
static void test_privileged_when_the_link_is_full_then_asked_later(void **state)
{
	static const char block[LIMIT_IPC_LINE];
	const struct msg_head head = {.type = LINK_MESSAGE};
	const char *problem;
	int error = 0;

	(void)state;
	assert_int_equal(listen_rule_parse("tcp:81-90", &options.rules[0], &problem), 0);
	world_begin(0, 7);
	while (error == 0)
		error = channel_send_long(
		    FD_CLUSTER_LINK, &head, block, sizeof(block), -1, MSG_DONTWAIT);
	while (channel_send_long(FD_CLUSTER_LINK, &head, block, 1, -1, MSG_DONTWAIT) == 0)
		;
	world_ask(0, "queryServer", 81, 2);
	world_expect_silence(0);
	assert_false(world_is_told(LINK_BIND, 0));
	world_pass(LIMIT_CLUSTER_REFUSED_NS);
	workers_read(cluster, cluster->workers[0]);
	world_expect_silence(0);
	assert_true(world_is_told(LINK_BIND, 0));
}

static void test_close_when_of_its_own_accord_then_the_last_one_closes_it(void **state)
{
	char text[LIMIT_CLUSTER_KEY + 64];

	(void)state;
	world_listen(0, 7, 0);
	world_listen(1, 8, 0);
	(void)snprintf(text, sizeof(text),
	    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"close\",\"key\":\"%s\"}\n",
	    cluster->listeners[0]->state->key);
	world_say(0, text);
	world_say(0, text);
	assert_non_null(cluster->listeners[0]);
	world_say(1, text);
	assert_null(cluster->listeners[0]);
	assert_true(world_is_told(LINK_UNHOLD, 0));
}

static void test_close_when_it_goes_then_the_socket_stays_for_the_next(void **state)
{
	(void)state;
	world_listen(0, 7, 0);
	workers_disconnect(cluster, cluster->workers[0], 0);
	world_say(0, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"close\",\"key\":\"127.0.0.1:0:4:0\"}\n");
	end(0);
	assert_non_null(cluster->listeners[0]);
	/* Nobody is on the way: then it is in vain. */
	listeners_close_unused(cluster);
	assert_null(cluster->listeners[0]);
}

static void test_close_unused_when_one_has_yet_to_listen_then_it_stays(void **state)
{
	(void)state;
	world_listen(0, 7, 0);
	end(0);
	world_begin(0, 8);
	listeners_close_unused(cluster);
	assert_non_null(cluster->listeners[0]);
}

/* What the run before it listened on, and where there was none, what all others do. */
static void test_expected_when_one_is_missing_then_not_ready(void **state)
{
	struct worker *worker = world_listen(0, 7, 0);
	uint64_t second = 1ULL << 1;

	(void)state;
	world_say(0, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"address\":\"127.0.0.1\","
		     "\"port\":0,\"addressType\":4,\"index\":1,\"seq\":5}\n");
	world_expect(0, "\"ack\":5");
	worker->state->listening |= second;
	/* A new slot: both, as the other has both. */
	world_listen(1, 8, 0);
	assert_false(expected_is_met(cluster, cluster->workers[1]));
	assert_false(cluster->workers[1]->state->listening_told);
	cluster->workers[1]->state->listening |= second;
	assert_true(expected_is_met(cluster, cluster->workers[1]));
	/* The same slot: both, as it had both before. */
	end(0);
	worker = world_listen(0, 9, 0);
	assert_false(worker->state->listening_told);
	/* It crashes, and the next one is still to have both. */
	end(0);
	assert_int_equal(worker->state->expected, second | 1);
	/* It is waited for in vain and stopped: the next one may be as it was. */
	worker = world_listen(0, 10, 0);
	workers_disconnect(cluster, worker, 0);
	end(0);
	assert_int_equal(worker->state->expected, 1);
	worker = world_listen(0, 11, 0);
	assert_true(worker->state->listening_told);
}

static void test_given_when_the_state_knows_it_then_used_and_else_let_go(void **state)
{
	int fd;

	(void)state;
	world_listen(0, 7, 0);
	fd = fcntl(cluster->listeners[0]->fd, F_DUPFD_CLOEXEC, 10);
	/* A new primary: the same state, no descriptors. */
	cluster_unwatch(cluster, cluster->listeners[0]->fd);
	close(cluster->listeners[0]->fd);
	cluster->listeners[0]->fd = -1;
	listeners_give(cluster, 0, 0, fd);
	listeners_give(cluster, 3, 0, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	listeners_give(cluster, 4711, 0, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	assert_true(world_is_told(LINK_UNHOLD, 3));
	listeners_resume(cluster);
	close(world_connect());
	assert_int_equal(cluster->listeners[0]->fd, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	    TEST(test_query_when_allowed_then_one_socket_for_all_and_held),
	    TEST(test_query_when_not_allowed_then_its_errno),
	    TEST(test_query_when_there_are_too_many_then_enobufs),
	    TEST(test_privileged_when_the_engine_binds_then_waits_for_it),
	    TEST(test_privileged_when_two_wait_then_each_has_its_own_answer),
	    TEST(test_privileged_when_another_engine_comes_then_it_is_asked_again),
	    TEST(test_privileged_when_the_link_is_full_then_asked_later),
	    TEST(test_close_when_of_its_own_accord_then_the_last_one_closes_it),
	    TEST(test_close_when_it_goes_then_the_socket_stays_for_the_next),
	    TEST(test_close_unused_when_one_has_yet_to_listen_then_it_stays),
	    TEST(test_expected_when_one_is_missing_then_not_ready),
	    TEST(test_given_when_the_state_knows_it_then_used_and_else_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
