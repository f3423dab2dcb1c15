# SPDX-License-Identifier: ISC
# Clients of a program with accept = true that echoes what it reads.  Each says something of its own, and has to hear that.
#
#   accept_client.py flood ADDRESS COUNT AT_ONCE      all are served, however many places there are
#   accept_client.py storm ADDRESS COUNT AT_ONCE END  each is served or closed, none hangs; END: a file, go on until it is there
#
# ADDRESS: HOST:PORT, or the path of a unix socket.  Prints "served N closed N", exits with 1 when one hangs or hears something else.
import os, socket, sys, threading

PATIENCE = float(os.environ.get("PATIENCE", "20"))
mode, address, count, at_once = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
end = sys.argv[5] if mode == "storm" else None
lock = threading.Lock()
told = {"served": 0, "closed": 0, "wrong": 0}
next_one = 0


def connect():
    if address.startswith("/"):
        s = socket.socket(socket.AF_UNIX)
    else:
        s = socket.socket(socket.AF_INET)
    s.settimeout(PATIENCE)
    host, _, port = address.rpartition(":")
    s.connect(address if address.startswith("/") else (host, int(port)))
    return s


def talk(number):
    text = b"hello %d\n" % number * 20
    heard = b""
    try:
        with connect() as s:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                heard += piece
    except TimeoutError:
        print("client %d hangs after %d bytes" % (number, len(heard)))
        return "wrong"
    except (ConnectionError, OSError):
        return "closed"
    if heard == text:
        return "served"
    if mode == "storm" and text.startswith(heard):
        return "closed"
    print("client %d has heard %r" % (number, heard[:80]))
    return "wrong"


def work():
    global next_one
    while True:
        with lock:
            number = next_one
            next_one += 1
        if number >= count or (end is not None and os.path.exists(end)):
            return
        how = talk(number)
        with lock:
            told[how] += 1


threads = [threading.Thread(target=work) for _ in range(at_once)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("served %d closed %d" % (told["served"], told["closed"]))
sys.exit(1 if told["wrong"] or (mode == "flood" and told["closed"]) else 0)
