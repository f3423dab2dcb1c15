/* SPDX-License-Identifier: ISC */
/*
 * dispatch_fuzz.c: libFuzzer target: any bytes as one message of a client, through api_dispatch().
 *
 * Links supervisord/engine/api.c and call.c.  Methods of ours are not there (their addresses are
 * left open): the client here has no right to any, so that each message is parsed, looked up and
 * refused.  A message gets one reply that is Varlink, or ends the connection.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/api.h"
#include "supervisord/engine/call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replies;

static void require(int holds)
{
	if (!holds)
		abort();
}

bool access_may_call(const struct control_client *client, enum right right)
{
	(void)client;
	require(right != RIGHT_UNSET);
	return right == RIGHT_OPEN;
}

void access_refuse(struct call *call, enum right right, const char *name)
{
	require(right > RIGHT_OPEN);
	call_error_begin(call, "io.superctl.NotAllowed");
	jsonw_member_string(&call->w, "name", name);
	call_error_end(call);
}

void control_reply(struct control_client *client, struct jsonw *w)
{
	json_t *reply;

	(void)client;
	replies++;
	require(jsonw_error(w) == 0 && memchr(w->data, '\0', w->length) == NULL);
	reply = json_loadb(w->data, w->length, JSON_REJECT_DUPLICATES, NULL);
	require(json_is_object(reply) && json_is_object(json_object_get(reply, "parameters")));
	json_decref(reply);
	jsonw_reset(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_client client = {0};
	char *message = malloc(size + 1);

	if (message == NULL || size > LIMIT_VARLINK_BYTES) {
		free(message);
		return 0;
	}
	if (size > 0)
		memcpy(message, data, size);
	message[size] = '\0';
	replies = 0;
	/* As framing would cut it. */
	api_dispatch(&client, message, strlen(message));
	require(replies == (client.dead ? 0 : 1));
	free(message);
	return 0;
}
