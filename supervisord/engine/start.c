/* SPDX-License-Identifier: ISC */
/* start.c: see start.h. */
#include <stdlib.h>
#include <unistd.h>

#include "supervisord/engine/cluster.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/onevent.h"
#include "supervisord/engine/peer.h"
#include "supervisord/engine/readiness.h"
#include "supervisord/engine/start.h"
#include "supervisord/engine/tty.h"

/* What is to be let go of after the launch. */
struct parcel {
	struct open_streams streams;
	struct launch_fd extra[LAUNCH_EXTRA];
	size_t extra_count;
	char *environment[NOTIFY_ENVIRONMENT + LISTENFDS_ENVIRONMENT + IPC_ENVIRONMENT +
			  ONEVENT_ENVIRONMENT + PEER_ENVIRONMENT + 1];
	size_t environment_count;
	char *preload;
	int ready_fd;
	int ipc_fd;
	int cluster_fd;
	int tty_fd;
};

static int gather(
    struct program *program, const struct ids *ids, struct parcel *parcel, enum launch_step *step);
static void let_go(struct parcel *parcel);

void start_run(struct program *program)
{
	struct engine *engine = program->engine;
	struct parcel parcel = {.ready_fd = -1, .ipc_fd = -1, .cluster_fd = -1, .tty_fd = -1};
	enum launch_step step = LAUNCH_USER;
	const struct ids *ids;
	int error =
	    idcache_get(&engine->ids, program->config->key_user, program->config->key_group, &ids);

	if (error == 0)
		error = gather(program, ids, &parcel, &step);
	/* News that an engine before us acted on and did not live to clear: they are not this
	 * run's. */
	if (ledger_has_exit(engine->ledger, program->run.row) &&
	    engine->ledger->exits[program->run.row].run != program_state(program)->starts)
		ledger_clear_exit(engine->ledger, program->run.row);
	if (error == 0) {
		struct launch_request request = {
		    .config = program->config,
		    .ids = ids,
		    .name = program_name(program),
		    .run_name = program_name(program),
		    .run_dir = engine->config->settings.key_run_dir,
		    .environment = parcel.environment,
		    .node_preload = parcel.preload,
		    .run = program_state(program)->starts,
		    .nonce = engine->ledger->header.nonce,
		    .nofile = engine_child_nofile(engine),
		    .streams = {parcel.streams.fds[0], parcel.streams.fds[1],
			parcel.streams.fds[2]},
		    .extra = parcel.extra,
		    .extra_count = parcel.extra_count,
		    .tty = program->config->life->key_tty,
		    .cgroup = -1,
		};

		error = run_launch(&program->run, &request);
	} else {
		run_note_failure(&program->run, step, -error);
	}
	let_go(&parcel);
	if (error < 0)
		program_defer(program, PENDING_FAILED);
}

static int gather(
    struct program *program, const struct ids *ids, struct parcel *parcel, enum launch_step *step)
{
	int error;

	error = streams_open(program, ids, &parcel->streams, step);
	if (error < 0)
		return error;
	*step = LAUNCH_NOTIFY;
	error = notify_prepare(program);
	if (error == 0)
		error = notify_add(program, parcel->environment, &parcel->environment_count);
	if (error == 0)
		error = onevent_add(program, parcel->environment, &parcel->environment_count);
	if (error == 0)
		error = listenfds_add(program, parcel->environment, &parcel->environment_count,
		    parcel->extra, &parcel->extra_count, step);
	if (error == 0 && program->config->life->key_accept)
		error = accept_tell(program, parcel->environment, &parcel->environment_count);
	if (error < 0)
		return error;
	*step = LAUNCH_READY;
	error = readiness_prepare(program, parcel->extra, &parcel->extra_count, &parcel->ready_fd);
	if (error < 0)
		return error;
	*step = LAUNCH_IPC;
	error = cluster_prepare(program, parcel->extra, &parcel->extra_count, &parcel->cluster_fd);
	if (error == 0)
		error = cluster_find_preload(program->config, &parcel->preload);
	if (error < 0)
		return error;
	error =
	    tty_prepare(program, ids, parcel->extra, &parcel->extra_count, &parcel->tty_fd, step);
	if (error < 0)
		return error;
	*step = LAUNCH_IPC;
	return ipc_prepare(program, parcel->environment, &parcel->environment_count, parcel->extra,
	    &parcel->extra_count, &parcel->ipc_fd);
}

static void let_go(struct parcel *parcel)
{
	streams_close(&parcel->streams);
	for (size_t i = 0; i < parcel->environment_count; i++)
		free(parcel->environment[i]);
	free(parcel->preload);
	if (parcel->ready_fd >= 0)
		close(parcel->ready_fd);
	if (parcel->ipc_fd >= 0)
		close(parcel->ipc_fd);
	if (parcel->cluster_fd >= 0)
		close(parcel->cluster_fd);
	if (parcel->tty_fd >= 0)
		close(parcel->tty_fd);
}
