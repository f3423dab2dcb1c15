# SPDX-License-Identifier: ISC
"""A client that follows the messages of a program and reads none of them: ipc_follower.py SOCKET NAME FILE.

Says "follows" when it does; when FILE is there it reads what has come up to the end of its connection, and says how many
bytes these were, and whether each message in it is whole."""
import json
import os
import socket
import sys
import time

sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
sock.sendall(json.dumps({"method": "io.superctl.Messages", "more": True,
                         "parameters": {"name": sys.argv[2], "lines": 0, "follow": True}}).encode() + b"\0")
got = b""
while b"\0" not in got:
    got += sock.recv(4096) or sys.exit("refused: %r" % got)
print("follows", flush=True)
while not os.path.exists(sys.argv[3]):
    time.sleep(0.02)
total = 0
while True:
    part = sock.recv(65536)
    if not part:
        break
    total += len(part)
    got += part
*whole, rest = got.split(b"\0")
for text in whole:
    json.loads(text)
print("dropped after", total, "bytes,", "the last one cut" if rest else "all whole", flush=True)
