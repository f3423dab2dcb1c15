/* SPDX-License-Identifier: ISC */
/* libexec.c: see libexec.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/libexec.h"

void libexec_find(char *directory, size_t size)
{
	static const char relative[] = "/libexec/supervisord";
	ssize_t length = readlink("/proc/self/exe", directory, size - sizeof(relative));

	if (length > 0) {
		char *slash;

		directory[length] = '\0';
		if ((slash = strrchr(directory, '/')) != NULL)
			*slash = '\0';
		/* One of them itself. */
		length = (ssize_t)strlen(directory) - (ssize_t)strlen(relative);
		if (length >= 0 && strcmp(directory + length, relative) == 0)
			return;
		if ((slash = strrchr(directory, '/')) != NULL)
			*slash = '\0';
		memcpy(directory + strlen(directory), relative, sizeof(relative));
		if (access(directory, X_OK) == 0)
			return;
	}
	(void)snprintf(directory, size, "%s", PKGLIBEXECDIR);
}
