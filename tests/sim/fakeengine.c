/* SPDX-License-Identifier: ISC */
/*
 * fakeengine.c: the parts of the engine that are not under test: configuration files, held
 * descriptors, streams, users, logs, the state on disk.  Where the real one can fail, these do,
 * until the world is calm.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/images.h"
#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/engine/boot.h"
#include "supervisord/engine/confvalues.h"
#include "supervisord/engine/draft.h"
#include "supervisord/engine/idcache.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/laststate.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/logspecs.h"
#include "supervisord/engine/onevent.h"
#include "supervisord/engine/logready.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

/* Something that can fail did, out of a hundred. */
#define CHANCE_TROUBLE 2
/* The logger's time with a pipe that was released. */
#define DRAIN_NS(dice) (NS_PER_MS * (1 + (int64_t)((dice) % 3000)))

int __wrap_ledger_map(int fd, struct ledger **ret_ledger);
int __wrap_open(const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *ret_stat);
int __wrap_pipe2(int fds[2], int flags);

static bool trouble(void);
static void say_line(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static bool trouble(void)
{
	return !world->calm && world_chance(CHANCE_TROUBLE);
}

int __wrap_ledger_map(int fd, struct ledger **ret_ledger)
{
	(void)fd;
	*ret_ledger = world->ledger;
	return 0;
}

/* ---- boot.h, config.h ---- */

int boot_load_config(struct engine *engine, struct config **ret_config)
{
	int index = world->held >= 0 ? world->held : world->files;

	world->engine.engine = engine;
	world->engine.applied = index;
	checklink_note_config(index, true);
	steps_effect();
	*ret_config = stanza_build(&world->configs[index], index);
	return 0;
}

int boot_open_history(struct engine *engine)
{
	engine->history = world->history;
	history_recover(engine->history, engine->ledger);
	check_history();
	steps_effect();
	return 0;
}

void lastwords_start(struct engine *engine)
{
	(void)engine;
}

void lastwords_note_end(struct program *program, uint64_t run)
{
	(void)program;
	(void)run;
}

void onevent_take_config(struct engine *engine)
{
	(void)engine;
}

bool onevent_run(struct engine *engine)
{
	(void)engine;
	return false;
}

int onevent_add(const struct program *program, char **environment, size_t *count)
{
	(void)program;
	(void)environment;
	(void)count;
	return 0;
}

int boot_take_run_dir(struct engine *engine, const char *run_dir)
{
	(void)engine;
	(void)run_dir;
	return 0;
}

void boot_prepare_log_dir(const char *log_dir)
{
	(void)log_dir;
}

void images_let_go(void)
{
}

void config_forget_text(struct config *config)
{
	(void)config;
}

void config_free(struct config *config)
{
	stanza_free(config);
}

const struct program_config *config_find_program(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->program_count; i++)
		if (strcmp(config->programs[i]->name, name) == 0)
			return config->programs[i];
	return NULL;
}

uint32_t config_count_instances(const struct config *config, const char *program)
{
	const struct program_config *found = config_find_program(config, program);
	char first[LIMIT_NAME];

	if (found == NULL && instname_other(program, first))
		found = config_find_program(config, first);
	return found != NULL ? found->instances : 0;
}

void confvalues_write_program(const struct program_config *old_config,
    const struct program_config *new_config, struct jsonw *w)
{
	(void)old_config;
	(void)new_config;
	(void)w;
}

void confvalues_write_daemon(
    const struct config *old_config, const struct config *new_config, struct jsonw *w)
{
	(void)old_config;
	(void)new_config;
	(void)w;
}

void drift_note_applied(struct engine *engine, struct config *config)
{
	(void)engine;
	(void)config;
}

void drift_init(struct drift *drift)
{
	(void)drift;
}

void drift_done(struct engine *engine)
{
	(void)engine;
}

char *config_log_path(const struct config *config, const struct program_config *program, int stream)
{
	(void)config;
	(void)program;
	(void)stream;
	return NULL;
}

