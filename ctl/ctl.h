/* SPDX-License-Identifier: ISC */
/*
 * ctl.h: what one run of superctl knows, made in main() and handed to the verb.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "ctl/exitcode.h"
#include "ctl/options.h"
#include "ctl/out.h"

struct verb;

struct ctl {
	struct options options;
	const struct verb *verb;
	struct out out; /* stdout */
	struct out err; /* stderr */
	bool several_hosts; /* this is one of them: nobody answers questions of ssh */
	/* Of who has signals blocked: readable when the person has had enough; 0: none. */
	int enough_fd;
};

/* One line "superctl: ..." on stderr, at once.  The arguments are sanitised as a whole. */
void ctl_complain(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The verbs, one function each. */
enum exitcode ctl_start(struct ctl *ctl); /* command.c */
enum exitcode ctl_stop(struct ctl *ctl);
enum exitcode ctl_restart(struct ctl *ctl);
enum exitcode ctl_reload(struct ctl *ctl);
enum exitcode ctl_signal(struct ctl *ctl);
enum exitcode ctl_status(struct ctl *ctl); /* status.c */
enum exitcode ctl_attach(struct ctl *ctl); /* attach.c */
enum exitcode ctl_send(struct ctl *ctl);   /* message.c */
enum exitcode ctl_messages(struct ctl *ctl);
enum exitcode ctl_doctor(struct ctl *ctl); /* doctor.c */
enum exitcode ctl_graph(struct ctl *ctl);  /* graph.c */
enum exitcode ctl_why(struct ctl *ctl);    /* why.c */
enum exitcode ctl_blame(struct ctl *ctl);  /* blame.c */
enum exitcode ctl_runs(struct ctl *ctl);   /* runs.c */
enum exitcode ctl_events(struct ctl *ctl); /* events.c */
enum exitcode ctl_logs(struct ctl *ctl);   /* logs.c */
enum exitcode ctl_plan(struct ctl *ctl);   /* plan.c */
enum exitcode ctl_scale(struct ctl *ctl);  /* scale.c */
enum exitcode ctl_set(struct ctl *ctl);    /* set.c */
enum exitcode ctl_unset(struct ctl *ctl);
enum exitcode ctl_run(struct ctl *ctl);    /* run.c */
enum exitcode ctl_forget(struct ctl *ctl); /* set.c */
enum exitcode ctl_enable(struct ctl *ctl); /* enable.c */
enum exitcode ctl_disable(struct ctl *ctl);
enum exitcode ctl_apply(struct ctl *ctl);  /* apply.c */
enum exitcode ctl_check(struct ctl *ctl);
enum exitcode ctl_edit(struct ctl *ctl);     /* edit.c */
enum exitcode ctl_config(struct ctl *ctl);   /* config.c */
enum exitcode ctl_top(struct ctl *ctl);      /* top.c */
enum exitcode ctl_bridge(struct ctl *ctl);   /* bridge.c */
enum exitcode ctl_complete(struct ctl *ctl); /* complete.c */
enum exitcode ctl_version(struct ctl *ctl);  /* daemon.c */
enum exitcode ctl_shutdown(struct ctl *ctl);
enum exitcode ctl_help(struct ctl *ctl); /* verbs.c */

#endif
