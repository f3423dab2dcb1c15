/* SPDX-License-Identifier: ISC */
/* cluster.c: see cluster.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/clusterlink.h"
#include "lib/ownlog.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/clusterbind.h"
#include "supervisord/engine/clusterheld.h"
#include "supervisord/engine/clustername.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/ipc.h"

/* In libexec, beside the primary. */
#define PRELOAD "worker.cjs"

struct cluster {
	ev_io io;                /* first; of the link */
	struct program *program; /* the primary */
	int link_slot;           /* -1: none, as the next */
	int state_slot;
	/* What the primary is still to be given, when the link has room: held sockets from this
	 * slot on, and then workers from this number on. */
	bool giving;
	size_t next_socket;
	uint32_t next_worker;
};

static struct cluster *need(struct program *program);
static int need_state(struct cluster *cluster);
static int open_link(struct cluster *cluster, int *ret_child);
static void close_link(struct cluster *cluster);
static void watch(struct cluster *cluster, int events);
static void give_again(struct cluster *cluster, uint32_t first_worker);
static void give(struct cluster *cluster);
static int give_socket(const struct cluster *cluster, size_t slot);
static int give_worker(const struct cluster *cluster, uint32_t number);
static int tell_worker(const struct cluster *cluster, const struct program *worker, int channel);
static int tell_disconnect(const struct cluster *cluster, const struct program *worker);
static bool is_leaving(const struct program *worker);
static bool is_on_its_way(const struct program *primary);
static struct cluster *of_worker(const struct program *worker);
static struct program *find_worker(const struct cluster *cluster, const struct msg_head *head);
static int tell(const struct cluster *cluster, const struct msg_head *head, const void *payload,
    size_t length, int fd);
static uint64_t run_of(const struct program *worker);
static bool is_settled(const struct cluster *cluster);
static void on_link(struct ev_loop *loop, ev_io *io, int events);
static void read_link(struct cluster *cluster);
static void take(struct cluster *cluster, const struct msg_head *head, const char *payload,
    size_t length, int fd);
static void take_of_worker(
    struct program *worker, const struct msg_head *head, const char *payload, size_t length);
static void bind_for(
    struct cluster *cluster, const struct msg_head *head, const char *payload, size_t length);
static string_list rules_of(const struct cluster *cluster);

const char *cluster_mode_name(enum cluster_kind kind)
{
	return kind == CLUSTER_SHARED       ? "shared"
	       : kind == CLUSTER_REUSE_PORT ? "reuse-port"
					    : "round-robin";
}

uint64_t cluster_worker_id(const struct program *worker)
{
	return (uint64_t)(program_state(worker)->starts - 1) * LIMIT_CLUSTER_WORKERS +
	       clustername_slot(worker) + 1;
}

/* Without a gap there is nothing for it to do. */
int cluster_find_preload(const struct program_config *config, char **ret_path)
{
	const struct life_config *life = config->life;
	const char *directory;

	*ret_path = NULL;
	if (life->key_cluster == CLUSTER_NONE || life->key_cluster_gap == 0)
		return 0;
	directory = getenv("SUPERVISORD_LIBEXEC");
	return asprintf(ret_path, "%s/" PRELOAD, directory != NULL ? directory : PKGLIBEXECDIR) < 0
		   ? -ENOMEM
		   : 0;
}

int cluster_prepare(
    struct program *program, struct launch_fd *extra, size_t *extra_count, int *ret_close)
{
	struct cluster *cluster;
	int child = -1, error;

	*ret_close = -1;
	if (!clustername_is_primary(program))
		return 0;
	if (*extra_count + 2 > LAUNCH_EXTRA)
		return -EMFILE;
	cluster = need(program);
	error = cluster == NULL ? -ENOMEM : need_state(cluster);
	if (error < 0)
		return error;
	if (cluster->link_slot >= 0)
		read_link(cluster); /* the last words of the one before */
	close_link(cluster);
	error = open_link(cluster, &child);
	if (error < 0)
		return error;
	cluster->next_socket = 0;
	give_again(cluster, 0);
	give(cluster);
	extra[(*extra_count)++] = (struct launch_fd){.fd = child, .number = FD_CLUSTER_LINK};
	extra[(*extra_count)++] =
	    (struct launch_fd){.fd = slots_get_fd(&program->engine->slots, cluster->state_slot),
		.number = FD_CLUSTER_STATE};
	*ret_close = child;
	return 0;
}

