/* SPDX-License-Identifier: ISC */
/*
 * cluster_test.c: the engine's side of the link to a cluster's primary: what a new primary is
 * given, what a new engine finds, and that nothing a primary says is believed, as it runs as the
 * program's user.
 */
#include "tests/unit/engine/engineworld.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "lib/clusterlink.h"
#include "lib/ownlog.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/ipc.h"

static const char programs[] =
    "program \"web\" { command = x instances = 2 cluster = round-robin cluster_listen = "
    "{\"unix:/run/w/*\"} }\n"
    "program \"other\" { command = x instances = 2 cluster = round-robin }\n";

static unsigned ready_notes, failures;
static const char *noted;

void __wrap_program_note_ready(struct program *program, enum check_kind kind);
void __wrap_program_fail(struct program *program, enum reason reason, int32_t detail);

void __wrap_program_note_ready(struct program *program, enum check_kind kind)
{
	assert_int_equal(kind, CHECK_LISTENING);
	noted = program_name(program);
	ready_notes++;
}

void __wrap_program_fail(struct program *program, enum reason reason, int32_t detail)
{
	(void)detail;
	assert_int_equal(reason, REASON_STUCK);
	noted = program_name(program);
	failures++;
}

static struct program *get(struct engineworld *world, const char *name)
{
	struct program *program = engine_find(&world->engine, name);

	assert_non_null(program);
	return program;
}

/* A primary: its end of the link. */
static int launch_primary(struct engineworld *world)
{
	struct launch_fd extra[LAUNCH_EXTRA];
	size_t count = 0;
	int link = -1;

	assert_int_equal(cluster_prepare(get(world, "web+cluster"), extra, &count, &link), 0);
	assert_int_equal(count, 2);
	assert_int_equal(extra[0].fd, link);
	assert_int_equal(extra[0].number, FD_CLUSTER_LINK);
	assert_int_equal(extra[1].number, FD_CLUSTER_STATE);
	return link;
}

/* A worker with this start time: our end of its channel. */
static int launch_worker(struct engineworld *world, const char *name, int64_t start_ns)
{
	char *environment[IPC_ENVIRONMENT];
	struct launch_fd extra[LAUNCH_EXTRA];
	size_t count = 0, extra_count = 0;
	struct program *worker = get(world, name);
	struct ledger_state next = *program_state(worker);
	int child = -1;

	next.run_start_ns = start_ns;
	ledger_commit_state(world->engine.ledger, worker->run.row, &next);
	assert_int_equal(ipc_prepare(worker, environment, &count, extra, &extra_count, &child), 0);
	assert_int_equal(count, IPC_ENVIRONMENT);
	while (count > 0)
		free(environment[--count]);
	return child;
}

static void begin(struct engineworld *world)
{
	engineworld_begin(world, programs);
	world->engine.loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(world->engine.loop);
	ready_notes = failures = 0;
	noted = "";
	ownlog_set_level(OWNLOG_ERROR);
}

static void end(struct engineworld *world)
{
	for (size_t i = 0; i < world->engine.program_count; i++) {
		ipc_release(world->engine.programs[i]);
		cluster_release(world->engine.programs[i]);
	}
	ev_loop_destroy(world->engine.loop);
	ownlog_set_level(OWNLOG_NOTICE);
	engineworld_end(world);
}

/* What it was told, "TYPE:SLOT:KEY" each, with a '+' where a descriptor came. */
static const char *told(int link)
{
	static char text[1024], payload[LIMIT_IPC_LINE];
	struct msg_head head;
	size_t length, at = 0;
	int fd;

	text[0] = '\0';
	while (channel_receive_long(
		   link, &head, payload, sizeof(payload), &length, &fd, MSG_DONTWAIT) == 1) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%u:%u:%llu",
		    at > 0 ? " " : "", fd >= 0 ? "+" : "", head.type - LINK_WORKER, head.slot,
		    (unsigned long long)head.key);
		if (fd >= 0)
			close(fd);
	}
	return text;
}

