/* SPDX-License-Identifier: ISC */
/*
 * conffilter.c: log_filter becomes a program of its own, see confbuild.h.
 *
 * The checks have seen the configuration as the user wrote it, where the program has the log.  Then
 * each program with a filter gets a companion NAME+filter, a name that no stanza can have: it runs
 * the filter's command as the program's user, owns the log and its keys, and the program writes to
 * `program:NAME+filter` and wants it.  So that the rest of the engine knows nothing of filters: the
 * pipe between the two is one that the guardian holds, like that of any two programs.
 *
 * Nothing of `defaults` is for the filter but what the program has of it: its other keys are those
 * of keys.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/value.h"
#include "supervisord/engine/words.h"

/* The longest name that has room for the suffix in the ledger. */
#define OWNER_NAME_MAX (LIMIT_NAME - sizeof(INSTNAME_FILTER))
/* "@" and the number of an instance. */
#define NUMBER_MAX 5

/* For the last lines, once nobody writes any more; and then for what TERM makes of it. */
#define DRAIN_NS (10 * NS_PER_S)
#define TERM_NS  (10 * NS_PER_S)

/* A filter that ends at once is tried again at least so often: its program waits meanwhile. */
#define DELAY_MAX_NS (5 * NS_PER_S)

static bool has_filter(const struct build_program *program);
static void check_filter(struct build *build, const struct build_program *program);
static int make_filter(
    struct build *build, const struct build_program *owner, struct build_program *ret_filter);
static int fill_keys(struct build *build, const struct build_program *owner,
    struct program_config *filter, struct life_config *life);
static int fill_default(const struct key_row *row, void *member);
static int copy_value(const char *owner, const struct key_row *row, const void *from, void *to);
static int copy_named(const char *owner, const char *text, char **ret_copy);
static int copy_named_list(const char *owner, string_list list, string_list *ret_copy);
static int copy_list(string_list list, string_list *ret_copy);
static int set_life(const struct build *build, const struct program_config *owner,
    struct program_config *filter, struct life_config *life);
static int64_t stop_length_ns(const struct program_config *owner);
static int name_log(const struct build *build, const struct program_config *owner, char **ret_path);
static int divert(struct build *build, struct build_program *owner, const char *name);
static int compare_names(const void *a, const void *b);

void build_check_filters(struct build *build)
{
	size_t count = 0, programs = 0;

	for (size_t i = 0; i < build->program_count; i++) {
		check_filter(build, &build->programs[i]);
		programs += build->programs[i].instances;
		if (has_filter(&build->programs[i]))
			count += build->programs[i].instances;
	}
	if (count > 0 && programs <= LIMIT_ROWS && programs + count > LIMIT_ROWS)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu programs and %zu filters of logs: at most %d together are allowed",
		    programs, count, LIMIT_ROWS);
}

int build_add_filters(struct build *build)
{
	struct config *config = &build->whole->config;
	size_t owners = build->program_count, room = owners;
	struct program_config **given;
	struct build_program *programs;
	int error = 0;

	for (size_t i = 0; i < owners; i++)
		room += has_filter(&build->programs[i]);
	if (room == owners)
		return 0;
	programs = reallocarray(build->programs, room, sizeof(*programs));
	if (programs == NULL)
		return -ENOMEM;
	build->programs = programs;
	build->program_room = room;
	given = reallocarray(config->programs, room + 1, sizeof(*given));
	if (given == NULL)
		return -ENOMEM;
	config->programs = given;
	for (size_t i = 0; i < owners && error == 0; i++) {
		struct build_program *filter = &programs[build->program_count];

		if (!has_filter(&programs[i]))
			continue;
		error = make_filter(build, &programs[i], filter);
		if (error < 0)
			break;
		given[config->program_count++] = filter->program;
		build->program_count++;
		error = divert(build, &programs[i], filter->program->name);
	}
	qsort(programs, build->program_count, sizeof(*programs), compare_names);
	for (size_t i = 0; i < build->program_count; i++)
		given[i] = programs[i].program;
	return error;
}

/* One of the defaults is for the programs that have a log. */
static bool has_filter(const struct build_program *program)
{
	return program->program->life->key_log_filter != NULL &&
	       program->program->key_stdout.kind == STDIO_LOG;
}

