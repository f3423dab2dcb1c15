/* SPDX-License-Identifier: ISC */
/*
 * accept.c: see accept.h, accept(2).
 *
 * One acceptor a program watches its sockets while one of the places is free; what came when none
 * is waits in the backlog.  The listening sockets do not block (socketbind.c); the connections do,
 * as programs that know nothing of sockets expect.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/accept.h"
#include "supervisord/engine/acceptrule.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/peer.h"
#include "supervisord/engine/programevent.h"

/* When a socket cannot be opened, or there are no descriptors for a connection. */
#define AGAIN_NS (1 * NS_PER_S)
/* Least time between two lines that say the same. */
#define TELL_AGAIN_NS (10 * NS_PER_S)
/* In ready_mark of a row: the connection that it is to get is just being taken. */
#define MARK_TAKING 1

_Static_assert(MARK_TAKING < ACCEPTRULE_SOURCES, "a mark is no source");

struct acceptor {
	LIST_ENTRY(acceptor) link;
	struct engine *engine;
	char name[LIMIT_NAME]; /* of the program */
	struct timer timer;    /* until then nothing is watched */
	struct acceptrule_window window;
	int64_t told_full_ns;
	int64_t told_refused_ns;
	int64_t told_error_ns;
	uint64_t refused; /* since that was told */
	size_t count;     /* watchers that are active */
	ev_io watchers[LIMIT_PROGRAM_SOCKETS];
};

/* What came of an attempt to take one. */
enum taken { TAKEN, DROPPED, NOBODY, FAILED };

static struct acceptor *find(struct engine *engine, const char *name);
static struct acceptor *add(struct engine *engine, const char *name);
static void drop(struct acceptor *acceptor);
static void settle(struct acceptor *acceptor);
static struct program *find_free(const struct acceptor *acceptor, size_t *ret_places);
static bool is_free(const struct program *program);
static void watch(struct acceptor *acceptor, const struct program *program);
static void unwatch(struct acceptor *acceptor);
static void rest(struct acceptor *acceptor, int64_t until_ns);
static void on_timer(struct timer *timer);
static void on_readable(struct ev_loop *loop, ev_io *io, int events);
static enum taken take(struct acceptor *acceptor, struct program *program, int socket);
static enum taken take_marked(struct acceptor *acceptor, struct program *program, int socket);
static void give(struct program *program, int fd);
static struct acceptrule rule_of(const struct program *program);
static uint32_t count_source(const struct acceptor *acceptor, uint64_t source);
static void set_mark(const struct program *program, uint64_t mark);
static void tell_full(struct acceptor *acceptor, size_t places);
static void tell_refused(
    struct acceptor *acceptor, const struct program *program, const struct peer *peer);
static void tell_error(struct acceptor *acceptor, int error);
static bool is_time(int64_t *told_ns);

bool accept_has(const struct program *program)
{
	return program->engine->accepts.program == program;
}

int accept_get(const struct program *program, int *ret_fd)
{
	if (!accept_has(program))
		return -ECONNABORTED;
	*ret_fd = program->engine->accepts.fd;
	return 0;
}

int accept_tell(struct program *program, char **environment, size_t *count)
{
	char text[PEER_TEXT];
	struct peer peer;
	int fd, error = accept_get(program, &fd);

	if (error == 0)
		error = peer_of(fd, &peer);
	if (error < 0)
		return error;
	set_mark(program, acceptrule_source(&peer.address, peer.uid));
	/* It has no socket of sd_notify(3) to say anything else. */
	program_set_status_text(program, peer_text(&peer, text, sizeof(text)));
	return peer_add(&peer, environment, count);
}

const char *accept_peer(const struct program *program)
{
	const char *text = program->engine->ledger->status_text[program->run.row];

	return program->config->life->key_accept && step_is_live(program_state_of(program)) &&
		       text[0] != '\0'
		   ? text
		   : NULL;
}

void accept_attend(struct program *program)
{
	struct instname parts;

	instname_split(program_name(program), &parts);
	if (find(program->engine, parts.program) == NULL &&
	    add(program->engine, parts.program) == NULL)
		log_error("%s: out of memory for accepting connections", program_name(program));
	program->engine->accepts.stale = true;
}

void accept_settle(struct engine *engine)
{
	struct acceptor *acceptor, *next;

	if (!engine->accepts.stale)
		return;
	engine->accepts.stale = false;
	for (acceptor = LIST_FIRST(&engine->accepts.list); acceptor != NULL; acceptor = next) {
		next = LIST_NEXT(acceptor, link);
		settle(acceptor);
	}
}

void accept_unwatch_all(struct engine *engine)
{
	struct acceptor *acceptor;

	LIST_FOREACH (acceptor, &engine->accepts.list, link)
		unwatch(acceptor);
	engine->accepts.stale = true;
}

void accept_done(struct engine *engine)
{
	while (!LIST_EMPTY(&engine->accepts.list))
		drop(LIST_FIRST(&engine->accepts.list));
}

