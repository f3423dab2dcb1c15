# SPDX-License-Identifier: ISC
"""A second, independent Varlink client for the tests: reads the interface text that the service hands out, and holds
every reply against the types that are declared there.

Written from https://varlink.org/Interface-Definition and /Method-Call alone; it shares nothing with the engine.
"""
import json
import re
import socket

SIMPLE = {"bool": bool, "int": int, "float": (int, float), "string": str, "object": dict}
TOKEN = re.compile(r"\s+|#[^\n]*|([A-Za-z][A-Za-z0-9_.-]*|->|\[\]|\[string\]|[?(),:])")


class Mismatch(Exception):
    """A value that is not what the interface says."""


class Interface:
    """types, methods and errors by name.  A type is ("simple", n), ("named", n), ("maybe", t), ("array", t), ("map", t),
    ("struct", {field: t}) or ("enum", [names])."""

    def __init__(self, text):
        self.tokens = self._split(text)
        self.types, self.methods, self.errors = {}, {}, {}
        self._expect("interface")
        self.name = self._next()
        if not re.fullmatch(r"[A-Za-z](-*[A-Za-z0-9])*(\.[A-Za-z0-9](-*[A-Za-z0-9])*)+", self.name):
            raise Mismatch("no name of an interface: " + self.name)
        while self.tokens:
            self._member()
        for kind in (self.types, self.errors):
            for where, what in kind.items():
                self._resolve(what, where)
        for where, (takes, gives) in self.methods.items():
            self._resolve(takes, where)
            self._resolve(gives, where)

    @staticmethod
    def _split(text):
        tokens, at = [], 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise Mismatch("cannot be read: " + text[at : at + 30])
            if match.group(1):
                tokens.append(match.group(1))
            at = match.end()
        return tokens

    def _next(self):
        if not self.tokens:
            raise Mismatch("the text ends too early")
        return self.tokens.pop(0)

    def _expect(self, token):
        got = self._next()
        if got != token:
            raise Mismatch("%s instead of %s" % (got, token))

    def _member(self):
        kind, name = self._next(), self._next()
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            raise Mismatch("no name of a member: " + name)
        if name in self.types or name in self.methods or name in self.errors:
            raise Mismatch("twice: " + name)
        if kind == "type":
            self.types[name] = self._struct()
        elif kind == "error":
            self.errors[name] = self._struct()
        elif kind == "method":
            takes = self._struct()
            self._expect("->")
            self.methods[name] = (takes, self._struct())
        else:
            raise Mismatch("neither type, method nor error: " + kind)

    def _struct(self):
        fields, names = {}, []
        self._expect("(")
        while self.tokens[0] != ")":
            name = self._next()
            if not re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", name):
                raise Mismatch("no name of a field: " + name)
            if name in fields or name in names:
                raise Mismatch("twice: " + name)
            if self.tokens[0] == ":":
                self._next()
                fields[name] = self._type()
            else:
                names.append(name)
            if self.tokens[0] != ")":
                self._expect(",")
        self._expect(")")
        if fields and names:
            raise Mismatch("neither struct nor enum: %s %s" % (list(fields), names))
        return ("enum", names) if names else ("struct", fields)

    def _type(self):
        token = self.tokens[0]
        if token == "(":
            return self._struct()
        self._next()
        if token == "?":
            if self.tokens[0] == "?":
                raise Mismatch("? of ?")
            return ("maybe", self._type())
        if token == "[]":
            return ("array", self._type())
        if token == "[string]":
            return ("map", self._type())
        return ("simple", token) if token in SIMPLE else ("named", token)

    def _resolve(self, what, where):
        kind, of = what
        if kind == "named" and of not in self.types:
            raise Mismatch("%s: there is no type %s" % (where, of))
        if kind in ("maybe", "array", "map"):
            self._resolve(of, where)
        if kind == "struct":
            for name, each in of.items():
                self._resolve(each, where + "." + name)

    def check(self, value, what, where):
        """That the value is of the type; raises Mismatch."""
        kind, of = what
        if kind == "maybe":
            if value is not None:
                self.check(value, of, where)
        elif kind == "named":
            self.check(value, self.types[of], where)
        elif kind == "simple":
            # A bool is an int in Python, and nowhere else.
            if not isinstance(value, SIMPLE[of]) or (isinstance(value, bool) and of != "bool"):
                raise Mismatch("%s: %r is no %s" % (where, value, of))
        elif kind == "enum":
            if value not in of:
                raise Mismatch("%s: %r is none of %s" % (where, value, of))
        elif kind == "array":
            if not isinstance(value, list):
                raise Mismatch("%s: %r is no array" % (where, value))
            for i, each in enumerate(value):
                self.check(each, of, "%s[%d]" % (where, i))
        else:
            if not isinstance(value, dict):
                raise Mismatch("%s: %r is no object" % (where, value))
            if kind == "map":
                for key, each in value.items():
                    self.check(each, of, "%s[%s]" % (where, key))
                return
            for key in value:
                if key not in of:
                    raise Mismatch("%s: there is no field %s" % (where, key))
            for key, each in of.items():
                if key in value or each[0] != "maybe":
                    if key not in value:
                        raise Mismatch("%s: %s is missing" % (where, key))
                    self.check(value[key], each, where + "." + key)


