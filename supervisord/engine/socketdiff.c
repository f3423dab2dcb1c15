/* SPDX-License-Identifier: ISC */
/* socketdiff.c: see socketdiff.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/socketdiff.h"
#include "supervisord/engine/value.h"

static int list_changes(const struct socket_config *old_socket,
    const struct socket_config *new_socket, char **ret_text, bool *ret_listen);
static int is_equal(const struct key_row *row, const struct socket_config *old_socket,
    const struct socket_config *new_socket, bool *ret_equal);
static char *print(const struct key_row *row, const struct socket_config *socket);

int socketdiff_each(const struct config *old_config, const struct config *new_config,
    void (*each)(void *context, const char *name, const char *action, const char *reason),
    void *context)
{
	size_t old_at = 0, new_at = 0;

	while (old_at < old_config->socket_count || new_at < new_config->socket_count) {
		const struct socket_config *old_socket = &old_config->sockets[old_at],
					   *new_socket = &new_config->sockets[new_at];
		int order = old_at == old_config->socket_count ? 1
			    : new_at == new_config->socket_count
				? -1
				: strcmp(old_socket->name, new_socket->name);
		bool listen = false;
		char *changes;
		int error;

		old_at += order <= 0;
		new_at += order >= 0;
		if (order < 0) {
			each(context, old_socket->name, "close", "its stanza is gone");
			continue;
		}
		if (order > 0) {
			each(context, new_socket->name, "open", "new stanza");
			continue;
		}
		error = list_changes(old_socket, new_socket, &changes, &listen);
		if (error < 0)
			return error;
		if (changes[0] != '\0')
			each(context, new_socket->name, listen ? "open" : "live", changes);
		free(changes);
	}
	return 0;
}

/* "backlog changed, v6_only changed (when it is opened anew)"; to be freed. */
static int list_changes(const struct socket_config *old_socket,
    const struct socket_config *new_socket, char **ret_text, bool *ret_listen)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int error = file != NULL ? 0 : -ENOMEM;
	const char *comma = "";

	for (size_t k = 0; k < SOCKET_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &socket_rows[k];
		bool equal = true;

		error = is_equal(row, old_socket, new_socket, &equal);
		if (equal)
			continue;
		*ret_listen = *ret_listen || k == SOCKET_listen;
		fprintf(file, "%s%s changed%s", comma, row->name,
		    row->change == CHANGE_NEXT ? " (when it is opened anew)" : "");
		comma = ", ";
	}
	if (file != NULL && fclose(file) != 0 && error == 0)
		error = -ENOMEM;
	if (error < 0)
		free(text);
	else
		*ret_text = text;
	return error;
}

static int is_equal(const struct key_row *row, const struct socket_config *old_socket,
    const struct socket_config *new_socket, bool *ret_equal)
{
	char *before = print(row, old_socket), *after = print(row, new_socket);
	int error = before != NULL && after != NULL ? 0 : -ENOMEM;

	if (error == 0)
		*ret_equal = strcmp(before, after) == 0;
	free(before);
	free(after);
	return error;
}

/* As it could stand in a file; to be freed. */
static char *print(const struct key_row *row, const struct socket_config *socket)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		return NULL;
	value_write(row, (const char *)socket + row->offset, file);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}
