/* SPDX-License-Identifier: ISC */
/* request.c: see request.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/cluster/request.h"

/* Integers of JavaScript. */
#define SAFE_INTEGER ((1LL << 53) - 1)

/* The flags of libuv: UV_TCP_IPV6ONLY and UV_UDP_IPV6ONLY, UV_UDP_REUSEADDR. */
enum { FLAG_V6_ONLY = 1, FLAG_REUSE_ADDRESS = 4 };

static void read_internal(struct request_reader *reader, const char *cmd, struct request *request);
static void read_sockets(
    struct request_reader *reader, enum ipcmsg_kind kind, struct request *request);
static void read_cluster(struct request_reader *reader, int root, struct request *request);
static void read_query(struct request_reader *reader, int root, struct request *request);
static void read_type(struct request_reader *reader, int root, struct request *request);
static void read_address(struct request_reader *reader, int root, struct request *request);
static void copy_key(struct request_reader *reader, int value, struct request *request);
static int64_t get_int(
    struct request_reader *reader, int root, const char *key, int64_t min, int64_t max);
static void fail(struct request *request, int error);

void request_reader_init(struct request_reader *reader)
{
	jsonr_init(&reader->json);
}

void request_reader_done(struct request_reader *reader)
{
	jsonr_done(&reader->json);
}

void request_read(
    struct request_reader *reader, const char *line, size_t length, struct request *ret_request)
{
	enum ipcmsg_kind kind;
	const char *cmd;

	ret_request->act = REQUEST_NONSENSE;
	ret_request->seq = 0;
	ret_request->ack = 0;
	ret_request->accepted = false;
	ret_request->key[0] = '\0';
	ret_request->error = 0;
	ret_request->data = NULL;
	ret_request->data_length = 0;
	if (length > LIMIT_IPC_LINE)
		return;
	memcpy(reader->text, line, length);
	reader->text[length] = '\0';
	if (jsonr_parse(&reader->json, reader->text, length, LIMIT_IPC_DEPTH) < 0)
		return;
	kind = ipcmsg_read(&reader->json, &cmd);
	switch (kind) {
	case IPCMSG_APPLICATION:
		ret_request->act = REQUEST_MESSAGE;
		break;
	case IPCMSG_INTERNAL:
		read_internal(reader, cmd, ret_request);
		break;
	case IPCMSG_HANDLE:
		ret_request->kind = kind;
		ret_request->act = REQUEST_SOCKETS;
		break;
	case IPCMSG_CLOSE_SOCKETS:
	case IPCMSG_COUNT_SOCKETS:
		read_sockets(reader, kind, ret_request);
		break;
	}
}

int request_make_key(const struct request *request, char key[LIMIT_CLUSTER_KEY])
{
	static const char *const types[] = {
	    [TYPE_TCP] = "4", [TYPE_PATH] = "-1", [TYPE_UDP4] = "udp4", [TYPE_UDP6] = "udp6"};
	int length = snprintf(key, LIMIT_CLUSTER_KEY, "%s:%d:%s",
	    request->has_address ? request->address : "null", request->port,
	    request->type == TYPE_TCP && request->is_v6 ? "6" : types[request->type]);

	if (length > 0 && length < LIMIT_CLUSTER_KEY && request->port == 0)
		length += snprintf(
		    key + length, LIMIT_CLUSTER_KEY - (size_t)length, ":%d", request->index);
	return length > 0 && length < LIMIT_CLUSTER_KEY ? 0 : -ENAMETOOLONG;
}

static void read_internal(struct request_reader *reader, const char *cmd, struct request *request)
{
	if (strcmp(cmd, "NODE_CLUSTER") == 0)
		read_cluster(reader, JSONR_ROOT, request);
	else if (strcmp(cmd, "NODE_HANDLE_ACK") == 0)
		request->act = REQUEST_HANDLE_ACK;
	else if (strcmp(cmd, "NODE_HANDLE_NACK") == 0)
		request->act = REQUEST_HANDLE_NACK;
}

/* One that is longer than ours are cannot be answered. */
static void read_sockets(
    struct request_reader *reader, enum ipcmsg_kind kind, struct request *request)
{
	const char *key = ipcmsg_get_key(&reader->json);

	if (key[0] == '\0' || strlen(key) >= sizeof(request->key))
		return;
	memcpy(request->key, key, strlen(key) + 1);
	request->kind = kind;
	request->act = REQUEST_SOCKETS;
}