bool accept_is_quiet(struct program *program, enum state from)
{
	enum state now = program_state_of(program);
	bool idle = (from == STATE_STOPPED && now == STATE_WAITING) ||
		    (from == STATE_WAITING && step_is_stopping(now)) ||
		    (program->idle && step_is_stopping(from));

	program->idle = idle && step_is_stopping(now);
	return idle && instname_number(program_name(program)) > 1;
}

void accept_resume(struct program *program)
{
	const struct ledger_row *row = &program->engine->ledger->table[program->run.row];

	/* It was taken for a run that has no process yet, and now fails for want of it; or maybe
	 * it was not even taken. */
	if (atomic_load(&row->ready_mark) != MARK_TAKING)
		return;
	log_warning("%s: a connection was lost (closed) with the engine before this one, if one "
		    "was there",
	    program_name(program));
	set_mark(program, 0);
}

/* ---- who watches ---- */

static struct acceptor *find(struct engine *engine, const char *name)
{
	struct acceptor *acceptor;

	LIST_FOREACH (acceptor, &engine->accepts.list, link)
		if (strcmp(acceptor->name, name) == 0)
			return acceptor;
	return NULL;
}

static struct acceptor *add(struct engine *engine, const char *name)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (acceptor == NULL)
		return NULL;
	acceptor->engine = engine;
	acceptor->timer.fire = on_timer;
	(void)strlcpy(acceptor->name, name, sizeof(acceptor->name));
	LIST_INSERT_HEAD(&engine->accepts.list, acceptor, link);
	return acceptor;
}

static void drop(struct acceptor *acceptor)
{
	unwatch(acceptor);
	timers_cancel(&acceptor->engine->timers, &acceptor->timer);
	LIST_REMOVE(acceptor, link);
	free(acceptor);
}

static void settle(struct acceptor *acceptor)
{
	size_t places = 0;
	struct program *program = find_free(acceptor, &places);

	if (places == 0) {
		drop(acceptor);
		return;
	}
	if (program == NULL) {
		unwatch(acceptor);
		tell_full(acceptor, places);
	} else if (acceptor->timer.index == 0 && acceptor->count == 0) {
		watch(acceptor, program);
	}
}

/* That of the lowest number; and how many there are at all. */
static struct program *find_free(const struct acceptor *acceptor, size_t *ret_places)
{
	struct program *program, *lowest = NULL;
	size_t index = 0;

	*ret_places = 0;
	while ((program = engine_next_named(acceptor->engine, acceptor->name, &index)) != NULL) {
		if (!program->config->life->key_accept || program->removed)
			continue;
		(*ret_places)++;
		if (is_free(program) &&
		    (lowest == NULL || instname_number(program_name(program)) <
					   instname_number(program_name(lowest))))
			lowest = program;
	}
	return lowest;
}

/* A connection would begin a run of it at once. */
static bool is_free(const struct program *program)
{
	const struct engine *engine = program->engine;
	const struct ledger_state *state = program_state(program);

	return state->state == STATE_WAITING && state->wanted == WANTED_UP && !engine->safe_mode &&
	       !atomic_load(&engine->ledger->header.shutdown) &&
	       engine_start_blocker(engine, program) == NULL;
}

static void watch(struct acceptor *acceptor, const struct program *program)
{
	struct engine *engine = acceptor->engine;
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int list[LIMIT_PROGRAM_SOCKETS];
	size_t count = 0;

	if (sockets_of_program(engine, program->config, list, names, &count) < 0) {
		rest(acceptor, clock_boot_ns() + AGAIN_NS); /* and that has been said */
		return;
	}
	for (size_t i = 0; i < count; i++) {
		ev_io_init(&acceptor->watchers[i], on_readable, list[i], EV_READ);
		acceptor->watchers[i].data = acceptor;
		ev_io_start(engine->loop, &acceptor->watchers[i]);
	}
	acceptor->count = count;
}

static void unwatch(struct acceptor *acceptor)
{
	for (size_t i = 0; i < acceptor->count; i++)
		ev_io_stop(acceptor->engine->loop, &acceptor->watchers[i]);
	acceptor->count = 0;
}

static void rest(struct acceptor *acceptor, int64_t until_ns)
{
	unwatch(acceptor);
	if (timers_arm(&acceptor->engine->timers, &acceptor->timer, until_ns) < 0)
		acceptor->engine->accepts.stale = true; /* no memory: then at once */
}

static void on_timer(struct timer *timer)
{
	struct acceptor *acceptor =
	    (struct acceptor *)(void *)((char *)timer - offsetof(struct acceptor, timer));

	acceptor->engine->accepts.stale = true;
}

/* ---- a connection ---- */

/* So many a turn of the loop: control has its turn between. */
static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct acceptor *acceptor = io->data;
	enum taken taken = DROPPED;

	(void)loop;
	(void)events;
	for (int i = 0; i < LIMIT_ACCEPT_BATCH && (taken == TAKEN || taken == DROPPED); i++) {
		size_t places;
		struct program *program = find_free(acceptor, &places);
		struct acceptrule rule;
		int64_t now_ns = clock_boot_ns(), until_ns;

		if (program == NULL)
			break;
		rule = rule_of(program);
		until_ns = acceptrule_rests_until(&rule, &acceptor->window, now_ns);
		if (until_ns != 0) {
			log_warning("%s: %u connections in trigger_limit_interval: those that come "
				    "now wait until it is over (trigger_limit)",
			    acceptor->name, rule.limit);
			rest(acceptor, until_ns);
			break;
		}
		taken = take(acceptor, program, io->fd);
		/* Who is refused does not use up what others may have. */
		if (taken == TAKEN)
			acceptrule_note(&rule, &acceptor->window, now_ns);
	}
	acceptor->engine->accepts.stale = true;
}

