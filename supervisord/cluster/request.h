/* SPDX-License-Identifier: ISC */
/*
 * request.h: one message of a Node worker, understood.
 *
 * What comes on the IPC channel of a worker is what it pleases to send: nothing of it is believed
 * further than its own type and range, and what makes no sense is a message to be ignored.  Pure.
 */
#ifndef CLUSTER_REQUEST_H
#define CLUSTER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ipcmsg.h"
#include "lib/jsonr.h"
#include "lib/limits.h"

enum request_act {
	REQUEST_NONSENSE,    /* not JSON, or an internal message that says nothing to a primary */
	REQUEST_MESSAGE,     /* process.send() of the application: for the engine, as it came */
	REQUEST_SOCKETS,     /* about sockets that it sends: `kind`, `key` */
	REQUEST_HANDLE_ACK,  /* it has taken the socket that we sent */
	REQUEST_HANDLE_NACK, /* ... has not got it */
	REQUEST_ONLINE,
	REQUEST_QUERY,     /* it wants to listen */
	REQUEST_LISTENING, /* it does */
	REQUEST_CLOSE,     /* it does no longer: `key` */
	REQUEST_LEAVING,   /* worker.disconnect() of its own accord: it waits for the reply */
	REQUEST_ANSWER,    /* to our `ack`: `accepted` */
};

enum request_type { TYPE_TCP, TYPE_PATH, TYPE_UDP4, TYPE_UDP6 };

struct request {
	enum request_act act;
	enum ipcmsg_kind kind;
	int64_t seq; /* 0: none */
	int64_t ack;
	bool accepted;
	char key[LIMIT_CLUSTER_KEY]; /* "": none that could be ours */
	/* queryServer, listening */
	enum request_type type;
	int error; /* not 0: cannot be done, negative errno */
	int port;
	int index;
	int backlog;
	bool v6_only, reuse_address, readable_all, writable_all;
	bool has_address;  /* else: any */
	bool is_v6;        /* addressType 6 */
	char address[108]; /* IP, or path */
	const char *data;  /* JSON, inside the line; NULL: null or none */
	size_t data_length;
};

/* Memory for reading, kept from line to line. */
struct request_reader {
	struct jsonr json;
	char text[LIMIT_IPC_LINE + 1]; /* reading changes it, and the line may be wanted again */
};

void request_reader_init(struct request_reader *reader);
void request_reader_done(struct request_reader *reader);

/* Never fails: what is not understood is REQUEST_NONSENSE.  `ret_request->data` is valid until the
 * next call. */
void request_read(
    struct request_reader *reader, const char *line, size_t length, struct request *ret_request);

/* The name of what a query asks for, by which workers ask for the same: as Node's primary makes it
 * since version 22.  Returns 0 or -ENAMETOOLONG. */
int request_make_key(const struct request *request, char key[LIMIT_CLUSTER_KEY]);

#endif
