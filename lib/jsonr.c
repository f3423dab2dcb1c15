/* SPDX-License-Identifier: ISC */
/* jsonr.c: see jsonr.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonr.h"
#include "lib/utf8.h"

#define FIRST_TOKENS 64

/* The walk over the text: `at` is the next byte. */
struct scan {
	struct jsonr *json;
	const char *at;
	const char *end;
	unsigned depth; /* levels that may still be opened */
};

static int read_value(struct scan *scan);
static int read_string(struct scan *scan);

void jsonr_init(struct jsonr *json)
{
	*json = (struct jsonr){0};
}

void jsonr_done(struct jsonr *json)
{
	free(json->tokens);
	*json = (struct jsonr){0};
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

int jsonr_parse(struct jsonr *json, char *text, size_t length, unsigned depth)
{
	struct scan scan = {.json = json, .at = text, .end = text + length, .depth = depth};
	int r;

	json->text = text;
	json->count = 0;
	if (length >= UINT32_MAX)
		return -EMSGSIZE;
	r = read_value(&scan);
	if (r == 0) {
		skip_space(&scan);
		if (scan.at < scan.end)
			r = -EBADMSG;
	}
	if (r < 0)
		json->count = 0;
	return r;
}

/* A token that begins at `scan->at`; returns its number or -ENOMEM. */
static int add_token(struct scan *scan, enum jsonr_type type)
{
	struct jsonr *json = scan->json;

	if (json->count == json->size) {
		size_t size = json->size > 0 ? json->size * 2 : FIRST_TOKENS;
		struct jsonr_token *tokens;

		if (size > INT32_MAX || size > SIZE_MAX / sizeof(*tokens))
			return -ENOMEM;
		tokens = realloc(json->tokens, size * sizeof(*tokens));
		if (tokens == NULL)
			return -ENOMEM;
		json->tokens = tokens;
		json->size = size;
	}
	json->tokens[json->count] =
	    (struct jsonr_token){.type = type, .start = (uint32_t)(scan->at - json->text)};
	return (int)json->count++;
}

static void end_token(struct scan *scan, int token)
{
	struct jsonr_token *it = &scan->json->tokens[token];

	it->length = (uint32_t)(scan->at - scan->json->text) - it->start;
	it->after = (uint32_t)scan->json->count;
}

static bool take(struct scan *scan, char byte)
{
	if (scan->at == scan->end || *scan->at != byte)
		return false;
	scan->at++;
	return true;
}

static int read_word(struct scan *scan, const char *word, enum jsonr_type type)
{
	size_t length = strlen(word);
	int token = add_token(scan, type);

	if (token < 0)
		return token;
	if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
		return -EBADMSG;
	scan->at += length;
	end_token(scan, token);
	return 0;
}

static bool take_digits(struct scan *scan)
{
	const char *from = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > from;
}

static int read_number(struct scan *scan)
{
	int token = add_token(scan, JSONR_NUMBER);

	if (token < 0)
		return token;
	take(scan, '-');
	if (!take(scan, '0') && !take_digits(scan))
		return -EBADMSG;
	if (take(scan, '.') && !take_digits(scan))
		return -EBADMSG;
	if (take(scan, 'e') || take(scan, 'E')) {
		if (!take(scan, '+'))
			take(scan, '-');
		if (!take_digits(scan))
			return -EBADMSG;
	}
	end_token(scan, token);
	return 0;
}

static int read_member(struct scan *scan)
{
	int r;

	skip_space(scan);
	if (scan->at == scan->end || *scan->at != '"')
		return -EBADMSG;
	r = read_string(scan);
	if (r < 0)
		return r;
	skip_space(scan);
	if (!take(scan, ':'))
		return -EBADMSG;
	return read_value(scan);
}

static int read_container(struct scan *scan, enum jsonr_type type, char close)
{
	int token = add_token(scan, type);
	int r;

	if (token < 0)
		return token;
	if (scan->depth == 0)
		return -EBADMSG;
	scan->depth--;
	scan->at++;
	skip_space(scan);
	if (!take(scan, close)) {
		do {
			r = type == JSONR_OBJECT ? read_member(scan) : read_value(scan);
			if (r < 0)
				return r;
			skip_space(scan);
		} while (take(scan, ','));
		if (!take(scan, close))
			return -EBADMSG;
	}
	scan->depth++;
	end_token(scan, token);
	return 0;
}

static int read_value(struct scan *scan)
{
	skip_space(scan);
	if (scan->at == scan->end)
		return -EBADMSG;
	switch (*scan->at) {
	case '{':
		return read_container(scan, JSONR_OBJECT, '}');
	case '[':
		return read_container(scan, JSONR_ARRAY, ']');
	case '"':
		return read_string(scan);
	case 't':
		return read_word(scan, "true", JSONR_TRUE);
	case 'f':
		return read_word(scan, "false", JSONR_FALSE);
	case 'n':
		return read_word(scan, "null", JSONR_NULL);
	default:
		return read_number(scan);
	}
}

/* Four hex digits at `text`; -1 when they are not. */
static int32_t read_hex4(const char *text, const char *end)
{
	int32_t value = 0;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

/*
 * The escape at `text`, which points past its backslash: its character, and how many bytes it takes
 * there.  0 bytes: not an escape; half a surrogate pair is none.
 */
static size_t read_escape(const char *text, const char *end, uint32_t *ret_character)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	int32_t high, low;

	if (text == end || *text == '\0')
		return 0;
	name = strchr(names, *text);
	if (name != NULL) {
		*ret_character = (unsigned char)values[name - names];
		return 1;
	}
	if (*text != 'u')
		return 0;
	high = read_hex4(text + 1, end);
	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*ret_character = (uint32_t)high;
	if (high < 0xd800 || high > 0xdbff)
		return 5;
	if (end - text < 11 || text[5] != '\\' || text[6] != 'u')
		return 0;
	low = read_hex4(text + 7, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*ret_character = 0x10000 + ((uint32_t)(high - 0xd800) << 10 | (uint32_t)(low - 0xdc00));
	return 11;
}

/* Most bytes of most strings: the loop that decides how fast all of this is. */
static void skip_plain(struct scan *scan)
{
	const char *at = scan->at;

	while (at < scan->end && *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
		at++;
	scan->at = at;
}

static int read_string(struct scan *scan)
{
	int token = add_token(scan, JSONR_STRING);
	uint32_t character;

	if (token < 0)
		return token;
	scan->at++;
	scan->json->tokens[token].start++;
	for (skip_plain(scan); scan->at < scan->end && *scan->at != '"'; skip_plain(scan)) {
		unsigned char byte = (unsigned char)*scan->at;
		size_t length = 1;

		if (byte < 0x20)
			return -EBADMSG;
		if (byte == '\\') {
			length = read_escape(scan->at + 1, scan->end, &character);
			if (length > 0)
				length++;
			scan->json->tokens[token].escaped = 1;
		} else if (byte >= 0x80) {
			length = utf8_decode(scan->at, (size_t)(scan->end - scan->at), &character);
		}
		if (length == 0)
			return -EBADMSG;
		scan->at += length;
	}
	end_token(scan, token);
	return take(scan, '"') ? 0 : -EBADMSG;
}

bool jsonr_is(const struct jsonr *json, int value, enum jsonr_type type)
{
	return value >= 0 && (size_t)value < json->count && json->tokens[value].type == type;
}

int jsonr_member(const struct jsonr *json, int object, const char *key)
{
	size_t length = strlen(key);

	if (!jsonr_is(json, object, JSONR_OBJECT))
		return JSONR_NONE;
	for (int at = jsonr_first(json, object); at >= 0; at = jsonr_next(json, object, at)) {
		const struct jsonr_token *token = &json->tokens[at];

		if (token->length == length && !token->escaped &&
		    memcmp(json->text + token->start, key, length) == 0)
			return at + 1;
	}
	return JSONR_NONE;
}

int jsonr_first(const struct jsonr *json, int container)
{
	if (!jsonr_is(json, container, JSONR_ARRAY) && !jsonr_is(json, container, JSONR_OBJECT))
		return JSONR_NONE;
	return (uint32_t)container + 1 < json->tokens[container].after ? container + 1 : JSONR_NONE;
}

int jsonr_next(const struct jsonr *json, int container, int element)
{
	uint32_t next;

	if (jsonr_is(json, container, JSONR_OBJECT))
		element++;
	next = json->tokens[element].after;
	return next < json->tokens[container].after ? (int)next : JSONR_NONE;
}

/* Decode the escapes of a string where it stands: the result is never longer. */
static void decode_string(struct jsonr *json, struct jsonr_token *token)
{
	char *to = json->text + token->start;
	const char *from = to;
	const char *end = from + token->length;

	while (from < end) {
		uint32_t character = 0;

		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		from += 1 + read_escape(from + 1, end, &character);
		to += utf8_encode(character, to);
	}
	token->length = (uint32_t)(to - (json->text + token->start));
	token->escaped = 0;
}

const char *jsonr_bytes(struct jsonr *json, int value, size_t *ret_length)
{
	struct jsonr_token *token;

	if (!jsonr_is(json, value, JSONR_STRING))
		return NULL;
	token = &json->tokens[value];
	if (token->escaped)
		decode_string(json, token);
	/* At least the closing quote is there, and nothing needs it any more. */
	json->text[token->start + token->length] = '\0';
	*ret_length = token->length;
	return json->text + token->start;
}

const char *jsonr_text(struct jsonr *json, int value, const char *fallback)
{
	size_t length = 0;
	const char *text = jsonr_bytes(json, value, &length);

	return text != NULL && strlen(text) == length ? text : fallback;
}

int64_t jsonr_int(const struct jsonr *json, int value, int64_t fallback)
{
	const struct jsonr_token *token;
	const char *digits;
	size_t at = 0;
	int64_t sum = 0;
	bool minus;

	if (!jsonr_is(json, value, JSONR_NUMBER))
		return fallback;
	token = &json->tokens[value];
	digits = json->text + token->start;
	minus = digits[0] == '-';
	for (at = minus; at < token->length; at++) {
		if (digits[at] < '0' || digits[at] > '9')
			return fallback;
		/* Counted downwards: the negative side is the larger one. */
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_sub_overflow(sum, digits[at] - '0', &sum))
			return fallback;
	}
	if (!minus && sum == INT64_MIN)
		return fallback;
	return minus ? sum : -sum;
}

bool jsonr_bool(const struct jsonr *json, int value, bool fallback)
{
	if (jsonr_is(json, value, JSONR_TRUE))
		return true;
	return jsonr_is(json, value, JSONR_FALSE) ? false : fallback;
}

const char *jsonr_raw(const struct jsonr *json, int value, size_t *ret_length)
{
	const struct jsonr_token *token;
	uint32_t quote;

	if (value < 0 || (size_t)value >= json->count)
		return NULL;
	token = &json->tokens[value];
	quote = token->type == JSONR_STRING ? 1 : 0;
	*ret_length = token->length + 2 * quote;
	return json->text + token->start - quote;
}
