#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The real chain: the kernel kills a process for memory -> journald -> rsyslog with conf/rsyslog/60-logmill.conf as it
is -> logmill -> InfluxDB, which then answers what Chronograf's log viewer and the talk's explorer ask, word for word.

All of it in mount, network and process namespaces of its own, so that the name `logmill`, port 6514 and the journal
are private and everything dies together. Where the kernel has no memory cgroup to kill in, or journald does not run,
the same lines come from an imported journal, and the test says so. LOGMILL_E2E_IMPORT=1 asks for that."""
import os
import re
import shutil
import socket
import subprocess
import sys
import time

from lab import PROJECT, SKIP, Missing, check, equal, run, say, say_missing, wait_until

INSIDE = "LOGMILL_E2E_INSIDE"
JOURNALD = "/lib/systemd/systemd-journald"
IMPORTER = "/lib/systemd/systemd-journal-remote"
JOURNALD_CONF = """[Journal]
Storage=volatile
RateLimitIntervalSec=0
RateLimitBurst=0
ReadKMsg=yes
Audit=
ForwardToSyslog=no
"""
RSYSLOG = """global(workDirectory="%(work)s" maxMessageSize="64k")
# A pod's messages as the talk's proof of concept had them: namespace/pod as APP-NAME, its labels as structured data.
template(name="pod" type="list") {
  constant(value="<") property(name="pri") constant(value=">1 ")
  property(name="timestamp" dateFormat="rfc3339") constant(value=" ") property(name="hostname") constant(value=" ")
  property(name="$!KUBERNETES_NAMESPACE") constant(value="/") property(name="$!KUBERNETES_POD")
  constant(value=" - - [label component=\\"") property(name="$!LABEL_COMPONENT") constant(value="\\"] ")
  property(name="msg" spIfNo1stSp="off" dropLastLf="on")
}
if $!KUBERNETES_POD != "" then {
  action(type="omfwd" target="127.0.0.1" port="6514" protocol="tcp" tcp_framing="octet-counted" template="pod"
         queue.type="LinkedList" action.resumeRetryCount="-1" action.resumeInterval="1")
  stop
}
if $programname == "protocol23" then {
  action(type="omfwd" target="127.0.0.1" port="6514" protocol="tcp" tcp_framing="octet-counted"
         template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" action.resumeRetryCount="-1"
         action.resumeInterval="1")
  stop
}
include(file="{project}/conf/rsyslog/60-logmill.conf")
"""
LOGMILL = """[server]
host = lab
state_dir = {state}
rules = {project}/rules/*.ini {project}/conf/examples/k8s-poc.ini
[listen rsyslog]
address = tcp://127.0.0.1:6514
[metrics]
every = 1s
[influxdb main]
url = {url}
flush_interval = 200ms
"""

POD = "kube-system/kube-controller-manager-minikube"
OLD_KERNEL = "Memory cgroup out of memory: Kill process 4711 (stress) score 1972 or sacrifice child"
IMPORTED_KILL = ("Memory cgroup out of memory: Killed process 4712 (stress) total-vm:76656kB, anon-rss:65280kB, "
                 "file-rss:5080kB, shmem-rss:0kB, UID:0 pgtables:192kB oom_score_adj:0")
ENTRIES = [
    {"MESSAGE": "Started controller \"node\"", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "kube-controller",
     "KUBERNETES_NAMESPACE": "kube-system", "KUBERNETES_POD": "kube-controller-manager-minikube",
     "LABEL_COMPONENT": "kube-controller-manager"},
    {"MESSAGE": "in RSYSLOG_SyslogProtocol23Format", "PRIORITY": "4", "SYSLOG_IDENTIFIER": "protocol23"},
    {"MESSAGE": "Failed password for root from 10.0.0.1 port 4242 ssh2", "PRIORITY": "3", "SYSLOG_FACILITY": "4",
     "SYSLOG_IDENTIFIER": "sshd", "SYSLOG_PID": "4242"},
    # Kernels before 5.0 say this, new ones no more: the talk's rule looks for it.
    {"MESSAGE": OLD_KERNEL, "PRIORITY": "3", "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel"},
]


# ---- outside: into namespaces

def go_inside():
    flags = ["unshare", "-m", "-n", "-p", "-f", "--mount-proc", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run(
            flags + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        say_missing("namespaces of its own (unshare -m -n -p): not root, or not allowed to")
        sys.exit(SKIP)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", flags + [sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


# ---- inside

def command(*arguments):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    equal(done.returncode, 0, "%s: %s" % (" ".join(arguments), done.stdout))
    return done.stdout


def make_private(lab):
    command("mount", "--make-rprivate", "/")
    command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    command("ip", "link", "set", "lo", "up")
    with open("/etc/hosts") as file:
        hosts = lab.write("hosts", file.read() + "\n127.0.0.1 logmill\n")
    command("mount", "--bind", hosts, "/etc/hosts")


def start_journald(lab):
    """False when it does not run here."""
    if not os.path.exists(JOURNALD):
        return False
    os.makedirs("/run/systemd/journal")
    os.makedirs("/run/log")
    os.makedirs("/run/systemd/journald.conf.d")
    shutil.copy(lab.write("journald.conf", JOURNALD_CONF), "/run/systemd/journald.conf.d/lab.conf")
    journald = lab.start("journald", [JOURNALD])
    wait_until(lambda: os.path.exists("/run/systemd/journal/socket") or not journald.running(), "journald is up")
    return journald.running()


class Cgroup:
    """A memory cgroup of its own, v1 or v2."""

    def __init__(self, megabytes):
        name, limit = "logmill-e2e-%d" % os.getpid(), str(megabytes << 20)
        try:
            if os.path.isdir("/sys/fs/cgroup/memory"):
                self.path = "/sys/fs/cgroup/memory/" + name
                os.mkdir(self.path)
                self.set("memory.limit_in_bytes", limit)
                self.set("memory.memsw.limit_in_bytes", limit, needed=False)
            else:
                self.path = "/sys/fs/cgroup/" + name
                self.set("../cgroup.subtree_control", "+memory", needed=False)
                os.mkdir(self.path)
                self.set("memory.max", limit)
                self.set("memory.swap.max", "0", needed=False)
        except OSError as error:
            self.remove()
            raise Missing("a memory cgroup: %s" % error) from None

    def set(self, file, value, needed=True):
        try:
            with open(os.path.join(self.path, file), "w") as out:
                out.write(value)
        except OSError:
            if needed:
                raise

    def remove(self):
        try:
            os.rmdir(self.path)
        except OSError:
            pass


def kill_for_memory(lab):
    """A process that calls itself stress takes memory until the kernel kills it."""
    stress = shutil.copy(os.path.realpath(sys.executable), lab.path("stress"))
    cgroup = Cgroup(48)
    try:
        hog = lab.start("hog", ["sh", "-c", 'echo $$ >"$1/cgroup.procs"; exec "$2" -S -c "$3"', "sh", cgroup.path, stress,
                                "a = []\nwhile len(a) < 512:\n    a.append(bytearray(1 << 20))\n"])
        code = hog.wait()
        if code != -9:
            raise Missing("the kernel's OOM killer in a memory cgroup (exit code %d): %s" % (code, hog.log[-500:]))
    finally:
        wait_until(lambda: cgroup.remove() or not os.path.exists(cgroup.path), "the cgroup is gone")


def send_native(fields):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.sendto("".join("%s=%s\n" % item for item in fields.items()).encode(), "/run/systemd/journal/socket")


def import_journal(lab, entries):
    """Writes a journal that holds a marker and the entries, and returns the marker's cursor."""
    if not os.path.exists(IMPORTER):
        raise Missing("systemd-journal-remote is not installed")
    with open("/etc/machine-id") as file:
        machine = file.read().strip()
    folder = "/run/log/journal/" + machine
    os.makedirs(folder, exist_ok=True)
    now, text = time.time_ns() // 1000 - 1000000, ""
    for i, fields in enumerate([{"MESSAGE": "marker", "PRIORITY": "7", "SYSLOG_IDENTIFIER": "marker"}] + entries):
        text += "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n_MACHINE_ID=%s\n" % (
            now + i * 1000, 1000 + i, "943fb769d8ad4abbbf39d0f6755c0d53", machine)
        text += "".join("%s=%s\n" % item for item in fields.items()) + "\n"
    command(IMPORTER, "-o", folder + "/system.journal", lab.write("journal.export", text))
    cursors = re.findall("^__CURSOR=(.*)$", command("journalctl", "--no-pager", "-D", folder, "-o", "export"), re.M)
    equal(len(cursors), len(entries) + 1, "entries of the imported journal")
    return cursors[0]


# ---- what is asked of the database

def viewer_types(rows):
    """What Chronograf's log viewer needs of the columns."""
    for row in rows:
        for column, kinds in (("severity", str), ("timestamp", int), ("message", str), ("facility", str),
                              ("appname", (str, type(None))), ("procid", (str, type(None))), ("hostname", str),
                              ("host", str), ("_timestamp_nsinms", int), ("time", int)):
            check(isinstance(row[column], kinds), "viewer: %s of %r" % (column, row))
        check(row["severity"] in ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"), row["severity"])
        check(10**18 < row["timestamp"] < 10**19, "timestamp is not in ns: %r" % row)
        equal(row["_timestamp_nsinms"], row["timestamp"] % 1000000, "timestamp % 1000000")


def check_viewer(influx, killed):
    """The very queries of Chronograf's log viewer; its answers have times in ms."""
    def ask(query):
        return influx.rows(query, epoch="ms")
    check({"name": "telegraf"} in ask("SHOW DATABASES"), "SHOW DATABASES")
    check("autogen" in [row["name"] for row in ask('SHOW RETENTION POLICIES ON "telegraf"')], "retention policies")
    equal(ask('SHOW MEASUREMENTS ON "telegraf" WITH measurement = "syslog"'), [{"name": "syslog"}], "the viewer's gate")
    at = {days: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + seconds))
          for days, seconds in (("from", -600), ("to", 60))}
    table = ('SELECT "severity" AS "severity", "timestamp" AS "timestamp", "message" AS "message", "facility" AS '
             '"facility", "procid" AS "procid", "appname" AS "appname", "hostname" AS "hostname", "host" AS "host", '
             '"timestamp"%%1000000 AS "_timestamp_nsinms" FROM "telegraf"."autogen"."syslog" WHERE time >= \'%s\' AND '
             'time < \'%s\'%s ORDER BY time DESC')
    rows = ask(table % (at["from"], at["to"], ""))
    viewer_types(rows)
    equal([row["time"] for row in rows], sorted((row["time"] for row in rows), reverse=True), "order of the table")
    check(any(row["message"] == killed for row in rows), "the kernel's line is in the table")
    for wanted, condition in (
            (True, ' AND "severity" = \'err\' AND "appname" =~ /kernel/ AND "message" =~ /Killed/'),
            (True, ' AND "facility" = \'kern\' AND "message" !~ /nonsense/ AND "hostname" = \'%s\'' % socket.gethostname()),
            (True, ' AND "host" = \'lab\' AND "message" =~ /\\(stress\\)/'),
            (False, ' AND "appname" != \'kernel\''), (False, ' AND "severity" = \'emerg\'')):
        found = any(row["message"] == killed for row in ask(table % (at["from"], at["to"], condition)))
        equal(found, wanted, "the kernel's line with the filter" + condition)
    histogram = influx.query('SELECT count("message") FROM "telegraf"."autogen"."syslog" WHERE time > now() - 1m '
                             'GROUP BY time(2s), "severity" FILL(0)', epoch="ms")
    bars = {series["tags"]["severity"]: sum(values[1] for values in series["values"]) for series in histogram}
    check(bars.get("err", 0) >= 2, "the histogram's bars: %r" % bars)
    for series in histogram:
        equal(series["columns"], ["time", "count"], "columns of the histogram")
    check(sum(bars.values()) <= len(ask(table % (at["from"], at["to"], ""))), "the histogram counts more than there is")
    say("log viewer: %d rows, bars %s" % (len(rows), bars))


def check_talk(influx):
    rows = influx.rows('SELECT "message", "label_component" FROM "telegraf"."autogen"."syslog" WHERE time > now() - 1h '
                       'AND "appname"=\'%s\'' % POD)
    equal([(row["message"], row["label_component"]) for row in rows],
          [('Started controller "node"', "kube-controller-manager")], "the talk's query for a pod's messages")
    rows = influx.rows('SELECT "count" FROM "telegraf"."autogen"."k8s" WHERE time > now() - 1h AND "proc"=\'stress\'')
    equal([row["count"] for row in rows], [1], "the talk's query for kills of stress")
    rows = influx.rows('SELECT "count" FROM "k8s" GROUP BY "proc", "pid"')
    equal([(row["proc"], row["pid"], row["count"]) for row in rows], [("stress", "4711", 1)], "measurement k8s")
    say("the talk's queries: answered (its kernel line, `Kill process ... sacrifice child`, was put into the journal)")


def check_kill(influx):
    """The row of the rule oom_kill, compared with the line that the kernel wrote. Returns the line."""
    line = wait_until(lambda: influx.rows('SELECT "message" FROM "syslog" WHERE "appname" = \'kernel\' AND '
                                          '"message" =~ /Killed process \\d+ \\(stress\\)/'),
                      "the kernel's line in the database")[0]["message"]
    rss = int(re.search(r"anon-rss:(\d+)kB", line)[1]) * 1024
    wait_until(lambda: influx.rows('SELECT * FROM "oom_kill" WHERE "proc" = \'stress\' AND "count" > 0'),
               "the row of oom_kill")
    rows = influx.rows('SELECT "count", "total", "rss_bytes", "max" FROM "oom_kill" WHERE "count" > 0 '
                       'GROUP BY "hostname", "proc"')
    rows = [{key: value for key, value in row.items() if key != "time"} for row in rows if row["proc"] == "stress"]
    equal(rows, [{"count": 1, "total": 1, "rss_bytes": rss, "max": rss, "hostname": socket.gethostname(),
                  "proc": "stress"}], "rows of oom_kill for: " + line)
    say("the kernel's line: %s\n  made: %r" % (line.strip(), rows[0]))
    return line


def send(lab):
    """The entries and a kill, through journald if it can be. Returns the state that imjournal starts from, or None."""
    if os.environ.get("LOGMILL_E2E_IMPORT") != "1":
        if start_journald(lab):
            return None
        say_missing("a running journald; an imported journal stands in for journald and the kernel")
    kill = dict(ENTRIES[3], MESSAGE=IMPORTED_KILL)
    return import_journal(lab, ENTRIES + [kill])


def main(lab):
    make_private(lab)
    influx = lab.influx()
    cursor = send(lab)
    logmill = lab.serve(LOGMILL.format(state=lab.subfolder("state"), project=PROJECT, url=influx.url))
    if cursor is not None:
        lab.subfolder("rsyslogd")
        lab.write("rsyslogd/logmill-imjournal.state", cursor)
    rsyslog = lab.rsyslog(RSYSLOG.replace("{project}", PROJECT))
    if cursor is None:
        def chain_is_up():
            send_native({"MESSAGE": "is imjournal reading?", "PRIORITY": "7", "SYSLOG_IDENTIFIER": "probe"})
            return logmill.metrics().sum("logmill_messages_received_total") > 0
        wait_until(chain_is_up, "the chain is up", pause=0.3)
        for fields in ENTRIES:
            send_native(fields)
        try:
            kill_for_memory(lab)
        except Missing as missing:
            say_missing("%s; what the kernel would say is written into the journal" % missing)
            send_native(dict(ENTRIES[3], MESSAGE=IMPORTED_KILL))
    say("journal: %s" % ("imported" if cursor else "journald's"))
    killed = check_kill(influx)
    for appname in (POD, "protocol23", "sshd", "kernel"):
        wait_until(lambda appname=appname: influx.rows(
            'SELECT "message" FROM "syslog" WHERE "appname" = \'%s\'' % appname), "messages of " + appname)
    equal([(row["message"].strip(), row["severity"]) for row in influx.rows(
        'SELECT "message", "severity" FROM "syslog" WHERE "appname" = \'protocol23\'')],
        [("in RSYSLOG_SyslogProtocol23Format", "warning")], "the message in RSYSLOG_SyslogProtocol23Format")
    equal([(row["message"], row["severity"], row["facility"], row["procid"]) for row in influx.rows(
        'SELECT "message", "severity", "facility", "procid" FROM "syslog" WHERE "appname" = \'sshd\'')],
        [("Failed password for root from 10.0.0.1 port 4242 ssh2", "err", "auth", "4242")], "sshd's message")
    check_viewer(influx, killed)
    check_talk(influx)
    metrics = logmill.metrics()
    metrics.check_conservation()
    equal(metrics.sum("logmill_parse_errors_total"), 0, "parse errors")
    equal(metrics.sum("logmill_points_rejected_total") + metrics.sum("logmill_rule_points_rejected_total"), 0, "rejected")
    equal(rsyslog.stop(), 0, "exit code of rsyslogd")


if INSIDE not in os.environ:
    go_inside()
run(main)
