# SPDX-License-Identifier: ISC
"""A connection that is upgraded, as a websocket's is, and kept: upgraded.py PORT FILE.

Says "open", then sends what FILE has each time that it is another text and says what came back; ends itself after "bye",
and says "cut" when the other side ends."""
import os
import select
import socket
import sys
import time

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
head = b""
while b"\r\n\r\n" not in head:
    head += sock.recv(4096) or sys.exit("no answer but %r" % head)
assert head.startswith(b"HTTP/1.1 101"), head
print("open", flush=True)
said = ""
while True:
    if select.select([sock], [], [], 0.02)[0]:
        got = sock.recv(4096)
        if not got:
            print("cut", flush=True)
            break
        print(got.decode().strip(), flush=True)
        if got == b"bye\n":
            break
    text = open(sys.argv[2]).read() if os.path.exists(sys.argv[2]) else ""
    if text.endswith("\n") and text != said:
        said = text
        sock.sendall(text.encode())
