/* SPDX-License-Identifier: ISC */
/* ipc.c: see ipc.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hello/ipc.h"
#include "lib/jsonw.h"
#include "lib/units.h"

#define VARIABLE "NODE_CHANNEL_FD"
#define DEPTH    8

static void take_lines(struct ipc *ipc);
static void answer(struct ipc *ipc, char *line, size_t length);

int ipc_open(struct ipc *ipc)
{
	const char *text = getenv(VARIABLE);
	struct stat st;
	uint64_t fd;

	ipc->source = SOURCE_IPC;
	ipc->fd = -1;
	ipc->length = 0;
	jsonr_init(&ipc->json);
	if (text == NULL)
		return 0;
	if (units_parse_count(text, 3, INT32_MAX, &fd) < 0 || fstat((int)fd, &st) < 0 ||
	    !S_ISSOCK(st.st_mode) || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return -EBADF;
	/* It is ours, and no child's. */
	(void)unsetenv(VARIABLE);
	ipc->fd = (int)fd;
	return 0;
}

void ipc_close(struct ipc *ipc)
{
	if (ipc->fd >= 0)
		(void)close(ipc->fd);
	ipc->fd = -1;
	jsonr_done(&ipc->json);
}

void ipc_handle(struct ipc *ipc)
{
	ssize_t got = recv(
	    ipc->fd, ipc->buffer + ipc->length, sizeof(ipc->buffer) - ipc->length, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		ipc_close(ipc);
		return;
	}
	ipc->length += (size_t)got;
	take_lines(ipc);
	if (ipc->length == sizeof(ipc->buffer))
		ipc_close(ipc);
}

static void take_lines(struct ipc *ipc)
{
	size_t at = 0;
	char *newline;

	while ((newline = memchr(ipc->buffer + at, '\n', ipc->length - at)) != NULL) {
		size_t end = (size_t)(newline - ipc->buffer);

		answer(ipc, ipc->buffer + at, end - at);
		at = end + 1;
	}
	memmove(ipc->buffer, ipc->buffer + at, ipc->length - at);
	ipc->length -= at;
}

static void answer(struct ipc *ipc, char *line, size_t length)
{
	const char *word = NULL;
	struct jsonw w;
	char *upper;

	if (jsonr_parse(&ipc->json, line, length, DEPTH) == 0)
		word = jsonr_text(&ipc->json, jsonr_member(&ipc->json, JSONR_ROOT, "hello"), NULL);
	upper = word != NULL ? strdup(word) : NULL;
	if (upper == NULL)
		return;
	for (char *c = upper; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	jsonw_init(&w, LIMIT_HELLO_IPC * 6);
	jsonw_begin_object(&w);
	jsonw_member_string(&w, "hello", upper);
	jsonw_end_object(&w);
	jsonw_raw(&w, "\n", 1);
	if (jsonw_error(&w) == 0)
		(void)send(ipc->fd, w.data, w.length, MSG_DONTWAIT | MSG_NOSIGNAL);
	jsonw_done(&w);
	free(upper);
}
