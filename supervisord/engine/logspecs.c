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
#include "supervisord/engine/route.h"

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
	int error;
	struct known_owner known;
};

static void add_program(struct filler *filler, const struct program *program);
static int set_targets(
    const struct filler *filler, const struct stdio *stdio, struct logspec *spec);
static void write_target(const struct engine *engine, const char *target, FILE *file);
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
	for (size_t i = 0; i < engine->program_count && filler.error == 0; i++)
		add_program(&filler, engine->programs[i]);
	error = filler.error;
	if (error < 0)
		goto out;
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
	for (size_t i = 1; i < filler.count; i++) {
		free((char *)(uintptr_t)filler.specs[i].path);
		free((char *)(uintptr_t)filler.specs[i].targets);
	}
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
		if ((!route_is_logged(stdio, engine_inherit_format(filler->engine)) &&
			program->streams.log_read[stream] < 0) ||
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
		    .facility = (uint32_t)life->key_syslog_facility,
		    .tag = life->key_syslog_tag,
		    .name = program_name(program),
		    .path = path,
		};
		set_owner(filler, config, spec);
		filler->count++;
		filler->error = set_targets(filler, stdio, spec);
	}
}

/* Only the file: no targets, which costs least.  Without a file there is no path. */
static int set_targets(const struct filler *filler, const struct stdio *stdio, struct logspec *spec)
{
	const char *target;
	char *text = NULL;
	size_t size, index = 0;
	FILE *file;

	if (stdio->targets == NULL && stdio->kind != STDIO_INHERIT)
		return 0;
	file = open_memstream(&text, &size);
	if (file == NULL)
		return -ENOMEM;
	while ((target = route_next_target(stdio, &index)) != NULL) {
		if (index > 1)
			putc('\n', file);
		write_target(filler->engine, target, file);
	}
	if (fclose(file) != 0) {
		free(text);
		return -ENOMEM;
	}
	if (!route_has_file(stdio))
		((char *)(uintptr_t)spec->path)[0] = '\0';
	spec->targets = text;
	return 0;
}

/* As lib/logspec.h has them. */
static void write_target(const struct engine *engine, const char *target, FILE *file)
{
	static const char *const formats[] = {[LOGSPEC_RAW] = "raw",
	    [LOGSPEC_STAMP] = "raw",
	    [LOGSPEC_JSON] = "json",
	    [LOGSPEC_PREFIX] = "prefix"};
	const struct settings *settings = &engine->config->settings;
	const char *name = strchr(target, ':');
	const struct program *reader;

	if (strcmp(target, "syslog") == 0)
		fprintf(file, "unix:%s", settings->key_syslog_socket);
	else if (strcmp(target, "journal") == 0)
		fprintf(file, "journal:%s", settings->key_journal_socket);
	else if (strcmp(target, "inherit") == 0)
		fprintf(file, "inherit:%s", formats[engine_inherit_format(engine)]);
	else if (strncmp(target, "syslog://", 9) == 0)
		fprintf(file, "udp:%s", target + 9);
	else if (strncmp(target, "syslog+tcp://", 13) == 0)
		fprintf(file, "tcp:%s", target + 13);
	else if (name != NULL && (reader = engine_find(engine, name + 1)) != NULL)
		fprintf(file, "row:%d", reader->run.row);
	else
		fputs("log", file);
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
