/* SPDX-License-Identifier: ISC */
/* finding.c: see finding.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/wstatus.h"
#include "supervisord/engine/cgroupmemory.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/finding.h"

/* /proc/vmstat has some 200 short lines. */
#define VMSTAT_BYTES 16384
/* Two lines, with four numbers each. */
#define PRESSURE_BYTES 256

static void look_at_leaf(const struct program *program, int wstatus, struct exit_finding *finding);
static enum exit_evidence who_killed(
    const struct program *program, int wstatus, struct exit_finding *finding);
static bool oom_killer_worked(struct engine *engine);
static bool has_nobody_waited(struct finding_look *look);
static bool read_oom_kills(uint64_t *ret_count);

void finding_begin(struct engine *engine)
{
	struct history_memory *history = engine->history;

	engine->finding_look = (struct finding_look){
	    .pressure_fd = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC)};
	if (history->oom_looked_ns == 0 && read_oom_kills(&history->oom_kills))
		history->oom_looked_ns = clock_boot_ns();
}

struct exit_finding finding_of(const struct program *program, int wstatus, bool told)
{
	struct exit_finding finding = {.evidence = EXIT_PLAIN};

	if (program->engine->cgroups.memory)
		look_at_leaf(program, wstatus, &finding);
	if (told)
		finding.evidence = EXIT_PLAIN;
	else if (finding.evidence == EXIT_PLAIN && !wstatus_is_exit(wstatus))
		finding.evidence = who_killed(program, wstatus, &finding);
	return finding;
}

void finding_note_signal(const struct program *program, uid_t uid, int number)
{
	program->engine->history->signals[program->run.row] = (struct history_signal){
	    .run = program_state(program)->starts, .uid = uid, .number = number};
}

static void look_at_leaf(const struct program *program, int wstatus, struct exit_finding *finding)
{
	struct cgroup_memory memory;
	bool failed = !wstatus_is_exit(wstatus) || wstatus_code(wstatus) != 0;

	if (cgroup_memory_look(
		&program->engine->cgroups, program->run.row, program_name(program), &memory) < 0)
		return;
	finding->peak_kb = memory.peak_bytes / 1024;
	finding->limit_kb = memory.limit_bytes / 1024;
	if (memory.oom_kills > 0 && failed)
		finding->evidence = !wstatus_is_exit(wstatus) && wstatus_signal(wstatus) == SIGKILL
					? EXIT_OOM
					: EXIT_OOM_OTHER;
}

static enum exit_evidence who_killed(
    const struct program *program, int wstatus, struct exit_finding *finding)
{
	const struct history_signal *sent = &program->engine->history->signals[program->run.row];
	int number = wstatus_signal(wstatus);

	if (sent->number == number && sent->run == program_state(program)->starts) {
		finding->killer = sent->uid;
		return EXIT_BY_OPERATOR;
	}
	if (number != SIGKILL)
		return EXIT_PLAIN;
	return oom_killer_worked(program->engine) ? EXIT_OOM_LIKELY : EXIT_STRANGER;
}

/* Since somebody asked last. */
static bool oom_killer_worked(struct engine *engine)
{
	struct history_memory *history = engine->history;
	uint64_t count, before = history->oom_kills;
	bool is_known = history->oom_looked_ns != 0;

	if (has_nobody_waited(&engine->finding_look) || !read_oom_kills(&count))
		return false;
	history->oom_kills = count;
	history->oom_looked_ns = clock_boot_ns();
	return is_known && count > before;
}

/* Since the last call.  False also where that cannot be said: no PSI, or this is the first one. */
static bool has_nobody_waited(struct finding_look *look)
{
	struct finding_look before = *look;
	char text[PRESSURE_BYTES];
	ssize_t got = pread(look->pressure_fd, text, sizeof(text) - 1, 0);
	const char *total;

	look->is_known = false;
	if (got <= 0)
		return false;
	text[got] = '\0';
	total = strstr(text, "total="); /* of the line "some", which is the first */
	look->is_known = total != NULL && sscanf(total, "total=%" SCNu64, &look->stalled_us) == 1;
	return look->is_known && before.is_known && look->stalled_us == before.stalled_us;
}

/* False: this kernel (before 4.13) does not count them. */
static bool read_oom_kills(uint64_t *ret_count)
{
	char text[VMSTAT_BYTES];
	int fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	const char *found;
	ssize_t got;

	if (fd < 0)
		return false;
	while (length < sizeof(text) - 1 &&
	       (got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	text[length] = '\0';
	found = strstr(text, "\noom_kill ");
	return found != NULL && sscanf(found, "\noom_kill %" SCNu64, ret_count) == 1;
}
