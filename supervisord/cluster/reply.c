/* SPDX-License-Identifier: ISC */
/* reply.c: see reply.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "supervisord/cluster/reply.h"

static void begin_cluster(struct jsonw *w, int64_t seq);
static void begin_handle(struct jsonw *w, const char *type);
static void end_line(struct jsonw *w);
static void write_name(struct jsonw *w, const struct sockaddr *name);

void reply_write_newconn(struct jsonw *w, const char *key, int64_t seq)
{
	jsonw_reset(w);
	begin_handle(w, "net.Native");
	begin_cluster(w, seq);
	jsonw_member_string(w, "act", "newconn");
	jsonw_member_string(w, "key", key);
	jsonw_end_object(w);
	jsonw_end_object(w);
	end_line(w);
}

void reply_write_query(struct jsonw *w, const struct reply_query *query)
{
	jsonw_reset(w);
	if (query->handle_type != NULL)
		begin_handle(w, query->handle_type);
	begin_cluster(w, query->seq);
	jsonw_member_int(w, "ack", query->ack);
	jsonw_member_string(w, "key", query->key);
	jsonw_member_int(w, "errno", query->error);
	if (query->name != NULL)
		write_name(w, query->name);
	/* Also with an error: a TLS server reads it before it looks at errno. */
	if (query->data != NULL) {
		jsonw_key(w, "data");
		jsonw_raw(w, query->data, query->data_length);
	}
	jsonw_end_object(w);
	if (query->handle_type != NULL)
		jsonw_end_object(w);
	end_line(w);
}

void reply_write_gap(struct jsonw *w, int64_t gap_ms)
{
	jsonw_reset(w);
	jsonw_begin_object(w);
	jsonw_member_string(w, "cmd", "NODE_SUPERVISOR");
	jsonw_member_string(w, "act", "gap");
	jsonw_member_int(w, "ms", gap_ms);
	jsonw_end_object(w);
	end_line(w);
}

void reply_write_disconnect(struct jsonw *w, int64_t seq)
{
	jsonw_reset(w);
	begin_cluster(w, seq);
	jsonw_member_string(w, "act", "disconnect");
	jsonw_end_object(w);
	end_line(w);
}

void reply_write_ack(struct jsonw *w, int64_t ack, int64_t seq)
{
	jsonw_reset(w);
	begin_cluster(w, seq);
	jsonw_member_int(w, "ack", ack);
	jsonw_end_object(w);
	end_line(w);
}

static void begin_cluster(struct jsonw *w, int64_t seq)
{
	jsonw_begin_object(w);
	jsonw_member_string(w, "cmd", "NODE_CLUSTER");
	jsonw_member_int(w, "seq", seq);
}

static void begin_handle(struct jsonw *w, const char *type)
{
	jsonw_begin_object(w);
	jsonw_member_string(w, "cmd", "NODE_HANDLE");
	jsonw_member_string(w, "type", type);
	jsonw_key(w, "msg");
}

static void end_line(struct jsonw *w)
{
	jsonw_raw(w, "\n", 1);
}

static void write_name(struct jsonw *w, const struct sockaddr *name)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	unsigned port;

	if (name->sa_family == AF_INET) {
		memcpy(&v4, name, sizeof(v4));
		port = ntohs(v4.sin_port);
		(void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
	} else {
		memcpy(&v6, name, sizeof(v6));
		port = ntohs(v6.sin6_port);
		(void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
	}
	jsonw_key(w, "sockname");
	jsonw_begin_object(w);
	jsonw_member_string(w, "address", text);
	jsonw_member_string(w, "family", name->sa_family == AF_INET ? "IPv4" : "IPv6");
	jsonw_member_int(w, "port", port);
	jsonw_end_object(w);
}
