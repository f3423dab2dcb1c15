/* SPDX-License-Identifier: ISC */
/*
 * value.c: see value.h.  The table of types, and the simplest of them: strings and words of a fixed
 * set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/valuetype.h"

static const struct value_type *const types[KEY_TYPE_COUNT];

int value_parse(const struct value_input *input, void *ret_value, char **ret_problem)
{
	return types[input->row->type]->parse(input, ret_value, ret_problem);
}

int value_read_default(const struct key_row *row, void *ret_value)
{
	struct value_input input = {.row = row, .items = &row->def, .count = 1};
	char *problem = NULL;
	int error = row->def != NULL ? value_parse(&input, ret_value, &problem) : 0;

	free(problem);
	return error;
}

bool value_has_memory(const struct key_row *row)
{
	return types[row->type]->done != NULL;
}

void value_done(const struct key_row *row, void *value, const void *shared)
{
	if (types[row->type]->done != NULL)
		types[row->type]->done(value, shared);
	memset(value, 0, row->size);
}

void value_write(const struct key_row *row, const void *value, FILE *file)
{
	types[row->type]->write(value, file);
}

const char *value_allowed(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	return types[row->type]->allowed(row, buffer);
}

const char *value_check_name(const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t length = strlen(name);

	if (length == 0)
		return "is empty";
	_Static_assert(LIMIT_NAME - 7 == 57, "the text below");
	/* An instance adds "@" and up to five digits. */
	if (length >= LIMIT_NAME - 6)
		return "is too long: at most 57 bytes are allowed";
	if (strchr(letters, name[0]) == NULL)
		return "does not begin with a letter or digit";
	for (size_t i = 0; i < length; i++)
		if (strchr(letters, name[i]) == NULL && strchr("_.-", name[i]) == NULL)
			return "has other characters than letters, digits, '_', '.' and '-'";
	if (strcmp(name, "all") == 0 || strcmp(name, "supervisord") == 0)
		return "has a meaning of its own in commands";
	return NULL;
}

const char *value_check_instance(const char *name)
{
	char program[LIMIT_NAME];
	size_t length;
	uint32_t number;

	if (instname_parse(name, strlen(name), &length, &number) < 0)
		return "has no number of an instance behind its '@', such as 1 or 12";
	if (number == 0 || length >= sizeof(program))
		return value_check_name(name);
	memcpy(program, name, length);
	program[length] = '\0';
	return value_check_name(program);
}

int value_problem(
    const struct value_input *input, const char *text, const char *problem, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE], allowed[VALUE_ALLOWED];

	return value_sentence(ret_problem, "'%s' %s: %s is allowed", confreport_quote(text, quoted),
	    problem, value_allowed(input->row, allowed));
}

int value_sentence(char **ret_problem, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(ret_problem, format, arguments);
	va_end(arguments);
	if (length >= 0)
		return -EINVAL;
	*ret_problem = NULL;
	return -ENOMEM;
}

int value_check_expand(const char *text, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE], *word;
	int at = expand_check(text), error;

	if (at < 0)
		return 0;
	word = strndup(text + at, strcspn(text + at, "}") + 1);
	if (word == NULL)
		return -ENOMEM;
	error = value_sentence(ret_problem,
	    "'%s' is not known: %%{name}, %%{program}, %%{instance}, %%{user}, %%{home}, "
	    "%%{run_dir} and %%{percent} are allowed",
	    confreport_quote(word, quoted));
	free(word);
	return error;
}

void value_write_text(const char *prefix, const char *text, FILE *file)
{
	putc_unlocked('"', file);
	fputs(prefix, file);
	/* Locks for each character of each value were a tenth of an apply. */
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\' || c == '$')
			putc_unlocked('\\', file);
		if (c < ' ' || c == 0x7f)
			fprintf(file, "\\x%02x", c);
		else
			putc_unlocked(c, file);
	}
	putc_unlocked('"', file);
}

/* ---- strings ------------------------------------------------------------------------------- */

static int keep_string(const char *text, void *ret_value)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -ENOMEM;
	*(char **)ret_value = copy;
	return 0;
}

static int parse_string(const struct value_input *input, void *ret_value, char **ret_problem)
{
	if (input->items[0][0] == '\0')
		return value_problem(input, "", "is empty", ret_problem);
	return keep_string(input->items[0], ret_value);
}

static int parse_path(const struct value_input *input, void *ret_value, char **ret_problem)
{
	const char *text = input->items[0];
	int error;

	if (text[0] == '\0')
		return value_problem(input, text, "is empty", ret_problem);
	if (strlen(text) >= LIMIT_CONFIG_WORD)
		return value_problem(input, text, "is too long", ret_problem);
	error = value_check_expand(text, ret_problem);
	return error < 0 ? error : keep_string(text, ret_value);
}