void cluster_give_worker(struct program *worker, int channel)
{
	struct cluster *cluster = of_worker(worker);
	int error = cluster == NULL ? 0 : tell_worker(cluster, worker, channel);

	if (error == -EAGAIN)
		give_again(cluster, clustername_slot(worker));
	else if (error < 0)
		log_warning("%s: its cluster takes no worker now", program_name(worker));
}

/* Lost when the link is full: then the end of its channel says it, or the next run in its place. */
void cluster_note_exit(struct program *worker)
{
	struct cluster *cluster = of_worker(worker);
	struct msg_head head = {
	    .type = LINK_GONE, .slot = clustername_slot(worker), .key = run_of(worker)};

	if (cluster != NULL)
		(void)tell(cluster, &head, NULL, 0, -1);
}

void cluster_note_change(const struct program *worker)
{
	struct cluster *cluster = of_worker(worker);

	if (cluster != NULL && is_settled(cluster))
		(void)tell(cluster, &(struct msg_head){.type = LINK_SETTLED}, NULL, 0, -1);
}

int cluster_disconnect(struct program *worker)
{
	struct program *primary = clustername_find_primary(worker);
	struct cluster *cluster = of_worker(worker);
	int error = cluster == NULL ? -ENOTCONN : tell_disconnect(cluster, worker);

	if (error == -EAGAIN)
		give_again(cluster, clustername_slot(worker));
	if (error == 0 || error == -EAGAIN)
		return 0;
	return primary != NULL && is_on_its_way(primary) ? 0 : -ENOTCONN;
}

int cluster_send(struct program *worker, const char *text, size_t length)
{
	struct cluster *cluster = of_worker(worker);
	struct msg_head head = {
	    .type = LINK_SEND, .slot = clustername_slot(worker), .key = run_of(worker)};

	if (length > LIMIT_IPC_LINE)
		return -EMSGSIZE;
	return cluster == NULL || program_pid(worker) == 0 ? -ENOTCONN
							   : tell(cluster, &head, text, length, -1);
}

void cluster_adopt(struct program *program, uint64_t key, int slot)
{
	enum held_kind kind = held_key_kind(key);
	struct cluster *cluster = need(program);
	int *place = cluster == NULL             ? NULL
		     : kind == HELD_CLUSTER_LINK ? &cluster->link_slot
						 : &cluster->state_slot;

	if (cluster != NULL && kind == HELD_CLUSTER_SOCKET)
		return; /* found by its key */
	if (place == NULL || *place >= 0) {
		slots_release(&program->engine->slots, slot);
		return;
	}
	*place = slot;
	/* What the engine before us had not given, or had read and not acted on.  When all that is
	 * held has been adopted. */
	if (kind == HELD_CLUSTER_LINK)
		give_again(cluster, 0);
}

void cluster_shut(const struct program *program)
{
	const struct slots *slots = &program->engine->slots;

	for (size_t i = 0; program->cluster != NULL && i < slots->count; i++)
		if (clusterheld_is_of(program, slots->list[i].key))
			(void)shutdown(slots->list[i].fd, SHUT_RDWR);
}

void cluster_release(struct program *program)
{
	struct cluster *cluster = program->cluster;
	struct slots *slots = &program->engine->slots;

	if (cluster == NULL)
		return;
	close_link(cluster);
	if (cluster->state_slot >= 0)
		slots_release(slots, cluster->state_slot);
	for (size_t i = 0; i < slots->count; i++)
		if (clusterheld_is_of(program, slots->list[i].key))
			slots_release(slots, (int)i);
	program->cluster = NULL;
	free(cluster);
}

