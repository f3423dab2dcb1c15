# SPDX-License-Identifier: ISC
"""Checks of the control socket, byte by byte: api_raw.py SOCKET CHECK [ARGUMENT...].  Exits 1 and says what is wrong."""
import json
import os
import select
import socket
import sys
import time

from idl import Client, Connection

PATH = sys.argv[1]
OURS, VARLINK = "io.superctl.", "org.varlink.service."
# A reply that should come at once has come by then.
PATIENCE = 60
LIMIT = 1024 * 1024
DEPTH = 32


def raw(data=b""):
    connection = Connection(PATH, PATIENCE)
    try:
        connection.socket.sendall(data)
    except BrokenPipeError:
        pass  # turned away: there is something to read
    return connection


def expect(what, got, wanted):
    if got != wanted:
        sys.exit("%s: %r, not %r" % (what, got, wanted))


def expect_closed(what, data):
    """The daemon ends a connection on which this comes, without a word, and serves others."""
    connection = Connection(PATH, PATIENCE)
    try:
        connection.socket.sendall(data)
        got = connection.socket.recv(65536)
    except (ConnectionResetError, BrokenPipeError):
        got = b""
    expect(what, got, b"")
    alive()


def alive():
    expect("Version", "parameters" in Client(PATH).call(OURS + "Version"), True)


def call(method, parameters=None, **flags):
    return json.dumps(dict(flags, method=method, parameters=parameters or {})).encode() + b"\0"


def sample(interface, what, name):
    """A value of the type; `name` for what may be a program."""
    kind, of = what
    if kind == "named":
        return sample(interface, interface.types[of], name)
    if kind == "array":
        return [name]
    if kind in ("struct", "map"):
        return {}
    return {"bool": False, "int": 1, "float": 1, "string": name, "object": {}}.get(of)


# The test would end here.
TOO_MUCH = ["Shutdown"]
# Of what a program's name is no example.
SAMPLES = {"signal": "CONT", "since": "2026-01-01T00:00:00Z", "from": "x", "timeout_ms": 60000}
MORE = ["Logs", "Start", "Stop", "Restart", "Reload", "Apply", "Status", "Version", "Check", "Doctor"]


def check_types():
    """Each method, with each parameter: what comes back is what the interface says."""
    client = Client(PATH)
    interface = client.interfaces["io.superctl"]
    seen = set()
    for method, (takes, _gives) in sorted(interface.methods.items()):
        if method in TOO_MUCH:
            continue
        for name in ("web", "nosuch", "all", "we*", "supervisord"):
            needed = {k: SAMPLES.get(k, sample(interface, t, name)) for k, t in takes[1].items() if t[0] != "maybe"}
            for extra in [None] + [k for k, t in takes[1].items() if t[0] == "maybe"]:
                parameters = dict(needed)
                if extra is not None:
                    parameters[extra] = SAMPLES.get(extra, sample(interface, takes[1][extra][1], name))
                client = Client(PATH)  # some calls take the connection with them
                seen.add(client.call(OURS + method, parameters).get("error"))
                client.close()
            if method in MORE:
                client = Client(PATH)
                for reply in client.call_more(OURS + method, needed):
                    seen.add(reply.get("error"))
                client.close()
        for key, of in takes[1].items():
            client = Client(PATH)
            wrong = 7 if sample(interface, of[1] if of[0] == "maybe" else of, "x") in ("x", ["x"], False) else "x"
            reply = client.call(OURS + method, {key: wrong})
            expect("%s with a wrong %s" % (method, key), reply.get("error"), VARLINK + "InvalidParameter")
            expect("it is one of its own", reply["parameters"]["parameter"] in takes[1], True)
            client.close()
        client = Client(PATH)
        reply = client.call(OURS + method, {"no_such_parameter": 1})
        expect(method, reply.get("error"), VARLINK + "InvalidParameter")
        expect(method, reply["parameters"]["parameter"], "no_such_parameter")
        client.close()
    for error in (None, OURS + "NoSuchProgram", VARLINK + "InvalidParameter"):
        expect("%s was among the replies" % error, error in seen, True)