static void read_cluster(struct request_reader *reader, int root, struct request *request)
{
	static const struct {
		const char *name;
		enum request_act act;
	} acts[] = {
	    {"online", REQUEST_ONLINE},
	    {"queryServer", REQUEST_QUERY},
	    {"listening", REQUEST_LISTENING},
	    {"close", REQUEST_CLOSE},
	    {"exitedAfterDisconnect", REQUEST_LEAVING},
	};
	const char *act;

	request->seq = get_int(reader, root, "seq", 0, SAFE_INTEGER);
	request->ack = get_int(reader, root, "ack", 0, SAFE_INTEGER);
	if (request->ack > 0) {
		request->accepted =
		    jsonr_bool(&reader->json, jsonr_member(&reader->json, root, "accepted"), false);
		request->act = REQUEST_ANSWER;
		return;
	}
	act = jsonr_text(&reader->json, jsonr_member(&reader->json, root, "act"), "");
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(act, acts[i].name) == 0)
			request->act = acts[i].act;
	if (request->act == REQUEST_CLOSE)
		copy_key(reader, jsonr_member(&reader->json, root, "key"), request);
	if (request->act == REQUEST_QUERY || request->act == REQUEST_LISTENING)
		read_query(reader, root, request);
}

static void read_query(struct request_reader *reader, int root, struct request *request)
{
	struct jsonr *json = &reader->json;
	int data = jsonr_member(json, root, "data");
	int64_t flags = get_int(reader, root, "flags", 0, INT32_MAX);

	/* Before a string in it is read: it goes back as it came. */
	if (jsonr_is(json, data, JSONR_OBJECT))
		request->data = jsonr_raw(json, data, &request->data_length);
	request->index = (int)get_int(reader, root, "index", 0, INT32_MAX);
	request->backlog = (int)get_int(reader, root, "backlog", 0, INT32_MAX);
	request->v6_only = (flags & FLAG_V6_ONLY) != 0;
	request->reuse_address = (flags & FLAG_REUSE_ADDRESS) != 0;
	request->readable_all = jsonr_bool(json, jsonr_member(json, root, "readableAll"), false);
	request->writable_all = jsonr_bool(json, jsonr_member(json, root, "writableAll"), false);
	request->port = (int)jsonr_int(json, jsonr_member(json, root, "port"), -1);
	read_type(reader, root, request);
	read_address(reader, root, request);
	/* A number of a descriptor of ours: none of them is for workers. */
	if (get_int(reader, root, "fd", -1, INT32_MAX) >= 0)
		fail(request, -EINVAL);
}

static void read_type(struct request_reader *reader, int root, struct request *request)
{
	struct jsonr *json = &reader->json;
	int type = jsonr_member(json, root, "addressType");
	const char *name = jsonr_text(json, type, "");

	request->is_v6 = jsonr_int(json, type, 0) == 6;
	if (strcmp(name, "udp4") == 0)
		request->type = TYPE_UDP4;
	else if (strcmp(name, "udp6") == 0)
		request->type = TYPE_UDP6;
	else
		request->type = request->port >= 0 ? TYPE_TCP : TYPE_PATH;
	if (request->type != TYPE_PATH && (request->port < 0 || request->port > UINT16_MAX))
		fail(request, -EINVAL);
}

static void read_address(struct request_reader *reader, int root, struct request *request)
{
	int value = jsonr_member(&reader->json, root, "address");
	const char *address = jsonr_text(&reader->json, value, NULL);

	request->has_address = address != NULL;
	request->address[0] = '\0';
	if (address != NULL && strlen(address) < sizeof(request->address))
		memcpy(request->address, address, strlen(address) + 1);
	else if (address != NULL)
		fail(request, -ENAMETOOLONG);
	else if (jsonr_is(&reader->json, value, JSONR_STRING))
		fail(request, -EINVAL); /* a zero in it: an abstract name */
	if (request->type == TYPE_PATH && request->address[0] != '/')
		fail(request, -EINVAL);
}

/* One that is longer is not one of ours. */
static void copy_key(struct request_reader *reader, int value, struct request *request)
{
	const char *key = jsonr_text(&reader->json, value, "");

	if (strlen(key) < sizeof(request->key))
		memcpy(request->key, key, strlen(key) + 1);
}

/* `min` when there is none, or one out of range. */
static int64_t get_int(
    struct request_reader *reader, int root, const char *key, int64_t min, int64_t max)
{
	int64_t value = jsonr_int(&reader->json, jsonr_member(&reader->json, root, key), min);

	return value >= min && value <= max ? value : min;
}

/* The first reason counts. */
static void fail(struct request *request, int error)
{
	if (request->error == 0)
		request->error = error;
}
