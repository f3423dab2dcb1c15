/* SPDX-License-Identifier: ISC */
/*
 * conflex.c: see conflex.h.  Linear: a string or a word is given up at LIMIT_CONFIG_WORD, and a
 * file with very many errors is not read to its end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/conflex.h"

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

static bool skip_blank(struct conflex *lex);
static bool skip_comment(struct conflex *lex);
static bool take_word(struct conflex *lex);
static bool take_string(struct conflex *lex);
static bool refuse_string(struct conflex *lex, uint32_t begin, int line, const char *problem);
static bool take_escape(struct conflex *lex);
static bool take_variable(struct conflex *lex);
static bool refuse_character(struct conflex *lex);
static void skip_line(struct conflex *lex);
static bool is_ordinary(char c);
static bool is_word_byte(char c);

bool conflex_check_bytes(
    const char *file, const char *text, size_t length, struct confreport *report)
{
	int line = 1;

	if (length > LIMIT_CONFIG_FILE_BYTES) {
		confreport_add(report, file, 0, NULL, "is too large: at most %d bytes",
		    LIMIT_CONFIG_FILE_BYTES);
		return false;
	}
	if ((length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) ||
	    (length >= 2 &&
		(memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))) {
		confreport_add(report, file, 1, NULL,
		    "begins with a byte order mark: save it as UTF-8 without BOM");
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c != 0x7f)
			continue;
		if (c == '\n')
			line++;
		if (c == '\t' || c == '\n' || (c == '\r' && i + 1 < length && text[i + 1] == '\n'))
			continue;
		if (c == '\0')
			confreport_add(report, file, line, NULL,
			    "a NUL byte: a configuration file is plain text");
		else
			confreport_add(report, file, line, NULL,
			    "the control byte 0x%02x: in a string write \\x%02x for it", c, c);
		return false;
	}
	return true;
}

void conflex_init(
    struct conflex *lex, const char *file, char *text, size_t length, struct confreport *report)
{
	*lex = (struct conflex){
	    .file = file,
	    .text = text,
	    .length = (uint32_t)length,
	    .at_line = 1,
	    .line = 1,
	    .report = report,
	};
}

void conflex_next(struct conflex *lex)
{
	bool good;

	lex->last_end = lex->end;
	lex->last_line = lex->line;
	lex->long_string = lex->token == TOKEN_STRING && lex->at_line != lex->line ? lex->line : 0;
	/* Nobody reads more errors than that, and looking for the next one costs time. */
	if (lex->error_count >= LIMIT_CONFIG_ERRORS)
		lex->at = lex->length;
	good = skip_blank(lex);
	lex->begin = lex->at;
	lex->line = lex->at_line;
	if (!good) {
		lex->token = TOKEN_BAD;
		lex->end = lex->at;
		return;
	}

	switch (lex->text[lex->at]) {
	case '\0':
		lex->token = TOKEN_END;
		break;
	case '=':
		lex->token = TOKEN_EQUAL;
		lex->at++;
		break;
	case ',':
		lex->token = TOKEN_COMMA;
		lex->at++;
		break;
	case '{':
		lex->token = TOKEN_OPEN;
		lex->at++;
		break;
	case '}':
		lex->token = TOKEN_CLOSE;
		lex->at++;
		break;
	case '"':
	case '\'':
		lex->token = take_string(lex) ? TOKEN_STRING : TOKEN_BAD;
		break;
	default:
		lex->token = take_word(lex) ? TOKEN_WORD : TOKEN_BAD;
		break;
	}
	lex->end = lex->at;
}

void conflex_rewind(struct conflex *lex, uint32_t begin, int line)
{
	lex->at = begin;
	lex->at_line = line;
	conflex_next(lex);
}

void conflex_describe(const struct conflex *lex, char buffer[CONFREPORT_QUOTE + 8])
{
	char word[CONFREPORT_QUOTE - 10], quoted[CONFREPORT_QUOTE];
	size_t length = lex->end - lex->begin;

	switch (lex->token) {
	case TOKEN_END:
		snprintf(buffer, CONFREPORT_QUOTE + 8, "the end of the file");
		return;
	case TOKEN_STRING:
		snprintf(buffer, CONFREPORT_QUOTE + 8, "a string");
		return;
	case TOKEN_WORD:
	case TOKEN_EQUAL:
	case TOKEN_COMMA:
	case TOKEN_OPEN:
	case TOKEN_CLOSE:
	case TOKEN_BAD:
		break;
	}
	/* Only shown: a long word may be cut. */
	if (length >= sizeof(word))
		length = sizeof(word) - 1;
	memcpy(word, lex->text + lex->begin, length);
	word[length] = '\0';
	snprintf(buffer, CONFREPORT_QUOTE + 8, "'%s'", confreport_quote(word, quoted));
}