def check_description(path):
    client = Client(PATH)
    reply = client.call(VARLINK + "GetInterfaceDescription", {"interface": "io.superctl"})
    with open(path, encoding="utf-8") as file:
        expect("is the file", reply["parameters"]["description"] == file.read(), True)
    reply = client.call(VARLINK + "GetInfo")
    expect("interfaces", reply["parameters"]["interfaces"], ["org.varlink.service", "io.superctl"])


def check_errors():
    client = Client(PATH)
    for method, parameters, error, details in [
        ("GetInfo", {}, "MethodNotFound", {"method": "GetInfo"}),
        (OURS + "Nothing", {}, "MethodNotFound", {"method": OURS + "Nothing"}),
        (OURS, {}, "MethodNotFound", {"method": OURS}),
        (VARLINK + "Nothing", {}, "MethodNotFound", {"method": VARLINK + "Nothing"}),
        ("org.example.service.Do", {}, "InterfaceNotFound", {"interface": "org.example.service"}),
        (VARLINK + "GetInterfaceDescription", {"interface": "a.b"}, "InterfaceNotFound", {"interface": "a.b"}),
        (VARLINK + "GetInterfaceDescription", {}, "InvalidParameter", {"parameter": "interface"}),
        (OURS + "Start", {}, "InvalidParameter", {"parameter": "names"}),
        (OURS + "Start", {"names": []}, "InvalidParameter", {"parameter": "names"}),
        (OURS + "Start", {"names": ["web", 1]}, "InvalidParameter", {"parameter": "names"}),
        (OURS + "Start", {"names": ["x"] * 1025}, "InvalidParameter", {"parameter": "names"}),
        (OURS + "Signal", {"names": ["web"], "signal": "HUPP"}, "InvalidParameter", {"parameter": "signal"}),
        (OURS + "Stop", {"names": ["web"], "timeout_ms": -1}, "InvalidParameter", {"parameter": "timeout_ms"}),
        (OURS + "Logs", {"name": "web", "follow": True}, "ExpectedMore", {}),
    ]:
        reply = client.call(method, parameters) if "." in method[:-1] and method.startswith((OURS + "S", OURS + "L")) \
            else ask(client, method, parameters)
        expect(method, reply, {"error": VARLINK + error, "parameters": details})
    # What a newer client says it does not want.
    expect("null", "error" in client.call(OURS + "Status", {"names": ["web"], "newer": None}), False)
    expect("null", ask(client, OURS + "Logs", {"name": "web", "newer": None}).get("error"), None)


def ask(client, method, parameters):
    client.send(method, parameters)
    return client.receive()


def check_oneway(go):
    """Nothing at all comes back, whatever becomes of it.  The stop of slow ends when there is the file `go`."""
    for method, parameters in [("Version", {}), ("Nothing", {}), ("Start", {"names": 7}), ("Stop", {"names": ["nosuch"]}),
                               ("Logs", {"name": "web"}), ("Logs", {"name": "nosuch"}), ("RotateLogs", {"name": "web"}),
                               ("Attach", {"name": "web"}), ("Doctor", {})]:
        connection = raw(call(OURS + method, parameters, oneway=True) + call(OURS + "Status", {"names": ["web"]}))
        reply = connection.receive()
        expect(method, [p["name"] for p in reply["parameters"]["programs"]], ["web"])
        connection.close()
    raw(call(OURS + "Start", {"names": ["slow"]})).receive()
    os.unlink(go)
    # A stop that takes its time, of which nobody is told, keeps nobody waiting.
    connection = raw(call(OURS + "Stop", {"names": ["slow"]}, oneway=True) + call(OURS + "Status", {"names": ["slow"]}))
    reply = connection.receive()
    expect("state", reply["parameters"]["programs"][0]["state"], "STOPPING")
    touch(go)
    state(["STOPPED"])


