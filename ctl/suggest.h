/* SPDX-License-Identifier: ISC */
/* suggest.h: supervisorctl's words in ours.  Pure. */
#ifndef CTL_SUGGEST_H
#define CTL_SUGGEST_H

/* What to say to a word of supervisorctl's that superctl has another word for, or NULL. */
const char *suggest_translate(const char *verb);

#endif
