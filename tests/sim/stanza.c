/* SPDX-License-Identifier: ISC */
/* stanza.c: see stanza.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/keytable.h"
#include "supervisord/engine/taskkind.h"
#include "tests/sim/checks.h"
#include "tests/sim/stanza.h"
#include "tests/sim/world.h"

#define CONDITIONS      (DEPEND_COMPLETED + 1)
#define TASK_WORD(kind) (task_words[kind])
#define LIST_MAX        (STANZA_PROGRAMS + 1)
#define NAME_ALONE      STANZA_PROGRAMS /* of an only instance */

#define INSTANCES(letter)                                                                          \
	{                                                                                          \
		letter "@1", letter "@2", letter "@3", letter "@4", letter "@5", letter "@6",      \
		    letter "@7", letter "@8"                                                       \
	}

/* The lists of one program in the engine's copy. */
struct built_program {
	struct program_config config;
	struct life_config life;
	char *requires[LIST_MAX];
	char *wants[LIST_MAX];
	char *after[LIST_MAX];
	char *before[LIST_MAX];
	char *conflicts[LIST_MAX];
	struct program_override overrides[STANZA_KEY_COUNT];
};

struct built {
	struct config config; /* first */
	int index;
	struct config_source sources[STANZA_SOURCES];
	struct stanza_source texts[STANZA_SOURCES];
	struct program_config *list[STANZA_PROGRAMS];
	struct built_program programs[STANZA_PROGRAMS];
};

/* The command of each kind is its own name, so that the wrong one is noticed. */
#define WORD(name, text) text,
static char task_texts[TASK_COUNT][16] = {TASK_KINDS(WORD)};
#undef WORD
static char *task_words[TASK_COUNT][2];

static char names[STANZA_PROGRAMS + 1][CONDITIONS][16];
static char pid_files[STANZA_PROGRAMS][8];
static char socket_name[] = "socket";
static char *socket_names[] = {socket_name, NULL};

static void build_sources(struct built *built, const struct stanza_set *set);
static const char *find_path(const struct built *built, const char *prefix, int program);
static void build_program(struct built *whole, const struct stanza_set *set, int program);
static void build_overrides(const struct built *whole, struct built_program *built,
    const struct stanza_set *set, int program);
static void build_lists(
    struct built_program *built, const struct stanza_set *set, const struct stanza *stanza);
static char *name_in(const struct stanza_set *set, int program, int condition);
static bool is_member(int program);
static void make_names(void);
static void print_overrides(const struct stanza_set *set, int program);
static void print_links(const struct stanza *stanza);

const char *stanza_name(int program)
{
	static const char *const letters[] = {"A", "B", "C", "D", "E", "F", "G", "H"};
	static const char *const instances[][STANZA_PROGRAMS] = {INSTANCES("A"), INSTANCES("B"),
	    INSTANCES("C"), INSTANCES("D"), INSTANCES("E"), INSTANCES("F"), INSTANCES("G"),
	    INSTANCES("H")};

	if (program < 0)
		return "?";
	return is_member(program) ? instances[world->party_base][program - world->party_base]
				  : letters[program];
}

int stanza_index(const char *name)
{
	return name[0] - 'A' + (name[1] == '@' ? name[2] - '1' : 0);
}

bool stanza_are_mates(int program, int other)
{
	return is_member(program) && is_member(other);
}

static bool is_member(int program)
{
	return program >= world->party_base && program < world->party_base + world->party_room;
}

int stanza_kind_of_words(char *const *words)
{
	for (int kind = 0; kind < TASK_COUNT; kind++)
		if (words != NULL && strcmp(words[0], task_texts[kind]) == 0)
			return kind;
	return -1;
}

/* ---- as the engine gets it ---- */

struct config *stanza_build(const struct stanza_set *set, int index)
{
	static char text[] = "/sim";
	struct built *built = calloc(1, sizeof(*built));
	struct config *config = &built->config;

	make_names();
	built->index = index;
	config->settings.key_run_dir = config->settings.key_log_dir =
	    config->settings.key_state_dir = text;
	config->settings.key_shutdown_timeout = set->shutdown_timeout_ns;
	config->programs = built->list;
	build_sources(built, set);
	for (int program = 0; program < world->program_count; program++) {
		if (!set->programs[program].present)
			continue;
		build_program(built, set, program);
		built->list[config->program_count++] = &built->programs[program].config;
	}
	world->engine.users[index]++;
	return config;
}

int stanza_config_index(const struct config *config)
{
	return ((const struct built *)(const void *)config)->index;
}

void stanza_free(struct config *config)
{
	if (config != NULL)
		world->engine.users[stanza_config_index(config)]--;
	free(config);
}

static void build_sources(struct built *built, const struct stanza_set *set)
{
	struct config *config = &built->config;

	config->sources = built->sources;
	config->source_count = stanza_write_sources(set, built->index, built->texts);
	for (size_t i = 0; i < config->source_count; i++)
		built->sources[i] = (struct config_source){.path = built->texts[i].path,
		    .text = built->texts[i].text,
		    .length = strlen(built->texts[i].text)};
}

