/* SPDX-License-Identifier: ISC */
/* rundir.c: see rundir.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/rundir.h"

#define SYSTEM_DIR RUNSTATEDIR "/supervisord"

static int format(char *buffer, size_t size, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));

int rundir_default(char *buffer, size_t size)
{
	return rundir_of_user(geteuid(), getenv("XDG_RUNTIME_DIR"), buffer, size);
}

int rundir_system(char *buffer, size_t size)
{
	return format(buffer, size, "%s", SYSTEM_DIR);
}

int rundir_of_user(uid_t uid, const char *xdg_runtime_dir, char *buffer, size_t size)
{
	if (uid == 0)
		return rundir_system(buffer, size);
	if (xdg_runtime_dir != NULL && xdg_runtime_dir[0] == '/')
		return format(buffer, size, "%s/supervisord", xdg_runtime_dir);
	return format(buffer, size, "/tmp/supervisord-%u", (unsigned)uid);
}

int rundir_socket(const char *directory, char *buffer, size_t size)
{
	return format(buffer, size, "%s/%s", directory, RUNDIR_SOCKET);
}

static int format(char *buffer, size_t size, const char *pattern, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, pattern);
	length = vsnprintf(buffer, size, pattern, arguments);
	va_end(arguments);
	return length >= 0 && (size_t)length < size ? 0 : -ENAMETOOLONG;
}