static void say(struct engineworld *world, int link, struct msg_head head, const void *payload,
    size_t length, int fd)
{
	assert_int_equal(channel_send_long(link, &head, payload, length, fd, 0), 0);
	ev_run(world->engine.loop, EVRUN_NOWAIT);
}

static int listening_socket(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static unsigned count_held(const struct engineworld *world)
{
	const struct slots *slots = &world->engine.slots;
	unsigned count = 0;

	for (size_t i = 0; i < slots->count; i++)
		count += held_key_kind(slots->list[i].key) == HELD_CLUSTER_SOCKET;
	return count;
}

static void test_prepare_then_all_that_is_held_is_on_the_link(void **state)
{
	struct engineworld world;
	int link, socket, child, second;

	(void)state;
	begin(&world);
	link = launch_primary(&world);
	assert_string_equal(told(link), "2:0:0 7:0:0"); /* given, tell */
	child = launch_worker(&world, "web@2", 77);
	assert_string_equal(told(link), "+0:1:77");
	socket = listening_socket();
	say(&world, link, (struct msg_head){.type = LINK_HOLD, .slot = 3, .key = 0}, NULL, 0,
	    socket);
	close(socket);
	assert_int_equal(count_held(&world), 1);
	/* The next primary is given both, and what was not read of the link is nothing to it. */
	second = launch_primary(&world);
	assert_string_equal(told(second), "+1:3:0 +0:1:77 2:0:0 7:0:0");
	close(link);
	close(second);
	close(child);
	end(&world);
}

/* Each word names a run; one that is over is nobody. */
static void test_word_of_a_run_that_is_gone_is_ignored(void **state)
{
	struct engineworld world;
	int link, child, other;

	(void)state;
	begin(&world);
	link = launch_primary(&world);
	child = launch_worker(&world, "web@1", 10);
	other = launch_worker(&world, "other@2", 20);
	say(&world, link, (struct msg_head){.type = LINK_LISTENING, .slot = 0, .key = 9}, NULL, 0,
	    -1);
	say(&world, link, (struct msg_head){.type = LINK_LISTENING, .slot = 9, .key = 10}, NULL, 0,
	    -1);
	say(&world, link, (struct msg_head){.type = LINK_STUCK, .slot = 0, .key = 11}, NULL, 0, -1);
	/* That of another cluster is not ours to speak of. */
	say(&world, link, (struct msg_head){.type = LINK_STUCK, .slot = 1, .key = 20}, NULL, 0, -1);
	say(&world, link, (struct msg_head){.type = 9999, .slot = 0, .key = 10}, NULL, 0, -1);
	assert_int_equal(ready_notes, 0);
	assert_int_equal(failures, 0);
	say(&world, link, (struct msg_head){.type = LINK_LISTENING, .slot = 0, .key = 10}, NULL, 0,
	    -1);
	assert_int_equal(ready_notes, 1);
	assert_string_equal(noted, "web@1");
	say(&world, link, (struct msg_head){.type = LINK_STUCK, .slot = 0, .key = 10}, NULL, 0, -1);
	assert_int_equal(failures, 1);
	close(link);
	close(child);
	close(other);
	end(&world);
}

static void test_hold_then_once_each_and_in_bounds(void **state)
{
	struct engineworld world;
	const struct msg_head hold = {.type = LINK_HOLD, .slot = 1, .key = 0};
	int link, first, second;

	(void)state;
	begin(&world);
	link = launch_primary(&world);
	first = listening_socket();
	second = listening_socket();
	say(&world, link, hold, NULL, 0, first);
	say(&world, link, hold, NULL, 0, first); /* as after LINK_TELL */
	assert_int_equal(count_held(&world), 1);
	say(&world, link, hold, NULL, 0, second); /* in its place */
	assert_int_equal(count_held(&world), 1);
	say(&world, link, hold, NULL, 0, -1);
	say(&world, link,
	    (struct msg_head){.type = LINK_HOLD, .slot = LIMIT_CLUSTER_LISTENERS, .key = 0}, NULL,
	    0, first);
	say(&world, link,
	    (struct msg_head){.type = LINK_HOLD, .slot = 0, .key = LIMIT_CLUSTER_WORKERS}, NULL, 0,
	    first);
	say(&world, link, (struct msg_head){.type = LINK_HOLD, .slot = 0, .key = UINT64_MAX}, NULL,
	    0, first);
	assert_int_equal(count_held(&world), 1);
	say(&world, link, (struct msg_head){.type = LINK_UNHOLD, .slot = 2, .key = 0}, NULL, 0, -1);
	assert_int_equal(count_held(&world), 1);
	say(&world, link, (struct msg_head){.type = LINK_UNHOLD, .slot = 1, .key = 0}, NULL, 0, -1);
	assert_int_equal(count_held(&world), 0);
	close(first);
	close(second);
	close(link);
	end(&world);
}

static void test_bind_when_no_rule_names_it_then_refused(void **state)
{
	struct engineworld world;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct link_bind wish = {.length = sizeof(address), .type = SOCK_STREAM};
	struct msg_head head;
	size_t length;
	int link, fd;

	(void)state;
	begin(&world);
	link = launch_primary(&world);
	(void)told(link);
	memcpy(&wish.address, &address, sizeof(address));
	say(&world, link, (struct msg_head){.type = LINK_BIND, .slot = 5, .key = 6}, &wish,
	    sizeof(wish), -1);
	assert_int_equal(channel_receive_long(link, &head, NULL, 0, &length, &fd, MSG_DONTWAIT), 1);
	assert_int_equal(head.type, LINK_BOUND);
	assert_int_equal(head.slot, 5);
	assert_int_equal(head.key, 6);
	assert_int_equal(head.value, -EACCES);
	assert_int_equal(fd, -1);
	/* Half a wish. */
	say(&world, link, (struct msg_head){.type = LINK_BIND}, &wish, sizeof(wish) - 1, -1);
	assert_int_equal(channel_receive_long(link, &head, NULL, 0, &length, &fd, MSG_DONTWAIT), 1);
	assert_int_equal(head.value, -EINVAL);
	close(link);
	end(&world);
}

static void put(struct program *program, enum state now, enum wanted wanted)
{
	struct ledger_state next = *program_state(program);

	next.state = (uint8_t)now;
	next.stop_step = now == STATE_STOPPING;
	next.wanted = (uint8_t)wanted;
	ledger_commit_state(program->engine->ledger, program->run.row, &next);
}

static void test_send_when_no_primary_or_no_process_then_told(void **state)
{
	static char big[LIMIT_IPC_LINE + 1];
	struct engineworld world;
	struct program *worker;
	int link, child, error = 0, count = 0;

	(void)state;
	begin(&world);
	worker = get(&world, "web@1");
	assert_int_equal(cluster_send(worker, "1", 1), -ENOTCONN);
	put(get(&world, "web+cluster"), STATE_FATAL, WANTED_UP);
	assert_int_equal(cluster_disconnect(worker), -ENOTCONN);
	link = launch_primary(&world);
	child = launch_worker(&world, "web@1", 10);
	(void)told(link);
	assert_int_equal(cluster_send(worker, "1", 1), -ENOTCONN); /* it has no process */
	atomic_store(&world.engine.ledger->pids[worker->run.row], getpid());
	assert_int_equal(cluster_send(worker, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(cluster_send(worker, "1", 1), 0);
	assert_string_equal(told(link), "6:0:10");
	while (error == 0 && ++count < 10000)
		error = cluster_send(worker, big, 1000);
	assert_int_equal(error, -EAGAIN); /* the primary does not read */
	atomic_store(&world.engine.ledger->pids[worker->run.row], 0);
	close(link);
	close(child);
	end(&world);
}

/* Another engine: the primary says again what it may have said to the one before. */
static void test_adopt_then_the_primary_is_asked_to_tell_again(void **state)
{
	struct engineworld world;
	struct slots *slots;
	struct program *primary;
	uint64_t key;
	int link, child, copy;

	(void)state;
	begin(&world);
	slots = &world.engine.slots;
	primary = get(&world, "web+cluster");
	key = held_key(HELD_CLUSTER_LINK, (uint32_t)primary->run.row, 0);
	link = launch_primary(&world);
	child = launch_worker(&world, "web@1", 10);
	(void)told(link);
	copy = fcntl(slots_get_fd(slots, slots_find(slots, key)), F_DUPFD_CLOEXEC, 0);
	cluster_release(primary);
	cluster_adopt(primary, key, slots_hold(slots, key, copy));
	ev_run(world.engine.loop, EVRUN_NOWAIT);
	assert_string_equal(told(link), "+0:0:10 2:0:0 7:0:0");
	say(&world, link, (struct msg_head){.type = LINK_LISTENING, .slot = 0, .key = 10}, NULL, 0,
	    -1);
	assert_int_equal(ready_notes, 1);
	close(link);
	close(child);
	end(&world);
}

/* The one that it was said to may have been killed before it heard that. */
static void test_disconnect_when_the_primary_is_away_then_the_next_one_is_told(void **state)
{
	static const struct {
		enum state state;
		enum wanted wanted;
		int error;
	} cases[] = {
	    {STATE_RUNNING, WANTED_UP, 0}, /* nobody has noticed so far */
	    {STATE_BACKOFF, WANTED_UP, 0},
	    {STATE_STARTING, WANTED_UP, 0},
	    {STATE_FATAL, WANTED_UP, -ENOTCONN},
	    {STATE_STOPPED, WANTED_DOWN, -ENOTCONN},
	    {STATE_STOPPING, WANTED_UP, -ENOTCONN},
	    {STATE_RUNNING, WANTED_DOWN, -ENOTCONN},
	};
	struct engineworld world;
	struct program *worker, *primary;
	int link, child;

	(void)state;
	begin(&world);
	worker = get(&world, "web@1");
	primary = get(&world, "web+cluster");
	link = launch_primary(&world);
	child = launch_worker(&world, "web@1", 10);
	put(worker, STATE_STOPPING, WANTED_DOWN);
	(void)told(link);
	close(link);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(primary, cases[i].state, cases[i].wanted);
		assert_int_equal(cluster_disconnect(worker), cases[i].error);
	}
	put(primary, STATE_BACKOFF, WANTED_UP);
	world.engine.safe_mode = true;
	assert_int_equal(cluster_disconnect(worker), -ENOTCONN);
	link = launch_primary(&world);
	assert_string_equal(told(link), "+0:0:10 3:0:10 2:0:0 7:0:0");
	put(worker, STATE_RUNNING, WANTED_UP);
	close(link);
	link = launch_primary(&world);
	assert_string_equal(told(link), "+0:0:10 2:0:0 7:0:0");
	close(link);
	close(child);
	end(&world);
}

/* Nothing is spun on when it is gone; the next one gets a link of its own. */
static void test_link_when_the_primary_is_gone_then_watched_no_more(void **state)
{
	struct engineworld world;
	int link;

	(void)state;
	begin(&world);
	link = launch_primary(&world);
	close(link);
	(void)ev_run(world.engine.loop, EVRUN_NOWAIT);
	assert_int_equal(ev_run(world.engine.loop, EVRUN_NOWAIT), 0);
	link = launch_primary(&world);
	assert_string_equal(told(link), "2:0:0 7:0:0");
	close(link);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_prepare_then_all_that_is_held_is_on_the_link),
	    cmocka_unit_test(test_word_of_a_run_that_is_gone_is_ignored),
	    cmocka_unit_test(test_hold_then_once_each_and_in_bounds),
	    cmocka_unit_test(test_bind_when_no_rule_names_it_then_refused),
	    cmocka_unit_test(test_send_when_no_primary_or_no_process_then_told),
	    cmocka_unit_test(test_adopt_then_the_primary_is_asked_to_tell_again),
	    cmocka_unit_test(test_disconnect_when_the_primary_is_away_then_the_next_one_is_told),
	    cmocka_unit_test(test_link_when_the_primary_is_gone_then_watched_no_more),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