static const char *find_path(const struct built *built, const char *prefix, int program)
{
	size_t length = strlen(prefix);

	for (size_t i = 0; i < built->config.source_count; i++)
		if (strncmp(built->texts[i].path, prefix, length) == 0 &&
		    built->texts[i].path[length] == stanza_name(program)[0])
			return built->texts[i].path;
	return built->texts[0].path;
}

static void build_program(struct built *whole, const struct stanza_set *set, int program)
{
	struct built_program *built = &whole->programs[program];
	const struct stanza *stanza = &set->programs[program];
	struct life_config *life = &built->life;

	built->config = stanza->config;
	built->config.file = find_path(whole, CONFIG_RUN_PATH, program);
	build_overrides(whole, built, set, program);
	*life = stanza->life;
	built->config.name = name_in(set, program, 0);
	built->config.life = life;
	if (stanza->stdout_to >= 0)
		built->config.key_stdout = (struct stdio){
		    .kind = STDIO_PROGRAM, .target = name_in(set, stanza->stdout_to, 0)};
	if (life->key_pid_file != NULL)
		life->key_pid_file = pid_files[program];
	if (life->key_ready.kind == CHECK_EXEC)
		life->key_ready.words = TASK_WORD(TASK_READY);
	if (life->key_health_check.kind == CHECK_EXEC)
		life->key_health_check.words = TASK_WORD(TASK_HEALTH);
	life->key_sockets = life->key_start == START_ON_DEMAND ? socket_names : NULL;
	life->key_on_failure.words = TASK_WORD(TASK_ON_FAILURE);
	life->key_on_failure.name = name_in(set, stanza->on_failure_name, 0);
	life->key_pre_start = stanza->hooks[HOOK_PRE_START] ? TASK_WORD(TASK_PRE_START) : NULL;
	life->key_post_start = stanza->hooks[HOOK_POST_START] ? TASK_WORD(TASK_POST_START) : NULL;
	life->key_pre_stop = stanza->hooks[HOOK_PRE_STOP] ? TASK_WORD(TASK_PRE_STOP) : NULL;
	life->key_stop_command = stanza->hooks[HOOK_STOP] ? TASK_WORD(TASK_STOP_COMMAND) : NULL;
	life->key_post_stop = stanza->hooks[HOOK_POST_STOP] ? TASK_WORD(TASK_POST_STOP) : NULL;
	life->key_reload_command = stanza->hooks[HOOK_RELOAD] ? TASK_WORD(TASK_RELOAD) : NULL;
	build_lists(built, set, stanza);
}

/* What superctl set says counts before what a file does. */
static void build_overrides(const struct built *whole, struct built_program *built,
    const struct stanza_set *set, int program)
{
	static const enum program_key keys[] = {
	    PROGRAM_autostart, PROGRAM_restart, PROGRAM_command, PROGRAM_instances};
	int first = stanza_are_mates(program, program) ? world->party_base : program;
	unsigned said = set->set[first].keys;

	built->config.overrides = built->overrides;
	for (int key = 0; key < STANZA_KEY_COUNT; key++) {
		if (!(((said | set->dropins[first].keys) >> key) & 1))
			continue;
		built->overrides[built->config.override_count++] = (struct program_override){
		    .key = keys[key],
		    .name = stanza_key_name((enum stanza_key)key),
		    .file = find_path(
			whole, (said >> key) & 1 ? CONFIG_SET_PATH : STANZA_DROPIN_PATH, first),
		    .line = 1,
		};
	}
}

static void build_lists(
    struct built_program *built, const struct stanza_set *set, const struct stanza *stanza)
{
	int requires = 0, wants = 0, after = 0, before = 0, conflicts = 0;

	for (int other = 0; other < STANZA_PROGRAMS; other++) {
		const struct stanza_link *link = &stanza->links[other];
		char *text = name_in(set, other, link->condition);

		if (link->requires)
		built->requires[requires ++] = text;
		if (link->wants)
			built->wants[wants++] = text;
		if (link->after)
			built->after[after++] = text;
		if (link->before)
			built->before[before++] = text;
		if (link->conflicts)
			built->conflicts[conflicts++] = name_in(set, other, 0);
	}
	built->config.key_after = after > 0 ? built->after : NULL;
	built->life.key_requires = requires > 0 ? built->requires : NULL;
	built->life.key_wants = wants > 0 ? built->wants : NULL;
	built->life.key_before = before > 0 ? built->before : NULL;
	built->life.key_conflicts = conflicts > 0 ? built->conflicts : NULL;
}

/* The only instance is called as its program is. */
static char *name_in(const struct stanza_set *set, int program, int condition)
{
	bool alone = world->party_room > 0 && program == world->party_base && set->instances == 1;

	return names[alone ? NAME_ALONE : program][condition];
}

