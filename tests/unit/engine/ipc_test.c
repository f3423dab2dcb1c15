/* SPDX-License-Identifier: ISC */
/*
 * ipc_test.c: messages on a program's channel: told, routed and answered, lost where there is no
 * room, and dealt with by the engine that follows one that was killed.
 */
#include "tests/unit/engine/callworld.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/inbox.h"
#include "lib/ownlog.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/ipcfollow.h"

static const char programs[] =
    "program \"a\" { command = x ipc = true ipc_to = \"program:b\" ready = \"ipc\" }\n"
    "program \"b\" { command = x ipc = true instances = 2 }\n"
    "program \"plain\" { command = x }\n";

static unsigned ready_notes;

void __wrap_program_note_ready(struct program *program, enum check_kind kind);

void __wrap_program_note_ready(struct program *program, enum check_kind kind)
{
	assert_string_equal(program_name(program), "a");
	assert_int_equal(kind, CHECK_IPC);
	ready_notes++;
}

static struct program *get(struct callworld *w, const char *name)
{
	struct program *program = engine_find(&w->world.engine, name);

	assert_non_null(program);
	return program;
}

/* A launch: its end of the channel, as a program has it. */
static int launch(struct callworld *w, const char *name)
{
	char *environment[IPC_ENVIRONMENT];
	struct launch_fd extra[LAUNCH_EXTRA];
	size_t count = 0, extra_count = 1;
	int child = -1;

	extra[0] = (struct launch_fd){.fd = 0, .number = 5};
	assert_int_equal(
	    ipc_prepare(get(w, name), environment, &count, extra, &extra_count, &child), 0);
	assert_int_equal(extra_count, 2);
	assert_int_equal(extra[1].fd, child);
	assert_int_equal(extra[1].number, 6); /* behind the others */
	assert_int_equal(count, 2);
	assert_string_equal(environment[0], "NODE_CHANNEL_FD=6");
	while (count > 0)
		free(environment[--count]);
	assert_int_equal(fcntl(child, F_SETFL, O_NONBLOCK), 0);
	return child;
}

static void begin(struct callworld *w)
{
	callworld_begin(w, programs);
	w->world.engine.loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(w->world.engine.loop);
	ready_notes = 0;
	ownlog_set_level(OWNLOG_ERROR);
}

static void end(struct callworld *w)
{
	for (size_t i = 0; i < w->world.engine.program_count; i++)
		ipc_release(w->world.engine.programs[i]);
	ev_loop_destroy(w->world.engine.loop);
	ownlog_set_level(OWNLOG_NOTICE);
	callworld_end(w);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void turn(struct callworld *w)
{
	ev_run(w->world.engine.loop, EVRUN_NOWAIT);
}

/* What waits in it. */
static const char *heard(int fd)
{
	static char text[LIMIT_IPC_LINE + 2];
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* The messages that are remembered of it, one after the other. */
static const char *remembered(struct callworld *w, const char *name)
{
	static char text[1024], buffer[LIMIT_IPC_RING];
	const struct ipcring *ring = ipc_get_ring(get(w, name));
	struct ipcring_message message;
	size_t length, at = 0, end = 0;

	text[0] = '\0';
	if (ring == NULL)
		return text;
	length = ipcring_copy(ring, buffer);
	while (ipcring_next(buffer, length, &at, &message))
		end += (size_t)snprintf(text + end, sizeof(text) - end, "%.*s;",
		    message.length > 40 ? 40 : (int)message.length, message.text);
	return text;
}

static void test_message_then_remembered_and_routed_to_each_instance(void **state)
{
	struct callworld w;
	int a, b1, b2;

	(void)state;
	begin(&w);
	a = launch(&w, "a");
	b1 = launch(&w, "b@1");
	b2 = launch(&w, "b@2");
	say(a, "{\"x\":1}\n[2]\n\"rea");
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "{\"x\":1};[2];");
	assert_int_equal(ready_notes, 0);
	say(a, "dy\"\n");
	turn(&w);
	assert_int_equal(ready_notes, 1);
	assert_string_equal(heard(b1), "{\"x\":1}\n[2]\n\"ready\"\n");
	assert_string_equal(heard(b2), "{\"x\":1}\n[2]\n\"ready\"\n");
	assert_string_equal(heard(a), "");
	close(a);
	close(b1);
	close(b2);
	end(&w);
}

/* Node's own goes to nobody, however it is written: it could kill who gets it. */
static void test_internal_message_then_answered_and_not_routed(void **state)
{
	struct callworld w;
	int a, b;

	(void)state;
	begin(&w);
	a = launch(&w, "a");
	b = launch(&w, "b@1");
	say(a, "{\"cmd\":\"NODE_HANDLE\"}\n{\"cmd\":\"x\",\"cmd\":\"NODE_HANDLE\"}\n"
	       "{\"\\u0063md\":\"NODE_x\"}\nnonsense\n{\"cmd\":\"NODE_SOCKET_GET_COUNT\","
	       "\"key\":\"k\"}\n");
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "");
	assert_string_equal(heard(b), "");
	assert_string_equal(heard(a),
	    "{\"cmd\":\"NODE_HANDLE_ACK\"}\n{\"cmd\":\"NODE_HANDLE_ACK\"}\n"
	    "{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"k\",\"count\":0}\n");
	close(a);
	close(b);
	end(&w);
}

