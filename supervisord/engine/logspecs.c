/* SPDX-License-Identifier: ISC */
/* logspecs.c: see logspecs.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/logspec.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/logspecs.h"

/* Of the daemon's own log, which no stanza describes. */
#define OWN_LOG_MAX_BYTES (10 * 1000 * 1000)
#define OWN_LOG_KEEP      5

/* The owner looked up last: programs mostly share the one of the defaults. */
struct known_owner {
	const char *user;
	const char *group;
	struct ids_owner owner;
};

struct filler {
	const struct engine *engine;
	struct logspec *specs;
	size_t count;
	struct known_owner known;
};

static void add_program(struct filler *filler, const struct program *program);
static void set_owner(
    struct filler *filler, const struct program_config *config, struct logspec *spec);

int logspecs_hold(struct engine *engine)
{
	struct filler filler = {.engine = engine};
	char *own_path = NULL;
	int fd, slot, error = -ENOMEM;

	filler.specs = calloc(2 * engine->program_count + 1, sizeof(*filler.specs));
	if (filler.specs == NULL)
		return -ENOMEM;
	if (asprintf(&own_path, "%s/" CONFIG_OWN_LOG, engine->config->settings.key_log_dir) < 0) {
		own_path = NULL;
		goto out;
	}
	filler.specs[filler.count++] = (struct logspec){
	    .row = LOGSPEC_ROW_OWN,
	    .keep = OWN_LOG_KEEP,
	    .max_bytes = OWN_LOG_MAX_BYTES,
	    .memory = engine->config->settings.key_log_memory,
	    .name = "supervisord",
	    .path = own_path,
	};
	for (size_t i = 0; i < engine->program_count; i++)
		add_program(&filler, engine->programs[i]);
	error = logspec_write(filler.specs, filler.count, &fd);
	if (error < 0)
		goto out;
	slot = slots_hold(&engine->slots, held_key(HELD_LOG_SPECS, 0, 0), fd);
	if (slot < 0)
		close(fd);
	else
		slots_forget_fd(&engine->slots, slot);
	error = slot < 0 ? slot : 0;
out:
	for (size_t i = 1; i < filler.count; i++)
		free((char *)(uintptr_t)filler.specs[i].path);
	free(own_path);
	free(filler.specs);
	return error;
}

static void add_program(struct filler *filler, const struct program *program)
{
	const struct program_config *config = program->config;
	const struct life_config *life = config->life;

	for (int stream = 0; stream < 2; stream++) {
		const struct stdio *stdio = stream == 0 ? &config->key_stdout : &config->key_stderr;
		struct logspec *spec = &filler->specs[filler->count];
		char *path;

		/* A pipe of the run before is written to its end. */
		if ((stdio->kind != STDIO_LOG && program->streams.log_read[stream] < 0) ||
		    (path = config_log_path(filler->engine->config, config, stream)) == NULL)
			continue;
		*spec = (struct logspec){
		    .row = (uint32_t)program->run.row,
		    .stream = (uint16_t)stream,
		    .keep = config->key_log_keep,
		    .max_bytes = config->key_log_max_size,
		    .total_bytes = life->key_log_total_size,
		    .max_age_s = (uint64_t)((life->key_log_max_age + NS_PER_S - 1) / NS_PER_S),
		    .rotate = life->key_log_rotate,
		    .compress = life->key_log_compress,
		    .mode = life->key_log_mode,
		    .format = life->key_log_format,
		    .full = life->key_log_full,
		    .line_max = (uint32_t)life->key_log_line_max,
		    .name = program_name(program),
		    .path = path,
		};
		set_owner(filler, config, spec);
		filler->count++;
	}
}

/* An owner that the system does not know any more is said, and the file stays the logger's. */
static void set_owner(
    struct filler *filler, const struct program_config *config, struct logspec *spec)
{
	const char *user = config->life->key_log_user, *group = config->life->key_log_group, *what;
	struct known_owner *known = &filler->known;
	int error;

	if (user == NULL && group == NULL)
		return;
	if (known->user != user || known->group != group) {
		*known = (struct known_owner){.user = user, .group = group};
		error = ids_resolve_owner(user, group, &known->owner, &what);
		if (error < 0)
			log_error("%s: log_%s: '%s' cannot be looked up: %s; its log files keep "
				  "the owner they get",
			    spec->name, what, strcmp(what, "user") == 0 ? user : group,
			    strerror(-error));
	}
	spec->has_uid = known->owner.has_uid;
	spec->has_gid = known->owner.has_gid;
	spec->uid = known->owner.uid;
	spec->gid = known->owner.gid;
}