/* What the ledger has of it: until it is launched it is marked. */
static enum taken take(struct acceptor *acceptor, struct program *program, int socket)
{
	enum taken taken;

	set_mark(program, MARK_TAKING);
	taken = take_marked(acceptor, program, socket);
	if (taken != TAKEN)
		set_mark(program, 0);
	return taken;
}

static enum taken take_marked(struct acceptor *acceptor, struct program *program, int socket)
{
	const struct acceptrule rule = rule_of(program);
	int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	struct peer peer;

	if (fd < 0 && (errno == EAGAIN || errno == EINTR))
		return NOBODY;
	if (fd < 0 &&
	    (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ||
		errno == EINVAL || errno == EBADF || errno == ENOTSOCK || errno == EOPNOTSUPP)) {
		tell_error(acceptor, errno);
		rest(acceptor, clock_boot_ns() + AGAIN_NS);
		return FAILED;
	}
	if (fd < 0) /* errors of a connection that is no more, see accept(2) */
		return DROPPED;
	if (peer_of(fd, &peer) < 0) {
		close(fd); /* likewise */
		return DROPPED;
	}
	if (acceptrule_refuses(
		&rule, rule.per_source == 0
			   ? 0
			   : count_source(acceptor, acceptrule_source(&peer.address, peer.uid)))) {
		tell_refused(acceptor, program, &peer);
		close(fd);
		return DROPPED;
	}
	give(program, fd);
	return TAKEN;
}

/* The event decides, commits and launches; the child has the connection then, or there is none. */
static void give(struct program *program, int fd)
{
	struct accepts *accepts = &program->engine->accepts;

	accepts->program = program;
	accepts->fd = fd;
	program_event(program, EVENT_CHECK, &program_no_cause);
	accepts->program = NULL;
	accepts->fd = -1;
	close(fd);
}

static struct acceptrule rule_of(const struct program *program)
{
	const struct life_config *life = program->config->life;

	return (struct acceptrule){
	    .per_source = life->key_max_connections_per_source,
	    .limit = life->key_trigger_limit,
	    .interval_ns = life->key_trigger_limit_interval,
	};
}

/* Of the places of this program, also of one that is going.  While post_stop runs the connection is
 * no more. */
static uint32_t count_source(const struct acceptor *acceptor, uint64_t source)
{
	const struct engine *engine = acceptor->engine;
	const struct program *program;
	uint32_t count = 0;
	size_t index = 0;

	while ((program = engine_next_named(engine, acceptor->name, &index)) != NULL) {
		enum state at = program_state_of(program);

		count += step_is_live(at) && at != STATE_CLEANING &&
			 atomic_load(&engine->ledger->table[program->run.row].ready_mark) == source;
	}
	return count;
}

static void set_mark(const struct program *program, uint64_t mark)
{
	atomic_store(&program->engine->ledger->table[program->run.row].ready_mark, mark);
}

/* ---- what people are told ---- */

static void tell_full(struct acceptor *acceptor, size_t places)
{
	const struct program *program;
	size_t index = 0, busy = 0;

	while ((program = engine_next_named(acceptor->engine, acceptor->name, &index)) != NULL)
		busy += step_is_up(program_state_of(program)) && !program->removed;
	/* Else they are stopped, or wait for something. */
	if (busy == places && is_time(&acceptor->told_full_ns))
		log_notice("%s: has %zu connections: those that come now wait until one ends "
			   "(max_connections)",
		    acceptor->name, places);
}

static void tell_refused(
    struct acceptor *acceptor, const struct program *program, const struct peer *peer)
{
	char text[PEER_TEXT], more[48] = "";

	acceptor->refused++;
	if (!is_time(&acceptor->told_refused_ns))
		return;
	if (acceptor->refused > 1)
		(void)snprintf(
		    more, sizeof(more), "; and %" PRIu64 " others before", acceptor->refused - 1);
	log_warning("%s: refused a connection (%s): there are %u of this source already "
		    "(max_connections_per_source)%s",
	    acceptor->name, peer_text(peer, text, sizeof(text)),
	    program->config->life->key_max_connections_per_source, more);
	acceptor->refused = 0;
}

static void tell_error(struct acceptor *acceptor, int error)
{
	if (is_time(&acceptor->told_error_ns))
		log_error("%s: cannot accept connections: %s; they wait", acceptor->name,
		    strerror(error));
}

static bool is_time(int64_t *told_ns)
{
	int64_t now_ns = clock_boot_ns();

	if (*told_ns != 0 && now_ns - *told_ns < TELL_AGAIN_NS)
		return false;
	*told_ns = now_ns;
	return true;
}
