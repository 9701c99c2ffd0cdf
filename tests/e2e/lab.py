# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: private servers in a folder of their own, bounded waits, and an end that leaves
nothing behind.

A test is a program `test_x.py LOGMILL [LOAD SINK]` that calls run(main); main gets a Lab. Exit code 0: all held,
1: something did not (with the ends of the servers' logs), 77: this machine lacks what the test needs, said on a line
that begins with `missing on this machine: `. A server started here dies with the test, however the test ends."""
import ctypes
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = 60.0  # seconds; how long a wait may last where nothing slower is expected: machines are busy
SKIP = 77


class Failed(Exception):
    """An expectation that did not hold."""


class Missing(Exception):
    """What the kernel or the installation has not."""


def equal(got, wanted, what):
    if got != wanted:
        raise Failed("%s:\n  got    %r\n  wanted %r" % (what, got, wanted))


def check(condition, what):
    if not condition:
        raise Failed(what)


def say(text):
    print(text, flush=True)


def say_missing(what):
    """For a test that goes on with less. scripts/test repeats such lines in its summary."""
    say("missing on this machine: " + what)


def wait_until(condition, what, seconds=PATIENCE, pause=0.05):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed("after %.0f s still not: %s" % (seconds, what))
        time.sleep(pause)


def wait_equal(function, wanted, what, seconds=PATIENCE, pause=0.1):
    """Polls until function() == wanted; the failure names the last value."""
    deadline = time.monotonic() + seconds
    while True:
        got = function()
        if got == wanted:
            return
        if time.monotonic() > deadline:
            raise Failed("%s, after %.0f s:\n  got    %r\n  wanted %r" % (what, seconds, got, wanted))
        time.sleep(pause)


def die_with_parent():
    """Parent is the thread, not the process: start processes from the main one."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Process:
    """One server. Its stdout and stderr go to a log file; `log` is what is in it so far."""

    def __init__(self, name, command, folder, **options):
        self.name = name
        self.log_path = os.path.join(folder, name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent, **options)

    @property
    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        """Returns the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed("%s did not end within %.0f s" % (self.name, seconds)) from None

    def stop(self, seconds=PATIENCE):
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()


class Influx(Process):
    """A private influxd. Stopped and started again it has the same address and data. With password: its user `admin`
    has that one, and nobody gets in without."""

    CONFIG = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
  max-series-per-database = 0
  max-values-per-tag = 0
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
[logging]
  level = "warn"
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
"""

    def __init__(self, lab, name="influxd", password=None):
        if shutil.which("influxd") is None:
            raise Missing("influxd is not installed")
        self.lab, self.folder = lab, lab.subfolder(name)
        self.port = lab.free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.config = lab.write(name + ".conf", self.CONFIG.format(
            rpc_port=lab.free_port(), port=self.port, folder=self.folder, auth=str(password is not None).lower()))
        self.credentials = {}
        self.start()
        if password is not None:
            self.post("/query", {"q": "CREATE USER admin WITH PASSWORD '%s' WITH ALL PRIVILEGES" % password})
            self.credentials = {"u": "admin", "p": password}

    def start(self):
        super().__init__("influxd", ["influxd", "run", "-config", self.config], self.folder)
        wait_until(self.answers, "influxd answers /ping")

    def answers(self):
        check(self.running(), "influxd ended:\n" + self.log[-2000:])
        try:
            with urllib.request.urlopen(self.url + "/ping", timeout=5) as answer:
                return answer.status == 204
        except OSError:
            return False

    def post(self, path, parameters, body=b""):
        parameters = urllib.parse.urlencode({**parameters, **self.credentials})
        request = urllib.request.Request("%s%s?%s" % (self.url, path, parameters), data=body)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Failed("influxd: %s %s %s" % (parameters, error.code, error.read(2000))) from None

    def create(self, database):
        self.post("/query", {"q": 'CREATE DATABASE "%s"' % database})

    def write(self, database, lines):
        self.post("/write", {"db": database}, lines.encode())

    def query(self, query, database="telegraf", **parameters):
        """The series of the one statement: a list of {name, tags, columns, values}; times in ns if not said else.
        No such database is an empty answer: logmill creates it with its first write."""
        answer = json.loads(self.post("/query", {"db": database, "q": query, "epoch": "ns", **parameters}))
        result = answer["results"][0]
        if "error" in result and "database not found" not in result["error"]:
            raise Failed("influxd: %s: %s" % (query, result["error"]))
        return result.get("series", [])

    def rows(self, query, database="telegraf", **parameters):
        """All rows as dicts, tags of GROUP BY included."""
        return [dict(zip(series["columns"], values), **series.get("tags", {}))
                for series in self.query(query, database, **parameters) for values in series["values"]]

    def value(self, query, database="telegraf"):
        """The second column of the first row, which is what a query for one aggregate asks for; 0 without rows."""
        series = self.query(query, database)
        return series[0]["values"][0][1] if series else 0

    def numbers(self, count, database="telegraf", pattern=rb"seq=(\d+)", query='SELECT "message" FROM "syslog"'):
        """How often each number below count is there, as a bytearray (255: that often or more). The answer is read as
        it comes, 10,000 rows at a time, and never decoded: a million messages take seconds."""
        seen = bytearray(count)
        find = re.compile(pattern).findall
        parameters = urllib.parse.urlencode(
            {"db": database, "q": query, "epoch": "ns", "chunked": "true", "chunk_size": 10000, **self.credentials})
        with urllib.request.urlopen("%s/query?%s" % (self.url, parameters), timeout=PATIENCE) as answer:
            for line in answer:
                for number in find(line):
                    i = int(number)
                    check(i < count, "a number that was never sent: %d" % i)
                    seen[i] = min(seen[i] + 1, 255)
        return seen


def check_each_once(seen, what):
    wrong = [i for i, n in enumerate(seen) if n != 1]
    if wrong:
        raise Failed("%s: of %d numbers %d are missing, %d are there more than once; first: %s" % (
            what, len(seen), seen.count(0), sum(n > 1 for n in seen), [(i, seen[i]) for i in wrong[:10]]))


class Metrics:
    """One scrape of /metrics."""

    LINE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
    LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.samples = []
        for line in text.splitlines():
            if not line.startswith("#"):
                match = self.LINE.fullmatch(line)
                check(match, "not a line of Prometheus text: %r" % line)
                self.samples.append((match[1], dict(self.LABEL.findall(match[2] or "")), float(match[3])))

    def sum(self, name, **labels):
        """Over all samples of that name that have these labels; there must be one."""
        values = [value for sample, have, value in self.samples
                  if sample == name and all(have.get(key) == wanted for key, wanted in labels.items())]
        check(values, "/metrics has no %s %r" % (name, labels))
        return int(sum(values)) if sum(values) == int(sum(values)) else sum(values)

    def check_conservation(self):
        """Never lose a message silently: at every moment the account closes, for each output."""
        made = self.sum("logmill_messages_received_total") - self.sum("logmill_messages_skipped_total")
        for output in {have["output"] for name, have, _ in self.samples if name == "logmill_points_queued"}:
            def points(what, output=output):
                return self.sum("logmill_points_" + what, output=output)
            equal(points("accepted_total"), made, "points accepted by %s = messages received - skipped" % output)
            equal(points("accepted_total") + points("restored_total"),
                  points("written_total") + points("rejected_total") + points("dropped_total") + points("queued"),
                  "accepted + restored = written + rejected + dropped + queued, of " + output)


class Logmill(Process):
    """`logmill serve`. start() again after an end keeps folder, configuration and log."""

    def __init__(self, lab, config, name="logmill", http_port=None):
        self.lab, self.name_, self.config, self.http_port = lab, name, config, http_port
        self.started = 0
        self.start()

    def start(self):
        super().__init__(self.name_, [self.lab.logmill, "serve", "-c", self.config], self.lab.folder)
        self.started += 1

        def up():
            check(self.running(), "logmill ended with exit code %s:\n%s" % (self.process.returncode, self.log[-3000:]))
            return self.log.count("event=started ") == self.started
        wait_until(up, "logmill says event=started", pause=0.01)

    def get(self, path, headers=None, timeout=PATIENCE):
        """(status, body as text)"""
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.http_port, path), headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        status, text = self.get("/metrics")
        equal(status, 200, "status of /metrics")
        return Metrics(text)

    def wait_received(self, count, seconds=PATIENCE, **labels):
        """/metrics is a snapshot, taken twice a second."""
        wait_equal(lambda: self.metrics().sum("logmill_messages_received_total", **labels), count,
                   "messages received", seconds)

    def wait_written(self, count, seconds=PATIENCE):
        wait_equal(lambda: self.metrics().sum("logmill_points_written_total"), count, "raw points written", seconds)


