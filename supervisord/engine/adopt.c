/* SPDX-License-Identifier: ISC */
/* adopt.c: see adopt.h. */
#include <stdatomic.h>

#include "supervisord/engine/adopt.h"
#include "supervisord/engine/align.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/readiness.h"
#include "supervisord/engine/retired.h"
#include "supervisord/engine/tty.h"

static void adopt_slots(struct engine *engine);
static void adopt_slot(struct program *program, uint64_t key, int slot);
static int adopt_tasks(struct engine *engine, uint32_t high);

/* A row without a stanza is of a program whose removal the last engine did not live to finish. */
int adopt_all(struct engine *engine, const struct config *config)
{
	uint32_t high = atomic_load(&engine->ledger->header.rows_high);

	align_names(engine, config);
	for (uint32_t row = 0; row < high; row++) {
		const char *name = engine->ledger->table[row].name;
		const struct program_config *stanza;
		struct program *program;
		int error;

		if (name[0] == '\0' || engine->ledger->table[row].owner.row != 0)
			continue;
		stanza = config_find_program(config, name);
		error = program_adopt(
		    engine, stanza != NULL ? stanza : &retired_unknown, (int)row, &program);
		if (error == 0 && stanza == NULL) {
			program_retire(program);
			program->removed = !engine->config_lost;
		}
		if (error == 0)
			error = engine_add(engine, program);
		if (error < 0)
			return error;
	}
	adopt_slots(engine);
	return adopt_tasks(engine, high);
}

static void adopt_slots(struct engine *engine)
{
	for (size_t slot = HELD_SINGLE_MAX; slot < engine->slots.count; slot++) {
		uint64_t key = engine->slots.list[slot].key;
		struct program *program =
		    key != 0 && held_key_kind(key) != HELD_SOCKET
			? engine_program_of_row(engine, (int)held_key_row(key))
			: NULL;

		if (engine->slots.list[slot].draining || held_key_kind(key) == HELD_SOCKET)
			continue; /* or no program's: sockets_use() looks at it */
		if (program == NULL)
			slots_release(&engine->slots, (int)slot);
		else
			adopt_slot(program, key, (int)slot);
		if (held_key_kind(key) == HELD_LOG_READ)
			slots_forget_fd(&engine->slots, (int)slot);
	}
}

static void adopt_slot(struct program *program, uint64_t key, int slot)
{
	switch (held_key_kind(key)) {
	case HELD_NOTIFY:
	case HELD_STORE:
	case HELD_STORE_NAMES:
		notify_adopt(program, key, slot);
		break;
	case HELD_CLUSTER_LINK:
	case HELD_CLUSTER_STATE:
	case HELD_CLUSTER_SOCKET:
		cluster_adopt(program, key, slot);
		break;
	case HELD_TTY_MASTER:
	case HELD_TTY_PIPE:
	case HELD_TTY_STATE:
	case HELD_TTY_LINK:
		tty_adopt(program, key, slot);
		break;
	case HELD_IPC:
	case HELD_IPC_STATE:
		ipc_adopt(program, key, slot);
		break;
	case HELD_READY_READ:
		readiness_adopt(program, slot);
		break;
	case HELD_LOG_READ:
	case HELD_LOG_WRITE:
	case HELD_STDIN_READ:
	case HELD_STDIN_WRITE:
		streams_adopt(&program->streams, key, slot);
		break;
	case HELD_NONE:
	case HELD_LOCK:
	case HELD_CONTROL:
	case HELD_CONFIG:
	case HELD_LOG_SPECS:
	case HELD_OWN_READ:
	case HELD_OWN_WRITE:
	case HELD_SOCKET:
	case HELD_HISTORY:
	case HELD_TRIAL:
		break;
	}
}

/* Commands that were running for programs: they look at their programs, so those come first. */
static int adopt_tasks(struct engine *engine, uint32_t high)
{
	int error = 0;

	for (uint32_t row = 0; row < high && error == 0; row++) {
		const struct ledger_row *entry = &engine->ledger->table[row];

		if (entry->name[0] != '\0' && entry->owner.row != 0)
			error = task_adopt(
			    engine, (int)row, engine_program_of_row(engine, entry->owner.row - 1));
	}
	return error;
}
