/* SPDX-License-Identifier: ISC */
/*
 * clusterlink.h: what the engine and the primary of a cluster say to each other.
 *
 * A SEQPACKET pair (channel.h) whose engine's end the guardian holds; `slot` is a worker's, 0 and
 * up, and `key` names its run: what was meant for a run that is gone is ignored.  The primary's
 * own memory of its workers is a memfd that the guardian holds, too (supervisord/cluster/state.h):
 * the channels and sockets it is given anew at each of its starts, first of all, up to LINK_GIVEN.
 */
#ifndef LIB_CLUSTERLINK_H
#define LIB_CLUSTERLINK_H

#include <stdint.h>
#include <sys/socket.h>

/* Descriptors of the primary at its exec. */
enum {
	FD_CLUSTER_LINK = 3,
	FD_CLUSTER_STATE = 4, /* memfd, of any size */
};

enum link_type {
	/* engine -> primary */
	LINK_WORKER = 128, /* slot, key, descriptor: our end of the worker's IPC channel */
	LINK_LISTENER,   /* slot: a listener, key: a worker's slot (reuse-port), descriptor: held */
	LINK_GIVEN,      /* all that is held has been given */
	LINK_DISCONNECT, /* slot, key; value: nanoseconds between the last connection and the word
			  */
	LINK_GONE,       /* slot, key: its process has ended, whoever else may have the channel */
	LINK_BOUND,      /* value: 0 with the descriptor, or -errno; to LINK_BIND */
	LINK_SEND,       /* slot, key, payload: a JSON value for process.on('message') */
	LINK_TELL,       /* say all there is to say of each worker again, and what to hold */
	LINK_SETTLED,    /* no worker is being replaced: close what none of them listens to */
	/* primary -> engine */
	LINK_ONLINE = 160, /* slot, key: it has Node's cluster module, and a channel */
	LINK_LISTENING,    /* slot, key: on all that is expected of it */
	LINK_LEAVING,      /* slot, key: of its own accord, worker.disconnect() */
	LINK_CLOSED,       /* slot, key: its channel is */
	LINK_STUCK,        /* slot, key: it has not answered, or (value: 1) not ended behind its
			    * channel, for LIMIT_CLUSTER_STUCK_NS */
	LINK_MESSAGE,      /* slot, key, payload: what it said with process.send() */
	LINK_HOLD,         /* slot, key as LINK_LISTENER, descriptor: keep it */
	LINK_UNHOLD,       /* slot, key: let it go */
	LINK_BIND,         /* payload: struct link_bind; a port that needs a privilege */
};

struct link_bind {
	struct sockaddr_storage address;
	uint32_t length;
	int32_t type; /* SOCK_STREAM, SOCK_DGRAM */
	uint8_t v6_only;
	uint8_t reuse_address;
	uint8_t reuse_port;
};

#endif
