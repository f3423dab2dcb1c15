/* SPDX-License-Identifier: ISC */
/* ipcmsg.c: see ipcmsg.h. */
#include <string.h>

#include "lib/ipcmsg.h"

#define PREFIX "NODE_"

static int find_cmd(struct jsonr *json);

enum ipcmsg_kind ipcmsg_read(struct jsonr *json, const char **ret_cmd)
{
	static const struct {
		const char *cmd;
		enum ipcmsg_kind kind;
	} kinds[] = {
	    {"NODE_HANDLE", IPCMSG_HANDLE},
	    {"NODE_SOCKET_NOTIFY_CLOSE", IPCMSG_CLOSE_SOCKETS},
	    {"NODE_SOCKET_GET_COUNT", IPCMSG_COUNT_SOCKETS},
	};
	size_t length = 0;
	const char *cmd = jsonr_bytes(json, find_cmd(json), &length);

	*ret_cmd = "";
	if (cmd == NULL || length <= strlen(PREFIX) || memcmp(cmd, PREFIX, strlen(PREFIX)) != 0)
		return IPCMSG_APPLICATION;
	*ret_cmd = cmd;
	if (strlen(cmd) != length) /* a NUL is in it: Node's own, and no word of Node's */
		return IPCMSG_INTERNAL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(cmd, kinds[i].cmd) == 0)
			return kinds[i].kind;
	return IPCMSG_INTERNAL;
}

/* As JavaScript reads it: the last member of that name, however the name is written. */
static int find_cmd(struct jsonr *json)
{
	int found = JSONR_NONE;

	if (!jsonr_is(json, JSONR_ROOT, JSONR_OBJECT))
		return JSONR_NONE;
	for (int at = jsonr_first(json, JSONR_ROOT); at >= 0; at = jsonr_next(json, JSONR_ROOT, at))
		if (strcmp(jsonr_text(json, at, ""), "cmd") == 0)
			found = at + 1;
	return found;
}

const char *ipcmsg_get_key(struct jsonr *json)
{
	return jsonr_text(json, jsonr_member(json, JSONR_ROOT, "key"), "");
}

bool ipcmsg_is_ready(struct jsonr *json)
{
	int value = jsonr_is(json, JSONR_ROOT, JSONR_OBJECT) ? jsonr_member(json, JSONR_ROOT, "type")
							     : JSONR_ROOT;

	return strcmp(jsonr_text(json, value, ""), "ready") == 0;
}

void ipcmsg_answer(struct jsonw *w, enum ipcmsg_kind kind, const char *key)
{
	jsonw_reset(w);
	jsonw_begin_object(w);
	jsonw_member_string(w, "cmd",
	    kind == IPCMSG_HANDLE          ? "NODE_HANDLE_ACK"
	    : kind == IPCMSG_CLOSE_SOCKETS ? "NODE_SOCKET_ALL_CLOSED"
					   : "NODE_SOCKET_COUNT");
	if (kind != IPCMSG_HANDLE)
		jsonw_member_string(w, "key", key);
	if (kind == IPCMSG_COUNT_SOCKETS)
		jsonw_member_int(w, "count", 0);
	jsonw_end_object(w);
	jsonw_raw(w, "\n", 1);
}
