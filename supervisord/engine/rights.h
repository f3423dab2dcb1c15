/* SPDX-License-Identifier: ISC */
/*
 * rights.h: who may do what over the control socket, as a pure decision.
 *
 * A rule is a line of control { allow }: "user:alice status,logs web*".  It gives a user, or all
 * who are in a group, some rights over what its patterns name.  Rules only give: what no rule gives
 * is refused, and root and the daemon's own user need none.  Names of users are numbers here, and
 * who asks has been found out already; access.h does both.
 */
#ifndef ENGINE_RIGHTS_H
#define ENGINE_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* clang-format off */
/*
 * X(NAME, word, whole): the words are superctl's.  `whole` ones are about the daemon and not about
 * programs: the rule that gives one has the pattern "*".
 */
#define RIGHTS(X) \
	X(STATUS, "status", false) X(LOGS, "logs", false) X(CONFIG, "config", false) X(DOCTOR, "doctor", false) X(ATTACH, "attach", false) X(WHY, "why", false) \
	X(RUNS, "runs", false) X(BLAME, "blame", false) X(SEND, "send", false) X(MESSAGES, "messages", false) X(START, "start", false) \
	X(STOP, "stop", false) X(RESTART, "restart", false) X(RELOAD, "reload", false) \
	X(SIGNAL, "signal", false) X(SET, "set", false) X(ENABLE, "enable", false) X(ROTATE, "rotate", false) X(CLEAR, "clear", false) \
	X(EVENTS, "events", true) X(CHECK, "check", true) X(PLAN, "plan", true) X(RUN, "run", true) X(APPLY, "apply", true) \
	X(SHUTDOWN, "shutdown", true)

#define RIGHT_ENUM(name, word, whole) RIGHT_##name,
enum right {
	RIGHT_UNSET, /* nobody's: a method that was forgotten is closed */
	RIGHT_OPEN,  /* everybody's who can connect: what Varlink itself asks */
	RIGHT_ANY,   /* of those whom some rule is about */
	RIGHTS(RIGHT_ENUM)
	RIGHT_COUNT
};
#undef RIGHT_ENUM
/* clang-format on */

struct right_rule {
	bool is_group;
	bool lost;       /* its user or group does not exist any more: it is about nobody */
	uint32_t id;     /* uid or gid, once it was looked up */
	uint64_t rights; /* bit 1 << enum right */
	char *who;       /* "alice"; the one allocation of the rule */
	size_t count;
	const char **patterns; /* names and globs, of programs and of groups */
};

struct rights {
	size_t count;
	struct right_rule *list;
};

/* Who asks.  `master`: root or the daemon's own user. */
struct rights_peer {
	bool master;
	uid_t uid;
	gid_t gid;
	size_t group_count;
	const gid_t *groups;
};

/*
 * Read one rule.  Returns 0; -EINVAL and a text "what is wrong: what is allowed", to be freed;
 * -ENOMEM.  Looks nobody up.
 */
int rights_parse(const char *text, struct right_rule *ret_rule, char **ret_problem);
void rights_done_rule(struct right_rule *rule);
void rights_done(struct rights *rights);

/* Does some rule give the peer this right over a thing of this name? */
bool rights_covers(const struct rights *rights, const struct rights_peer *peer, enum right right,
    const char *name);

/* Over anything at all?  RIGHT_OPEN and RIGHT_ANY are decided here, and the whole ones. */
bool rights_has(const struct rights *rights, const struct rights_peer *peer, enum right right);

/* Is it about the daemon, and not about programs? */
bool rights_is_whole(enum right right);

/* Its word; NULL for those that no rule can give. */
const char *rights_name(enum right right);

/* Are there rules about groups: does the peer's membership matter? */
bool rights_need_groups(const struct rights *rights);

#endif
