/* SPDX-License-Identifier: ISC */
/* probehttp.c: see probehttp.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/probehttp.h"

#define SCHEME "http://"

static int end_line(struct probehttp *http);
static bool is_digit(char c);

int probehttp_write_request(
    const char *url, const char *path, char *buffer, size_t size, size_t *ret_length)
{
	const char *host = url + strlen(SCHEME);
	int length = snprintf(buffer, size,
	    "GET %s HTTP/1.1\r\n"
	    "Host: %.*s\r\n"
	    "User-Agent: supervisord\r\n"
	    "Accept: */*\r\n"
	    "Connection: close\r\n"
	    "\r\n",
	    path, (int)(path - host), host);

	if (length < 0 || (size_t)length >= size)
		return -EMSGSIZE;
	*ret_length = (size_t)length;
	return 0;
}

int probehttp_read(struct probehttp *http, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (http->taken == LIMIT_CHECK_REPLY)
			return -EMSGSIZE;
		http->taken++;
		if (bytes[i] == '\n') {
			int status = end_line(http);

			http->line_length = 0;
			if (status != 0)
				return status;
			continue;
		}
		if (http->line_length < sizeof(http->line))
			http->line[http->line_length] = bytes[i];
		http->line_length++;
	}
	return 0;
}

/* 0: go on with the next line. */
static int end_line(struct probehttp *http)
{
	const char *line = http->line;
	size_t length = http->line_length;
	int status;

	if (length > 0 && length <= sizeof(http->line) && line[length - 1] == '\r')
		length--;
	if (http->in_head) {
		http->in_head = length > 0;
		return 0;
	}
	/* "HTTP/1.1 200 OK", "HTTP/1.0 200" */
	if (length < strlen("HTTP/1.1 200") || memcmp(line, "HTTP/1.", strlen("HTTP/1.")) != 0 ||
	    !is_digit(line[7]) || line[8] != ' ' || !is_digit(line[9]) || !is_digit(line[10]) ||
	    !is_digit(line[11]) || (length > 12 && line[12] != ' '))
		return -EBADMSG;
	status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	if (status < 100)
		return -EBADMSG;
	http->in_head = status < 200;
	return status < 200 ? 0 : status;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
