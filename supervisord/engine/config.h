/* SPDX-License-Identifier: ISC */
/*
 * config.h: the configuration as data, immutable once loaded.
 *
 * A load reads every file, reports every error of every file, and gives a complete new object or
 * none (a bad file changes nothing).  The text of all files travels with the object: it is what the
 * guardian holds as "the applied configuration", and a new engine parses that text by the same
 * functions and never looks at the files.  Nothing here touches a program or knows the engine.
 */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/logspec.h"
#include "supervisord/engine/keys.h"
#include "supervisord/engine/rights.h"

enum restart_policy { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ON_ABNORMAL, RESTART_ALWAYS };

enum stdio_kind {
	STDIO_NULL,
	STDIO_INHERIT, /* supervisord's own */
	STDIO_LOG,     /* a pipe to the logger */
	STDIO_FILE,    /* stdin: file:PATH */
	STDIO_PIPE,    /* stdin: pipe, for superctl attach */
	STDIO_APPEND,  /* append:PATH, written by the program itself */
	STDIO_FIFO,    /* fifo:PATH */
	STDIO_PROGRAM, /* program:NAME */
	STDIO_STDOUT,  /* stderr only: the same as stdout */
};

struct stdio {
	enum stdio_kind kind;
	char *target; /* path or program name, NULL for the others */
	char *
	    *targets; /* STDIO_LOG: a string_list, as written; NULL: only the file.  See route.h */
};

/* instances = "cpus" */
#define INSTANCES_CPUS 0

/* Exit codes and signals. */
struct exit_set {
	uint64_t codes[4]; /* bit a code 0..255 */
	uint64_t signals;  /* bit a signal 1..64: bit (number - 1) */
};

/* A NULL-terminated array of strings; NULL when unset. */
typedef char **string_list;

enum program_type { TYPE_SERVICE, TYPE_ONESHOT, TYPE_FORKING };

/* How running instances are replaced. */
enum update_mode { UPDATE_STOP_START, UPDATE_ROLLING, UPDATE_START_FIRST };

enum boot_mode { BOOT_CONFIG, BOOT_LAST_STATE };

enum kill_mode { KILL_ALL, KILL_PROCESS, KILL_MIXED };

/* What tells that a program is ready, or healthy. */
enum check_kind {
	CHECK_NONE,
	CHECK_NOTIFY, /* notify: READY=1 of sd_notify(3) */
	CHECK_FD,     /* fd:N: a newline written to that descriptor */
	CHECK_TCP,    /* tcp:HOST:PORT: a connection is accepted */
	CHECK_UNIX,   /* unix:PATH: likewise */
	CHECK_HTTP,   /* http://HOST[:PORT]/PATH: answers with a status of 200 to 399 */
	CHECK_EXEC,   /* exec:COMMAND ends with status 0 */
	CHECK_LOG,    /* log:REGEX matches a line of standard output (POSIX extended) */
	CHECK_FILE,   /* file:PATH is there, and was made or changed after the launch */
	CHECK_IPC,    /* ipc: the message "ready" on the IPC channel */
	CHECK_LISTENING, /* listening: a worker of a cluster does, on all that is expected of it */
};

/* Before the name in ipc_to. */
#define IPC_TO_PROGRAM "program:"

struct check {
	enum check_kind kind;
	int fd;       /* CHECK_FD */
	char *target; /* what stands after "tcp:" and so on; the whole URL of http; else NULL */
	string_list words; /* CHECK_EXEC, split */
};

/* What to do about a program that has become FATAL. */
enum on_failure_kind {
	ON_FAILURE_NONE,
	ON_FAILURE_RETRY, /* retry:DURATION: start it again after that, with a fresh start limit */
	ON_FAILURE_SHUTDOWN,
	ON_FAILURE_REBOOT,
	ON_FAILURE_START, /* start:NAME */
	ON_FAILURE_EXEC,  /* exec:COMMAND */
};

struct on_failure {
	enum on_failure_kind kind;
	int64_t delay_ns;
	char *name;
	string_list words;
};

enum health_action_kind { HEALTH_RESTART, HEALTH_SIGNAL, HEALTH_NOTHING };

/* restart, signal:NAME, none */
struct health_action {
	enum health_action_kind kind;
	int signal;
};

/* In place of a signal, for filters of logs only: no file can say it.  The standard input ends. */
#define STOP_END_OF_INPUT 0
/* Likewise: the worker of a cluster is told to disconnect. */
#define STOP_DISCONNECT (-1)
/* "none": nobody is told anything, it has this time to end by itself. */
#define STOP_NOTHING (-2)

enum start_mode { START_NOW, START_ON_DEMAND };

/* How connections come to the workers of a cluster. */
enum cluster_kind { CLUSTER_NONE, CLUSTER_ROUND_ROBIN, CLUSTER_SHARED, CLUSTER_REUSE_PORT };

/* How a program gets its sockets. */
enum socket_as { SOCKET_AS_DESCRIPTORS, SOCKET_AS_STDIN };

/* One step of stop_sequence, "TERM:10s"; a last step without a time gets KILL's one second. */
struct stop_step {
	int signal;
	int64_t wait_ns;
};

