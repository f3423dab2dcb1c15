# SPDX-License-Identifier: ISC
"""Malformed messages for a live daemon: api_malformed.py SOCKET COUNT [SEED].

Calls of every method that the interface has, with something wrong: bytes changed, cut out or doubled, values of another
type, too many, too deep, flags where none belong.  What is still JSON goes by many on one connection, as it should be
answered; what is not ends it.  Every reply must be one.  Never what would stop the daemon.
"""
import json
import random
import socket
import sys

from idl import Client

PATH, COUNT = sys.argv[1], int(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
RANDOM = random.Random(SEED)
NOT_THESE = ["Shutdown"]
VALUES = [None, True, False, 0, -1, 1, 10**18, -(10**18), 1.5, 1e300, "", "web", "all", "*", "[", "web*", "\0", "\ud83d\ude00",
          "x" * 5000, "TERM", "2026-01-01T00:00:00Z", [], ["web"], ["nosuch"], [[]], ["web"] * 1025, [1], [None], {}, {"a": 1}]
BATCH = 64


def main():
    print("seed %d" % SEED)
    interface = Client(PATH).interfaces["io.superctl"]
    methods = {m: list(takes[1]) for m, (takes, _gives) in interface.methods.items() if m not in NOT_THESE}
    sent = 0
    while sent < COUNT:
        if RANDOM.random() < 0.5:
            sent += send_calls([wrong_call(methods) for _ in range(BATCH)])
        else:
            sent += send_bytes(wrong_bytes(methods))
        if sent % 4096 < BATCH:
            Client(PATH).call("io.superctl.Version")
    Client(PATH).call("io.superctl.Version")
    print("%d messages" % sent)


def a_call(methods):
    method = RANDOM.choice(list(methods))
    names = methods[method] + ["more", "oneway", "nonsense"]
    parameters = {name: RANDOM.choice(VALUES) for name in RANDOM.sample(names, RANDOM.randrange(min(4, len(names) + 1)))}
    return {"method": "io.superctl." + method, "parameters": parameters}


def wrong_call(methods):
    call = a_call(methods)
    # Nothing that waits, so that the next one has its turn.
    call["parameters"]["wait" if "wait" in methods[call["method"].split(".")[-1]] else "none"] = \
        RANDOM.choice([False, False, False, 1, "x"])
    kind = RANDOM.randrange(8)
    if kind == 0:
        call["method"] = RANDOM.choice(["", ".", "io", "io.superctl", "io.superctl.", "org.varlink.service.", "a.b.C",
                                        "x" * 3000, "io.superctl.status", "org.varlink.service.GetInterfaceDescription"])
    elif kind == 1:
        call[RANDOM.choice(["more", "oneway", "upgrade", "continues", "error"])] = RANDOM.choice([True, False, 1, "x", None])
    elif kind == 2:
        deep = "x"
        for _ in range(RANDOM.randrange(28)):
            deep = [deep] if RANDOM.random() < 0.5 else {"a": deep}
        call["parameters"]["names"] = deep
    return call


def wrong_bytes(methods):
    data = bytearray(json.dumps(a_call(methods)).encode())
    for _ in range(RANDOM.randrange(1, 6)):
        at = RANDOM.randrange(len(data) + 1)
        kind = RANDOM.randrange(6)
        if kind == 0 and at < len(data):
            data[at] = RANDOM.randrange(256)
        elif kind == 1:
            del data[at : at + RANDOM.randrange(8)]
        elif kind == 2:
            data[at:at] = bytes(RANDOM.randrange(256) for _ in range(RANDOM.randrange(6)))
        elif kind == 3:
            data[at:at] = data[: RANDOM.randrange(len(data) + 1)]
        elif kind == 4:
            data[at:at] = RANDOM.choice([b"[", b"{", b'"', b"\\u0000", b"\\ud800", b"\xff", b"\0", b"1e999", b"[" * 3000])
        else:
            data = data[:at]
        if not data:
            data = bytearray(b"{")
    return bytes(data) + (b"\0" if RANDOM.random() < 0.9 else b"")


def connect():
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(PATH)
    return connection


def send_calls(calls):
    return send_bytes(b"".join(json.dumps(call).encode() + b"\0" for call in calls), len(calls))


def send_bytes(data, count=1):
    connection = connect()
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        replies = b""
        while len(replies) < 1 << 20:
            block = connection.recv(1 << 16)
            if not block:
                break
            replies += block
    except (BrokenPipeError, ConnectionResetError):
        replies = b""
    connection.close()
    for reply in replies.split(b"\0")[:-1]:
        if not reply.startswith(b"{"):
            sys.exit("seed %d: no reply: %r, to %r" % (SEED, reply, data))
        if RANDOM.random() < 0.05:
            json.loads(reply.decode())
    return count


main()
