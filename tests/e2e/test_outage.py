#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""InfluxDB away and back, logmill stopped and started: every number is in the database exactly once, and the account
closes at every moment. What a real InfluxDB cannot be made to answer comes from logmill_sink."""
import socket
import threading
import time

from lab import (check, check_each_once, connect, equal, finish, octet, run, say, utc_stamp, wait_equal, wait_until)

RATE = 5000  # messages a second
CONFIG = """[listen in]
address = tcp://127.0.0.1:{port}
[influxdb main]
url = {url}
flush_interval = 200ms
timeout = {timeout}
"""
RSYSLOG = """global(workDirectory="%(work)s")
main_queue(queue.type="LinkedList" queue.size="200000" queue.timeoutEnqueue="60000")
module(load="imptcp")
input(type="imptcp" address="127.0.0.1" port="{input}")
action(name="out" type="omfwd" target="127.0.0.1" port="{output}" protocol="tcp" tcp_framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format" queue.type="LinkedList" queue.size="200000"
  action.resumeRetryCount="-1" action.resumeInterval="1" action.resumeIntervalMax="1")
"""


def watch_account(logmill, load, least, actions=()):
    """Scrapes while the load runs; some scrape must have seen `least` points queued. actions: (seconds, function)."""
    queued, start, actions = 0, time.monotonic(), list(actions)
    while load.running() or actions:
        if actions and time.monotonic() - start >= actions[0][0]:
            actions.pop(0)[1]()
        metrics = logmill.metrics()
        metrics.check_conservation()
        queued = max(queued, metrics.sum("logmill_points_queued"))
        time.sleep(0.25)
    check(queued >= least, "at most %d points were queued: the outage did not happen" % queued)
    return queued


def check_database(influx, messages, what):
    equal(influx.value('SELECT count("message") FROM "syslog"'), messages, "rows, " + what)
    check_each_once(influx.numbers(messages), what)


def away_at_start(lab):
    """Nobody listens where InfluxDB should be; then it starts there, without the database."""
    messages, influx = 10000, lab.influx(name="late")
    influx.stop()
    port = lab.free_port()
    logmill = lab.serve(CONFIG.format(port=port, url=influx.url, timeout="10s"), name="logmill-late")
    equal(logmill.get("/readyz")[0], 200, "/readyz without a database")
    lab.send("--tcp", "127.0.0.1:%d" % port, "--messages", messages)
    logmill.wait_received(messages)
    metrics = logmill.metrics()
    metrics.check_conservation()
    equal(metrics.sum("logmill_points_queued"), messages, "points queued while the database is away")
    equal(metrics.sum("logmill_output_up"), 0, "logmill_output_up")
    influx.start()
    logmill.wait_written(messages)
    check_database(influx, messages, "away at start")
    equal(logmill.metrics().sum("logmill_output_up"), 1, "logmill_output_up")
    equal(logmill.stop(), 0, "exit code")
    influx.stop()
    say("away at start: %d messages, each there once" % messages)


def stopped_in_the_middle(lab):
    messages, influx = 10 * RATE, lab.influx()
    port = lab.free_port()
    logmill = lab.serve(CONFIG.format(port=port, url=influx.url, timeout="2s"), name="logmill-middle")
    load = lab.start_load("--tcp", "127.0.0.1:%d" % port, "--messages", messages, "--rate", RATE, "--connections", 2)

    # Killed: what it has not answered for is ours to send again.
    queued = watch_account(logmill, load, RATE, [(2.5, influx.kill), (7.5, influx.start)])
    lab.finish_load(load)
    logmill.wait_written(messages)
    check_database(influx, messages, "stopped in the middle")
    metrics = logmill.metrics()
    equal(metrics.sum("logmill_points_rejected_total") + metrics.sum("logmill_points_dropped_total"), 0, "lost points")
    equal(logmill.stop(), 0, "exit code")
    influx.stop()
    say("killed for 5 s in the middle: %d messages, each there once; at most %d waited" % (messages, queued))


def stamp_of(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 1000000)) + ".%06dZ" % (us % 1000000)


def feed(port, messages, rate):
    """Every message has a microsecond of its own, as from a real rsyslog. (Messages that share one are kept apart
    within a life of logmill; over a restart in the midst of them two may meet.)"""
    connection, start = connect(port), time.monotonic()
    for first in range(0, messages, 100):
        now = time.time_ns() // 1000
        connection.sendall(b"".join(octet("<134>1 %s host app - - - seq=%d" % (stamp_of(now + number - first), number))
                                    for number in range(first, min(first + 100, messages))))
        time.sleep(max(0.0, start + first / rate - time.monotonic()))
    finish(connection)


def restarts(lab):
    """rsyslog sends on while logmill is stopped and started five times. Each stop comes when rsyslog, connected again,
    empties its queue as fast as it can: sockets are full then, and SIGTERM must drain them."""
    messages, rate, times, influx = 240000, 30000, 5, lab.influx(name="restarts")
    port, input_port = lab.free_port(), lab.free_port()
    logmill = lab.serve(CONFIG.format(port=port, url=influx.url, timeout="10s"), name="logmill-restarts")
    rsyslog = lab.rsyslog(RSYSLOG.format(input=input_port, output=port))
    feeder = threading.Thread(target=feed, args=(input_port, messages, rate))
    feeder.start()
    longest = 0
    for i in range(times):
        wait_until(lambda: logmill.metrics().sum("logmill_connections") > 0, "rsyslog is connected", pause=0.01)
        time.sleep(0.1 * (i + 1))
        start = time.monotonic()
        equal(logmill.stop(), 0, "exit code of logmill after SIGTERM under load")
        longest = max(longest, time.monotonic() - start)
        logmill.start()
    check(feeder.is_alive(), "the restarts did not fall into the run")
    feeder.join()
    wait_equal(lambda: influx.value('SELECT count("message") FROM "syslog"'), messages, "rows after the restarts")
    check_database(influx, messages, "restarts")
    equal(rsyslog.stop(), 0, "exit code of rsyslogd")
    equal(logmill.stop(), 0, "exit code")
    influx.stop()
    say("%d restarts under %d messages/s: %d messages, each there once; the longest stop took %.2f s" % (
        times, rate, messages, longest))


def misbehaving(lab, name, faults, messages=12500):
    """The sink misbehaves from 0.5 s on; the numbers are counted by the sink itself, answered or not."""
    sink = lab.start_sink("--messages", str(messages), "--identity", *faults, name="sink-" + name)
    port = lab.free_port()
    logmill = lab.serve(CONFIG.format(port=port, url=sink.url, timeout="1s"), name="logmill-" + name)
    load = lab.start_load("--tcp", "127.0.0.1:%d" % port, "--messages", messages, "--rate", RATE, name="load-" + name)
    queued = watch_account(logmill, load, 1)
    lab.finish_load(load)
    logmill.wait_written(messages)
    metrics, stats = logmill.metrics(), sink.stats()
    metrics.check_conservation()
    for key in ("seq_missing", "seq_merged", "seq_foreign", "bad_lines"):
        equal(stats[key], 0, "%s: %s of the sink" % (name, key))
    check(stats["faulted"] > 0, "%s: the sink never misbehaved" % name)
    check(stats["faulted"] <= 40, "%s: %d requests into a server that refuses: no back-off" % (name, stats["faulted"]))
    equal(logmill.stop(), 0, "exit code")
    sink.stop()
    say("%s: %d messages, none missing; %d requests met the fault, at most %d points waited" % (
        name, messages, stats["faulted"], queued))
    return stats


def retry_after(lab):
    """429 with Retry-After: 3: no request for that long, though the back-off alone would try after half a second."""
    server = socket.create_server(("127.0.0.1", 0))
    times = []

    def serve():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                part = connection.recv(65536)
                if not part:
                    return
                data += part
            head, data = data.split(b"\r\n\r\n", 1)
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(data) < length:
                data += connection.recv(65536)
            data = data[length:]
            times.append(time.monotonic())
            if len(times) == 1:
                connection.sendall(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n")
            else:
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    threading.Thread(target=serve, daemon=True).start()
    port = lab.free_port()
    logmill = lab.serve(CONFIG.format(port=port, url="http://127.0.0.1:%d" % server.getsockname()[1], timeout="10s"),
                        name="logmill-retry-after")
    lab.send("--tcp", "127.0.0.1:%d" % port, "--messages", 100)
    logmill.wait_written(100)
    waited = times[1] - times[0]
    check(2.9 <= waited <= 8, "the next request came %.2f s after Retry-After: 3" % waited)
    equal(logmill.stop(), 0, "exit code")
    say("Retry-After: 3: the next request came after %.2f s" % waited)


def wrong_password(lab):
    """401 loses nothing: the file with the password is read again, and what waited goes out."""
    messages, influx, port = 2000, lab.influx(name="locked", password="right one"), lab.free_port()
    password = lab.write("password", "wrong one\n")
    logmill = lab.serve(CONFIG.format(port=port, url=influx.url, timeout="2s") +
                        "username = admin\npassword_file = %s\n" % password, name="logmill-locked")
    lab.send("--tcp", "127.0.0.1:%d" % port, "--messages", messages)
    wait_until(lambda: "status=401" in logmill.log, "the refusal in the log")
    logmill.wait_received(messages)
    equal(logmill.metrics().sum("logmill_points_queued"), messages, "points held")
    lab.write("password", "right one\n")
    logmill.wait_written(messages)
    check_database(influx, messages, "after the right password")
    check("wrong one" not in logmill.log and "right one" not in logmill.log, "a password is in the log")
    equal(logmill.stop(), 0, "exit code")
    influx.stop()
    say("wrong password: %d messages held, there once it was right" % messages)


def refused_points(lab):
    """Every tenth point has a field of another type than the database knows: those are found and put aside."""
    messages, influx, port = 3000, lab.influx(name="conflict"), lab.free_port()
    influx.create("telegraf")
    influx.write("telegraf", "syslog,appname=other procid=5i %d\n" % time.time_ns())
    logmill = lab.serve(CONFIG.format(port=port, url=influx.url, timeout="10s"), name="logmill-conflict")
    connection, stamp = connect(port), utc_stamp()
    connection.sendall(b"".join(octet("<134>1 %s host app %s - - seq=%d" % (
        stamp, "42" if number % 10 == 0 else "-", number)) for number in range(messages)))
    finish(connection)
    logmill.wait_written(messages - messages // 10)
    metrics = logmill.metrics()
    metrics.check_conservation()
    equal(metrics.sum("logmill_points_rejected_total", reason="field_type"), messages // 10, "points rejected")
    equal(metrics.sum("logmill_points_queued"), 0, "points queued")
    seen = influx.numbers(messages)
    equal([number for number, times in enumerate(seen) if times != (number % 10 != 0)], [], "numbers that are wrong")
    equal(logmill.stop(), 0, "exit code")
    with open(lab.path("logmill-conflict-state/dead-letter.lp")) as file:
        equal(sum(line.startswith("syslog,") for line in file), messages // 10, "points in dead-letter.lp")
    influx.stop()
    say("%d points of the wrong type among %d: rejected, kept in dead-letter.lp, the others there once" % (
        messages // 10, messages))


def cannot_deliver(lab):
    """SIGTERM while the database is away: what is not delivered within drain_timeout is said, and exit 1."""
    port = lab.free_port()
    config = CONFIG.format(port=port, url="http://127.0.0.1:%d" % lab.free_port(), timeout="1s")
    logmill = lab.serve("[server]\nhost = lab\nrules = none.ini\nstate_dir = %s\ndrain_timeout = 2s\n" %
                        lab.subfolder("gone-state") + config, name="logmill-gone")
    lab.send("--tcp", "127.0.0.1:%d" % port, "--messages", 500)
    logmill.wait_received(500)
    start = time.monotonic()
    equal(logmill.stop(), 1, "exit code when points are lost")
    seconds = time.monotonic() - start
    check(1.5 < seconds < 10, "drain_timeout = 2s, stopped after %.1f s" % seconds)
    check("event=points_lost output=main points=500 " in logmill.log, "the loss is said with its number")
    say("nobody there: stopped after %.2f s, 500 lost points said, exit code 1" % seconds)


def main(lab):
    lab.write("none.ini", "")
    away_at_start(lab)
    stopped_in_the_middle(lab)
    restarts(lab)
    misbehaving(lab, "503", ["--fail", "503:1500ms@500ms"])
    misbehaving(lab, "429", ["--fail", "429:1500ms@500ms"])
    misbehaving(lab, "hang", ["--fail", "hang:1500ms@500ms"])
    misbehaving(lab, "reset", ["--fail", "reset:1500ms@500ms"])
    misbehaving(lab, "slow", ["--fail", "slow:1500ms@500ms"])
    retry_after(lab)
    wrong_password(lab)
    refused_points(lab)
    cannot_deliver(lab)


run(main)
