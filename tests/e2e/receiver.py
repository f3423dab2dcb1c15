# SPDX-License-Identifier: ISC
# receiver.py KIND ADDRESS FILE: what comes in, a line of FILE a message, as the repr() of its bytes.
#
# KIND is dgram or stream (a unix socket), udp or tcp (HOST:PORT).  Messages of tcp are taken apart by their octet
# counts, those of stream by NUL.  "ready" is printed when it listens.
import os
import socket
import sys


def main(kind, address, path):
    out = open(path, "ab", buffering=0)
    if kind in ("dgram", "stream"):
        if os.path.exists(address):
            os.unlink(address)
        family, address = socket.AF_UNIX, address
    else:
        host, port = address.rsplit(":", 1)
        family, address = socket.AF_INET, (host, int(port))
    server = socket.socket(family, socket.SOCK_DGRAM if kind in ("dgram", "udp") else socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == "udp":
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    server.bind(address)
    if kind in ("dgram", "udp"):
        print("ready", flush=True)
        while True:
            write(out, server.recv(1 << 20))
    server.listen()
    print("ready", flush=True)
    while True:
        take_apart(server.accept()[0], kind, out)


def take_apart(connection, kind, out):
    data = b""
    while True:
        if kind == "tcp":
            head, blank, rest = data.partition(b" ")
            if blank and len(rest) >= int(head):
                write(out, rest[: int(head)])
                data = rest[int(head) :]
                continue
        elif b"\0" in data:
            message, _, data = data.partition(b"\0")
            write(out, message)
            continue
        block = connection.recv(1 << 16)
        if not block:
            return
        data += block


def write(out, message):
    out.write(repr(message).encode() + b"\n")


main(*sys.argv[1:])
