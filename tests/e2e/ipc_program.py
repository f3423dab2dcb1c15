# SPDX-License-Identifier: ISC
"""A program with an IPC channel that is not Node, for ipc.bats: what it gets it sends back as {"got":…}, in capitals of
what it is told to do:

  "ready"    say so
  "flood"    send 2000 numbers, in one breath
  "deaf"     read no more
  "pour"     send 3000 messages of 30 KB, and then that it has
  "halves"   send a message in two halves, the second one when the file HALVES is there
  "socket"   send a socket as Node does, and tell whether it was acknowledged
  "close"    close the channel and stay
"""
import json
import os
import signal
import socket
import sys
import time

channel = socket.socket(fileno=int(os.environ.pop("NODE_CHANNEL_FD")))
assert os.environ.pop("NODE_CHANNEL_SERIALIZATION_MODE") == "json"
lines = channel.makefile("rb")


def say(value):
    channel.sendall(json.dumps(value).encode() + b"\n")


if "--ready" in sys.argv:
    say({"type": "ready"})
for line in lines:
    word = json.loads(line)
    if word == "ready":
        say("ready")
    elif word == "flood":
        channel.sendall(b"".join(b"%d\n" % number for number in range(2000)))
    elif word == "pour":
        for number in range(3000):
            say("%d %s" % (number, "x" * 30000))
        say("poured")
    elif word == "deaf":
        signal.pause()
    elif word == "halves":
        channel.sendall(b'{"hal')
        while not os.path.exists(sys.argv[1]):
            time.sleep(0.01)
        channel.sendall(b'ves":1}\n')
    elif word == "socket":
        socket.send_fds(channel, [b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n'], [channel.fileno()])
        say({"answer": json.loads(lines.readline())})
    elif word == "nonsense":
        channel.sendall(b"\n{\n\xff\n" + b"x" * 100000 + b"\n")
        say("after")
    elif word == "close":
        lines.close()
        channel.close()
        signal.pause()
    else:
        say({"got": word})