static struct cluster *need(struct program *program)
{
	struct cluster *cluster = program->cluster;

	if (cluster != NULL)
		return cluster;
	cluster = calloc(1, sizeof(*cluster));
	if (cluster == NULL)
		return NULL;
	cluster->program = program;
	cluster->link_slot = -1;
	cluster->state_slot = -1;
	ev_init(&cluster->io, on_link);
	program->cluster = cluster;
	return cluster;
}

static int need_state(struct cluster *cluster)
{
	struct program *program = cluster->program;
	int fd, slot;

	if (cluster->state_slot >= 0)
		return 0;
	fd = memfd_create("cluster", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	slot = slots_hold(&program->engine->slots,
	    held_key(HELD_CLUSTER_STATE, (uint32_t)program->run.row, 0), fd);
	if (slot < 0) {
		close(fd);
		return slot;
	}
	cluster->state_slot = slot;
	return 0;
}

static int open_link(struct cluster *cluster, int *ret_child)
{
	struct program *program = cluster->program;
	int fds[2], slot, error = channel_pair(fds);

	if (error < 0)
		return error;
	slot = slots_hold(&program->engine->slots,
	    held_key(HELD_CLUSTER_LINK, (uint32_t)program->run.row, 0), fds[0]);
	if (slot < 0) {
		close(fds[0]);
		close(fds[1]);
		return slot;
	}
	cluster->link_slot = slot;
	watch(cluster, EV_READ);
	*ret_child = fds[1];
	return 0;
}

static void close_link(struct cluster *cluster)
{
	struct engine *engine = cluster->program->engine;

	cluster->giving = false;
	if (cluster->link_slot < 0)
		return;
	ev_io_stop(engine->loop, &cluster->io);
	slots_release(&engine->slots, cluster->link_slot);
	cluster->link_slot = -1;
}

static void watch(struct cluster *cluster, int events)
{
	struct engine *engine = cluster->program->engine;

	ev_io_stop(engine->loop, &cluster->io);
	ev_io_set(&cluster->io, slots_get_fd(&engine->slots, cluster->link_slot), events);
	ev_io_start(engine->loop, &cluster->io);
}

/* As soon as there is room.  To be given something twice is harmless. */
static void give_again(struct cluster *cluster, uint32_t first_worker)
{
	if (!cluster->giving || first_worker < cluster->next_worker)
		cluster->next_worker = first_worker;
	cluster->giving = true;
	watch(cluster, EV_READ | EV_WRITE);
}

/* What fits waits in the link, for the process that will be started. */
static void give(struct cluster *cluster)
{
	const struct slots *slots = &cluster->program->engine->slots;
	int error = 0;

	while (error == 0 && cluster->next_socket < slots->count) {
		error = give_socket(cluster, cluster->next_socket);
		cluster->next_socket += error == 0;
	}
	while (error == 0 && cluster->next_worker < LIMIT_CLUSTER_WORKERS) {
		error = give_worker(cluster, cluster->next_worker);
		cluster->next_worker += error == 0;
	}
	if (error == 0)
		error = tell(cluster, &(struct msg_head){.type = LINK_GIVEN}, NULL, 0, -1);
	if (error == 0)
		error = tell(cluster, &(struct msg_head){.type = LINK_TELL}, NULL, 0, -1);
	if (error == -EAGAIN)
		return;
	cluster->giving = false;
	if (error == 0) /* else its end is to be read */
		watch(cluster, EV_READ);
}

static int give_socket(const struct cluster *cluster, size_t slot)
{
	const struct slot *held = &cluster->program->engine->slots.list[slot];
	struct msg_head head = {.type = LINK_LISTENER};

	if (!clusterheld_is_of(cluster->program, held->key))
		return 0;
	clusterheld_name(held->key, &head);
	return tell(cluster, &head, NULL, 0, held->fd);
}

/* `number`: 0 and up. */
static int give_worker(const struct cluster *cluster, uint32_t number)
{
	const struct program *worker;
	struct instname parts;
	char name[LIMIT_NAME + INSTNAME_NUMBER];
	size_t index = 0;
	int channel, error;

	instname_split(program_name(cluster->program), &parts);
	(void)snprintf(name, sizeof(name), "%.*s@%u", (int)strcspn(parts.program, "+"),
	    parts.program, (unsigned)number + 1);
	worker = engine_next_named(cluster->program->engine, name, &index);
	channel = worker != NULL && of_worker(worker) == cluster ? ipc_get_channel(worker) : -1;
	error = channel < 0 ? 0 : tell_worker(cluster, worker, channel);
	/* The primary before may not have heard of it. */
	if (channel >= 0 && error == 0 && is_leaving(worker))
		error = tell_disconnect(cluster, worker);
	return error;
}

/* Where its stop begins. */
static bool is_leaving(const struct program *worker)
{
	const struct ledger_state *state = program_state(worker);

	return state->state == STATE_STOPPING &&
	       transition_stop_step(worker->config, state).signal == STOP_DISCONNECT;
}

/* It was killed, perhaps a moment ago, and is started again. */
static bool is_on_its_way(const struct program *primary)
{
	const struct ledger_state *state = program_state(primary);

	return state->wanted == WANTED_UP && !step_is_at_rest((enum state)state->state) &&
	       !step_is_stopping((enum state)state->state) && !primary->engine->safe_mode;
}

static int tell_disconnect(const struct cluster *cluster, const struct program *worker)
{
	struct msg_head head = {.type = LINK_DISCONNECT,
	    .slot = clustername_slot(worker),
	    .key = run_of(worker),
	    .value = worker->config->life->key_cluster_gap};

	return tell(cluster, &head, NULL, 0, -1);
}

static int tell_worker(const struct cluster *cluster, const struct program *worker, int channel)
{
	struct msg_head head = {
	    .type = LINK_WORKER, .slot = clustername_slot(worker), .key = run_of(worker)};

	return tell(cluster, &head, NULL, 0, channel);
}

/* NULL: it is none, or there is no primary with a link. */
static struct cluster *of_worker(const struct program *worker)
{
	struct program *primary = clustername_find_primary(worker);

	return primary != NULL && primary->cluster != NULL && primary->cluster->link_slot >= 0
		   ? primary->cluster
		   : NULL;
}

static struct program *find_worker(const struct cluster *cluster, const struct msg_head *head)
{
	const struct engine *engine = cluster->program->engine;

	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *worker = engine->programs[i];

		if (worker->config->life->key_cluster != CLUSTER_NONE &&
		    clustername_slot(worker) == head->slot && of_worker(worker) == cluster &&
		    run_of(worker) == head->key)
			return worker;
	}
	return NULL;
}

