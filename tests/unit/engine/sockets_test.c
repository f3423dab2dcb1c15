/* SPDX-License-Identifier: ISC */
/*
 * sockets_test.c: what of the configuration's sockets is open and held, before and after an apply,
 * after one that an engine did not live to finish, and where something is in the way.
 */
#include "tests/unit/engine/engineworld.h"
#include "tests/unit/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/ownlog.h"
#include "supervisord/engine/confsource.h"

#define WEB "program \"web\" { command = x sockets = {\"b\", \"a\"} }\n"

/* A configuration of WEB and sockets: each '@' of the text is the directory. */
static struct config *make(const char *text)
{
	char full[2048];
	size_t at = 0;

	for (; *text != '\0'; text++)
		if (*text == '@')
			at += (size_t)snprintf(full + at, sizeof(full) - at, "%s", confdir);
		else
			full[at++] = *text;
	full[at] = '\0';
	return confdir_accept(full);
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(confdir_path(name), &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A connection's end to it, or a socket of somebody else. */
static int with_address(const char *name, int (*act)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", confdir, name) <
		    (int)sizeof(address.sun_path));
	if (act(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -errno;
}

/* 0, or how it is refused. */
static int dial(const char *name)
{
	int fd = with_address(name, connect);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int listen_there(const char *name)
{
	int fd = with_address(name, bind);

	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static unsigned count_held(const struct engineworld *world)
{
	const struct slots *slots = &world->engine.slots;
	unsigned count = 0;

	for (size_t i = 0; i < slots->count; i++)
		count += held_key_kind(slots->list[i].key) == HELD_SOCKET;
	return count;
}

static unsigned count_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* With no socket applied. */
static void begin(struct engineworld *world)
{
	unlink(confdir_path("a.sock"));
	unlink(confdir_path("b.sock"));
	engineworld_begin(world, "program \"web\" { command = x }\n");
	assert_int_equal(sockets_use(&world->engine), 0);
}

/* As apply_config() does. */
static void apply(struct engineworld *world, struct config *config)
{
	struct config_errors errors = {0};
	struct config *old = world->engine.config;

	assert_int_equal(sockets_open(&world->engine, config, &errors), 0);
	config_errors_done(&errors);
	world->engine.config = config;
	assert_int_equal(sockets_use(&world->engine), 0);
	for (size_t i = 0; i < world->engine.program_count; i++)
		world->engine.programs[i]->config = config->programs[i];
	config_free(old);
}

static void end(struct engineworld *world)
{
	sockets_done(&world->engine.sockets);
	engineworld_end(world);
}

#define BOTH                                                                                       \
	"socket \"a\" { listen = \"unix:@/a.sock\" }\nsocket \"b\" { listen = \"unix:@/b.sock\" "  \
	"fd_name = \"bee\" }\n" WEB
#define ONE "socket \"a\" { listen = \"unix:@/a.sock\" }\nprogram \"web\" { command = x }\n"

static void test_open_then_held_and_served_and_given_in_the_program_s_order(void **state)
{
	struct engineworld world;
	const struct program_config *web;
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int fds[LIMIT_PROGRAM_SOCKETS];
	size_t count = 0;

	(void)state;
	begin(&world);
	apply(&world, make(BOTH));
	assert_int_equal(count_held(&world), 2);
	assert_int_equal(dial("a.sock"), 0);
	assert_int_equal(dial("b.sock"), 0);
	web = config_find_program(world.engine.config, "web");
	assert_null(sockets_find_missing(&world.engine, web));
	assert_int_equal(sockets_of_program(&world.engine, web, fds, names, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "bee");
	assert_string_equal(names[1], "a");
	assert_int_not_equal(fds[0], fds[1]);
	sockets_remove_files(&world.engine);
	assert_false(is_there("a.sock"));
	end(&world);
}

/* Nothing of it is open, and the next try begins from where this one did. */
static void test_open_when_one_is_in_use_then_none_is_open(void **state)
{
	struct engineworld world;
	struct config_errors errors = {0};
	struct config *config = make(BOTH);
	int theirs;

	(void)state;
	begin(&world);
	theirs = listen_there("b.sock");
	assert_int_equal(sockets_open(&world.engine, config, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	assert_int_equal(errors.list[0].line, 2);
	assert_non_null(strstr(errors.list[0].message, "b.sock"));
	config_errors_done(&errors);
	assert_int_equal(count_held(&world), 0);
	assert_false(is_there("a.sock"));
	assert_int_equal(dial("b.sock"), 0); /* still theirs */
	close(theirs);
	/* A file that nobody serves is taken over. */
	apply(&world, config);
	assert_int_equal(dial("b.sock"), 0);
	assert_int_equal(count_held(&world), 2);
	end(&world);
}

/* What is open stays open while another apply is refused. */
static void test_open_when_refused_then_what_was_open_before_stays(void **state)
{
	struct engineworld world;
	struct config_errors errors = {0};
	struct config *config;
	int theirs, slot;

	(void)state;
	begin(&world);
	apply(&world, make(ONE));
	slot = world.engine.sockets.list[0].slot;
	theirs = listen_there("b.sock");
	config = make(BOTH);
	assert_int_equal(sockets_open(&world.engine, config, &errors), -EINVAL);
	config_errors_done(&errors);
	config_free(config);
	assert_int_equal(count_held(&world), 1);
	assert_int_equal(dial("a.sock"), 0);
	assert_int_equal(world.engine.sockets.list[0].slot, slot);
	close(theirs);
	end(&world);
}

static void test_use_when_the_stanza_is_gone_then_closed_and_the_file_is_removed(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world);
	apply(&world, make("socket \"a\" { listen = \"unix:@/a.sock\" }\nsocket \"b\" { listen = "
			   "\"unix:@/b.sock\" remove_on_stop = false }\n" WEB));
	apply(&world, make("program \"web\" { command = x }\n"));
	assert_int_equal(count_held(&world), 0);
	assert_false(is_there("a.sock"));
	assert_true(is_there("b.sock"));
	end(&world);
}

/* Another name for the same address is the same socket. */
static void test_use_when_only_the_name_is_another_then_it_stays_open(void **state)
{
	struct engineworld world;
	int slot;

	(void)state;
	begin(&world);
	apply(&world, make(ONE));
	slot = world.engine.sockets.list[0].slot;
	apply(&world,
	    make("socket \"z\" { listen = \"unix:@/a.sock\" }\nprogram \"web\" { command = x }\n"));
	assert_int_equal(world.engine.sockets.list[0].slot, slot);
	assert_int_equal(count_held(&world), 1);
	assert_int_equal(dial("a.sock"), 0);
	end(&world);
}

/* An engine has opened it and was killed before it applied anything: the next one closes it. */
static void test_use_when_an_engine_left_one_then_it_is_closed(void **state)
{
	struct engineworld world;
	struct config_errors errors = {0};
	struct config *config;

	(void)state;
	begin(&world);
	config = make(ONE);
	assert_int_equal(sockets_open(&world.engine, config, &errors), 0);
	config_errors_done(&errors);
	config_free(config);
	assert_int_equal(count_held(&world), 1);
	assert_int_equal(sockets_use(&world.engine), 0);
	assert_int_equal(count_held(&world), 0);
	assert_false(is_there("a.sock"));
	end(&world);
}

/* … but not where nobody knows what was applied. */
static void test_use_when_the_configuration_is_lost_then_nothing_is_closed(void **state)
{
	struct engineworld world;
	struct config_errors errors = {0};
	struct config *config;

	(void)state;
	begin(&world);
	config = make(ONE);
	assert_int_equal(sockets_open(&world.engine, config, &errors), 0);
	config_errors_done(&errors);
	config_free(config);
	world.engine.config_lost = true;
	assert_int_equal(sockets_use(&world.engine), 0);
	assert_int_equal(count_held(&world), 1);
	assert_int_equal(dial("a.sock"), 0);
	end(&world);
}

static void test_use_when_somebody_removed_the_file_then_made_anew(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world);
	apply(&world, make(ONE));
	assert_int_equal(unlink(confdir_path("a.sock")), 0);
	assert_int_equal(sockets_use(&world.engine), 0);
	assert_int_equal(count_held(&world), 1);
	assert_int_equal(dial("a.sock"), 0);
	end(&world);
}

/* At the start of the daemon one that cannot be opened keeps only those down that need it. */
static void test_use_when_it_cannot_be_opened_then_missing_until_it_can(void **state)
{
	struct engineworld world;
	const struct program_config *web;
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int fds[LIMIT_PROGRAM_SOCKETS], theirs;
	size_t count = 7;

	(void)state;
	begin(&world);
	theirs = listen_there("b.sock");
	config_free(world.engine.config);
	world.engine.config = make(BOTH);
	ownlog_set_level(OWNLOG_ERROR);
	/* In safe mode nothing is opened. */
	world.engine.safe_mode = true;
	assert_int_equal(sockets_use(&world.engine), 0);
	assert_int_equal(count_held(&world), 0);
	world.engine.safe_mode = false;
	assert_int_equal(sockets_use(&world.engine), 0);
	ownlog_set_level(OWNLOG_NOTICE);
	web = config_find_program(world.engine.config, "web");
	assert_int_equal(count_held(&world), 1);
	assert_non_null(strstr(sockets_find_missing(&world.engine, web), "b.sock"));
	assert_int_equal(sockets_of_program(&world.engine, web, fds, names, &count), -EADDRINUSE);
	assert_int_equal(count, 7);
	close(theirs);
	assert_int_equal(sockets_of_program(&world.engine, web, fds, names, &count), 0);
	assert_int_equal(count, 2);
	assert_null(sockets_find_missing(&world.engine, web));
	assert_int_equal(count_held(&world), 2);
	world.engine.programs[0]->config = web;
	end(&world);
}

/* The guardian has no room: nothing is open that it does not hold. */
static void test_open_when_the_guardian_is_full_then_none_is_open(void **state)
{
	struct engineworld world;
	struct config_errors errors = {0};
	struct config *config = make(BOTH);
	unsigned fds;

	(void)state;
	begin(&world);
	fds = count_fds();
	world.engine.slots.capacity = world.engine.slots.used + 1;
	assert_int_equal(sockets_open(&world.engine, config, &errors), -EINVAL);
	assert_int_equal(errors.count, 1);
	config_errors_done(&errors);
	assert_int_equal(count_held(&world), 0);
	assert_false(is_there("a.sock"));
	assert_false(is_there("b.sock"));
	assert_int_equal(count_fds(), fds);
	config_free(config);
	end(&world);
}

/* That there was no memory to say what is wrong does not make it right. */
static void test_open_when_in_use_and_memory_is_refused_then_never_good(void **state)
{
	struct config *config = make(BOTH);
	unsigned n = 1;
	bool came;

	(void)state;
	do {
		struct engineworld world;
		struct config_errors errors = {0};
		int theirs;

		begin(&world);
		theirs = listen_there("b.sock");
		refusal_begin(n++);
		assert_true(sockets_open(&world.engine, config, &errors) < 0);
		came = refusal_end();
		assert_int_equal(count_held(&world), 0);
		config_errors_done(&errors);
		close(theirs);
		end(&world);
	} while (came);
	assert_true(n > 3);
	config_free(config);
}

static void test_open_when_memory_is_refused_then_all_or_none(void **state)
{
	unsigned n = 1, failed = 0;
	bool came;

	(void)state;
	ownlog_set_level(OWNLOG_ERROR);
	do {
		struct engineworld world;
		struct config_errors errors = {0};
		struct config *config = make(BOTH);
		int error;

		begin(&world);
		refusal_begin(n++);
		error = sockets_open(&world.engine, config, &errors);
		came = refusal_end();
		failed += error < 0;
		assert_int_equal(count_held(&world), error == 0 ? 2 : 0);
		assert_int_equal(is_there("a.sock"), error == 0);
		assert_int_equal(is_there("b.sock"), error == 0);
		config_errors_done(&errors);
		config_free(config);
		end(&world);
	} while (came);
	ownlog_set_level(OWNLOG_NOTICE);
	assert_true(failed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open_then_held_and_served_and_given_in_the_program_s_order),
	    cmocka_unit_test(test_open_when_one_is_in_use_then_none_is_open),
	    cmocka_unit_test(test_open_when_refused_then_what_was_open_before_stays),
	    cmocka_unit_test(test_use_when_the_stanza_is_gone_then_closed_and_the_file_is_removed),
	    cmocka_unit_test(test_use_when_only_the_name_is_another_then_it_stays_open),
	    cmocka_unit_test(test_use_when_an_engine_left_one_then_it_is_closed),
	    cmocka_unit_test(test_use_when_the_configuration_is_lost_then_nothing_is_closed),
	    cmocka_unit_test(test_use_when_somebody_removed_the_file_then_made_anew),
	    cmocka_unit_test(test_use_when_it_cannot_be_opened_then_missing_until_it_can),
	    cmocka_unit_test(test_open_when_the_guardian_is_full_then_none_is_open),
	    cmocka_unit_test(test_open_when_in_use_and_memory_is_refused_then_never_good),
	    cmocka_unit_test(test_open_when_memory_is_refused_then_all_or_none),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
