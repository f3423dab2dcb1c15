/* SPDX-License-Identifier: ISC */
/*
 * driftlook.c: see driftlook.h.  The result is a sequence of strings, each with its NUL: a line of
 * numbers, the stamp, the names, and a last word without which it is none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/driftlook.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/socketdiff.h"
#include "supervisord/engine/transient.h"

#define LAST_WORD "end"

/* Names that are gathered into a text. */
struct names {
	FILE *file;
	size_t count;
};

static int look(const char *path, FILE *file);
static void add_name(void *context, const char *name);
static const struct program_config *find_same(
    const struct config *config, const struct program_config *program);
static bool differs(const struct program_config *applied, const struct program_config *file);
static void note_socket(void *context, const char *name, const char *action, const char *reason);
static int parse(struct driftlook *look, size_t length);

/* ---- in a process of its own ----------------------------------------------------------------- */

int driftlook_main(const char *path)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);
	int error;

	(void)alarm(LIMIT_DRIFT_S);
	if (file == NULL)
		return 1;
	error = look(path, file);
	if (fclose(file) != 0 && error == 0)
		error = -ENOMEM;
	if (error == 0 && write(DRIFTLOOK_FD_RESULT, text, length) != (ssize_t)length)
		error = -EIO;
	free(text);
	return error == 0 ? 0 : 1;
}

static int look(const char *path, FILE *file)
{
	struct config_errors errors = {0}, ignored = {0};
	struct config *files = NULL, *applied = NULL;
	struct confstamp *stamp = NULL;
	char *text = NULL;
	size_t length = 0;
	struct names names = {.file = open_memstream(&text, &length)};
	bool any = false;
	int error;

	error = transient_load_stamped(path, DRIFTLOOK_FD_CONFIG, &files, &errors, &stamp);
	if (error != -ENOMEM && stamp != NULL && names.file != NULL) {
		if (error == 0)
			error = config_load_applied(DRIFTLOOK_FD_CONFIG, &applied, &ignored);
		if (applied != NULL)
			any = driftlook_compare(applied, files, add_name, &names);
		/* Bad files are an answer, too. */
		if (errors.count > 0)
			error = 0;
	} else {
		error = -ENOMEM;
	}
	if (names.file != NULL && fclose(names.file) != 0)
		error = -ENOMEM;
	if (error == 0) {
		fprintf(file, "%zu %d %zu", errors.count, any, names.count);
		fputc('\0', file);
		confstamp_print(stamp, file);
		(void)fwrite(text, 1, length, file);
		(void)fwrite(LAST_WORD, 1, sizeof(LAST_WORD), file);
	}
	free(text);
	confstamp_free(stamp);
	config_free(files);
	config_free(applied);
	config_errors_done(&errors);
	config_errors_done(&ignored);
	return error;
}

static void add_name(void *context, const char *name)
{
	struct names *names = context;

	(void)fwrite(name, 1, strlen(name) + 1, names->file);
	names->count++;
}

bool driftlook_compare(const struct config *applied, const struct config *files,
    void (*each)(void *context, const char *name), void *context)
{
	char reason[64];
	bool any = plan_settings_reason(applied, files, reason, sizeof(reason))[0] != '\0';

	for (size_t i = 0; i < applied->program_count; i++) {
		const struct program_config *program = applied->programs[i];

		if (program->surge || !differs(program, find_same(files, program)))
			continue;
		any = true;
		each(context, program->name);
	}
	for (size_t i = 0; i < files->program_count && !any; i++)
		any = !files->programs[i]->surge && find_same(applied, files->programs[i]) == NULL;
	return socketdiff_each(applied, files, note_socket, &any) < 0 || any;
}

/* The first of several instances and an only one are the same. */
static const struct program_config *find_same(
    const struct config *config, const struct program_config *program)
{
	const struct program_config *found = config_find_program(config, program->name);
	char other[LIMIT_NAME];

	if (found == NULL && instname_other(program->name, other))
		found = config_find_program(config, other);
	return found != NULL && !found->surge ? found : NULL;
}

static bool differs(const struct program_config *applied, const struct program_config *file)
{
	return file == NULL || config_diff_program(applied, file, NULL, NULL) != CHANGE_NONE;
}

static void note_socket(void *context, const char *name, const char *action, const char *reason)
{
	(void)name;
	(void)action;
	(void)reason;
	*(bool *)context = true;
}

/* ---- in the engine --------------------------------------------------------------------------- */

int driftlook_read(int fd, struct driftlook *ret_look)
{
	struct stat st;

	*ret_look = (struct driftlook){0};
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(LAST_WORD) || st.st_size > LIMIT_CONFIG_BYTES)
		return -EBADMSG;
	ret_look->text = malloc((size_t)st.st_size);
	if (ret_look->text == NULL)
		return -ENOMEM;
	if (pread(fd, ret_look->text, (size_t)st.st_size, 0) != (ssize_t)st.st_size)
		return -EIO;
	return parse(ret_look, (size_t)st.st_size);
}

void driftlook_done(struct driftlook *look)
{
	confstamp_free(look->stamp);
	free(look->names);
	free(look->text);
	*look = (struct driftlook){0};
}

static int parse(struct driftlook *look, size_t length)
{
	const char *at = look->text, *end = look->text + length;
	int any = 0, error;

	if (end[-1] != '\0' || sscanf(at, "%zu %d %zu", &look->errors, &any, &look->count) != 3 ||
	    look->count > LIMIT_ROWS)
		return -EBADMSG;
	look->differs = any != 0;
	at += strlen(at) + 1;
	error = confstamp_scan(&at, end, &look->stamp);
	if (error < 0)
		return error;
	look->names = calloc(look->count + 1, sizeof(*look->names));
	if (look->names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < look->count && at < end; i++) {
		look->names[i] = look->text + (at - look->text);
		at += strlen(at) + 1;
	}
	return at < end && strcmp(at, LAST_WORD) == 0 ? 0 : -EBADMSG;
}