class Rsyslog(Process):
    """A private rsyslogd; `config` has %(work)s for its folder. Its modules' complaints fail the start."""

    def __init__(self, lab, config, name="rsyslogd"):
        if shutil.which("rsyslogd") is None:
            raise Missing("rsyslogd is not installed")
        self.lab, self.name_ = lab, name
        self.work = lab.subfolder(name)
        self.config = lab.write(name + ".conf", config.replace("%(work)s", self.work))
        self.start()

    def start(self):
        pid_file = os.path.join(self.work, "rsyslogd.pid")
        if os.path.exists(pid_file):
            os.unlink(pid_file)
        super().__init__(self.name_, ["rsyslogd", "-n", "-f", self.config, "-i", pid_file], self.work)

        def up():
            check(self.running(), "rsyslogd ended:\n" + self.log[-3000:])
            return os.path.exists(pid_file) and os.path.getsize(pid_file) > 0
        wait_until(up, "rsyslogd has written its pid file", pause=0.02)


class Sink(Process):
    """logmill_sink: an InfluxDB that stores nothing, counts everything and misbehaves on request."""

    def __init__(self, lab, *arguments, name="sink"):
        super().__init__(name, [lab.sink, "--listen", "127.0.0.1:%d" % lab.free_port(), *arguments], lab.folder)
        match = wait_until(lambda: re.search(r"listening (\S+)\n", self.log), "the sink listens")
        self.url = "http://" + match[1]

    def stats(self):
        with urllib.request.urlopen(self.url + "/stats", timeout=PATIENCE) as answer:
            return json.load(answer)