static void check_filter(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	size_t most = program->instances > 1 ? OWNER_NAME_MAX - NUMBER_MAX : OWNER_NAME_MAX;

	if (program->lines[PROGRAM_log_filter] > 0 && config->life->key_log_filter != NULL &&
	    config->key_stdout.kind != STDIO_LOG)
		build_report(build, program, PROGRAM_log_filter,
		    "needs a stdout that the logger writes: \"log\", \"syslog\", \"journal\" or a "
		    "list of targets");
	if (!has_filter(program))
		return;
	if (config->life->key_ready.kind == CHECK_LOG)
		build_report(build, program, PROGRAM_ready,
		    "'log:' looks for what the program writes, but with log_filter the log has "
		    "what the filter writes: another form is allowed, or no log_filter");
	if (strlen(config->name) > most)
		build_report(build, program, PROGRAM_log_filter,
		    "has no room for '" INSTNAME_FILTER "' behind the name '%s': at most %zu "
		    "bytes are allowed in the name of a program with a filter%s",
		    config->name, most, program->instances > 1 ? " and instances" : "");
}

static int make_filter(
    struct build *build, const struct build_program *owner, struct build_program *ret_filter)
{
	const struct program_config *config = owner->program;
	struct program_config *filter = calloc(1, sizeof(*filter) + LIMIT_NAME);
	struct life_config *life = calloc(1, sizeof(*life));
	int error;

	if (filter == NULL || life == NULL) {
		free(filter);
		free(life);
		return -ENOMEM;
	}
	filter->name = (char *)(filter + 1);
	instname_of_filter(config->name, filter->name);
	filter->instances = config->instances;
	filter->model = &build->whole->base;
	filter->life = life;
	filter->file = config->file;
	filter->line = config->line;
	error = fill_keys(build, owner, filter, life);
	if (error == 0)
		error = set_life(build, config, filter, life);
	if (error < 0) {
		build_free_program(filter);
		return error;
	}
	*ret_filter =
	    (struct build_program){.program = filter, .life = life, .place = owner->place};
	return 0;
}

/* What is the program's own, and of all else the default of keys.h. */
static int fill_keys(struct build *build, const struct build_program *owner,
    struct program_config *filter, struct life_config *life)
{
	static const enum program_key shared[] = {PROGRAM_directory, PROGRAM_user, PROGRAM_group,
	    PROGRAM_umask, PROGRAM_environment, PROGRAM_autostart, PROGRAM_boot, PROGRAM_stdout,
	    PROGRAM_log_max_size, PROGRAM_log_keep, PROGRAM_log_rotate, PROGRAM_log_max_age,
	    PROGRAM_log_total_size, PROGRAM_log_compress, PROGRAM_log_user, PROGRAM_log_group,
	    PROGRAM_log_mode, PROGRAM_log_format, PROGRAM_log_line_max, PROGRAM_log_full,
	    PROGRAM_syslog_facility, PROGRAM_syslog_tag};
	bool is_shared[PROGRAM_KEY_COUNT] = {false};
	int error = 0;

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		is_shared[shared[i]] = true;
	for (size_t k = 0; k < PROGRAM_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &program_rows[k];
		void *member =
		    row->part == PART_LIFE ? build_member(life, row) : build_member(filter, row);

		error = is_shared[k] ? copy_value(owner->program->name, row,
					   build_program_member(build, owner, row), member)
				     : fill_default(row, member);
	}
	return error;
}

static int fill_default(const struct key_row *row, void *member)
{
	struct value_input input = {.row = row, .items = &row->def, .count = 1};
	char *problem = NULL;
	int error;

	if (row->def == NULL)
		return 0;
	error = value_parse(&input, member, &problem);
	free(problem);
	return error;
}

/* A copy of its own, of the types that are shared. */
static int copy_value(const char *owner, const struct key_row *row, const void *from, void *to)
{
	if (row->type == KEY_STRING) {
		const char *text = *(char *const *)from;
		char *copy = text != NULL ? strdup(text) : NULL;

		*(char **)to = copy;
		return text == NULL || copy != NULL ? 0 : -ENOMEM;
	}
	if (row->type == KEY_PATH)
		return copy_named(owner, *(char *const *)from, to);
	if (row->type == KEY_ENVIRONMENT)
		return copy_named_list(owner, *(const string_list *)from, to);
	if (row->type == KEY_STDOUT) {
		const struct stdio *stdio = from;
		struct stdio *copy = to;

		*copy = (struct stdio){.kind = stdio->kind}; /* a log has no other target */
		return copy_list(stdio->targets, &copy->targets);
	}
	memcpy(to, from, row->size);
	return 0;
}