static void make_names(void)
{
	static const char *const conditions[CONDITIONS] = {
	    "", "started", "ready", "healthy", "completed"};
	static int made = -1;
	int party = world->party_base * (STANZA_PROGRAMS + 1) + world->party_room;

	if (made == party)
		return;
	made = party;
	for (int kind = 0; kind < TASK_COUNT; kind++)
		task_words[kind][0] = task_texts[kind];
	for (int program = 0; program < STANZA_PROGRAMS; program++)
		(void)snprintf(
		    pid_files[program], sizeof(pid_files[0]), "pid:%s", stanza_name(program));
	for (int name = 0; name <= NAME_ALONE; name++) {
		const char *text = stanza_name(name < NAME_ALONE ? name : world->party_base);
		int length = name < NAME_ALONE ? (int)strlen(text) : 1;

		for (int condition = 0; condition < CONDITIONS; condition++)
			(void)snprintf(names[name][condition], sizeof(names[0][0]), "%.*s%s%s",
			    length, text, condition > 0 ? ":" : "", conditions[condition]);
	}
}

/* ---- for people ---- */

void stanza_print(const struct stanza_set *set)
{
	static const char *const policies[] = {"never", "on-failure", "on-abnormal", "always"};
	static const char *const types[] = {"service", "oneshot", "forking"};
	static const char *const modes[] = {"all", "process", "mixed"};
	static const char *const readies[] = {
	    "none", "notify", "fd", "tcp", "unix", "http", "exec", "log", "file"};
	static const char *const hooks[] = {
	    "pre_start", "post_start", "pre_stop", "stop_command", "post_stop", "reload_command"};
	static const char *const failures[] = {
	    "none", "retry", "shutdown", "reboot", "start", "exec"};

	for (int program = 0; program < world->program_count; program++) {
		const struct stanza *stanza = &set->programs[program];
		const struct program_config *config = &stanza->config;
		const struct life_config *life = &stanza->life;

		if (!stanza->present)
			continue;
		printf("  program %s: %s%s, restart %s, delay %lld..%lld ms x %.1f, reset %lld ms, "
		       "limit %u in %lld ms, stable %lld ms, stop %lld ms%s, kill %s",
		    stanza_name(program), types[life->key_type], life->key_remain ? " remain" : "",
		    policies[config->key_restart],
		    (long long)(config->key_restart_delay / NS_PER_MS),
		    (long long)(config->key_restart_delay_max / NS_PER_MS),
		    config->key_restart_factor,
		    (long long)(config->key_restart_reset_after / NS_PER_MS),
		    config->key_start_limit,
		    (long long)(config->key_start_limit_interval / NS_PER_MS),
		    (long long)(config->key_stable_after / NS_PER_MS),
		    (long long)(config->key_stop_timeout / NS_PER_MS),
		    config->key_autostart ? "" : ", no autostart", modes[life->key_kill_mode]);
		if (life->key_ready.kind != CHECK_NONE)
			printf(", ready %s in %lld ms", readies[life->key_ready.kind],
			    (long long)(life->key_start_timeout / NS_PER_MS));
		if (life->key_health_check.kind != CHECK_NONE)
			printf(", health %s", readies[life->key_health_check.kind]);
		if (life->key_watchdog > 0)
			printf(", watchdog");
		if (life->key_max_runtime > 0)
			printf(", max_runtime");
		if (life->key_stop_sequence.count > 0)
			printf(", %u stop steps", life->key_stop_sequence.count);
		for (int hook = 0; hook < HOOK_COUNT; hook++)
			if (stanza->hooks[hook])
				printf(", %s", hooks[hook]);
		if (life->key_on_failure.kind != ON_FAILURE_NONE)
			printf(", on_failure %s %s", failures[life->key_on_failure.kind],
			    life->key_on_failure.kind == ON_FAILURE_START
				? stanza_name(stanza->on_failure_name)
				: "");
		if (life->key_essential)
			printf(", essential");
		if (life->key_smooth)
			printf(", smooth");
		print_overrides(set, program);
		print_links(stanza);
		printf("\n");
	}
}

static void print_overrides(const struct stanza_set *set, int program)
{
	const struct stanza_override *const overrides[] = {
	    &set->runs[program], &set->dropins[program], &set->set[program]};
	static const char *const from[] = {"run with", "a file says", "set"};

	for (int i = 0; i < 3; i++) {
		char text[STANZA_TEXT];

		stanza_write_override(overrides[i], text);
		for (char *at = text; *at != '\0'; at++)
			*at = *at == '\n' ? ',' : *at;
		if (text[0] != '\0')
			printf("; %s %s", from[i], text);
	}
}

static void print_links(const struct stanza *stanza)
{
	make_names();
	for (int other = 0; other < STANZA_PROGRAMS; other++) {
		const struct stanza_link *link = &stanza->links[other];

		if (link->requires || link->wants || link->after || link->before)
			printf(";%s%s%s%s %s", link->requires ? " requires" : "",
			    link->wants ? " wants" : "", link->after ? " after" : "",
			    link->before ? " before" : "", names[other][link->condition]);
		if (link->conflicts)
			printf("; conflicts %s", stanza_name(other));
	}
	if (stanza->stdout_to >= 0)
		printf("; stdout to %s", stanza_name(stanza->stdout_to));
}
