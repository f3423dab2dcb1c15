/* SPDX-License-Identifier: ISC */
/*
 * keys.c: write the key list of supervisord.conf(5), and with --rows the same as the rows of
 * ctl/keys.c, which superctl has in it: it may not include what is the engine's.
 *
 * Copies standard input to standard output; a line @PROGRAM_KEYS@, @HEALTH_KEYS@ (those of a
 * program that stand in its section health), @SOCKET_KEYS@, @GROUP_KEYS@, @SETTING_KEYS@ or @CONTROL_KEYS@ (those
 * of the settings that stand in control) becomes one mdoc(7) list item a row of keys.h.  Runs when
 * the manual is built and is not installed.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/value.h"

/* mandoc(1) complains about longer lines. */
#define LINE_WIDTH 78

/* What a line of the input stands for. */
static const struct list {
	const char *mark;
	const struct key_row *rows;
	size_t count;
	bool section; /* those of health or control, or all but those */
	const char *what;
	const char *stanza; /* that has them; "settings": none */
} lists[] = {
    {"@PROGRAM_KEYS@\n", program_rows, PROGRAM_KEY_COUNT, false, "the program", "program"},
    {"@HEALTH_KEYS@\n", program_rows, PROGRAM_KEY_COUNT, true, "the program", "program"},
    {"@SOCKET_KEYS@\n", socket_rows, SOCKET_KEY_COUNT, false, "the programs that have it",
	"socket"},
    {"@GROUP_KEYS@\n", group_rows, GROUP_KEY_COUNT, false, "the group", "group"},
    {"@SETTING_KEYS@\n", setting_rows, SETTING_KEY_COUNT, false, "supervisord", "settings"},
    {"@CONTROL_KEYS@\n", setting_rows, SETTING_KEY_COUNT, true, "supervisord", "settings"},
};

static const struct list *find_list(const char *line);
static bool is_in_section(const struct key_row *row);
static int write_rows(void);
static void write_key(const struct key_row *row, const char *what);
static void write_text(const char *text);
static void write_word(const char *word, size_t length, size_t *column);

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	if (argc > 1 && strcmp(argv[1], "--rows") == 0)
		return write_rows();
	while (getline(&line, &size, stdin) >= 0) {
		const struct list *list = find_list(line);

		if (list == NULL)
			fputs(line, stdout);
		for (size_t i = 0; list != NULL && i < list->count; i++)
			if (is_in_section(&list->rows[i]) == list->section)
				write_key(&list->rows[i], list->what);
	}
	free(line);
	return fflush(stdout) == 0 && !ferror(stdin) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct list *find_list(const char *line)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(line, lists[i].mark) == 0)
			return &lists[i];
	return NULL;
}

static bool is_in_section(const struct key_row *row)
{
	return keytable_is_health(row) || keytable_is_control(row);
}

/* As a string of C. */
static void write_literal(const char *text)
{
	if (text == NULL) {
		fputs("NULL, ", stdout);
		return;
	}
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	fputs("\", ", stdout);
}

static int write_rows(void)
{
	/* clang-format off */
	static const char *const changes[] = {
		[CHANGE_NONE] = "live",
		[CHANGE_LIVE] = "live",
		[CHANGE_NEXT] = "next-start",
		[CHANGE_RESTART] = "restart",
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (size_t k = 0; k < lists[i].count; k++) {
			const struct key_row *row = &lists[i].rows[k];
			char allowed[VALUE_ALLOWED], label[KEYTABLE_LABEL];
			size_t length = strlen(value_allowed(row, allowed));

			if (is_in_section(row) != lists[i].section)
				continue;
			if (length > 0 && allowed[length - 1] == ',')
				allowed[length - 1] = '\0';
			putchar('{');
			write_literal(lists[i].stanza);
			write_literal(keytable_label(row, label));
			write_literal(allowed);
			write_literal(row->def);
			write_literal(changes[row->change]);
			write_literal(row->help);
			puts("},");
		}
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void write_key(const struct key_row *row, const char *what)
{
	char allowed[VALUE_ALLOWED], text[2048], change[128] = "";
	size_t length;

	value_allowed(row, allowed);
	length = strlen(allowed);
	if (length > 0 && allowed[length - 1] == ',')
		allowed[length - 1] = '\0';
	switch (row->change) {
	case CHANGE_NONE:
	case CHANGE_LIVE:
		snprintf(change, sizeof(change), "takes effect at once");
		break;
	case CHANGE_NEXT:
		if (row->part == PART_SOCKET)
			snprintf(change, sizeof(change), "takes effect when it is opened anew");
		else
			snprintf(
			    change, sizeof(change), "takes effect with the next start of %s", what);
		break;
	case CHANGE_RESTART:
		snprintf(change, sizeof(change), "restarts %s", what);
		break;
	}
	printf(".It Cm %s\n", keytable_word(row));
	write_text(row->help);
	printf(".Pp\n");
	if (row->def != NULL)
		snprintf(text, sizeof(text), "Value: %s. Default: %s. A change %s.", allowed,
		    row->def, change);
	else
		snprintf(text, sizeof(text), "Value: %s. A change %s.", allowed, change);
	write_text(text);
}

/* Filled lines; each sentence begins a new one. */
static void write_text(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, " ");

		write_word(text, length, &column);
		if (length > 0 && text[length - 1] == '.') {
			putchar('\n');
			column = 0;
		}
		text += length;
		text += strspn(text, " ");
	}
	if (column > 0)
		putchar('\n');
}

static void write_word(const char *word, size_t length, size_t *column)
{
	char escaped[512];
	size_t at = 0;

	if (word[0] == '.' || word[0] == '\'')
		at += (size_t)snprintf(escaped, sizeof(escaped), "\\&");
	for (size_t i = 0; i < length && at < sizeof(escaped) - 8; i++) {
		if (word[i] == '\\')
			at += (size_t)snprintf(escaped + at, sizeof(escaped) - at, "\\e");
		else if (word[i] == '"')
			at += (size_t)snprintf(escaped + at, sizeof(escaped) - at, "\\(dq");
		else
			escaped[at++] = word[i];
	}
	if (*column > 0 && *column + 1 + at > LINE_WIDTH) {
		putchar('\n');
		*column = 0;
	}
	*column += at + (*column > 0 ? 1 : 0);
	printf("%s%.*s", *column > at ? " " : "", (int)at, escaped);
}