static void done_string(void *value, const void *shared)
{
	char *text = *(char **)value;

	if (shared == NULL || text != *(char *const *)shared)
		free(text);
}

static void write_string(const void *value, FILE *file)
{
	const char *text = *(char *const *)value;

	if (text != NULL)
		value_write_text("", text, file);
}

static const char *allowed_string(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a name or number");
	return buffer;
}

static const char *allowed_path(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a path");
	return buffer;
}

static const struct value_type value_string = {
    parse_string, done_string, write_string, allowed_string};
static const struct value_type value_path = {parse_path, done_string, write_string, allowed_path};

/* ---- words of a set ------------------------------------------------------------------------ */

/* The position of the input in a NULL-terminated set ("" stands for a gap in it), or as
 * value_problem(). */
static int parse_word(
    const struct value_input *input, const char *const *set, int *ret_index, char **ret_problem)
{
	for (int i = 0; set[i] != NULL; i++) {
		if (set[i][0] != '\0' && strcmp(set[i], input->items[0]) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return value_problem(input, input->items[0], "is not known", ret_problem);
}

static int parse_bool(const struct value_input *input, void *ret_value, char **ret_problem)
{
	static const char *const set[] = {"false", "true", "no", "yes", "off", "on", NULL};
	int index, error;

	error = parse_word(input, set, &index, ret_problem);
	if (error == 0)
		*(bool *)ret_value = index % 2 == 1;
	return error;
}

static void write_bool(const void *value, FILE *file)
{
	fputs(*(const bool *)value ? "true" : "false", file);
}

static const char *allowed_bool(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "true or false");
	return buffer;
}

/* clang-format off */
/*
 * A type that is an enum: the names of its values, in their order, with NULL at the end.  Its
 * functions differ in nothing but what they convert to.
 */
#define WORD_TYPE(tag, type, words_allowed, ...) \
	static const char *const tag##_names[] = {__VA_ARGS__, NULL}; \
	static int parse_##tag( \
	    const struct value_input *input, void *ret_value, char **ret_problem) \
	{ \
		int index = 0, error = parse_word(input, tag##_names, &index, ret_problem); \
 \
		if (error == 0) \
			*(type *)ret_value = (type)index; \
		return error; \
	} \
	static void write_##tag(const void *value, FILE *file) \
	{ \
		fputs(tag##_names[*(const type *)value], file); \
	} \
	static const char *allowed_##tag(const struct key_row *row, char buffer[VALUE_ALLOWED]) \
	{ \
		(void)row; \
		snprintf(buffer, VALUE_ALLOWED, words_allowed); \
		return buffer; \
	} \
	static const struct value_type value_##tag = {parse_##tag, NULL, write_##tag, allowed_##tag}

WORD_TYPE(restart, enum restart_policy, "never, on-failure, on-abnormal or always",
    [RESTART_NEVER] = "never", [RESTART_ON_FAILURE] = "on-failure",
    [RESTART_ON_ABNORMAL] = "on-abnormal", [RESTART_ALWAYS] = "always");
WORD_TYPE(program_type, enum program_type, "service, oneshot or forking", [TYPE_SERVICE] = "service",
    [TYPE_ONESHOT] = "oneshot", [TYPE_FORKING] = "forking");
WORD_TYPE(boot, enum boot_mode,
    "config or last-state", [BOOT_CONFIG] = "config", [BOOT_LAST_STATE] = "last-state");
WORD_TYPE(update, enum update_mode, "stop-start, rolling or start-first",
    [UPDATE_STOP_START] = "stop-start", [UPDATE_ROLLING] = "rolling",
    [UPDATE_START_FIRST] = "start-first");
WORD_TYPE(kill_mode, enum kill_mode, "all, process or mixed", [KILL_ALL] = "all",
    [KILL_PROCESS] = "process", [KILL_MIXED] = "mixed");
WORD_TYPE(log_rotate, enum logspec_rotate, "none, hourly, daily or weekly", [LOGSPEC_NEVER] = "none",
    [LOGSPEC_HOURLY] = "hourly", [LOGSPEC_DAILY] = "daily", [LOGSPEC_WEEKLY] = "weekly");
WORD_TYPE(log_compress, enum logspec_compress, "none, gzip or zstd", [LOGSPEC_PLAIN] = "none",
    [LOGSPEC_GZIP] = "gzip", [LOGSPEC_ZSTD] = "zstd");
WORD_TYPE(log_format, enum logspec_format, "raw, stamp or json", [LOGSPEC_RAW] = "raw",
    [LOGSPEC_STAMP] = "stamp", [LOGSPEC_JSON] = "json");
WORD_TYPE(inherit, enum logspec_format, "raw, prefix or json", [LOGSPEC_RAW] = "raw",
    [LOGSPEC_STAMP] = "", [LOGSPEC_JSON] = "json", [LOGSPEC_PREFIX] = "prefix");
/* Their numbers; kern is the kernel's own. */
WORD_TYPE(facility, int,
    "user, mail, daemon, auth, syslog, lpr, news, uucp, cron, authpriv, ftp or local0 to local7",
    "", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7");
WORD_TYPE(start, enum start_mode, "now or on-demand", [START_NOW] = "now",
    [START_ON_DEMAND] = "on-demand");
WORD_TYPE(cluster, enum cluster_kind, "none, round-robin, shared or reuse-port",
    [CLUSTER_NONE] = "none", [CLUSTER_ROUND_ROBIN] = "round-robin", [CLUSTER_SHARED] = "shared",
    [CLUSTER_REUSE_PORT] = "reuse-port");
WORD_TYPE(socket_as, enum socket_as, "descriptors or stdin",
    [SOCKET_AS_DESCRIPTORS] = "descriptors", [SOCKET_AS_STDIN] = "stdin");
WORD_TYPE(log_full, enum logspec_full, "block or drop", [LOGSPEC_BLOCK] = "block",
    [LOGSPEC_DROP] = "drop");
/* clang-format on */

static int parse_level(const struct value_input *input, void *ret_value, char **ret_problem)
{
	for (int i = 0; ownlog_level_name(i) != NULL; i++) {
		if (strcmp(ownlog_level_name(i), input->items[0]) == 0) {
			*(int *)ret_value = i;
			return 0;
		}
	}
	return value_problem(input, input->items[0], "is not known", ret_problem);
}

static void write_level(const void *value, FILE *file)
{
	fputs(ownlog_level_name(*(const int *)value), file);
}

static const char *allowed_level(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "error, warning, notice or debug");
	return buffer;
}

static const struct value_type value_bool = {parse_bool, NULL, write_bool, allowed_bool};
static const struct value_type value_level = {parse_level, NULL, write_level, allowed_level};

static const struct value_type *const types[KEY_TYPE_COUNT] = {
    [KEY_STRING] = &value_string,
    [KEY_PATH] = &value_path,
    [KEY_COMMAND] = &value_command,
    [KEY_BOOL] = &value_bool,
    [KEY_OCTAL] = &value_octal,
    [KEY_ENVIRONMENT] = &value_environment,
    [KEY_NAMES] = &value_names,
    [KEY_PATTERNS] = &value_patterns,
    [KEY_EVENTS] = &value_events,
    [KEY_RESTART] = &value_restart,
    [KEY_EXITS] = &value_exits,
    [KEY_DURATION] = &value_duration,
    [KEY_SIZE] = &value_size,
    [KEY_COUNT] = &value_count,
    [KEY_FACTOR] = &value_factor,
    [KEY_SIGNAL] = &value_signal,
    [KEY_STDIN] = &value_stdin,
    [KEY_STDOUT] = &value_stdout,
    [KEY_STDERR] = &value_stderr,
    [KEY_LEVEL] = &value_level,
    [KEY_TYPE] = &value_program_type,
    [KEY_BOOT] = &value_boot,
    [KEY_KILL_MODE] = &value_kill_mode,
    [KEY_DEPENDS] = &value_depends,
    [KEY_READY] = &value_ready,
    [KEY_PERCENT] = &value_percent,
    [KEY_ON_FAILURE] = &value_on_failure,
    [KEY_STEPS] = &value_steps,
    [KEY_HEALTH_ACTION] = &value_health_action,
    [KEY_LOG_ROTATE] = &value_log_rotate,
    [KEY_LOG_COMPRESS] = &value_log_compress,
    [KEY_LOG_FORMAT] = &value_log_format,
    [KEY_LOG_FULL] = &value_log_full,
    [KEY_FACILITY] = &value_facility,
    [KEY_INHERIT] = &value_inherit,
    [KEY_LOG_FILTER] = &value_log_filter,
    [KEY_ALLOW] = &value_allow,
    [KEY_INSTANCES] = &value_instances,
    [KEY_SOCKETS] = &value_sockets,
    [KEY_SOCKET_AS] = &value_socket_as,
    [KEY_START] = &value_start,
    [KEY_CLUSTER] = &value_cluster,
    [KEY_LISTEN] = &value_listen,
    [KEY_UPDATE] = &value_update,
};
