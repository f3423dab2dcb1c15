/* SPDX-License-Identifier: ISC */
/*
 * checkaccept.c: accept = true: a connection is taken when a place is free for it and not before,
 * the first one gets it, none of a source that has enough, and none is hung up on without a cause.
 */
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"

static bool is_place(int program, int socket);
static bool is_free(int program);
static bool has_enough(int program);

/* Somebody is taken out of the backlog of a socket. */
void check_accept(int socket)
{
	int place = -1;

	for (int program = 0; program < world->program_count && place < 0; program++)
		if (is_place(program, socket) && is_free(program))
			place = program;
	EXPECT_OF(socket, world->engine.connection == 0, "two connections are held at a time");
	EXPECT_OF(socket, place >= 0, "a connection is taken, and there is no place for it");
	EXPECT_OF(socket, !world->engine.engine->safe_mode && !world->ledger->header.shutdown,
	    "a connection is taken, and nothing may be started for it");
	if (place < 0)
		return;
	world->engine.connection = place + 1;
	world->engine.peer_run = world_state(place)->starts;
}

void check_connection(int program)
{
	EXPECT_OF(program, world->engine.connection == program + 1,
	    "launched for a connection, and there is none");
	EXPECT_OF(program, !has_enough(program), "a source has more connections than it may");
	world->shadows[program].peer = world->engine.peer;
	world->shadows[program].peer_socket = world_socket(program);
	world->shadows[program].peer_run = world_state(program)->starts;
}

/* Its place has had a run for it, or it could not have one. */
void check_hang_up(void)
{
	int program = world->engine.connection - 1;

	if (program >= 0)
		EXPECT_OF(program,
		    world->engine.peer_gone || has_enough(program) ||
			world_state(program)->starts == world->engine.peer_run + 1,
		    "a connection is closed, and nothing was started for it");
}

static bool is_place(int program, int socket)
{
	const struct stanza *stanza = world_stanza(program);

	return stanza != NULL && stanza->life.key_accept && world_socket(program) == socket &&
	       world_row(program) >= 0 && !world_is_removed(program);
}

/* (As far as it has been told.) */
static bool is_free(int program)
{
	const struct ledger_state *state = world_state(program);

	return state->state == STATE_WAITING && state->wanted == WANTED_UP &&
	       (checklink_start_blocker(program) < 0 ||
		   (checklink_has_news(program) && checklink_missing(program) < 0));
}

/* Without it; also what a place has that is being removed. */
static bool has_enough(int program)
{
	unsigned most = world_stanza(program)->life.key_max_connections_per_source, count = 0;
	int socket = world_socket(program);

	for (int other = 0; other < world->program_count; other++)
		count += other != program && world->shadows[other].peer_socket == socket &&
			 checklink_is_live(world_state(other)) &&
			 world_state(other)->state != STATE_CLEANING &&
			 world->shadows[other].peer_run == world_state(other)->starts &&
			 world->shadows[other].peer == world->engine.peer;
	return most > 0 && count >= most;
}