/* The names in it are the program's, wherever it is used; the rest is for the launch. */
static int copy_named(const char *owner, const char *text, char **ret_copy)
{
	struct instname parts;
	const struct expand_words words = {
	    .name = owner,
	    .program = parts.program,
	    .instance = parts.number,
	    .user = "%{user}",
	    .home = "%{home}",
	    .run_dir = "%{run_dir}",
	};

	instname_split(owner, &parts);
	*ret_copy = NULL;
	return text != NULL ? expand_string(text, &words, ret_copy) : 0;
}

static int copy_named_list(const char *owner, string_list list, string_list *ret_copy)
{
	char **texts;
	size_t count = 0;
	int error = 0;

	*ret_copy = NULL;
	if (list == NULL)
		return 0;
	while (list[count] != NULL)
		count++;
	texts = calloc(count + 1, sizeof(*texts));
	if (texts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && error == 0; i++)
		error = copy_named(owner, list[i], &texts[i]);
	if (error == 0)
		error = copy_list(texts, ret_copy);
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
	return error;
}

static int copy_list(string_list list, string_list *ret_copy)
{
	size_t count = 0;

	*ret_copy = NULL;
	if (list == NULL)
		return 0;
	while (list[count] != NULL)
		count++;
	*ret_copy = words_copy((const char *const *)list, count);
	return *ret_copy != NULL ? 0 : -ENOMEM;
}

/* What makes it a filter: it is always there, and it ends when its input does. */
static int set_life(const struct build *build, const struct program_config *owner,
    struct program_config *filter, struct life_config *life)
{
	int error;

	filter->key_restart = RESTART_ALWAYS;
	filter->key_restart_delay_max = DELAY_MAX_NS;
	filter->key_start_limit = 0;
	life->key_stop_sequence = (struct stop_sequence){.count = 2,
	    .steps = {{STOP_END_OF_INPUT, stop_length_ns(owner) + DRAIN_NS}, {SIGTERM, TERM_NS}}};
	error = copy_named_list(owner->name, owner->life->key_log_filter, &filter->key_command);
	if (error == 0)
		error = name_log(build, owner, &life->key_log_file);
	if (error == 0 && life->key_syslog_tag == NULL) {
		life->key_syslog_tag = strdup(owner->name);
		if (life->key_syslog_tag == NULL)
			error = -ENOMEM;
	}
	return error;
}

/* A filter that is taken away waits for its program, which may still be stopping. */
static int64_t stop_length_ns(const struct program_config *owner)
{
	const struct stop_sequence *sequence = &owner->life->key_stop_sequence;
	int64_t length = owner->key_stop_timeout;

	for (uint32_t i = 0; i < sequence->count; i++)
		length += sequence->steps[i].wait_ns;
	return length;
}

/* That of the program, whatever the filter is called. */
static int name_log(const struct build *build, const struct program_config *owner, char **ret_path)
{
	char *path;

	if (owner->life->key_log_file != NULL)
		path = config_log_path(&build->whole->config, owner, 0);
	else if (asprintf(&path, "%s.log", owner->name) < 0)
		path = NULL;
	*ret_path = path;
	return path != NULL ? 0 : -ENOMEM;
}

/* The program writes to its filter, and waits at its start until that has a process. */
static int divert(struct build *build, struct build_program *owner, const char *name)
{
	const struct key_row *row = &program_rows[PROGRAM_wants];
	const string_list wants = *(const string_list *)build_program_member(build, owner, row);
	struct stdio stdio = {.kind = STDIO_PROGRAM, .target = strdup(name)};
	char entry[LIMIT_NAME + sizeof(":started")];
	const char **names;
	string_list list;
	size_t count = 0;
	int error;

	if (stdio.target == NULL)
		return -ENOMEM;
	error = build_replace(build, owner, &program_rows[PROGRAM_stdout], &stdio);
	if (error < 0) {
		free(stdio.target);
		return error;
	}
	while (wants != NULL && wants[count] != NULL)
		count++;
	names = calloc(count + 1, sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		names[i] = wants[i];
	snprintf(entry, sizeof(entry), "%s:started", name);
	names[count] = entry;
	list = words_copy(names, count + 1);
	free(names);
	if (list == NULL)
		return -ENOMEM;
	error = build_replace(build, owner, row, &list);
	if (error < 0)
		free(list);
	return error;
}

static int compare_names(const void *a, const void *b)
{
	const struct build_program *x = a, *y = b;

	return strcmp(x->program->name, y->program->name);
}
