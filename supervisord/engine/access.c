/* SPDX-License-Identifier: ISC */
/* access.c: see access.h, unix(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/instname.h"

/* Since Linux 4.13; not every libc has it. */
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

static void find_peer(
    const struct control_client *client, struct rights_peer *ret_peer, gid_t **ret_groups);
static const struct rights *rules_of(const struct control_client *client);
static bool covers(const struct control_client *client, const struct rights_peer *peer,
    enum right right, const char *name);
static void cover_groups(struct access *access, const struct control_client *client,
    const struct rights_peer *peer, enum right right);
static bool covers_by_group(const struct control_client *client, const struct rights_peer *peer,
    enum right right, const struct program *program);

bool access_is_master(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

bool access_may_call(const struct control_client *client, enum right right)
{
	struct rights_peer peer;
	gid_t *groups;
	bool may;

	find_peer(client, &peer, &groups);
	may = rights_has(rules_of(client), &peer, right);
	free(groups);
	return may;
}

int access_init(struct access *access, const struct control_client *client, enum right right)
{
	const struct engine *engine = client->engine;
	struct rights_peer peer;
	gid_t *groups;

	*access = (struct access){.all = access_is_master(client->uid)};
	if (access->all)
		return 0;
	access->rows = calloc(LIMIT_ROWS, sizeof(*access->rows));
	if (access->rows == NULL)
		return -ENOMEM;
	find_peer(client, &peer, &groups);
	for (size_t i = 0; i < engine->program_count; i++)
		access->rows[engine->programs[i]->run.row] =
		    covers(client, &peer, right, program_name(engine->programs[i]));
	cover_groups(access, client, &peer, right);
	free(groups);
	return 0;
}

void access_done(struct access *access)
{
	free(access->rows);
	*access = (struct access){0};
}

bool access_has(const struct access *access, const struct program *program)
{
	return access->all || (access->rows != NULL && access->rows[program->run.row]);
}

bool access_may(
    const struct control_client *client, enum right right, const struct program *program)
{
	struct rights_peer peer;
	gid_t *groups;
	bool may;

	if (access_is_master(client->uid))
		return true;
	find_peer(client, &peer, &groups);
	may = covers(client, &peer, right, program_name(program)) ||
	      covers_by_group(client, &peer, right, program);
	free(groups);
	return may;
}

bool access_may_name(const struct control_client *client, enum right right, const char *name)
{
	struct rights_peer peer;
	gid_t *groups;
	bool may;

	find_peer(client, &peer, &groups);
	may = rights_covers(rules_of(client), &peer, right, name);
	free(groups);
	return may;
}

void access_refuse(struct call *call, enum right right, const char *name)
{
	log_notice("control: uid %u may not %s%s%s", (unsigned)call->client->uid,
	    strrchr(call->method, '.') + 1, name != NULL ? " " : "", name != NULL ? name : "");
	call_error_begin(call, CALL_INTERFACE ".NotAllowed");
	jsonw_member_string(&call->w, "method", call->method);
	jsonw_member_string(&call->w, "right", rights_name(right));
	jsonw_member_string(&call->w, "name", name);
	jsonw_member_int(&call->w, "uid", call->client->uid);
	call_error_end(call);
}

void access_take_config(const struct engine *engine)
{
	const struct settings *settings = &engine->config->settings;
	const struct rights *rules = &engine->config->rights;
	gid_t gid = getegid();
	int error = 0;

	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].lost)
			log_warning("control.allow: there is no %s '%s' any more: the rule is "
				    "about nobody",
			    rules->list[i].is_group ? "group" : "user", rules->list[i].who);
	if (settings->key_control_group != NULL)
		error = ids_find_group(settings->key_control_group, &gid);
	if (error == 0)
		error =
		    control_set_owner(slots_get_fd(&engine->slots,
					  slots_find(&engine->slots, held_key(HELD_CONTROL, 0, 0))),
			gid, settings->key_control_mode);
	if (error < 0)
		log_error("control.group: the control socket cannot be given to it: %s: only its "
			  "owner can connect",
		    strerror(-error));
}

/* Who may do something to a program may do it to each of its instances. */
static bool covers(const struct control_client *client, const struct rights_peer *peer,
    enum right right, const char *name)
{
	struct instname parts;

	if (rights_covers(rules_of(client), peer, right, name))
		return true;
	instname_split(name, &parts);
	return strcmp(parts.program, name) != 0 &&
	       rights_covers(rules_of(client), peer, right, parts.program);
}

/* To be freed: the groups, which the peer borrows.  Without them it is in fewer: that opens
 * nothing. */
static void find_peer(
    const struct control_client *client, struct rights_peer *ret_peer, gid_t **ret_groups)
{
	struct rights_peer peer = {.master = access_is_master(client->uid), .uid = client->uid};
	const int fd = client->reader.fd;
	socklen_t size = 0;

	*ret_groups = NULL;
	peer.gid = client->gid;
	if (!peer.master && rights_need_groups(rules_of(client)) &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno == ERANGE)
		*ret_groups = malloc(size);
	if (*ret_groups != NULL &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, *ret_groups, &size) == 0)
		peer.group_count = size / sizeof(gid_t);
	peer.groups = *ret_groups;
	*ret_peer = peer;
}

static const struct rights *rules_of(const struct control_client *client)
{
	return &client->engine->config->rights;
}

/* Who may do something to a group may do it to each of its members. */
static void cover_groups(struct access *access, const struct control_client *client,
    const struct rights_peer *peer, enum right right)
{
	const struct engine *engine = client->engine;
	const struct config *config = engine->config;

	for (size_t i = 0; i < config->group_count; i++) {
		const struct group_config *group = &config->groups[i];

		if (group->members == NULL ||
		    !rights_covers(&config->rights, peer, right, group->name))
			continue;
		for (size_t k = 0; group->members[k] != NULL; k++) {
			const struct program *member = engine_find(engine, group->members[k]);

			if (member != NULL)
				access->rows[member->run.row] = true;
		}
	}
}

/* The same for one. */
static bool covers_by_group(const struct control_client *client, const struct rights_peer *peer,
    enum right right, const struct program *program)
{
	const struct config *config = client->engine->config;

	for (size_t i = 0; i < config->group_count; i++) {
		const struct group_config *group = &config->groups[i];

		if (group->members == NULL ||
		    !rights_covers(&config->rights, peer, right, group->name))
			continue;
		for (size_t k = 0; group->members[k] != NULL; k++)
			if (strcmp(group->members[k], program_name(program)) == 0 ||
			    engine_find(client->engine, group->members[k]) == program)
				return true;
	}
	return false;
}
