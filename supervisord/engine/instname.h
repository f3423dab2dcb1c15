/* SPDX-License-Identifier: ISC */
/*
 * instname.h: names of instances.  The only instance of program web is called "web", of several the
 * third is "web@3"; no stanza has a '@' in its name.  Pure.
 *
 * When the number of instances changes from one to more or back, the first one goes on running and
 * is called otherwise: "web" and "web@1" are two names of one thing, and never both in use.
 */
#ifndef ENGINE_INSTNAME_H
#define ENGINE_INSTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

/* Bytes of a number in a name, with the NUL. */
#define INSTNAME_NUMBER 12

/* "web@3" in its parts, for %{program} and %{instance}; "1" where the name has none. */
struct instname {
	char program[LIMIT_NAME];
	char number[INSTNAME_NUMBER];
};

void instname_split(const char *name, struct instname *ret_parts);

/* The bytes of the program's name in it. */
size_t instname_program_length(const char *name);

/* The number, 1 where the name has none. */
uint32_t instname_number(const char *name);

/* Is this an instance of that program? */
bool instname_is_of(const char *name, const char *program);

/* Does `text`, a name as a person writes it ("web", "web@3"), mean that instance? */
bool instname_is_meant(const char *name, const char *text);

/* The other name of a first instance.  False: it is not one, or the other name is too long. */
bool instname_other(const char *name, char ret_other[LIMIT_NAME]);

/* Bytes of what stays the same under both names, for what cannot be called otherwise while it
 * exists. */
size_t instname_stable_length(const char *name);

/* Behind the name of a program: the filter of its log (conffilter.c).  No stanza has a '+'.  That
 * of "web@3" is "web+filter@3". */
#define INSTNAME_FILTER "+filter"
void instname_of_filter(const char *owner, char ret_name[LIMIT_NAME]);

/* Likewise the relay of its terminal (conftty.c); and back: false, it is none. */
#define INSTNAME_TTY "+tty"
void instname_of_tty(const char *owner, char ret_name[LIMIT_NAME]);
bool instname_owner_of_tty(const char *name, char ret_owner[LIMIT_NAME]);

/* "NAME@3" as a person may write it, of `length` bytes: gives the bytes of NAME and the number, 0:
 * none is there.  -EINVAL: what stands behind the '@' is no number of an instance. */
int instname_parse(
    const char *text, size_t length, size_t *ret_program_length, uint32_t *ret_number);

#endif
