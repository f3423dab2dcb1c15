/* SPDX-License-Identifier: ISC */
/* controlplace.c: see controlplace.h. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/control.h"
#include "supervisord/engine/controlplace.h"

static const char *why_full(const struct control *control, uid_t uid);
static bool make_place(struct control *control, uid_t uid);
static void sweep(struct control *control);

const char *controlplace_find(struct control *control, uid_t uid)
{
	const char *full = why_full(control, uid);

	if (full == NULL)
		return NULL;
	sweep(control);
	full = why_full(control, uid);
	return full != NULL && make_place(control, uid) ? why_full(control, uid) : full;
}

/* A reply before any call: who has sent one takes it for its own. */
void controlplace_turn_away(int fd, const char *reason)
{
	struct jsonw w;

	jsonw_init(&w, LIMIT_VARLINK_BYTES);
	jsonw_begin_object(&w);
	jsonw_member_string(&w, "error", "io.superctl.Busy");
	jsonw_key(&w, "parameters");
	jsonw_begin_object(&w);
	jsonw_member_string(&w, "reason", reason);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	jsonw_raw(&w, "", 1);
	if (jsonw_error(&w) == 0)
		(void)send(fd, w.data, w.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	jsonw_done(&w);
	close(fd);
}

static const char *why_full(const struct control *control, uid_t uid)
{
	const struct control_client *client;
	unsigned others = 0, same = 0;

	if (control->client_count >= LIMIT_CONTROL_CLIENTS)
		return "too many connections";
	if (access_is_master(uid))
		return NULL;
	TAILQ_FOREACH (client, &control->clients, link) {
		others += !access_is_master(client->uid);
		same += client->uid == uid;
	}
	if (same >= LIMIT_CONTROL_PER_USER)
		return "too many connections of this user";
	return others >= LIMIT_CONTROL_CLIENTS - LIMIT_CONTROL_RESERVED ? "too many connections"
									: NULL;
}

/* By one that nothing is done for and nothing has been heard of for long: of the same user, or of
 * whom it shares connections with.  False: there is none. */
static bool make_place(struct control *control, uid_t uid)
{
	const int64_t before_ns = clock_boot_ns() - LIMIT_CONTROL_SILENT_NS;
	struct control_client *client, *silent = NULL;
	unsigned same = 0;

	TAILQ_FOREACH (client, &control->clients, link)
		same += client->uid == uid;
	TAILQ_FOREACH (client, &control->clients, link) {
		bool shares = access_is_master(uid) || !access_is_master(client->uid);

		if (same >= LIMIT_CONTROL_PER_USER && !access_is_master(uid))
			shares = client->uid == uid;
		if (shares && !control_is_at_work(client) && client->active_ns <= before_ns &&
		    (silent == NULL || client->active_ns < silent->active_ns))
			silent = client;
	}
	if (silent == NULL)
		return false;
	log_notice("control: the connection of uid %u that has been silent longest makes room",
	    (unsigned)silent->uid);
	silent->dead = true;
	control_free_if_dead(silent);
	return true;
}

/* Clients that said they would send no more, and have gone since, while their command is still
 * going on. */
static void sweep(struct control *control)
{
	struct control_client *client, *next;

	TAILQ_FOREACH_SAFE(client, &control->clients, link, next)
	{
		if (client->eof && control_is_gone(client))
			client->dead = true;
		control_free_if_dead(client);
	}
}