class Lab:
    """A folder and everything that runs in it."""

    def __init__(self, logmill=None, load=None, sink=None):
        self.logmill, self.load, self.sink = logmill, load, sink
        self.folder = tempfile.mkdtemp(prefix="logmill-e2e-")
        self.processes, self.ports = [], set()

    def keep(self, process):
        self.processes.append(process)
        return process

    def influx(self, **options):
        return self.keep(Influx(self, **options))

    def rsyslog(self, config, **options):
        return self.keep(Rsyslog(self, config, **options))

    def start_sink(self, *arguments, **options):
        return self.keep(Sink(self, *arguments, **options))

    def serve(self, config, name="logmill", http=True):
        """Starts logmill with this configuration; [http], state_dir (when [server] is not there) are added."""
        port = self.free_port() if http else None
        if "[server]" not in config:
            config = "[server]\nhost = lab\nstate_dir = %s\nrules = none.ini\n" % self.subfolder(name + "-state") + config
            self.write("none.ini", "")
        config += "\n[http]\naddress = %s\n" % ("127.0.0.1:%d" % port if http else "none")
        return self.keep(Logmill(self, self.write(name + ".ini", config), name, port))

    def start(self, name, command, **options):
        return self.keep(Process(name, command, self.folder, **options))

    def send(self, *arguments):
        """Runs logmill_load to its end and returns what it says it sent."""
        done = subprocess.run([self.load, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              preexec_fn=die_with_parent, check=False)
        equal(done.returncode, 0, "logmill_load %s: %s" % (arguments, done.stderr.decode()))
        return json.loads(done.stdout)

    def start_load(self, *arguments, name="load"):
        """The same beside the test; finish_load() gives the result."""
        return self.keep(Process(name, [self.load, *map(str, arguments)], self.folder))

    @staticmethod
    def finish_load(load, seconds=PATIENCE):
        equal(load.wait(seconds), 0, "exit code of logmill_load: " + load.log)
        return json.loads(load.log)

    def run(self, *arguments, stdin=None, cwd=None, env=None, seconds=PATIENCE):
        """Runs logmill to its end: (exit code, stdout, stderr)."""
        done = subprocess.run([self.logmill, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=cwd or self.folder, env=env, timeout=seconds, check=False,
                              preexec_fn=die_with_parent)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def subfolder(self, name):
        os.makedirs(self.path(name), exist_ok=True)
        return self.path(name)

    def free_port(self):
        """For TCP and UDP, and below the range of ephemeral ports: a sender that retries a closed port in that range
        can connect to itself."""
        while True:
            port = random.randint(10000, 32000)
            if port in self.ports:
                continue
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                try:
                    tcp.bind(("127.0.0.1", port))
                    udp.bind(("127.0.0.1", port))
                except OSError:
                    continue
            self.ports.add(port)
            return port

    def show_logs(self):
        for process in self.processes:
            if os.path.exists(process.log_path):
                say("--- the log of %s ends (exit code %s):\n%s" % (
                    process.name, process.process.poll(), process.log[-3000:]))

    def clean_up(self):
        for process in reversed(self.processes):
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def connect(port, kind=socket.SOCK_STREAM):
    connection = socket.socket(socket.AF_INET, kind)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", port))
    return connection


def finish(connection):
    """Everything sent: half-close and wait for the receiver to close, so that nothing is reset on the way."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass
    connection.close()


def send_stream(port, data):
    connection = connect(port)
    connection.sendall(data)
    finish(connection)


def octet(message):
    """RFC 6587 octet counting."""
    data = message if isinstance(message, bytes) else message.encode()
    return b"%d " % len(data) + data


def utc_stamp(seconds=None):
    """RFC 3339 with microseconds, of now when seconds is None."""
    now = time.time() if seconds is None else seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%06dZ" % (now % 1 * 1000000)


def run(main):
    """Runs main(lab), prints what went wrong, cleans up and exits."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tools = [os.path.abspath(path) for path in sys.argv[1:4]]
    if not tools:
        sys.exit("usage: %s LOGMILL [LOGMILL_LOAD LOGMILL_SINK]" % sys.argv[0])
    lab, code, started = Lab(*tools), 1, time.monotonic()
    try:
        main(lab)
        for process in lab.processes:
            if isinstance(process, Logmill) and process.running():
                equal(process.stop(), 0, "exit code of logmill after SIGTERM")
        code = 0
        say("ok, %.1f s" % (time.monotonic() - started))
    except Missing as missing:
        say_missing(str(missing))
        code = SKIP
    except Exception:  # whatever it is: the servers' logs say more
        lab.show_logs()
        say(traceback.format_exc())
    finally:
        if code == 1 and os.environ.get("LOGMILL_E2E_KEEP"):
            say("kept: " + lab.folder)
            for process in lab.processes:
                process.kill()
        else:
            lab.clean_up()
    sys.exit(code)