struct stop_sequence {
	uint32_t count; /* 0: unset */
	struct stop_step steps[LIMIT_STOP_STEPS];
};

/* What a key of each type becomes in memory. */
#define KEY_CTYPE_STRING        char *
#define KEY_CTYPE_PATH          char *
#define KEY_CTYPE_COMMAND       string_list
#define KEY_CTYPE_BOOL          bool
#define KEY_CTYPE_OCTAL         unsigned
#define KEY_CTYPE_ENVIRONMENT   string_list
#define KEY_CTYPE_NAMES         string_list
#define KEY_CTYPE_PATTERNS      string_list
#define KEY_CTYPE_EVENTS        string_list /* see eventmatch.h */
#define KEY_CTYPE_RESTART       enum restart_policy
#define KEY_CTYPE_EXITS         struct exit_set
#define KEY_CTYPE_DURATION      int64_t  /* ns */
#define KEY_CTYPE_SIZE          uint64_t /* bytes */
#define KEY_CTYPE_COUNT         uint32_t
#define KEY_CTYPE_FACTOR        double
#define KEY_CTYPE_SIGNAL        int
#define KEY_CTYPE_STDIN         struct stdio
#define KEY_CTYPE_STDOUT        struct stdio
#define KEY_CTYPE_STDERR        struct stdio
#define KEY_CTYPE_LEVEL         int /* enum ownlog_level */
#define KEY_CTYPE_TYPE          enum program_type
#define KEY_CTYPE_BOOT          enum boot_mode
#define KEY_CTYPE_KILL_MODE     enum kill_mode
#define KEY_CTYPE_DEPENDS       string_list /* "NAME" or "NAME:CONDITION", no groups; see depend.h */
#define KEY_CTYPE_READY         struct check
#define KEY_CTYPE_PERCENT       uint32_t
#define KEY_CTYPE_ON_FAILURE    struct on_failure
#define KEY_CTYPE_STEPS         struct stop_sequence
#define KEY_CTYPE_HEALTH_ACTION struct health_action
#define KEY_CTYPE_LOG_ROTATE    enum logspec_rotate
#define KEY_CTYPE_LOG_COMPRESS  enum logspec_compress
#define KEY_CTYPE_LOG_FORMAT    enum logspec_format
#define KEY_CTYPE_LOG_FULL      enum logspec_full
#define KEY_CTYPE_FACILITY      int /* of syslog(3) */
#define KEY_CTYPE_INHERIT       enum logspec_format
#define KEY_CTYPE_LOG_FILTER    string_list /* the words of exec:; NULL: none */
#define KEY_CTYPE_ALLOW         string_list /* as written; see struct rights */
#define KEY_CTYPE_INSTANCES     uint32_t    /* INSTANCES_CPUS: one a CPU */
#define KEY_CTYPE_SOCKETS       string_list
#define KEY_CTYPE_SOCKET_AS     enum socket_as
#define KEY_CTYPE_START         enum start_mode
#define KEY_CTYPE_CLUSTER       enum cluster_kind
#define KEY_CTYPE_LISTEN        string_list /* of socketaddress.h, as written */
#define KEY_CTYPE_UPDATE        enum update_mode

#define KEY_MEMBER(name, type, def, min, max, change, help) KEY_CTYPE_##type key_##name;

/* The keys that most programs leave alone: those that do share one such struct. */
struct life_config {
	LIFE_KEYS(KEY_MEMBER)
	LOG_KEYS(KEY_MEMBER)
};

/* A key of a stanza that has another value than this says (override "NAME" { … }). */
struct program_override {
	uint32_t key;     /* enum program_key */
	const char *name; /* of its row */
	const char *file; /* where it is written; points into the config */
	int line;
};

/* The sources with what superctl set and superctl run have said are called that and a program. */
#define CONFIG_SET_PATH "superctl set "
#define CONFIG_RUN_PATH "superctl run "

/*
 * One instance of a stanza `program "NAME" { … }`, defaults filled in.  Members are key_command,
 * key_shell, …  Lists name instances; what else differs between those of one stanza is the name.
 */
struct program_config {
	char *name;         /* see instname.h */
	uint32_t instances; /* how many the stanza has */
	bool surge;         /* a further one, only there while the others are replaced: rollout.h */
	/* Whose strings it shares: the defaults, or of one of several the stanza.  For the load. */
	const struct program_config *model;
	const struct life_config
	    *life;        /* never NULL; the defaults' where the stanza has none of these keys */
	const char *file; /* where the stanza begins; points into the config */
	int line;
	uint32_t override_count;
	const struct program_override *overrides; /* in the order of the keys; the config's */
	uint64_t
	    hash; /* over all values of class RESTART: the run must be replaced when it differs */
	uint64_t sockets_hash; /* over the addresses of its sockets; part of the former */
	/* Sixteen bits of a hash for each key of class NEXT that is about a run (keytable_mark()):
	 * compared with those it was launched with, they say which a run does not have yet. */
	uint64_t next_marks;
	PROGRAM_KEYS(KEY_MEMBER)
};

