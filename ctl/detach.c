/* SPDX-License-Identifier: ISC */
/* detach.c: see detach.h. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "ctl/detach.h"

#define CTRL "ctrl-"

static int parse_key(const char *text, size_t length, unsigned char *ret_key);

int detach_parse(const char *text, struct detach *ret_detach)
{
	struct detach detach = {0};

	if (strcmp(text, "none") == 0) {
		*ret_detach = detach;
		return 0;
	}
	for (;;) {
		size_t length = strcspn(text, ",");

		if (detach.count == LIMIT_DETACH_KEYS ||
		    parse_key(text, length, &detach.keys[detach.count]) < 0)
			return -EINVAL;
		detach.count++;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*ret_detach = detach;
	return 0;
}

size_t detach_filter(struct detach *detach, const unsigned char *from, size_t length,
    unsigned char *to, bool *ret_detach)
{
	size_t at = 0;

	*ret_detach = false;
	for (size_t i = 0; i < length; i++) {
		if (detach->held > 0 && from[i] != detach->keys[detach->held]) {
			memcpy(to + at, detach->keys, detach->held);
			at += detach->held;
			detach->held = 0;
		}
		if (detach->count == 0 || from[i] != detach->keys[detach->held]) {
			to[at++] = from[i];
		} else if (++detach->held == detach->count) {
			detach->held = 0;
			*ret_detach = true;
			break;
		}
	}
	return at;
}

/* One character, or ctrl- and one of those that have a control character. */
static int parse_key(const char *text, size_t length, unsigned char *ret_key)
{
	size_t prefix = sizeof(CTRL) - 1;
	unsigned char key;

	if (length == 1 && text[0] > ' ' && text[0] != 0x7f) {
		*ret_key = (unsigned char)text[0];
		return 0;
	}
	if (length != prefix + 1 || strncasecmp(text, CTRL, prefix) != 0)
		return -EINVAL;
	key = (unsigned char)text[prefix];
	if (key >= 'a' && key <= 'z')
		key = (unsigned char)(key - 'a' + 'A');
	if (key < '@' || key > '_')
		return -EINVAL;
	*ret_key = key & 0x1f;
	return 0;
}
