# SPDX-License-Identifier: ISC
"""Every user, every method of the interface, every program: is each refused exactly when the rules say so?

    rights_matrix.py SOCKET GROUP=MEMBER,MEMBER RULE...

RULE: as in control { allow }, users and groups by number.  Decides itself what the rules mean (fnmatch of Python) and
asks the daemon in processes that have given up to be root.  A method that is new is tried without being listed here.
"""
import fnmatch
import os
import sys

from idl import Client

# What the right of a method is called, where that is not its own name in small letters.
RIGHTS = {"Graph": "status", "RotateLogs": "rotate", "ReopenLogs": "rotate", "ClearLogs": "clear",
          "Unset": "set", "Overrides": "config", "Forget": "run", "RunCommand": "run", "Watch": "logs", "Wait": "status"}
# What "all" does not give.
LIKE_ROOT = ["set", "run"]
WHOLE = ["events", "check", "plan", "apply", "run", "shutdown"]
# What a call needs beside names, to get as far as the names.
SAMPLES = {"signal": "CONT", "timeout_ms": 0, "settings": [{"key": "log_keep", "value": "3"}]}
# Would end the test.
TOO_MUCH = ["Shutdown"]
USERS = [(61001, 61001, []), (61002, 61001, []), (61003, 61003, []), (61004, 61004, [5, 61050]), (61005, 61050, []),
         (61009, 61009, [])]
PROGRAMS = ["web1", "web2", "db", "w1", "nosuch", "webnone"]


class Rules:
    def __init__(self, lines, group):
        self.rules = []
        self.group, members = group.split("=")
        self.members = members.split(",")
        for line in lines:
            who, rights, patterns = line.split(None, 2)
            kind, number = who.split(":")
            self.rules.append((kind, int(number), rights.split(","), patterns.replace(",", " ").split()))

    def about(self, user):
        uid, gid, groups = user
        for kind, number, rights, patterns in self.rules:
            if number == uid if kind == "user" else number in [gid] + groups:
                yield rights, patterns

    def allow(self, user, right, name):
        for rights, patterns in self.about(user):
            if right not in rights and ("all" not in rights or right in LIKE_ROOT):
                continue
            if name is None:
                if right not in WHOLE or "*" in patterns:
                    return True
                continue
            for pattern in patterns:
                if fnmatch.fnmatchcase(name, pattern):
                    return True
                if name in self.members and fnmatch.fnmatchcase(self.group, pattern):
                    return True
        return False


def calls_of(interface):
    """(method, parameters, right, name): name None: about no program."""
    for method, (takes, _gives) in interface.methods.items():
        right = RIGHTS.get(method, method.lower())
        fields = takes[1]
        rest = {key: SAMPLES[key] for key in fields if key in SAMPLES}
        if "wait" in fields:
            rest["wait"] = False
        if "names" not in fields and "name" not in fields:
            yield method, rest, right, None
            continue
        for name in PROGRAMS:
            what = {"names": [name]} if "names" in fields else {"name": name}
            yield method, dict(rest, **what), right, name


def ask_all(path, rules, user):
    """In a process of the user's.  Returns what is wrong."""
    uid, gid, groups = user
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    wrong, count = [], 0
    interface = Client(path).interfaces["io.superctl"]
    for method, parameters, right, name in calls_of(interface):
        if method == "Version":
            may = any(True for _ in rules.about(user))
        else:
            may = rules.allow(user, right, name)
        if may and method in TOO_MUCH:
            continue
        client = Client(path)  # calls about logs take the connection
        reply = client.call("io.superctl." + method, parameters)
        client.close()
        error = reply.get("error")
        count += 1
        if (error == "io.superctl.NotAllowed") == may:
            wrong.append("uid %d %s %s: %s, and %s" % (uid, method, parameters, "may" if may else "may not", reply))
        elif not may and reply["parameters"].get("name") not in (name, None):
            wrong.append("uid %d %s %s: refused with another name: %s" % (uid, method, parameters, reply))
        elif not may and reply["parameters"]["uid"] != uid:
            wrong.append("uid %d is called %s" % (uid, reply))
        elif may and name is not None and method != "RunCommand" and (error == "io.superctl.NoSuchProgram") != (name in ("nosuch", "webnone")):
            wrong.append("uid %d %s %s: %s" % (uid, method, parameters, reply))
        if "nearest" in reply.get("parameters", {}):
            near = reply["parameters"]["nearest"]
            if near is not None and not rules.allow(user, "status", near):
                wrong.append("uid %d is told of %s" % (uid, near))
    if count < 14:
        wrong.append("only %d calls" % count)
    seen = Client(path).call("io.superctl.Status", {"names": []})
    wanted = [n for n in PROGRAMS[:4] if rules.allow(user, "status", n)]
    if "error" in seen:
        if wanted or any("status" in rights or "all" in rights for rights, _ in rules.about(user)):
            wrong.append("uid %d: status is refused: %s" % (uid, seen))
    elif sorted(p["name"] for p in seen["parameters"]["programs"]) != sorted(wanted):
        wrong.append("uid %d sees %s, not %s" % (uid, [p["name"] for p in seen["parameters"]["programs"]], wanted))
    return wrong


def main():
    path, group, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
    rules, failed = Rules(lines, group), False
    for user in USERS:
        pid = os.fork()
        if pid == 0:
            wrong = ask_all(path, rules, user)
            print("\n".join(wrong))
            sys.stdout.flush()
            os._exit(1 if wrong else 0)
        failed = os.waitpid(pid, 0)[1] != 0 or failed
    sys.exit(1 if failed else 0)


main()