int conflex_error(struct conflex *lex, int line, const char *format, ...)
{
	char *message = NULL;
	va_list arguments;

	lex->error_count++;
	if (lex->quiet)
		return -EBADMSG;
	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0) {
		lex->report->no_memory = true;
		message = NULL;
	}
	va_end(arguments);
	if (message != NULL)
		confreport_add(lex->report, lex->file, line, NULL, "%s", message);
	free(message);
	return -EBADMSG;
}

static bool skip_blank(struct conflex *lex)
{
	for (;; lex->at++) {
		const char *at = lex->text + lex->at;

		if (*at == '\n') {
			lex->at_line++;
		} else if (*at == '#' || (*at == '/' && (at[1] == '/' || at[1] == '*'))) {
			if (!skip_comment(lex))
				return false;
			lex->at--;
		} else if (*at != ' ' && *at != '\t' && *at != '\r') {
			return true;
		}
	}
}

/* Blanks it and stops at its line end, or behind its end. */
static bool skip_comment(struct conflex *lex)
{
	char *at = lex->text + lex->at, *end;
	int line = lex->at_line;

	if (at[0] == '#' || at[1] == '/') {
		end = strchrnul(at, '\n');
	} else {
		end = strstr(at + 2, "*/");
		if (end == NULL) {
			lex->at = lex->length;
			conflex_error(lex, line,
			    "the comment that begins here is not closed: '*/' is missing");
			return false;
		}
		end += 2;
	}
	for (; at < end; at++) {
		if (*at == '\n')
			lex->at_line++;
		else if (*at != '\r')
			*at = ' ';
	}
	lex->at = (uint32_t)(end - lex->text);
	return true;
}

static bool take_word(struct conflex *lex)
{
	uint32_t begin = lex->at;

	if (lex->text[begin] == '$') {
		if (lex->text[begin + 1] != '{')
			return refuse_character(lex);
		if (!take_variable(lex))
			return false;
		if (is_word_byte(lex->text[lex->at]) || lex->text[lex->at] == '$') {
			conflex_error(lex, lex->at_line,
			    "text around ${...} outside quotes: put the value in quotes");
			lex->at++;
			return false;
		}
		return true;
	}
	while (is_word_byte(lex->text[lex->at]) &&
	       !(lex->text[lex->at] == '/' &&
		   (lex->text[lex->at + 1] == '/' || lex->text[lex->at + 1] == '*')))
		lex->at++;
	if (lex->at - begin > LIMIT_CONFIG_WORD) {
		conflex_error(lex, lex->at_line, "a word of more than %d bytes", LIMIT_CONFIG_WORD);
		return false;
	}
	/* What may follow a word; "a#b" and "a//b" would be cut by a comment in silence. */
	if (lex->text[lex->at] != '\0' && strchr(" \t\r\n=,{}\"'", lex->text[lex->at]) == NULL)
		return refuse_character(lex);
	return true;
}