enum change_class config_diff_program(const struct program_config *old_config,
    const struct program_config *new_config,
    void (*each)(void *context, const char *key, enum change_class change), void *context)
{
	(void)each;
	(void)context;
	return old_config->hash != new_config->hash ? CHANGE_RESTART : CHANGE_LIVE;
}

/* ---- slots.h ---- */

int slots_receive(struct slots *slots, int channel)
{
	(void)channel;
	*slots = (struct slots){.list = world->slots, .count = WORLD_SLOTS, .size = WORLD_SLOTS};
	return 0;
}

void slots_done(struct slots *slots)
{
	(void)slots;
}

int slots_find(const struct slots *slots, uint64_t key)
{
	for (size_t slot = 0; slot < slots->count; slot++)
		if (slots->list[slot].key == key)
			return (int)slot;
	return -1;
}

int slots_get_fd(const struct slots *slots, int slot)
{
	return slot >= 0 ? slots->list[slot].fd : -1;
}

int slots_hold(struct slots *slots, uint64_t key, int fd)
{
	size_t slot = held_key_kind(key);

	steps_effect();
	if (slot >= HELD_SINGLE_MAX)
		for (slot = HELD_SINGLE_MAX; slot < slots->count && slots->list[slot].key != 0;)
			slot++;
	if (slot == slots->count)
		return -ENOSPC;
	slots->list[slot] = (struct slot){.key = key, .fd = fd};
	fake_note_held(key, fd);
	steps_effect();
	return (int)slot;
}

void slots_forget_fd(struct slots *slots, int slot)
{
	(void)slots;
	(void)slot;
}

void slots_release(struct slots *slots, int slot)
{
	if (slot < 0)
		return;
	steps_effect();
	if (held_key_kind(slots->list[slot].key) == HELD_LOG_READ) {
		slots->list[slot].draining = true;
		world->drained_ns[slot] =
		    world->now_ns + (world->calm ? 1 : DRAIN_NS(world_roll(1U << 20)));
		return;
	}
	if (held_key_kind(slots->list[slot].key) == HELD_TRIAL)
		check_trial_over();
	slots->list[slot] = (struct slot){.key = 0};
}

void slots_note_drained(struct slots *slots, uint32_t slot, uint64_t key)
{
	if (slots->list[slot].key == key && slots->list[slot].draining)
		slots->list[slot] = (struct slot){.key = 0};
}

bool slots_is_draining(const struct slots *slots, int row)
{
	(void)slots;
	return fake_is_draining(row);
}

bool fake_is_draining(int row)
{
	for (int slot = HELD_SINGLE_MAX; slot < WORLD_SLOTS; slot++)
		if (world->slots[slot].draining &&
		    held_key_row(world->slots[slot].key) == (uint32_t)row)
			return true;
	return false;
}

/* ---- streams.h: one log pipe a program ---- */

void streams_init(struct streams *streams)
{
	*streams = (struct streams){{-1, -1}, {-1, -1}, -1, -1};
}

int streams_open(struct program *program, const struct ids *ids, struct open_streams *streams,
    enum launch_step *ret_step)
{
	(void)ids;
	*ret_step = LAUNCH_STDOUT;
	*streams = (struct open_streams){.opened_count = 0};
	if (trouble())
		return -EMFILE;
	if (program->streams.log_read[0] < 0 && world_chance(50)) {
		int slot = slots_hold(&program->engine->slots,
		    held_key(HELD_LOG_READ, (uint32_t)program->run.row, 0), 0);

		if (slot < 0)
			return slot;
		program->streams.log_read[0] = slot;
	}
	return 0;
}

int streams_open_for_task(
    struct program *program, struct open_streams *streams, enum launch_step *ret_step)
{
	*ret_step = LAUNCH_STDOUT;
	*streams = (struct open_streams){.opened_count = 0};
	if (!trouble())
		return 0;
	check_trouble(program->run.row);
	return -EMFILE;
}

