# SPDX-License-Identifier: ISC
"""The engine's part for a cluster's primary (lib/clusterlink.h), and real Node workers: what each test of cluster.bats
does, by name.

Nothing waits for time; each wait is for a condition and has a deadline."""
import array
import http.client
import json
import os
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

PATIENCE = float(os.environ.get("SD_PATIENCE", "60"))
NODE = os.environ.get("NODE", "node")
APP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node", "app.cjs")
HEAD = struct.Struct("=IIQq")
TYPES = {"WORKER": 128, "LISTENER": 129, "GIVEN": 130, "DISCONNECT": 131, "GONE": 132, "BOUND": 133, "SEND": 134,
         "TELL": 135, "SETTLED": 136}
REPORTS = {160: "ONLINE", 161: "LISTENING", 162: "LEAVING", 163: "CLOSED", 164: "STUCK", 165: "MESSAGE", 166: "HOLD",
           167: "UNHOLD", 168: "BIND"}


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("still not after %d s: %s" % (PATIENCE, what))
        time.sleep(0.01)


def equal(what, got, wanted):
    if got != wanted:
        raise AssertionError("%s is %r, not %r" % (what, got, wanted))


class Worker:
    def __init__(self, engine, slot, words, node=NODE):
        engine.ids += 1
        self.engine, self.slot, self.id, self.lines, self.rest = engine, slot, engine.ids, [], b""
        self.channel, child = socket.socketpair()
        environment = dict(os.environ, NODE_CHANNEL_FD=str(child.fileno()), NODE_CHANNEL_SERIALIZATION_MODE="json",
                           NODE_UNIQUE_ID=str(self.id))
        self.process = subprocess.Popen([*node.split(), APP, *words], pass_fds=[child.fileno()], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        child.close()
        engine.workers.append(self)
        engine.send("WORKER", slot, self.id, fd=self.channel.fileno())

    def read(self):
        try:
            got = os.read(self.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        self.rest += got
        *lines, self.rest = self.rest.split(b"\n")
        self.lines += [line.decode() for line in lines]

    def has(self, beginning):
        self.read()
        return next((line for line in self.lines if line.startswith(beginning)), None)

    def wait_line(self, beginning):
        return until(lambda: self.engine.pump() or self.has(beginning), "worker %d says %s, not %r"
                     % (self.id, beginning, self.lines))

    def wait_exit(self):
        return until(lambda: self.engine.pump() or self.process.poll() is not None, "worker %d ends" % self.id)

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)

    def gone(self):
        self.process.wait()
        self.engine.send("GONE", self.slot, self.id)


class Engine:
    def __init__(self, mode="round-robin", rules=("tcp:*", "udp:*", "unix:*"), more=(), user=None, files=None):
        self.user, self.files = user, files
        self.ids, self.workers, self.held, self.events, self.primary = 0, [], {}, [], None
        self.arguments = [os.environ["CLUSTER"], "--mode", mode]
        for rule in rules:
            self.arguments += ["--listen", rule]
        self.arguments += more
        self.state = os.memfd_create("cluster")
        self.binder = None
        self.start()

    def start(self):
        self.link, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        state, link = os.dup(self.state), child.detach()
        script = "ulimit -n %d; " % self.files if self.files else ""
        script += 'exec 3<&%d 4<&%d %d<&- %d<&-; exec "$@"' % (link, state, link, state)
        self.primary = subprocess.Popen(["bash", "-c", script, "-", *self.arguments], pass_fds=[link, state],
                                        user=self.user)
        os.close(link)
        os.close(state)
        for (listener, slot), fd in self.held.items():
            self.send("LISTENER", listener, slot, fd=fd)
        for worker in self.workers:
            if worker.process.poll() is None:
                self.send("WORKER", worker.slot, worker.id, fd=worker.channel.fileno())
        self.send("GIVEN")
        self.send("TELL")

    def send(self, name, slot=0, key=0, value=0, payload=b"", fd=-1):
        socket.send_fds(self.link, [HEAD.pack(TYPES[name], slot, key, value) + payload], [fd] if fd >= 0 else [])

    def pump(self):
        """Take in what the primary reports."""
        while select.select([self.link], [], [], 0)[0]:
            try:
                data, fds, _, _ = socket.recv_fds(self.link, 131072, 1)
            except ConnectionResetError:
                return
            if not data:
                return
            kind, slot, key, _ = HEAD.unpack(data[:HEAD.size])
            self.take(REPORTS[kind], slot, key, data[HEAD.size:], fds)

    def take(self, name, slot, key, payload, fds):
        if name == "HOLD":
            if (slot, key) in self.held:
                os.close(self.held[slot, key])
            self.held[slot, key] = fds.pop()
        elif name == "UNHOLD":
            os.close(self.held.pop((slot, key)))
        elif name == "BIND":
            self.binder(slot, key)
        elif name == "MESSAGE":
            payload = json.loads(payload)
        for fd in fds:
            os.close(fd)
        self.events.append((name, key, payload))

    def count(self, name, key=None):
        self.pump()
        return sum(1 for event in self.events if event[0] == name and key in (None, event[1]))

    def wait(self, name, worker):
        until(lambda: self.count(name, worker.id), "%s of worker %d in %r" % (name, worker.id, self.events))

    def messages(self, worker):
        self.pump()
        return [event[2] for event in self.events if event[0] == "MESSAGE" and event[1] == worker.id]

    def begin(self, count, *words):
        """So many workers that listen."""
        workers = [Worker(self, slot, words) for slot in range(count)]
        for worker in workers:
            self.wait("LISTENING", worker)
        return workers

    def kill_primary(self):
        self.primary.kill()
        self.primary.wait()
        self.pump()
        self.link.close()

    def done(self):
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill(signal.SIGCONT)
                worker.kill()
            worker.process.wait()
        if self.primary.poll() is not None:
            raise AssertionError("the primary has ended: %r" % self.primary.returncode)
        self.link.close()
        equal("the primary's end", self.primary.wait(timeout=PATIENCE), 0)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def get(port, path="/", timeout=PATIENCE):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.request("GET", path, headers={"Connection": "close"})
    text = connection.getresponse().read().decode().strip()
    connection.close()
    return text


def begin_get(port, path="/"):
    """A request whose answer is taken later."""
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
    return client


def end_get(client):
    answer = b""
    while True:
        got = client.recv(4096)
        if not got:
            break
        answer += got
    client.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise AssertionError("no answer but %r" % answer)
    return answer


def pids(engine, port, count):
    """Who answers so many requests."""
    seen = {}
    for _ in range(count):
        engine.pump()
        pid = int(get(port))
        seen[pid] = seen.get(pid, 0) + 1
    return seen


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        return True
    except ConnectionRefusedError:
        return False


# ---- tests --------------------------------------------------------------------------------------

def test_round_robin(engine_class=Engine):
    engine, port = engine_class(), free_port()
    workers = engine.begin(2, "http=%d" % port, "whoami")
    seen = pids(engine, port, 10)
    equal("requests of each", seen, {worker.process.pid: 5 for worker in workers})
    for worker in workers:
        equal("what it is", worker.wait_line("worker"), "worker true %d" % worker.id)
    return engine


def test_other_modes():
    for mode in "shared", "reuse-port":
        engine, port = Engine(mode), free_port()
        workers = engine.begin(2, "local=%d" % port)
        held = len(engine.held)
        equal("sockets that are held in mode " + mode, held, 1 if mode == "shared" else 2)
        seen = pids(engine, port, 40)
        if not set(seen) <= {worker.process.pid for worker in workers}:
            raise AssertionError("strangers: %r" % seen)
        if mode == "reuse-port":
            equal("workers that served", len(seen), 2)
        engine.done()


def test_port_0():
    engine = Engine()
    workers = engine.begin(2, "local=0", "local=0")
    ports = []
    for worker in workers:
        until(lambda: worker.read() or len([l for l in worker.lines if l.startswith("listening")]) == 2, "two ports")
        ports.append(sorted(json.loads(l.split(" ", 1)[1])["port"] for l in worker.lines if l.startswith("listening")))
    equal("the ports of the second", ports[1], ports[0])
    if ports[0][0] == ports[0][1]:
        raise AssertionError("one port for two servers")
    equal("who serves", len(pids(engine, ports[0][0], 4)), 2)
    return engine


def test_many_listeners():
    """An application that asks for all its sockets at once gets them one after the other."""
    for mode in "shared", "reuse-port", "round-robin":
        engine = Engine(mode)
        for worker in engine.begin(2, *["local=0"] * 20, *["udp=0"] * 12):
            until(lambda: engine.pump() or worker.read() or len(worker.lines) == 32,
                  "%s: 32 sockets, not %d" % (mode, len(worker.lines)))
            equal("those that it got", sum(line.startswith(("listening", "bound")) for line in worker.lines), 32)
        engine.done()


def test_errors():
    engine = Engine(rules=("tcp:*", "unix:/nonexistent/x", "udp:5353"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words, code in ((["local=%d" % port], "EADDRINUSE"), (["path=/nonexistent/x"], "ENOENT"),
                            (["path=/tmp/forbidden"], "EACCES"), (["udp=5354"], "EACCES"), (["http=443"], "EACCES"),
                            (["https=%d,%s,%s" % (port, os.environ["KEY"], os.environ["CERT"])], "EADDRINUSE")):
            worker = Worker(engine, 0, words)
            equal(words, worker.wait_line("error"), "error " + code)
            equal("listening", engine.count("LISTENING", worker.id), 0)
            worker.kill()
            worker.gone()
    return engine


def test_path():
    engine, path = Engine(), os.path.join(os.environ["SCRATCH"], "web.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)  # and nobody listens
    workers = engine.begin(2, "path=" + path)
    seen = set()
    for _ in range(4):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(path)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        seen.add(end_get(client).split()[-1])
    equal("workers that served", len(seen), 2)
    for worker in workers:
        worker.kill()
        worker.gone()
    engine.send("SETTLED")
    until(lambda: not os.path.exists(path), "the path is gone")
    return engine


# readableAll, writableAll: a proxy of another user may connect.
def test_path_for_all():
    path = os.path.join(os.environ["SCRATCH"], "web.sock")
    for mode in "round-robin", "shared":
        other = Engine(mode)
        worker = other.begin(1, "forall=" + path)[0]
        equal("its mode with " + mode, os.stat(path).st_mode & 0o666, 0o666)
        worker.kill()
        worker.gone()
        other.send("SETTLED")
        until(lambda: not os.path.exists(path), "the path is gone")
        other.done()


def test_udp():
    engine, port = Engine(), free_port(socket.SOCK_DGRAM)
    workers = engine.begin(2, "udp=%d" % port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.sendto(b"x", ("127.0.0.1", port))
        if int(client.recv(100)) not in [worker.process.pid for worker in workers]:
            raise AssertionError("a stranger answers")
    return engine


def test_tickets():
    engine, port = Engine(), free_port()
    engine.begin(2, "https=%d,%s,%s" % (port, os.environ["KEY"], os.environ["CERT"]))
    context = ssl.create_default_context(cafile=os.environ["CERT"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # its ticket comes within the handshake
    session, seen, reused = None, set(), 0
    for _ in range(6):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE),
                                 server_hostname="localhost", session=session) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\n"):
                answer += client.recv(4096) or b"\n"
            session = session or client.session
            reused += client.session_reused
            seen.add(answer.split()[-2])
    equal("workers that served", len(seen), 2)
    equal("sessions taken up again", reused, 5)
    return engine


def test_killed_unanswered():
    """What a stopped worker was offered, another serves after its death."""
    engine, port = Engine(), free_port()
    workers = engine.begin(2, "local=%d" % port)
    workers[0].kill(signal.SIGSTOP)
    clients = [begin_get(port) for _ in range(4)]
    answers = 0
    while answers < 3:  # but for the one that it has
        ready = select.select(clients, [], [], PATIENCE)[0]
        if not ready:
            raise AssertionError("only %d answers" % answers)
        for client in ready:
            end_get(client)
            clients.remove(client)
            answers += 1
    workers[0].kill()
    workers[0].gone()
    end_get(clients[0])
    return engine


def test_stuck():
    engine, port = Engine(more=["--patience", "300ms"]), free_port()
    workers = engine.begin(1, "local=%d" % port)
    workers[0].kill(signal.SIGSTOP)
    client = begin_get(port)
    engine.wait("STUCK", workers[0])
    workers[0].kill()
    workers[0].gone()
    engine.begin(1, "local=%d" % port)
    end_get(client)
    return engine


def test_refusals():
    """maxConnections = 1: the others wait, nobody spins, all are served."""
    engine, port = Engine(), free_port()
    engine.begin(2, "refuse=%d" % port)
    clients = [begin_get(port, "/slow") for _ in range(6)]
    for client in clients:
        end_get(client)
    ticks = open("/proc/%d/stat" % engine.primary.pid).read().rsplit(")", 1)[1].split()
    if int(ticks[11]) + int(ticks[12]) > 50:
        raise AssertionError("the primary took %s + %s ticks" % (ticks[11], ticks[12]))
    return engine


def test_disconnect():
    """No more connections, what it has is served, then it goes; the other has the rest."""
    engine, port = Engine(), free_port()
    workers = engine.begin(2, "local=%d" % port)
    clients = [begin_get(port, "/slow") for _ in range(2)]
    # Both have one when a third request has been answered.
    get(port)
    engine.send("DISCONNECT", 0, workers[0].id, value=100 * 1000 * 1000)
    for client in clients:
        end_get(client)
    workers[0].wait_exit()
    equal("its end", workers[0].process.returncode, 0)
    workers[0].gone()
    equal("who serves", list(pids(engine, port, 6)), [workers[1].process.pid])
    engine.wait("CLOSED", workers[0])
    return engine


def test_leaving():
    engine, port = Engine(), free_port()
    workers = engine.begin(2, "local=%d" % port, "leave")
    engine.send("SEND", 0, workers[0].id, payload=b'"leave"')
    engine.wait("LEAVING", workers[0])
    workers[0].wait_exit()
    equal("its end", workers[0].process.returncode, 0)
    workers[0].gone()
    equal("who serves", list(pids(engine, port, 4)), [workers[1].process.pid])
    return engine


def test_slot_left_empty():
    """reuse-port: what the kernel chooses a worker for that does not come back is the others'."""
    engine, port = Engine("reuse-port"), free_port()
    workers = engine.begin(3, "local=%d" % port)
    # One that leaves, and one that dies.
    engine.send("DISCONNECT", 2, workers[2].id)
    workers[2].wait_exit()
    workers[2].gone()
    workers[0].kill()
    workers[0].gone()
    equal("who serves", list(pids(engine, port, 40)), [workers[1].process.pid])
    # Also by the next primary; and the sockets are still there for who comes later.
    engine.kill_primary()
    engine.start()
    equal("who serves", list(pids(engine, port, 40)), [workers[1].process.pid])
    equal("sockets", len(engine.held), 3)
    again = engine.begin(1, "local=%d" % port)[0]
    equal("who serves", set(pids(engine, port, 40)), {again.process.pid, workers[1].process.pid})
    # Nobody is left: they wait.
    for worker in again, workers[1]:
        worker.kill()
        worker.gone()
    waiting = [begin_get(port) for _ in range(6)]
    engine.begin(1, "local=%d" % port)
    for client in waiting:
        end_get(client)
    return engine


def test_replaced():
    """The port, a random one, outlives all workers, and who connects meanwhile waits."""
    engine = Engine()
    worker, = engine.begin(1, "local=0")
    port = json.loads(worker.wait_line("listening").split(" ", 1)[1])["port"]
    worker.kill()
    worker.gone()
    client = begin_get(port)
    worker = Worker(engine, 0, ["local=0"])
    engine.wait("LISTENING", worker)
    end_get(client)
    return engine


def test_ready_when_all_listen():
    """A run that lacks one of the sockets of the run before is not ready."""
    engine, one, two = Engine(), free_port(), free_port()
    worker, = engine.begin(1, "local=%d" % one)
    worker.kill()
    worker.gone()
    worker = Worker(engine, 0, ["local=%d" % two, "ready"])
    until(lambda: "ready" in engine.messages(worker), "its message")
    worker.wait_line("listening")
    equal("LISTENING", engine.count("LISTENING", worker.id), 0)
    equal("the old port is open", is_open(one), True)
    worker.kill()
    worker.gone()
    worker = Worker(engine, 0, ["local=%d" % one, "local=%d" % two])
    engine.wait("LISTENING", worker)
    engine.send("SETTLED")
    return engine


def test_closed_by_itself():
    """The last one that closes its server of its own accord closes the port."""
    engine, port = Engine(), free_port()
    workers = engine.begin(2, "closing=%d" % port)
    engine.send("SEND", 0, workers[0].id, payload=b"1")
    workers[0].wait_line("closed")
    equal("who serves", list(pids(engine, port, 3)), [workers[1].process.pid])
    engine.send("SEND", 1, workers[1].id, payload=b"1")
    workers[1].wait_line("closed")
    until(lambda: engine.pump() or not is_open(port), "the port is closed")
    until(lambda: engine.pump() or not engine.held, "the socket is not held")
    return engine


def test_listening_again():
    engine, port = Engine(), free_port()
    worker = Worker(engine, 0, ["again=%d" % port])
    worker.wait_line("again")
    equal("errors", worker.has("error"), None)
    equal("who serves", list(pids(engine, port, 2)), [worker.process.pid])
    return engine


def test_messages():
    engine = Engine()
    worker = Worker(engine, 0, ["echo", "ready"])
    engine.wait("ONLINE", worker)
    until(lambda: "ready" in engine.messages(worker), "its message")
    said = {"a": ["\u00e4\n\"\\", 1, None, True], "cmd": "NODE_"}
    engine.send("SEND", 0, worker.id, payload=json.dumps(said, ensure_ascii=False).encode())
    until(lambda: {"echo": said} in engine.messages(worker), "the echo")
    return engine


def test_too_much():
    """What is too long is left out, a flood delays nobody, sockets are taken and closed."""
    engine, port = Engine(), free_port()
    workers = engine.begin(1, "local=%d" % port)
    big = Worker(engine, 1, ["big"])
    until(lambda: "after" in engine.messages(big), "the message behind it")
    equal("messages", engine.messages(big), ["after"])
    Worker(engine, 2, ["flood", "stay"])
    equal("who serves", list(pids(engine, port, 5)), [workers[0].process.pid])
    handles = Worker(engine, 3, ["handles", "stay"])
    until(lambda: engine.pump() or handles.has("sent 19"), "20 sockets are acknowledged")
    equal("messages with them", engine.messages(handles), [])
    count = len(os.listdir("/proc/%d/fd" % engine.primary.pid))
    if count > 20:
        raise AssertionError("%d descriptors" % count)
    return engine


def raw(engine, slot):
    """A worker that is us: whatever we please to send."""
    worker = Worker.__new__(Worker)
    engine.ids += 1
    worker.engine, worker.slot, worker.id, worker.lines = engine, slot, engine.ids, []
    worker.channel, worker.peer = socket.socketpair()
    worker.peer.settimeout(PATIENCE)
    worker.heard = b""
    engine.send("WORKER", slot, worker.id, fd=worker.channel.fileno())
    return worker


def internal(**more):
    return json.dumps({"cmd": "NODE_CLUSTER", **more}).encode() + b"\n"


def query(port, seq):
    return internal(act="queryServer", address="127.0.0.1", port=port, addressType=4, index=0, seq=seq)


ACK, NACK = b'{"cmd":"NODE_HANDLE_ACK"}\n', b'{"cmd":"NODE_HANDLE_NACK"}\n'


def hear(liar, fds=None):
    """The next line that is said to a worker that is us; sockets that come with it are put into `fds`."""
    while b"\n" not in liar.heard:
        got, came, _, _ = socket.recv_fds(liar.peer, 65536, 4)
        if not got:
            raise AssertionError("its channel was closed")
        for fd in came:
            if fds is None:
                os.close(fd)
            else:
                fds.append(fd)
        liar.heard += got
    line, _, liar.heard = liar.heard.partition(b"\n")
    return json.loads(line)


def silent(liar):
    return not liar.heard and not select.select([liar.peer], [], [], 0.1)[0]


def listen_raw(engine, slot, port):
    """A worker that is us, and listens there (round-robin)."""
    liar = raw(engine, slot)
    liar.peer.sendall(internal(act="online", seq=1) + query(port, 2))
    liar.key = hear(liar)["key"]
    liar.peer.sendall(internal(act="listening", address="127.0.0.1", port=port, addressType=4, index=0, seq=3))
    engine.wait("LISTENING", liar)
    return liar


def test_nacks():
    """A connection that a worker cannot be given, nor three times again, is another's; and so is its turn."""
    engine, port = Engine(), free_port()
    liar = listen_raw(engine, 0, port)
    client = begin_get(port)
    for _ in range(4):
        equal("what it is offered", hear(liar)["msg"]["act"], "newconn")
        liar.peer.sendall(NACK)
    worker = Worker(engine, 1, ["local=%d" % port])
    engine.wait("LISTENING", worker)
    served = begin_get(port)
    while True:  # whatever its turn brings it
        ready = select.select([client, served, liar.peer], [], [], PATIENCE)[0]
        if not ready:
            raise AssertionError("nobody is served")
        if liar.peer in ready:
            hear(liar)
            liar.peer.sendall(NACK)
            continue
        break
    liar.peer.close()
    end_get(client)
    end_get(served)
    return engine


def test_no_descriptors():
    """accept(2) that fails for want of descriptors is tried again: the client waits."""
    engine, port = Engine(), free_port()
    engine.begin(1, "local=%d" % port)
    count = len(os.listdir("/proc/%d/fd" % engine.primary.pid))
    resource.prlimit(engine.primary.pid, resource.RLIMIT_NOFILE, (count, 4096))
    client = begin_get(port)
    equal("answers", select.select([client], [], [], 0.3)[0], [])
    resource.prlimit(engine.primary.pid, resource.RLIMIT_NOFILE, (4096, 4096))
    end_get(client)
    return engine


# As the user of the primary: more descriptors on their way than it may have, until its input ends.
FLOOD = """import os, resource, socket, sys
pairs = []
for _ in range(40):
    pairs.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
    socket.send_fds(pairs[-1][0], [b"x"], [0] * 20)
print("on their way", flush=True)
sys.stdin.read()
"""


def test_too_many_on_their_way():
    """ETOOMANYREFS of sendmsg(2): a socket waits until there are fewer."""
    if os.geteuid() != 0:
        print("# only root can be somebody else")
        return None
    engine, port = Engine(user=65534, files=100), free_port()
    engine.begin(1, "local=%d" % port)
    flood = subprocess.Popen([sys.executable, "-ISc", FLOOD], user=65534, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    equal("the flood", flood.stdout.readline(), b"on their way\n")
    client = begin_get(port)
    equal("answers", select.select([client], [], [], 0.3)[0], [])
    # Likewise a socket that it asks for.
    liar, fds, other = raw(engine, 1), [], free_port(socket.SOCK_DGRAM)
    ask = dict(act="queryServer", address="127.0.0.1", port=other, addressType="udp4")
    liar.peer.sendall(internal(act="online", seq=1) + internal(index=0, seq=2, **ask) + query(0, 3))
    equal("silent", silent(liar), True)
    flood.stdin.close()
    flood.wait()
    end_get(client)
    equal("the socket", (hear(liar, fds)["msg"]["ack"], len(fds)), (2, 1))
    equal("what it asked behind that", hear(liar)["ack"], 3)
    os.close(fds[0])
    liar.peer.close()
    return engine


def test_one_handle():
    """One socket is on its way until it is acknowledged; what a worker sends is acknowledged meanwhile."""
    engine, ports = Engine("shared"), [free_port(), free_port(), free_port()]
    liar, fds = raw(engine, 0), []
    liar.peer.sendall(internal(act="online", seq=1) + b"".join(query(port, 2 + i) for i, port in enumerate(ports)))
    for i in range(3):
        line = hear(liar, fds)
        equal("the reply", (line["cmd"], line["msg"]["ack"]), ("NODE_HANDLE", 2 + i))
        equal("sockets", len(fds), i + 1)
        equal("the port of the socket", socket.socket(fileno=os.dup(fds[-1])).getsockname()[1], ports[i])
        equal("silent until it is acknowledged", silent(liar), True)
        socket.send_fds(liar.peer, [b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":1}\n'], [fds[-1]])
        equal("the answer to a socket of ours", hear(liar), {"cmd": "NODE_HANDLE_ACK"})
        liar.peer.sendall(ACK)
    for fd in fds:
        os.close(fd)
    liar.peer.close()
    return engine


def test_full_channel():
    """A worker that does not read: messages for it are dropped, which is said, nothing is ever half a line, and what it
    asked for comes when it reads again."""
    engine, port = Engine(), free_port()
    liar = listen_raw(engine, 0, port)
    sent = b'"%s"' % (b"x" * 50000)
    for _ in range(40):
        engine.send("SEND", 0, liar.id, payload=sent)
    client = begin_get(port)
    liar.peer.sendall(query(free_port(), 7))
    other = Worker(engine, 1, ["echo", "ready"])  # when it has spoken, all of that was dealt with
    until(lambda: "ready" in engine.messages(other), "its message")
    messages, replies, offers = 0, 0, 0
    while replies < 1 or offers < 1:
        line = hear(liar)
        if isinstance(line, str):
            equal("the message", len(line), 50000)
            messages += 1
        elif line["cmd"] == "NODE_CLUSTER":
            equal("the reply", line["ack"], 7)
            replies += 1
        else:
            equal("the offer", line["msg"]["act"], "newconn")
            offers += 1
            liar.peer.sendall(ACK + internal(ack=line["msg"]["seq"], accepted=True))
    if not 1 <= messages < 40:
        raise AssertionError("%d of 40 messages" % messages)
    client.close()
    liar.peer.close()
    return engine


def test_vanishing():
    """Workers that go in the middle of being answered harm nobody (the sanitizers look, too)."""
    engine, port = Engine(), free_port()
    workers = engine.begin(1, "local=%d" % port)
    for turn in range(100):
        liar = raw(engine, 1 + turn % 3)
        words = [internal(act="online", seq=1), query(port, 2), query(0, 3), b'{"cmd":"NODE_HANDLE","msg":1}\n',
                 internal(act="exitedAfterDisconnect", seq=4), b'{"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":"k"}\n']
        liar.peer.sendall(b"".join(words[turn % 6:] + words[:turn % 6]))
        if turn % 2:
            engine.send("SEND", liar.slot, liar.id, payload=b"1")
            engine.send("DISCONNECT", liar.slot, liar.id, value=turn * 1000)
        liar.peer.close()
        if turn % 3 == 0:
            engine.send("GONE", liar.slot, liar.id)
        liar.channel.close()
    equal("who serves", list(pids(engine, port, 5)), [workers[0].process.pid])
    return engine


def test_gone_without_end():
    """The channel of a worker that has ended may be open in a child of it: what it was offered is another's all the same."""
    engine, port = Engine(), free_port()
    liar = listen_raw(engine, 0, port)
    client = begin_get(port)
    equal("what it is offered", hear(liar)["msg"]["act"], "newconn")
    worker = Worker(engine, 1, ["local=%d" % port])
    engine.wait("LISTENING", worker)
    engine.send("GONE", 0, liar.id)
    equal("who serves", int(end_get(client).split()[-1]), worker.process.pid)
    liar.peer.close()
    return engine


def test_half_open():
    """A worker that closes its channel and stays is reported, one that has ended is not."""
    engine, port = Engine(more=["--patience", "300ms"]), free_port()
    gone, stays = listen_raw(engine, 0, port), listen_raw(engine, 1, port)
    gone.peer.close()
    engine.send("GONE", 0, gone.id)
    stays.peer.close()
    engine.wait("STUCK", stays)
    equal("reports of the other", engine.count("STUCK", gone.id), 0)
    return engine


def test_udp_leaving():
    """A worker that is told to disconnect takes no datagram with it."""
    engine, port = Engine(), free_port(socket.SOCK_DGRAM)
    workers = engine.begin(2, "udp=%d" % port)
    engine.send("DISCONNECT", 0, workers[0].id, value=50 * 1000 * 1000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        while workers[0].process.poll() is None:
            client.sendto(b"x", ("127.0.0.1", port))
            client.recv(100)
            engine.pump()
        for _ in range(20):
            client.sendto(b"x", ("127.0.0.1", port))
            equal("who answers", int(client.recv(100)), workers[1].process.pid)
    workers[0].gone()
    return engine


def test_backlog():
    """Of what workers ask for the largest counts; and a worker knows its clients."""
    engine, port = Engine(), free_port()
    for slot, length in enumerate((7, 77, 17)):
        worker = Worker(engine, slot, ["backlog=%d,%d" % (port, length)])
        engine.wait("LISTENING", worker)
    shown = subprocess.run(["ss", "-ltnH", "sport", "=", ":%d" % port], check=True, capture_output=True, text=True).stdout
    equal("the backlog", shown.split()[2], "77")
    return engine


def test_whence():
    engine, port = Engine(), free_port()
    engine.begin(1, "local=%d" % port)
    client = begin_get(port, "/whence")
    mine = client.getsockname()
    equal("the client", end_get(client).split()[-2:], [mine[0].encode(), b"%d" % mine[1]])
    return engine


def test_nonsense():
    """Nothing that a worker sends harms the primary or the others."""
    engine, port = Engine(), free_port()
    workers = engine.begin(1, "local=%d" % port)
    liar = raw(engine, 1)
    for line in (b"", b"{", b"\xff\xfe", b"\0", b"[" * 5000, b"1e99", b'{"cmd":"NODE_CLUSTER"}',
                 b'{"cmd":"NODE_HANDLE_ACK"}', b'{"cmd":"NODE_HANDLE_NACK"}', b'{"cmd":"NODE_HANDLE"}',
                 b'{"cmd":"NODE_CLUSTER","ack":"x"}', b'{"cmd":"NODE_CLUSTER","ack":99,"accepted":false}',
                 b'{"cmd":"NODE_CLUSTER","act":"close","key":"null:%d:4:-1"}' % port,
                 b'{"cmd":"NODE_CLUSTER","act":"queryServer","port":1e99,"seq":1}',
                 b'{"cmd":"NODE_CLUSTER","act":"queryServer","port":-1,"address":{},"seq":2}',
                 b'{"cmd":"NODE_CLUSTER","act":"queryServer","port":99999,"addressType":{},"seq":3}',
                 b'{"cmd":"NODE_CLUSTER","act":"queryServer","fd":0,"seq":4}',
                 b'{"cmd":"NODE_CLUSTER","act":"listening","port":[],"seq":5}',
                 b'{"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":"k\\"\\n"}'):
        liar.peer.sendall(line + b"\n")
    answers = b""
    while b"NODE_SOCKET_ALL_CLOSED" not in answers or not answers.endswith(b"\n"):
        answers += liar.peer.recv(65536)
    for line in answers.decode().splitlines():
        json.loads(line)
    equal("errors", sorted(json.loads(l).get("errno", 0) for l in answers.decode().splitlines() if "errno" in l),
          [-22, -22, -22, -22])
    equal("who serves", list(pids(engine, port, 3)), [workers[0].process.pid])
    liar.peer.close()
    return engine


def test_primary_killed(mode="round-robin"):
    """Whenever: nothing that a worker has is lost, and no request that waits."""
    engine, port = Engine(mode), free_port()
    workers = engine.begin(2, "local=%d" % port, "local=0", "echo")
    for turn in range(10):
        clients = [begin_get(port, "/slow" if turn % 2 else "/") for _ in range(2)]
        if turn % 2:
            get(port)  # both are with their workers now
        else:
            for client in clients:
                end_get(client)
        engine.kill_primary()
        waiting = begin_get(port)
        engine.start()
        end_get(waiting)
        if turn % 2:
            for client in clients:
                end_get(client)
        for worker in workers:
            engine.send("SEND", worker.slot, worker.id, payload=b"%d" % turn)
        for worker in workers:
            until(lambda: {"echo": turn} in engine.messages(worker), "an echo after the %d. kill" % turn)
    equal("the pids", sorted(pids(engine, port, 20)) if mode == "round-robin" else [], sorted(
        worker.process.pid for worker in workers) if mode == "round-robin" else [])
    # Who is new finds what was open.
    workers[0].kill()
    workers[0].gone()
    worker = Worker(engine, 0, ["local=%d" % port, "local=0", "echo"])
    engine.wait("LISTENING", worker)
    return engine


def test_primary_killed_shared():
    return test_primary_killed("shared")


def test_primary_killed_while_asked():
    """Between a worker's question and the answer, at any moment of it: the worker gets one."""
    engine = Engine()
    for turn in range(8):
        worker = Worker(engine, turn % 4, ["local=0"])
        deadline = time.monotonic() + 0.02 * turn
        until(lambda: time.monotonic() > deadline, "a moment")
        engine.kill_primary()
        engine.start()
        engine.wait("LISTENING", worker)
        worker.kill()
        worker.gone()
    return engine


def test_privileged():
    """What the worker's user may not bind is the engine's to bind, if the stanza names it."""
    port = free_port()
    engine = Engine(rules=("tcp:127.0.0.1:%d" % port,), more=["--ask-below", "65536"])
    asked = []

    def bind(listener, slot):
        asked.append(listener)
        fd = socket.socket()
        fd.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        fd.bind(("127.0.0.1", port))
        engine.send("BOUND", listener, slot, fd=fd.fileno())
        fd.close()

    def refuse(listener, slot):
        engine.send("BOUND", listener, slot, value=-98)

    engine.binder = refuse
    worker = Worker(engine, 0, ["local=%d" % port])
    equal("its error", worker.wait_line("error"), "error EADDRINUSE")
    worker.kill()
    worker.gone()
    # An engine that is killed over the question: the next one is asked again.
    engine.binder = lambda listener, slot: asked.append(listener)
    worker = Worker(engine, 0, ["local=%d" % port])
    until(lambda: engine.pump() or asked, "the question")
    asked.clear()
    engine.binder = bind
    engine.send("TELL")
    engine.wait("LISTENING", worker)
    equal("who serves", pids(engine, port, 2), {worker.process.pid: 2})
    worker.kill()
    worker.gone()
    engine.send("SETTLED")
    until(lambda: engine.pump() or not engine.held, "the port is closed")
    asked.clear()
    workers = engine.begin(2, "local=%d" % port)
    equal("who serves", len(pids(engine, port, 4)), 2)
    equal("questions", len(asked), 1)
    worker = Worker(engine, 2, ["http=%d" % port])  # another address
    equal("its error", worker.wait_line("error"), "error EACCES")
    return engine


def test_exclusive():
    """A server that does without the primary is none of its business."""
    engine, port = Engine(), free_port()
    worker = Worker(engine, 0, ["exclusive=%d" % port])
    worker.wait_line("listening")
    equal("it serves", get(port), "x")
    equal("held", engine.held, {})
    return engine


def test_memory():
    """PSS of the primary with 4 workers that have served."""
    engine, port = Engine(), free_port()
    engine.begin(4, "local=%d" % port)
    pids(engine, port, 50)
    rollup = open("/proc/%d/smaps_rollup" % engine.primary.pid).read()
    kilobytes = int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
    print("# PSS %d kB" % kilobytes)
    if kilobytes > 1024:
        raise AssertionError("%d kB" % kilobytes)
    return engine


if __name__ == "__main__":
    ended = globals()["test_" + sys.argv[1]]()
    if ended is not None:
        ended.done()
