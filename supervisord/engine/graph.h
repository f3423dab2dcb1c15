/* SPDX-License-Identifier: ISC */
/* graph.h: the method Graph of io.superctl: which program depends on which, as links.h knows it. */
#ifndef ENGINE_GRAPH_H
#define ENGINE_GRAPH_H

struct call;

void graph_show(struct call *call);

#endif
