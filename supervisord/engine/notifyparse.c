/* SPDX-License-Identifier: ISC */
/* notifyparse.c: see notifyparse.h. */
#include <limits.h>
#include <string.h>

#include "supervisord/engine/notifyparse.h"

/* Highest errno that Linux knows (MAX_ERRNO). */
#define ERRNO_MAX 4095
#define ELLIPSIS  "\xe2\x80\xa6"

/* What stands behind a "=". */
struct value {
	const char *text;
	size_t length;
};

static void read_line(const char *line, size_t length, struct notify_message *message);
static bool is_value(struct value value, const char *text);
static int64_t read_number(struct value value, int64_t least, int64_t most);
static void read_status(struct value value, char *status);
static size_t copy_character(const unsigned char *from, size_t length, char *to, size_t *ret_size);
static size_t utf8_length(const unsigned char *text, size_t length);

/* Lines that say yes, or something else, which is no. */
static const struct {
	const char *name;
	const char *yes;
	size_t offset;
} flags[] = {
    {"READY", "1", offsetof(struct notify_message, ready)},
    {"RELOADING", "1", offsetof(struct notify_message, reloading)},
    {"STOPPING", "1", offsetof(struct notify_message, stopping)},
    {"WATCHDOG", "1", offsetof(struct notify_message, watchdog)},
    {"WATCHDOG", "trigger", offsetof(struct notify_message, watchdog_trigger)},
    {"BARRIER", "1", offsetof(struct notify_message, barrier)},
    {"FDSTORE", "1", offsetof(struct notify_message, fdstore)},
    {"FDSTOREREMOVE", "1", offsetof(struct notify_message, fdstore_remove)},
};

static const struct {
	const char *name;
	int64_t least;
	int64_t most;
	size_t offset;
} numbers[] = {
    {"ERRNO", 0, ERRNO_MAX, offsetof(struct notify_message, error)},
    {"MAINPID", 1, INT_MAX, offsetof(struct notify_message, main_pid)},
    {"MONOTONIC_USEC", 0, INT64_MAX, offsetof(struct notify_message, monotonic_us)},
    {"EXTEND_TIMEOUT_USEC", 0, INT64_MAX, offsetof(struct notify_message, extend_us)},
    {"WATCHDOG_USEC", 0, INT64_MAX, offsetof(struct notify_message, watchdog_us)},
};

void notify_parse(const char *text, size_t length, struct notify_message *ret_message)
{
	*ret_message = (struct notify_message){
	    .error = -1,
	    .main_pid = -1,
	    .monotonic_us = -1,
	    .extend_us = -1,
	    .watchdog_us = -1,
	};
	/* Some send the NUL of their string along. */
	if (length > 0 && text[length - 1] == '\0')
		length--;
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t line = end != NULL ? (size_t)(end - text) : length;

		if (memchr(text, '\0', line) == NULL)
			read_line(text, line, ret_message);
		text += line;
		length -= line;
		if (length > 0) {
			text++;
			length--;
		}
	}
}

bool notify_is_fdname(const char *text, size_t length)
{
	if (length == 0 || length >= NOTIFY_FDNAME)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == ':')
			return false;
	return true;
}

static void read_line(const char *line, size_t length, struct notify_message *message)
{
	const char *equals = memchr(line, '=', length);
	struct value name, value;

	if (equals == NULL)
		return;
	name = (struct value){line, (size_t)(equals - line)};
	value = (struct value){equals + 1, length - name.length - 1};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (is_value(name, flags[i].name))
			*(bool *)((char *)message + flags[i].offset) =
			    is_value(value, flags[i].yes);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (is_value(name, numbers[i].name))
			*(int64_t *)(void *)((char *)message + numbers[i].offset) =
			    read_number(value, numbers[i].least, numbers[i].most);
	if (is_value(name, "STATUS")) {
		message->has_status = true;
		read_status(value, message->status);
	} else if (is_value(name, "FDNAME")) {
		message->fdname[0] = '\0';
		if (notify_is_fdname(value.text, value.length)) {
			memcpy(message->fdname, value.text, value.length);
			message->fdname[value.length] = '\0';
		}
	}
}

static bool is_value(struct value value, const char *text)
{
	return value.length == strlen(text) && memcmp(value.text, text, value.length) == 0;
}

/* Digits only; -1 when it is no number or not one of those allowed. */
static int64_t read_number(struct value value, int64_t least, int64_t most)
{
	uint64_t number = 0;

	if (value.length == 0)
		return -1;
	for (size_t i = 0; i < value.length; i++) {
		unsigned digit = (unsigned char)value.text[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return -1;
	}
	if (number > INT64_MAX)
		number = INT64_MAX;
	return (int64_t)number >= least && (int64_t)number <= most ? (int64_t)number : -1;
}

static void read_status(struct value value, char *status)
{
	const unsigned char *from = (const unsigned char *)value.text;
	size_t left = value.length, used = 0, fits = 0;

	while (left > 0) {
		char character[4];
		size_t size, taken = copy_character(from, left, character, &size);

		if (used + size >= LIMIT_STATUS_TEXT) {
			memcpy(status + fits, ELLIPSIS, sizeof(ELLIPSIS));
			return;
		}
		memcpy(status + used, character, size);
		used += size;
		/* As far as this the mark still fits behind it. */
		if (used + sizeof(ELLIPSIS) <= LIMIT_STATUS_TEXT)
			fits = used;
		from += taken;
		left -= taken;
	}
	status[used] = '\0';
}

/* One character as it may be shown.  Returns how many bytes it was; *ret_size: how many it is. */
static size_t copy_character(const unsigned char *from, size_t length, char *to, size_t *ret_size)
{
	size_t taken = utf8_length(from, length);

	*ret_size = 1;
	if (taken == 0) {
		to[0] = '?';
		return 1;
	}
	if (from[0] < ' ' || from[0] == 0x7f || (from[0] == 0xc2 && from[1] < 0xa0)) {
		to[0] = ' '; /* control characters, also those of U+0080 to U+009F */
		return taken;
	}
	memcpy(to, from, taken);
	*ret_size = taken;
	return taken;
}

/* Bytes of the well-formed character at `text` (RFC 3629), 0: there is none. */
static size_t utf8_length(const unsigned char *text, size_t length)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (size == 0 || first > 0xf4 || size > length)
		return 0;
	if (first == 0xe0)
		low = 0xa0; /* shorter forms */
	else if (first == 0xed)
		high = 0x9f; /* surrogates */
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	for (size_t i = 1; i < size; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return size;
}