static bool take_string(struct conflex *lex)
{
	uint32_t begin = lex->at;
	char quote = lex->text[begin], next;
	int line = lex->at_line;
	bool good = true;

	lex->at++;
	for (;;) {
		char c;

		while (is_ordinary(lex->text[lex->at]) && lex->at - begin <= LIMIT_CONFIG_WORD)
			lex->at++;
		c = lex->text[lex->at];
		if (c == quote)
			break;
		if (c == '\0')
			return refuse_string(lex, begin, line, "is not closed: a quote is missing");
		if (lex->at - begin > LIMIT_CONFIG_WORD)
			return refuse_string(lex, begin, line,
			    "is longer than " TEXT(LIMIT_CONFIG_WORD) " bytes, or not closed");
		if (c == '\n')
			lex->at_line++;
		if (c == '\\' && quote == '"') {
			good = take_escape(lex) && good;
		} else if (c == '\\' && lex->text[lex->at + 1] != '\0') {
			if (lex->text[lex->at + 1] == '\n')
				lex->at_line++;
			lex->at += 2;
		} else if (c == '$' && quote == '"' && lex->text[lex->at + 1] == '{') {
			if (!take_variable(lex)) {
				good = false;
				/* Its own error is told; take it for two characters. */
				lex->at += 2;
			}
		} else {
			lex->at++;
		}
	}
	next = lex->text[++lex->at];
	/* "a"b is nobody's intention; and it is how a missing quote shows, some lines later. */
	if (next == '"' || next == '\'' || next == '$' || is_word_byte(next)) {
		if (lex->at_line != line)
			return refuse_string(lex, begin, line,
			    "ends right before other text some lines below: is a quote missing?");
		return refuse_string(
		    lex, begin, line, "ends right before other text: is a blank missing?");
	}
	return good;
}

/*
 * The error is at the beginning of the string, and so the quote that is missing is best looked for
 * at the end of that line: the scan goes on there.
 */
static bool refuse_string(struct conflex *lex, uint32_t begin, int line, const char *problem)
{
	lex->at = begin;
	lex->at_line = line;
	skip_line(lex);
	conflex_error(lex, line, "the string that begins here %s", problem);
	return false;
}

/* A backslash in "…".  \0 and the like would end the value there. */
static bool take_escape(struct conflex *lex)
{
	const char *at = lex->text + lex->at + 1;
	size_t digits = 0;
	bool nul = false;

	if (*at == '\n')
		lex->at_line++;
	if (*at >= '0' && *at <= '7') {
		digits = strspn(at, "01234567");
		if (digits > 3)
			digits = 3;
		nul = strspn(at, "0") >= digits;
	} else if (*at == 'x') {
		digits = strspn(at + 1, "0123456789abcdefABCDEF");
		if (digits > 2)
			digits = 2;
		nul = digits > 0 && strspn(at + 1, "0") >= digits;
	}
	lex->at += *at == '\0' ? 1 : 2;
	if (nul)
		conflex_error(lex, lex->at_line, "an escaped NUL byte: no value can hold one");
	return !nul;
}

/* ${NAME} or ${NAME:-text}, at lex->at; left behind it, or where it was when it is wrong. */
static bool take_variable(struct conflex *lex)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	const char *begin = lex->text + lex->at, *at = begin + 2;
	size_t length = strspn(at, letters);

	if (length > 0 && !(*at >= '0' && *at <= '9')) {
		at += length;
		if (at[0] == ':' && at[1] == '-')
			at += 2 + strcspn(at + 2, "\"'\\{}$\n");
		if (*at == '}' && at - begin < LIMIT_CONFIG_WORD) {
			lex->at += (uint32_t)(at + 1 - begin);
			return true;
		}
	}
	conflex_error(lex, lex->at_line,
	    "'${' that is not ${NAME} or ${NAME:-text}: in a string write \\${ for the characters "
	    "themselves");
	if (lex->text[lex->begin] == '$')
		skip_line(lex);
	return false;
}

static bool refuse_character(struct conflex *lex)
{
	unsigned char c = (unsigned char)lex->text[lex->at];

	if (c == '+' && lex->text[lex->at + 1] == '=')
		conflex_error(lex, lex->at_line, "'+=': only '=' is allowed");
	else if (c == ';')
		conflex_error(lex, lex->at_line,
		    "';' outside quotes: nothing ends in ';' here, and a value that has one needs "
		    "quotes");
	else
		conflex_error(lex, lex->at_line, "'%c' outside quotes: put the value in quotes", c);
	if (lex->at < lex->length)
		lex->at++;
	return false;
}

static void skip_line(struct conflex *lex)
{
	while (lex->text[lex->at] != '\n' && lex->text[lex->at] != '\0')
		lex->at++;
}

/* A byte that in a string stands for itself; nearly all do. */
static bool is_ordinary(char c)
{
	static const bool others[256] = {
	    ['\0'] = true, ['\n'] = true, ['"'] = true, ['\''] = true, ['\\'] = true, ['$'] = true};

	return !others[(unsigned char)c];
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '/' || c == ':' || c == '@' || c == '%' ||
	       (unsigned char)c >= 0x80;
}