def check_order(count):
    """As many calls as one likes, in one go: each is answered, in order, however the bytes come."""
    names = ["web", "slow", "idle"]
    count = int(count)
    data = b"".join(call(OURS + "Status", {"names": [names[i % 3]]}) for i in range(count))
    connection = Connection(PATH, PATIENCE)
    connection.socket.setblocking(False)
    sent = got = 0
    while got < count:
        readable, writable, _ = select.select([connection.socket], [connection.socket] if sent < len(data) else [], [],
                                              PATIENCE)
        if not readable and not writable:
            sys.exit("stuck after %d of %d replies" % (got, count))
        if writable:
            sent += connection.socket.send(data[sent : sent + 100000])
        if readable:
            connection.bytes += connection.socket.recv(1 << 20)
            while b"\0" in connection.bytes:
                reply = connection.receive()
                expect("reply %d" % got, reply["parameters"]["programs"][0]["name"], names[got % 3])
                got += 1
    connection.close()
    connection = Connection(PATH, PATIENCE)
    for byte in call(OURS + "Status", {"names": ["idle"]}) + call(OURS + "Version"):
        connection.socket.sendall(bytes([byte]))
    expect("first", connection.receive()["parameters"]["programs"][0]["name"], "idle")
    expect("second", "version" in connection.receive()["parameters"], True)


def check_deaf(pid, count):
    """Who does not read is not answered more than it can take, costs no memory, and gets all of it in the end."""
    count = int(count)
    connection = Connection(PATH, PATIENCE)
    connection.socket.setblocking(False)
    data = call(OURS + "Config", {"names": [], "all": True}) * count
    sent, idle_since = 0, time.monotonic()
    while sent < len(data) and time.monotonic() - idle_since < 1:
        try:
            sent += connection.socket.send(data[sent:])
            idle_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    alive()
    rss = memory(pid)
    if rss > 64 * 1024:
        sys.exit("the engine has %d KB" % rss)
    connection.socket.setblocking(True)
    connection.socket.settimeout(PATIENCE)
    connection.socket.shutdown(socket.SHUT_WR)
    whole = sent // (len(data) // count)
    for i in range(whole):
        if connection.receive() is None:
            sys.exit("ended after %d of %d" % (i, whole))
    expect("the end", connection.receive(), None)


