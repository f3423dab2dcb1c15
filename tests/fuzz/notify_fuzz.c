/* SPDX-License-Identifier: ISC */
/*
 * notify_fuzz.c: libFuzzer target: any bytes as a datagram of sd_notify(3).
 *
 * Compiled with the sources that targets.mk names and clang -fsanitize=fuzzer,address,undefined.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/notifyparse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[sizeof("STATUS=") + LIMIT_STATUS_TEXT];
	struct notify_message message, second;

	notify_parse((const char *)data, size, &message);
	require(memchr(message.status, '\0', sizeof(message.status)) != NULL);
	require(memchr(message.fdname, '\0', sizeof(message.fdname)) != NULL);
	require(
	    message.fdname[0] == '\0' || notify_is_fdname(message.fdname, strlen(message.fdname)));
	require(message.error >= -1 && message.error <= 4095);
	require(message.main_pid >= -1 && message.main_pid != 0);
	require(message.extend_us >= -1 && message.watchdog_us >= -1 && message.monotonic_us >= -1);
	/* What is shown is fit to be shown: it stays as it is. */
	(void)snprintf(again, sizeof(again), "STATUS=%s", message.status);
	notify_parse(again, strlen(again), &second);
	require(strcmp(message.status, second.status) == 0);
	return 0;
}