/* Left out, and the next one is whole; one with a socket is answered all the same. */
static void test_message_when_too_long_then_left_out(void **state)
{
	static char big[LIMIT_IPC_LINE + 64];
	struct callworld w;
	size_t sent = 0, length;
	int a;

	(void)state;
	begin(&w);
	a = launch(&w, "a");
	length = (size_t)snprintf(big, sizeof(big), "{\"cmd\":\"NODE_HANDLE\",\"x\":\"");
	memset(big + length, 'x', sizeof(big) - length - 4);
	memcpy(big + sizeof(big) - 4, "\"}\n", 4);
	while (sent < sizeof(big) - 1) {
		ssize_t got = send(a, big + sent, sizeof(big) - 1 - sent, MSG_NOSIGNAL);

		if (got > 0)
			sent += (size_t)got;
		turn(&w);
	}
	say(a, "[3]\n");
	turn(&w);
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "[3];");
	assert_string_equal(heard(a), "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
	close(a);
	end(&w);
}

/* By way of a cluster's primary, whose user is not ours: not two lines for whom it is routed to. */
static void test_take_when_it_is_not_one_line_then_dropped(void **state)
{
	static const char two[] = "[1,\n{\"cmd\":\"NODE_HANDLE\"}\n]";
	struct callworld w;
	int a, b;

	(void)state;
	begin(&w);
	a = launch(&w, "a");
	b = launch(&w, "b@1");
	ipc_take(get(&w, "a"), two, strlen(two));
	assert_string_equal(heard(b), "");
	assert_string_equal(remembered(&w, "a"), "");
	ipc_take(get(&w, "a"), "[1]", 3);
	assert_string_equal(heard(b), "[1]\n");
	ipc_take(get(&w, "plain"), "[1]", 3); /* has no channel */
	close(a);
	close(b);
	end(&w);
}

static void test_send_when_there_is_no_room_then_told(void **state)
{
	static char big[LIMIT_IPC_LINE + 2];
	struct callworld w;
	int b, error = 0, count = 0;

	(void)state;
	begin(&w);
	assert_int_equal(ipc_send(get(&w, "b@1"), "1", 1), -ENOTCONN);
	assert_int_equal(ipc_send(get(&w, "plain"), "1", 1), -ENOTCONN);
	b = launch(&w, "b@1");
	memset(big, '1', sizeof(big));
	assert_int_equal(ipc_send(get(&w, "b@1"), big, LIMIT_IPC_LINE + 1), -EMSGSIZE);
	while (error == 0 && ++count < 10000)
		error = ipc_send(get(&w, "b@1"), big, 1000);
	assert_int_equal(error, -EAGAIN);
	/* Whole lines only. */
	while (recv(b, big, 1001, 0) == 1001)
		assert_int_equal(big[1000], '\n');
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ipc_send(get(&w, "b@1"), "1", 1), 0);
	close(b);
	assert_int_equal(ipc_send(get(&w, "b@1"), "1", 1), -ENOTCONN);
	end(&w);
}

/* What the run before said last is not lost, and what it has not said to its end is nothing. */
static void test_prepare_when_a_run_was_before_then_its_last_words_are_taken(void **state)
{
	struct callworld w;
	int first, second;

	(void)state;
	begin(&w);
	first = launch(&w, "a");
	say(first, "[1]\n[2");
	close(first);
	second = launch(&w, "a");
	assert_string_equal(remembered(&w, "a"), "[1];");
	say(second, "3]\n[4]\n");
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "[1];[4];");
	close(second);
	end(&w);
}

/* What of a channel outlives the engine. */
struct held {
	uint64_t channel_key, memory_key;
	int channel, memory;
};

/* The engine is killed. */
static struct held let_die(struct callworld *w, struct program *program)
{
	const struct slots *slots = &w->world.engine.slots;
	struct held held = {.channel_key = held_key(HELD_IPC, (uint32_t)program->run.row, 0),
	    .memory_key = held_key(HELD_IPC_STATE, (uint32_t)program->run.row, 0)};

	held.channel =
	    fcntl(slots_get_fd(slots, slots_find(slots, held.channel_key)), F_DUPFD_CLOEXEC, 0);
	held.memory = engineworld_take_held(&w->world, held.memory_key);
	ipc_release(program);
	return held;
}

