/* SPDX-License-Identifier: ISC */
/* confedit.c: see confedit.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confedit.h"
#include "supervisord/engine/conflex.h"

/* What is to be replaced: `from` to `to` of the text. */
struct span {
	size_t from;
	size_t to;
	bool is_new; /* the key is not there: it goes in front of the brace */
};

static int find_stanza(struct conflex *lex, const struct confedit *edit);
static int find_value(struct conflex *lex, const struct confedit *edit, struct span *ret_span);
static int skip_block(struct conflex *lex);
static bool is_text(const struct conflex *lex, const char *text);
static int join(
    const struct confedit *edit, const struct span *span, char **ret_text, size_t *ret_length);

int confedit_set(const struct confedit *edit, char **ret_text, size_t *ret_length)
{
	struct confreport report = {0};
	struct span span = {0};
	struct conflex lex;
	/* The tokens are read off a copy: comments are blanked in it. */
	char *copy = malloc(edit->length + 1);
	int error;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, edit->text, edit->length);
	copy[edit->length] = '\0';
	conflex_init(&lex, "", copy, edit->length, &report);
	lex.quiet = true;
	error = find_stanza(&lex, edit);
	if (error == 0)
		error = find_value(&lex, edit, &span);
	free(copy);
	return error < 0 ? error : join(edit, &span, ret_text, ret_length);
}

/* To the token behind the brace that opens it. */
static int find_stanza(struct conflex *lex, const struct confedit *edit)
{
	for (conflex_next(lex); lex->token != TOKEN_END; conflex_next(lex)) {
		bool found = false;

		if (lex->token == TOKEN_BAD)
			return -EBADMSG;
		if (is_text(lex, "program")) {
			conflex_next(lex);
			found = is_text(lex, edit->program);
			conflex_next(lex);
		}
		if (lex->token == TOKEN_OPEN && found) {
			conflex_next(lex);
			return 0;
		}
		if (lex->token == TOKEN_OPEN && skip_block(lex) < 0)
			return -EBADMSG;
	}
	return -ENOENT;
}

static int find_value(struct conflex *lex, const struct confedit *edit, struct span *ret_span)
{
	for (; lex->token != TOKEN_CLOSE; conflex_next(lex)) {
		bool found = is_text(lex, edit->key);

		if (lex->token == TOKEN_BAD || lex->token == TOKEN_END)
			return -EBADMSG;
		if (lex->token == TOKEN_OPEN && skip_block(lex) < 0)
			return -EBADMSG;
		if (lex->token != TOKEN_WORD && lex->token != TOKEN_STRING)
			continue;
		conflex_next(lex);
		if (lex->token != TOKEN_EQUAL) {
			if (lex->token == TOKEN_OPEN && skip_block(lex) < 0)
				return -EBADMSG;
			continue;
		}
		conflex_next(lex);
		ret_span->from = lex->begin;
		if (lex->token == TOKEN_OPEN && skip_block(lex) < 0)
			return -EBADMSG;
		ret_span->to = lex->end;
		if (found)
			return 0;
	}
	*ret_span = (struct span){.from = lex->begin, .to = lex->begin, .is_new = true};
	return 0;
}

/* From the opening brace to the closing one. */
static int skip_block(struct conflex *lex)
{
	int depth = 1;

	while (depth > 0) {
		conflex_next(lex);
		if (lex->token == TOKEN_BAD || lex->token == TOKEN_END)
			return -EBADMSG;
		depth += (lex->token == TOKEN_OPEN) - (lex->token == TOKEN_CLOSE);
	}
	return 0;
}

/* In quotes or not: names and keys need no escapes. */
static bool is_text(const struct conflex *lex, const char *text)
{
	size_t quote = lex->token == TOKEN_STRING ? 1 : 0, length = strlen(text);

	return (lex->token == TOKEN_WORD || lex->token == TOKEN_STRING) &&
	       lex->end - lex->begin == length + 2 * quote &&
	       memcmp(lex->text + lex->begin + quote, text, length) == 0;
}

static int join(
    const struct confedit *edit, const struct span *span, char **ret_text, size_t *ret_length)
{
	size_t room = edit->length + strlen(edit->key) + strlen(edit->value) + sizeof("  =  ");
	char *text = malloc(room);
	int length;

	if (text == NULL)
		return -ENOMEM;
	memcpy(text, edit->text, span->from);
	length = span->is_new ? snprintf(text + span->from, room - span->from, " %s = %s ",
				    edit->key, edit->value)
			      : snprintf(text + span->from, room - span->from, "%s", edit->value);
	if (length < 0) {
		free(text);
		return -ENOMEM;
	}
	memcpy(text + span->from + length, edit->text + span->to, edit->length - span->to);
	*ret_length = span->from + (size_t)length + edit->length - span->to;
	text[*ret_length] = '\0';
	*ret_text = text;
	return 0;
}