void streams_close(struct open_streams *streams)
{
	(void)streams;
}

void streams_adopt(struct streams *streams, uint64_t key, int slot)
{
	if (held_key_kind(key) == HELD_LOG_READ)
		streams->log_read[0] = slot;
}

void streams_release(struct streams *streams, struct slots *slots)
{
	if (streams->log_read[0] >= 0)
		slots_release(slots, streams->log_read[0]);
	streams_init(streams);
}

/* ---- users, logs, state on disk ---- */

int idcache_get(
    struct idcache *cache, const char *user, const char *group, const struct ids **ret_ids)
{
	static const struct ids ids = {.change = false};

	(void)cache;
	(void)user;
	(void)group;
	*ret_ids = &ids;
	return 0;
}

void idcache_fill(struct idcache *cache, const struct config *config)
{
	(void)cache;
	(void)config;
}

void idcache_clear(struct idcache *cache)
{
	(void)cache;
}

int logspecs_hold(struct engine *engine)
{
	int slot = slots_hold(&engine->slots, held_key(HELD_LOG_SPECS, 0, 0), FAKE_CGROUPS);

	if (slot >= 0)
		slots_forget_fd(&engine->slots, slot);
	return slot < 0 ? slot : 0;
}

int laststate_write(struct filelooks *looks, const char *state_dir, const char *name, bool up)
{
	(void)looks;
	(void)state_dir;
	steps_effect();
	world->last_state[stanza_index(name)] = up;
	steps_effect();
	return 0;
}

int laststate_read(struct filelooks *looks, const char *state_dir, const char *name)
{
	int up = world->last_state[stanza_index(name)];

	(void)looks;
	(void)state_dir;
	return up >= 0 ? up : -ENOENT;
}

int logready_mark(struct program *program)
{
	(void)program;
	return 0;
}

int logready_new(struct program *program, const char *regex, logready_done *done, void *context,
    struct logready **ret_log)
{
	(void)program;
	(void)regex;
	(void)done;
	(void)context;
	(void)ret_log;
	return -ENOTSUP;
}

int logready_look(struct logready *log)
{
	(void)log;
	return -ENOTSUP;
}

void logready_free(struct logready *log)
{
	(void)log;
}

/* Not made up: no stanza asks for it. */
int __wrap_pipe2(int fds[2], int flags)
{
	(void)fds;
	(void)flags;
	errno = ENOTSUP;
	return -1;
}

/* ---- a pid_file: "pid:A" ---- */

int __wrap_open(const char *path, int flags, ...)
{
	(void)flags;
	return strncmp(path, "pid:", 4) == 0 ? FAKE_PID_FILE + stanza_index(path + 4)
					     : FAKE_CGROUPS;
}

int __wrap_fstat(int fd, struct stat *ret_stat)
{
	(void)fd;
	*ret_stat = (struct stat){.st_mode = S_IFREG};
	return 0;
}

/* Mostly of the process that is to be the main one; sometimes of another one, or of none. */
long fake_read_pid_file(int program, char *buffer, unsigned long size)
{
	int pid = 0;

	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *process = &world->processes[i];

		if (process->program == program && process->kind == MAIN_PROCESS &&
		    !process->leader && !process->zombie &&
		    process->owner_run == world_state(program)->starts)
			pid = process->pid;
	}
	if (!world->calm && world_chance(10))
		pid = world->last_pid - (int)world_roll(10);
	return pid != 0 ? snprintf(buffer, size, "%d\n", pid) : 0;
}

/* ---- ownlog.h ---- */

void ownlog_set_level(enum ownlog_level highest)
{
	(void)highest;
}

static void say_line(const char *format, va_list args)
{
	char line[OWNLOG_LINE];

	if (!world->verbose)
		return;
	(void)vsnprintf(line, sizeof(line), format, args);
	world_say("engine: %s", line);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line(format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	(void)format;
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line(format, args);
	va_end(args);
}

void log_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line(format, args);
	va_end(args);
}