/* The next one finds both, in this order or in the other one. */
static void adopt(
    struct callworld *w, struct program *program, const struct held *held, bool channel_first)
{
	struct slots *slots = &w->world.engine.slots;

	if (channel_first)
		ipc_adopt(program, held->channel_key,
		    slots_hold(slots, held->channel_key, held->channel));
	ipc_adopt(program, held->memory_key, slots_hold(slots, held->memory_key, held->memory));
	if (!channel_first)
		ipc_adopt(program, held->channel_key,
		    slots_hold(slots, held->channel_key, held->channel));
}

static struct inbox *map_inbox(const struct held *held)
{
	void *map =
	    mmap(NULL, sizeof(struct inbox), PROT_READ | PROT_WRITE, MAP_SHARED, held->memory, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	return map;
}

/* As the kernel writes it there. */
static void put_in(struct inbox *box, const char *text)
{
	struct inbox_view view;
	size_t room;

	inbox_attach(&view, box);
	memcpy(inbox_get_room(&view, &room), text, strlen(text));
}

/* A killed engine: the next has what came, also half of a line, and each message once. */
static void test_adopt_then_it_goes_on_in_the_middle_of_a_line(void **state)
{
	struct callworld w;
	struct program *a;
	struct held held;
	int child;

	(void)state;
	begin(&w);
	a = get(&w, "a");
	child = launch(&w, "a");
	say(child, "[1]\n[2");
	turn(&w);
	held = let_die(&w, a);
	adopt(&w, a, &held, false);
	assert_string_equal(remembered(&w, "a"), "[1];");
	say(child, "]\n");
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "[1];[2];");
	close(child);
	end(&w);
}

/* Killed behind the recvmsg(2) of the last bytes that ever come. */
static void test_adopt_when_a_line_was_read_and_not_dealt_with_then_it_is(void **state)
{
	struct callworld w;
	struct program *a;
	struct inbox *box;
	struct held held;
	int child;

	(void)state;
	begin(&w);
	a = get(&w, "a");
	child = launch(&w, "a");
	held = let_die(&w, a);
	box = map_inbox(&held);
	put_in(box, "[1]\n[2]\n");
	munmap(box, sizeof(*box));
	adopt(&w, a, &held, true);
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "[1];[2];");
	close(child);
	end(&w);
}

/* Killed before it was taken out of the inbox. */
static void test_adopt_when_a_line_was_told_then_it_is_not_again(void **state)
{
	struct inbox *box, *before = malloc(sizeof(*before));
	struct callworld w;
	struct program *a;
	struct held held;
	int child;

	(void)state;
	assert_non_null(before);
	begin(&w);
	a = get(&w, "a");
	child = launch(&w, "a");
	for (int deaths = 0; deaths < 3; deaths++) {
		held = let_die(&w, a);
		box = map_inbox(&held);
		if (deaths == 0) {
			put_in(box, "[1]\n");
			memcpy(before, box, sizeof(*before));
		} else {
			memcpy(box, before, sizeof(*before));
		}
		munmap(box, sizeof(*box));
		adopt(&w, a, &held, false);
		turn(&w);
		assert_string_equal(remembered(&w, "a"), "[1];");
	}
	/* The same again is another one. */
	say(child, "[1]\n[1]\n");
	turn(&w);
	assert_string_equal(remembered(&w, "a"), "[1];[1];[1];");
	close(child);
	free(before);
	end(&w);
}

static void test_call_send_then_one_line_or_told_why(void **state)
{
	static const struct {
		const char *parameters, *answer;
	} wrong[] = {
	    {"{}", "\"parameter\":\"name\""},
	    {"{\"name\": \"plain\", \"message\": \"1\"}", "NoChannel"},
	    {"{\"name\": \"b@1\"}", "\"parameter\":\"message\""},
	    {"{\"name\": \"b@1\", \"message\": \"{\"}", "\"parameter\":\"message\""},
	    {"{\"name\": \"b@1\", \"message\": \"{\\\"a\\\":1,\\\"a\\\":2}\"}",
		"\"parameter\":\"message\""},
	    {"{\"name\": \"b@1\", \"message\": \"{\\\"cmd\\\":\\\"NODE_HANDLE\\\"}\"}",
		"\"parameter\":\"message\""},
	    {"{\"name\": \"b@2\", \"message\": \"1\"}", "NotSent"},
	};
	struct callworld w;
	int b;

	(void)state;
	begin(&w);
	b = launch(&w, "b@1");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		callworld_expect(&w, ipc_call_send, wrong[i].parameters, wrong[i].answer);
	callworld_expect(&w, ipc_call_send, "{\"name\": \"b@1\", \"message\": \" [1,\\n 2 ] \"}",
	    "{\"parameters\":{}}");
	assert_string_equal(heard(b), "[1,2]\n");
	/* To each instance; one without a channel keeps the others from nothing. */
	callworld_expect(
	    &w, ipc_call_send, "{\"name\": \"b\", \"message\": \"3\"}", "\"name\":\"b@2\"");
	assert_string_equal(heard(b), "3\n");
	close(b);
	end(&w);
}