static int tell(const struct cluster *cluster, const struct msg_head *head, const void *payload,
    size_t length, int fd)
{
	return channel_send_long(slots_get_fd(&cluster->program->engine->slots, cluster->link_slot),
	    head, payload, length, fd, MSG_DONTWAIT);
}

/* Of the link: not NODE_UNIQUE_ID, which begins anew with the row of an extra instance, and so
 * would be taken for the run before in its place. */
static uint64_t run_of(const struct program *worker)
{
	return (uint64_t)program_state(worker)->run_start_ns;
}

static void on_link(struct ev_loop *loop, ev_io *io, int events)
{
	struct cluster *cluster = (struct cluster *)(void *)io;
	const struct program *program = cluster->program;

	(void)loop;
	if (events & EV_READ)
		read_link(cluster);
	/* What was read may have ended all of this. */
	if ((events & EV_WRITE) && program->cluster == cluster && cluster->giving)
		give(cluster);
}

static void read_link(struct cluster *cluster)
{
	struct program *program = cluster->program;
	char *payload = malloc(LIMIT_IPC_LINE);
	struct msg_head head;
	size_t length;
	int fd;

	/* What a message brings about may end all of this. */
	for (int i = 0; i < LIMIT_CLUSTER_BATCH && payload != NULL && program->cluster == cluster &&
			cluster->link_slot >= 0;
	     i++) {
		int got =
		    channel_receive_long(slots_get_fd(&program->engine->slots, cluster->link_slot),
			&head, payload, LIMIT_IPC_LINE, &length, &fd, MSG_DONTWAIT);

		if (got == -EAGAIN)
			break;
		if (got == 0 || (got < 0 && got != -EBADMSG)) {
			/* Its end tells, too; the next one gets a new link. */
			cluster->giving = false;
			ev_io_stop(program->engine->loop, &cluster->io);
			break;
		}
		if (got == 1)
			take(cluster, &head, payload, length, fd);
	}
	free(payload);
}