/* One stanza `socket "NAME" { … }`, defaults filled in. */
struct socket_config {
	char *name;
	const char *file; /* where its listen is; points into the config */
	int line;
	SOCKET_KEYS(KEY_MEMBER)
};

/* One stanza `group "NAME" { members = {…} }`.  Groups in it are replaced by their members. */
struct group_config {
	char *name;
	string_list members; /* programs, ascending, each once */
};

struct settings {
	SETTING_KEYS(KEY_MEMBER)
};

/* One file as it was read. */
struct config_source {
	char *path;
	char *text;
	size_t length;
	bool ours; /* an override that superctl set --persist wrote, see dropin.h */
	bool left; /* and its program is in no file any more: it does nothing */
};

struct confstamp;

struct config {
	struct settings settings;
	struct rights rights; /* what key_control_allow means on this system */
	size_t program_count;
	struct program_config **programs; /* by name, ascending */
	size_t group_count;
	struct group_config *groups; /* by name, ascending */
	size_t socket_count;
	struct socket_config *sockets; /* by name, ascending */
	size_t source_count;
	struct config_source *sources; /* the main file first, in the order of reading */
	struct confstamp *stamp;       /* what these files looked like; NULL: they were not read */
};

/* One complaint: "file:line: key: message"; key may be NULL, line 0 where there is none. */
struct config_error {
	char *file;
	int line;
	char *key;
	char *message; /* what is wrong: what is allowed */
};

struct config_errors {
	size_t count; /* at most LIMIT_CONFIG_ERRORS; the last then says that there are more */
	struct config_error *list;
};

/*
 * Read `path` and what it includes.  Returns 0 and gives a config, or -EINVAL with at least one
 * error (also for a file that cannot be read), or -ENOMEM.  `errors` is to be zeroed before and
 * config_errors_done() after, in each case.
 */
int config_load(const char *path, struct config **ret_config, struct config_errors *errors);

/* A file that is read in place of another one, which it is to become: superctl edit. */
struct config_instead {
	const char *path; /* NULL: none; it need not exist yet */
	const char *copy;
};

/* The same of several files, as if one included them all: what one names another may have. */
int config_load_files(const char *const *paths, size_t count, const struct config_instead *instead,
    struct config **ret_config, struct config_errors *errors);
/* The same, and give what the files looked like also when they are bad (NULL: out of memory); see
 * confstamp.h. */
int config_load_stamped(const char *path, struct config **ret_config, struct config_errors *errors,
    struct confstamp **ret_stamp);

/* The same with sources beside the files, which are copied and leave no trace in the stamp; the
 * stamp is given as by config_load_stamped(). */
int config_load_beside(const char *path, const struct config_source *sources, size_t count,
    struct config **ret_config, struct config_errors *errors, struct confstamp **ret_stamp);

/* The same from an applied configuration, see config_write_applied(). */
int config_load_applied(int fd, struct config **ret_config, struct config_errors *errors);

/* The same from sources that are put together otherwise, which it takes, also when it fails. */
int config_load_sources(struct config_source *sources, size_t count, struct config **ret_config,
    struct config_errors *errors);

/* All sources as one sealed memfd (close-on-exec), for config_load_applied(). Returns 0 or -errno.
 */
int config_write_applied(const struct config *config, int *ret_fd);

/* Drop the text of the sources, which config_write_applied() has put where it is kept. */
void config_forget_text(struct config *config);

void config_free(struct config *config);
void config_errors_done(struct config_errors *errors);

/* "file:line: key: message" of one error, to be freed; NULL when out of memory. */
char *config_error_text(const struct config_error *error);

/* The program of this name, or NULL. */
const struct program_config *config_find_program(const struct config *config, const char *name);

/* What has replaced the value of this key (enum program_key) of the stanza; or NULL. */
const struct program_override *config_find_override(
    const struct program_config *program, uint32_t key);

/* Is it one of superctl run: in no file? */
bool config_is_transient(const struct program_config *program);

/* Does superctl set say it: until the next apply?  Else a file does. */
bool config_is_set(const struct program_override *override);

/* How many instances a program has; 0: there is no stanza of that name. */
uint32_t config_count_instances(const struct config *config, const char *program);

/* The group of this name, or NULL. */
const struct group_config *config_find_group(const struct config *config, const char *name);

/* The socket of this name, or NULL. */
const struct socket_config *config_find_socket(const struct config *config, const char *name);

/* The daemon's own log, in log_dir. */
#define CONFIG_OWN_LOG "supervisord.log"

/* Where a stream of a program is logged: absolute path, to be freed; NULL when out of memory. */
char *config_log_path(
    const struct config *config, const struct program_config *program, int stream);

enum change_class { CHANGE_NONE, CHANGE_LIVE, CHANGE_NEXT, CHANGE_RESTART };

/*
 * Compare two stanzas of one program key by key.  Calls `each` (may be NULL) with the name and
 * class of every key that differs; returns the strongest class.  Pure.
 */
enum change_class config_diff_program(const struct program_config *old_config,
    const struct program_config *new_config,
    void (*each)(void *context, const char *key, enum change_class change), void *context);

#endif