static void test_call_messages_then_the_last_ones_after_a_number(void **state)
{
	struct callworld w;
	const char *answer;
	int a;

	(void)state;
	begin(&w);
	callworld_expect(&w, ipc_call_messages, "{\"name\": \"b\"}", "\"nearest\":\"b@1\"");
	callworld_expect(&w, ipc_call_messages, "{\"name\": \"a\"}", "\"messages\":[]");
	a = launch(&w, "a");
	say(a, "[1]\n[2]\n[3]\n[4]\n");
	turn(&w);
	answer = callworld_ask(&w, ipc_call_messages, "{\"name\": \"a\", \"lines\": 2}");
	assert_null(strstr(answer, "[2]"));
	assert_non_null(strstr(answer, "[3]"));
	assert_non_null(strstr(answer, "[4]"));
	answer = callworld_ask(&w, ipc_call_messages, "{\"name\": \"a\", \"after\": 3}");
	assert_null(strstr(answer, "[3]"));
	assert_non_null(strstr(answer, "[4]"));
	callworld_expect(
	    &w, ipc_call_messages, "{\"name\": \"a\", \"lines\": 0}", "\"messages\":[]");
	callworld_expect(
	    &w, ipc_call_messages, "{\"name\": \"a\", \"lines\": -2}", "\"parameter\":\"lines\"");
	/* Who follows needs more than one answer. */
	callworld_expect(&w, ipc_call_messages, "{\"name\": \"a\", \"follow\": true}",
	    "\"parameter\":\"follow\"");
	close(a);
	end(&w);
}

/* So many and no more; one that does not read delays nobody, and goes. */
static void test_followers_when_there_are_enough_then_refused(void **state)
{
	struct callworld w;
	struct ipc_followers *followers;
	int a, ends[LIMIT_IPC_FOLLOWERS][2], pair[2], rounds = 0;
	static char text[1024];

	(void)state;
	begin(&w);
	a = launch(&w, "a");
	followers = ipc_get_followers(get(&w, "a"));
	for (int i = 0; i < LIMIT_IPC_FOLLOWERS; i++) {
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends[i]), 0);
		assert_int_equal(ipc_followers_add(followers, ends[i][0]), 0);
	}
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(ipc_followers_add(followers, pair[0]), -EAGAIN);
	say(a, "[1]\n");
	turn(&w);
	for (int i = 0; i < LIMIT_IPC_FOLLOWERS; i++)
		assert_non_null(strstr(heard(ends[i][1]), "\"message\":\"[1]\""));
	/* The first stops reading: the others hear all. */
	memset(text, '1', sizeof(text));
	memcpy(text + sizeof(text) - 2, "\n", 2);
	while (ipc_followers_add(followers, pair[0]) == -EAGAIN && rounds++ < 100000) {
		say(a, text);
		turn(&w);
		for (int i = 1; i < LIMIT_IPC_FOLLOWERS; i++)
			assert_int_not_equal(heard(ends[i][1])[0], '\0');
	}
	assert_true(rounds > 1 && rounds < 100000);
	/* One that hangs up makes room as well. */
	close(ends[1][1]);
	turn(&w);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends[1]), 0);
	assert_int_equal(ipc_followers_add(followers, ends[1][0]), 0);
	for (int i = 0; i < LIMIT_IPC_FOLLOWERS; i++)
		close(ends[i][1]);
	close(pair[1]);
	close(a);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_message_then_remembered_and_routed_to_each_instance),
	    cmocka_unit_test(test_internal_message_then_answered_and_not_routed),
	    cmocka_unit_test(test_message_when_too_long_then_left_out),
	    cmocka_unit_test(test_take_when_it_is_not_one_line_then_dropped),
	    cmocka_unit_test(test_send_when_there_is_no_room_then_told),
	    cmocka_unit_test(test_prepare_when_a_run_was_before_then_its_last_words_are_taken),
	    cmocka_unit_test(test_adopt_then_it_goes_on_in_the_middle_of_a_line),
	    cmocka_unit_test(test_adopt_when_a_line_was_read_and_not_dealt_with_then_it_is),
	    cmocka_unit_test(test_adopt_when_a_line_was_told_then_it_is_not_again),
	    cmocka_unit_test(test_call_send_then_one_line_or_told_why),
	    cmocka_unit_test(test_call_messages_then_the_last_ones_after_a_number),
	    cmocka_unit_test(test_followers_when_there_are_enough_then_refused),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