def memory(pid):
    with open("/proc/%s/status" % pid, encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def check_limits():
    padded = call(OURS + "Status", {"names": ["web"]})[:-1]
    longest = padded + b" " * (LIMIT - len(padded)) + b"\0"
    expect("the longest", "parameters" in raw(longest).receive(), True)
    expect_closed("longer", longest[:-1] + b" \0")
    expect_closed("longer, without end", b"x" * (LIMIT + 2))

    def nested(depth):  # the call and its parameters are two of the levels
        inner = b"[" * (depth - 2) + b"]" * (depth - 2)
        return b'{"method":"' + OURS.encode() + b'Status","parameters":{"names":' + inner + b"}}\0"

    expect("the deepest", raw(nested(DEPTH)).receive()["error"], VARLINK + "InvalidParameter")
    expect_closed("deeper", nested(DEPTH + 1))
    expect_closed("much deeper", b"[" * 500000 + b"\0")
    expect_closed("much deeper objects", b'{"a":' * 150000 + b"\0")
    for data in (b"\0", b"x\0", b"null\0", b"[]\0", b"{}\0", b'{"method":1}\0', b'{"method":"a.b","parameters":[]}\0',
                 b'{"method":"a.b","method":"a.c"}\0', b'{"method":"a.b"}x\0', b'{"method":"\xff\xfe"}\0',
                 b'{"method":"a.b\\u0000c"}\0', b'{"method":"a.b"\n', b"\xef\xbb\xbf{}\0"):
        if data.endswith(b"\0"):
            expect_closed(repr(data), data)
        else:  # its end may yet come
            raw(data).close()
            alive()


def check_gone():
    """Who asks and goes cancels nothing and holds nothing up."""
    connection = raw(call(OURS + "Start", {"names": ["slow"]}))
    connection.receive()
    connection.socket.sendall(call(OURS + "Stop", {"names": ["slow"]}))
    state(["STOPPING", "STOPPED"])
    connection.close()
    state(["STOPPED"])
    # Half of it: no more calls, but somebody reads.
    connection = raw(call(OURS + "Start", {"names": ["slow"]}))
    connection.socket.shutdown(socket.SHUT_WR)
    expect("ok", connection.receive()["parameters"]["results"][0]["ok"], True)
    expect("the end", connection.receive(), None)
    # In the middle of a message, and of a reply.
    raw(call(OURS + "Stop", {"names": ["slow"]})[:-5]).close()
    for _ in range(50):
        raw(call(OURS + "Config", {"names": [], "all": True})).close()
    expect("state", state(None), "RUNNING")


def check_slow(go):
    """A stop that takes its time delays only what follows on its own connection."""
    raw(call(OURS + "Start", {"names": ["slow"]})).receive()
    os.unlink(go)
    first = raw(call(OURS + "Stop", {"names": ["slow"]}) + call(OURS + "Status", {"names": ["slow"]}))
    while state(None) == "RUNNING":
        pass
    for _ in range(20):
        expect("another client", Client(PATH).call(OURS + "Restart", {"names": ["web"], "wait": False}).get("error"), None)
    expect("state meanwhile", state(None), "STOPPING")
    touch(go)
    expect("first", first.receive()["parameters"]["results"][0]["ok"], True)
    expect("then", first.receive()["parameters"]["programs"][0]["state"], "STOPPED")


def touch(path):
    with open(path, "w", encoding="ascii"):
        pass


def state(wanted):
    deadline = time.monotonic() + PATIENCE
    while True:
        now = Client(PATH).call(OURS + "Status", {"names": ["slow"]})["parameters"]["programs"][0]["state"]
        if wanted is None or now in wanted:
            return now
        if time.monotonic() > deadline:
            sys.exit("slow is %s, not %s" % (now, wanted))


def fill(connections, most):
    """Until one is turned away: what it was told."""
    while len(connections) < most:
        connection = raw(call(VARLINK + "GetInfo"))
        reply = connection.receive()
        if "error" in reply:
            try:
                expect("the end", connection.receive(), None)
            except ConnectionResetError:
                pass  # what was sent is not read
            return reply
        connections.append(connection)
    return None


def check_crowd():
    connections = []
    reply = fill(connections, 300)
    expect("refused", reply, {"error": OURS + "Busy", "parameters": {"reason": "too many connections"}})
    expect("connections", len(connections), 256)
    connections.pop().close()
    wait_for_place()
    for connection in connections:
        connection.close()
    wait_for_place()


def wait_for_place():
    deadline = time.monotonic() + PATIENCE
    while "error" in raw(call(VARLINK + "GetInfo")).receive():
        if time.monotonic() > deadline:
            sys.exit("no place")


def check_crowd_of_users():
    """One user cannot keep others out, nor all of them root.  As root."""
    children = []
    for uid, wanted, reason in [(61001, 64, "too many connections of this user"),
                                (61002, 64, "too many connections of this user"),
                                (61003, 64, "too many connections of this user"),
                                (61004, 32, "too many connections")]:
        ready, done = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(done[1])
            os.close(ready[0])
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            connections = []
            reply = fill(connections, 300)
            good = len(connections) == wanted and reply["parameters"]["reason"] == reason
            os.write(ready[1], b"y" if good else ("uid %d: %d, %s" % (uid, len(connections), reply)).encode())
            os.read(done[0], 1)
            os._exit(0)
        children.append(done[1])
        os.close(done[0])
        os.close(ready[1])
        answer = os.read(ready[0], 1000)
        expect("as uid %d" % uid, answer, b"y")
    alive()
    mine = []
    fill(mine, 300)
    expect("of root", len(mine), 32)


def check_readers_of_users():
    """Nor can they of the logs.  As root."""
    ready, done = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(done[1])
        os.close(ready[0])
        os.setgroups([])
        os.setresgid(61001, 61001, 61001)
        os.setresuid(61001, 61001, 61001)
        readers = []
        while True:
            reader = raw(call(OURS + "Logs", {"name": "talker", "follow": True}, more=True))
            reply = reader.receive()
            if "error" in reply or len(readers) == 100:
                break
            readers.append(reader)
        os.write(ready[1], ("%d %s" % (len(readers), reply.get("error"))).encode())
        os.read(done[0], 1)
        os._exit(0)
    os.close(done[0])
    os.close(ready[1])
    expect("readers", os.read(ready[0], 1000), b"32 io.superctl.Busy")
    reply = raw(call(OURS + "Logs", {"name": "talker", "follow": True}, more=True)).receive()
    expect("of root", reply.get("error"), None)


globals()["check_" + sys.argv[2]](*sys.argv[3:])
