#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A supervisord that answers from a table: fake_daemon.py SOCKET TABLE.

TABLE is a JSON object: method, or "method name" where the name in the parameters tells calls apart
that come at the same time -> list of calls; a call is a list of what happens, the last call
repeats.  A step is a reply (an object), or
    "@close"  end the connection            "@exit"  stop listening and end
    "@hang"   wait for the client to leave  "@raw TEXT"  these bytes and a NUL
Every request is appended to SOCKET.requests, one a line; SOCKET.ready appears when it listens.
"""
import json
import os
import socket
import sys
import threading


class Daemon:
    def __init__(self, path, table):
        self.path = path
        self.table = table
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(64)

    def serve(self):
        open(self.path + ".ready", "w").close()
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def take_call(self, method, name):
        with self.lock:
            calls = self.table.get(f"{method} {name}") or self.table.get(method)
            if calls is None:
                return [{"error": "org.varlink.service.MethodNotFound",
                         "parameters": {"method": method}}]
            return calls.pop(0) if len(calls) > 1 else calls[0]

    def talk(self, connection):
        data = b""
        try:
            while True:
                while b"\0" not in data:
                    part = connection.recv(65536)
                    if not part:
                        return
                    data += part
                message, data = data.split(b"\0", 1)
                request = json.loads(message)
                with self.lock, open(self.path + ".requests", "a") as log:
                    log.write(json.dumps(request) + "\n")
                for step in self.take_call(request["method"], request.get("parameters", {}).get("name")):
                    if not self.do(connection, step):
                        return
        except OSError:
            pass
        finally:
            connection.close()

    def do(self, connection, step):
        if step == "@close":
            return False
        if step == "@exit":
            os.unlink(self.path)
            os._exit(0)
        if step == "@hang":
            connection.recv(1)
            return False
        if isinstance(step, str) and step.startswith("@raw "):
            connection.sendall(step[5:].encode() + b"\0")
        else:
            text = json.dumps(step, separators=(",", ":"), ensure_ascii=False)
            connection.sendall(text.encode("utf-8", "surrogatepass") + b"\0")
        return True


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        Daemon(sys.argv[1], json.load(file)).serve()
