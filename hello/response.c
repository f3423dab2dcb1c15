/* SPDX-License-Identifier: ISC */
/* response.c: see response.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "hello/response.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT", at the same place in all that have the same status. */
#define DATE_LENGTH 29
#define DATE_BLANK  "Xxx, 00 Xxx 0000 00:00:00 GMT"

static const struct {
	int status;
	const char *reason;
	const char *fields;
	const char *body; /* NULL: status and reason */
} kinds[RESPONSE_KINDS] = {
    {200, "OK", "", "Hello World\n"}, /* first: it is looked for most */
    {400, "Bad Request", "", NULL},
    {405, "Method Not Allowed", "Allow: GET, HEAD\r\n", NULL},
    {408, "Request Timeout", "", NULL},
    {413, "Content Too Large", "", NULL},
    {414, "URI Too Long", "", NULL},
    {431, "Request Header Fields Too Large", "", NULL},
    {501, "Not Implemented", "", NULL},
    {505, "HTTP Version Not Supported", "", NULL},
};

static void make(struct response *response, size_t kind, enum response_connection connection);
static size_t date_offset(size_t kind);

void responses_init(struct responses *responses, time_t now)
{
	for (size_t kind = 0; kind < RESPONSE_KINDS; kind++) {
		make(&responses->items[kind][RESPONSE_KEEP], kind, RESPONSE_KEEP);
		make(&responses->items[kind][RESPONSE_KEEP_OLD], kind, RESPONSE_KEEP_OLD);
		make(&responses->items[kind][RESPONSE_CLOSE], kind, RESPONSE_CLOSE);
	}
	responses->second = now - 1;
	responses_date(responses, now);
}

void responses_date(struct responses *responses, time_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char date[64];
	struct tm tm;

	if (now == responses->second)
		return;
	responses->second = now;
	/* Not strftime(3): its names depend on the locale. */
	if (!gmtime_r(&now, &tm) ||
	    snprintf(date, sizeof(date), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		&days[tm.tm_wday * 3], tm.tm_mday, &months[tm.tm_mon * 3], tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec) != DATE_LENGTH)
		return;
	for (size_t kind = 0; kind < RESPONSE_KINDS; kind++)
		for (size_t i = 0; i < RESPONSE_CONNECTIONS; i++)
			memcpy(
			    responses->items[kind][i].text + date_offset(kind), date, DATE_LENGTH);
}

size_t responses_put(const struct responses *responses, int status,
    enum response_connection connection, bool is_head, char *out)
{
	const struct response *response;
	size_t kind = 0, length;

	while (kinds[kind].status != status) {
		kind++;
		assert(kind < RESPONSE_KINDS);
	}
	response = &responses->items[kind][connection];
	length = is_head ? response->head_length : response->length;
	memcpy(out, response->text, length);
	return length;
}

size_t responses_put_continue(char *out)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	memcpy(out, text, sizeof(text) - 1);
	return sizeof(text) - 1;
}

static void make(struct response *response, size_t kind, enum response_connection connection)
{
	static const char *const connections[RESPONSE_CONNECTIONS] = {
	    "", "Connection: keep-alive\r\n", "Connection: close\r\n"};
	char body[64];
	int length, body_length;

	if (kinds[kind].body)
		body_length = snprintf(body, sizeof(body), "%s", kinds[kind].body);
	else
		body_length =
		    snprintf(body, sizeof(body), "%d %s\n", kinds[kind].status, kinds[kind].reason);
	length = snprintf(response->text, sizeof(response->text),
	    "HTTP/1.1 %d %s\r\nDate: " DATE_BLANK
	    "\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s%s\r\n%s",
	    kinds[kind].status, kinds[kind].reason, body_length, kinds[kind].fields,
	    connections[connection], body);
	assert(body_length < (int)sizeof(body) && length < (int)sizeof(response->text));
	response->length = (size_t)length;
	response->head_length = (size_t)(length - body_length);
}

static size_t date_offset(size_t kind)
{
	return strlen("HTTP/1.1 200 ") + strlen(kinds[kind].reason) + strlen("\r\nDate: ");
}
