/* SPDX-License-Identifier: ISC */
/* confdir.h: for tests of the configuration: a private directory with files, and what a load of
 * them says. */
#ifndef TESTS_ENGINE_CONFDIR_H
#define TESTS_ENGINE_CONFDIR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw(3), mkdtemp(3) */
#endif
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/config.h"

static char confdir[64];

static inline int confdir_setup(void **state)
{
	(void)state;
	snprintf(confdir, sizeof(confdir), "/tmp/confdir.XXXXXX");
	return mkdtemp(confdir) == NULL ? -1 : 0;
}

static inline int confdir_remove_one(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int confdir_teardown(void **state)
{
	(void)state;
	return nftw(confdir, confdir_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline const char *confdir_path(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", confdir, name);
	return path;
}

static inline void confdir_write_bytes(const char *name, const char *bytes, size_t length)
{
	FILE *file = fopen(confdir_path(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static inline void confdir_write(const char *name, const char *text)
{
	confdir_write_bytes(name, text, strlen(text));
}

/* Load main.conf, which must be good. */
static inline struct config *confdir_load(void)
{
	struct config_errors errors = {0};
	struct config *config = NULL;
	int error = config_load(confdir_path("main.conf"), &config, &errors);

	for (size_t i = 0; i < errors.count; i++) {
		char *text = config_error_text(&errors.list[i]);

		print_error("%s\n", text);
		free(text);
	}
	config_errors_done(&errors);
	assert_int_equal(error, 0);
	assert_non_null(config);
	return config;
}

/*
 * Load main.conf, which must fail with just these errors, one a line, in this order.  The directory
 * is written as
 * "@" in them.
 */
static inline void confdir_expect_errors(const char *expected)
{
	static char all[64 * 1024];
	struct config_errors errors = {0};
	struct config *config = NULL;
	size_t at = 0, length = strlen(confdir);

	assert_int_equal(config_load(confdir_path("main.conf"), &config, &errors), -22);
	assert_null(config);
	all[0] = '\0';
	for (size_t i = 0; i < errors.count; i++) {
		char *text = config_error_text(&errors.list[i]);

		assert_non_null(text);
		for (const char *from = text; *from != '\0' && at < sizeof(all) - 2;) {
			bool here = strncmp(from, confdir, length) == 0;

			all[at++] = here ? '@' : *from;
			from += here ? length : 1;
		}
		all[at++] = '\n';
		all[at] = '\0';
		free(text);
	}
	config_errors_done(&errors);
	assert_string_equal(all, expected);
}

/* The same of this text in main.conf. */
static inline void confdir_refuse(const char *text, const char *expected)
{
	confdir_write("main.conf", text);
	confdir_expect_errors(expected);
}

static inline struct config *confdir_accept(const char *text)
{
	confdir_write("main.conf", text);
	return confdir_load();
}

#endif