static void take(struct cluster *cluster, const struct msg_head *head, const char *payload,
    size_t length, int fd)
{
	struct program *worker;

	switch (head->type) {
	case LINK_HOLD:
		clusterheld_keep(cluster->program, head, fd);
		return;
	case LINK_UNHOLD:
		clusterheld_release(cluster->program, head);
		break;
	case LINK_BIND:
		bind_for(cluster, head, payload, length);
		break;
	default:
		worker = find_worker(cluster, head);
		if (worker != NULL)
			take_of_worker(worker, head, payload, length);
		break;
	}
	if (fd >= 0)
		close(fd);
}

static void take_of_worker(
    struct program *worker, const struct msg_head *head, const char *payload, size_t length)
{
	switch (head->type) {
	case LINK_LISTENING:
		if (worker->config->life->key_ready.kind == CHECK_LISTENING)
			program_note_ready(worker, CHECK_LISTENING);
		break;
	case LINK_LEAVING:
		log_notice(
		    "%s: disconnects from its cluster of its own accord", program_name(worker));
		break;
	case LINK_STUCK:
		program_fail(worker, REASON_STUCK, (int32_t)head->value);
		break;
	case LINK_MESSAGE:
		ipc_take(worker, payload, length);
		break;
	case LINK_ONLINE:
	case LINK_CLOSED: /* it ends, or has told us so before */
	default:
		break;
	}
}

/* When nobody is on the way any more, nobody will ask for the sockets that no worker has. */
static bool is_settled(const struct cluster *cluster)
{
	const struct engine *engine = cluster->program->engine;

	for (size_t i = 0; i < engine->program_count; i++) {
		const struct program *other = engine->programs[i];

		if (other->config->life->key_cluster != CLUSTER_NONE && !other->removed &&
		    of_worker(other) == cluster && program_state_of(other) != STATE_RUNNING)
			return false;
	}
	return true;
}

/* A port that the primary's user may not bind. */
static void bind_for(
    struct cluster *cluster, const struct msg_head *head, const char *payload, size_t length)
{
	struct msg_head reply = {.type = LINK_BOUND, .slot = head->slot, .key = head->key};
	struct link_bind wish;
	int fd = -EINVAL;

	if (length == sizeof(wish)) {
		memcpy(&wish, payload, sizeof(wish));
		fd = clusterbind_open(rules_of(cluster), &wish);
	}
	reply.value = fd < 0 ? fd : 0;
	if (fd < 0)
		log_warning("%s: a socket that it asked for cannot be bound: %s",
		    program_name(cluster->program), strerror(-fd));
	(void)tell(cluster, &reply, NULL, 0, fd);
	if (fd >= 0)
		close(fd);
}

/* The primary's user cannot change the stanza of its workers. */
static string_list rules_of(const struct cluster *cluster)
{
	const struct engine *engine = cluster->program->engine;

	for (size_t i = 0; i < engine->program_count; i++) {
		const struct program *worker = engine->programs[i];

		if (!worker->removed && of_worker(worker) == cluster)
			return worker->config->life->key_cluster_listen;
	}
	return NULL;
}