class Connection:
    """Frames, and nothing else."""

    def __init__(self, path, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.bytes = b""

    def close(self):
        self.socket.close()

    def send(self, method, parameters=None, **flags):
        call = dict(flags, method=method)
        if parameters is not None:
            call["parameters"] = parameters
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        """The next message; None: the connection has ended."""
        while b"\0" not in self.bytes:
            block = self.socket.recv(65536)
            if not block:
                if self.bytes:
                    raise Mismatch("cut off: %r" % self.bytes)
                return None
            self.bytes += block
        message, self.bytes = self.bytes.split(b"\0", 1)
        reply = json.loads(message.decode("utf-8"))
        if not isinstance(reply, dict) or set(reply) - {"parameters", "continues", "error"}:
            raise Mismatch("no reply: %r" % message)
        return reply


class Client(Connection):
    """Knows the interfaces of the service; each reply is checked against them."""

    def __init__(self, path, timeout=60):
        super().__init__(path, timeout)
        self.interfaces = {}
        self.send("org.varlink.service.GetInfo", {})
        for name in self.receive()["parameters"]["interfaces"]:
            self.send("org.varlink.service.GetInterfaceDescription", {"interface": name})
            text = self.receive()["parameters"]["description"]
            self.interfaces[name] = Interface(text)
            if self.interfaces[name].name != name:
                raise Mismatch("%s describes %s" % (name, self.interfaces[name].name))

    def check(self, method, reply):
        """Returns the reply."""
        interface, name = method.rsplit(".", 1)
        error = reply.get("error")
        if error is None:
            gives = self.interfaces[interface].methods[name][1]
            self.interfaces[interface].check(reply.get("parameters", {}), gives, method)
            return reply
        if "continues" in reply:
            raise Mismatch("%s goes on after an error" % method)
        interface, name = error.rsplit(".", 1)
        if interface not in self.interfaces or name not in self.interfaces[interface].errors:
            raise Mismatch("%s: %s is declared nowhere" % (method, error))
        what = self.interfaces[interface].errors[name]
        self.interfaces[interface].check(reply.get("parameters", {}), what, error)
        return reply

    def call(self, method, parameters=None):
        """One call and its one reply."""
        self.send(method, parameters)
        reply = self.receive()
        if reply is None:
            raise Mismatch(method + ": no reply")
        if reply.get("continues"):
            raise Mismatch(method + ": goes on unasked")
        return self.check(method, reply)

    def call_more(self, method, parameters=None):
        """All replies of a call with `more`."""
        self.send(method, parameters, more=True)
        replies = []
        while True:
            reply = self.receive()
            if reply is None:
                raise Mismatch(method + ": no last reply")
            replies.append(self.check(method, reply))
            if not reply.get("continues"):
                return replies
