#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Senders and circumstances that want the server to stand still: large messages, senders that are faster than it,
no descriptors left, an impatient end. Whatever comes, others are served and the account closes."""
import os
import re
import resource
import signal
import socket
import threading
import time

from lab import check, connect, equal, finish, octet, run, say, send_stream, utc_stamp, wait_equal, wait_until

HEAD = "<134>1 %s host app - - - "
CONFIG = """[server]
host = lab
state_dir = {state}
rules = {rules}
{server}
[listen in]
address = tcp://127.0.0.1:{port}
[listen other]
address = tcp://127.0.0.1:{other}
"""


def serve(lab, name, rest, rules="", server=""):
    port, other = lab.free_port(), lab.free_port()
    config = CONFIG.format(state=lab.subfolder(name + "-state"), rules=lab.write(name + "-rules.ini", rules),
                           port=port, other=other, server=server)
    return port, other, lab.serve(config + rest, name)


def large_messages(lab):
    """The page's last messages stay in memory: never so much of it that reading ends."""
    sink = lab.start_sink()
    for limit, count in ("256MiB", 1200), ("4MiB", 300), ("1MiB", 300):
        port, _, logmill = serve(lab, "large-" + limit, "[influxdb main]\nurl = %s\n" % sink.url,
                                 server="memory_limit = " + limit)
        connection = connect(port)
        connection.sendall(octet(HEAD % utc_stamp() + "\0" * 20000 + '"<' * 20000) * count)
        finish(connection)
        logmill.wait_written(count)
        logmill.metrics().check_conservation()
        status, page = logmill.get("/")
        equal(status, 200, "status of the page")
        check(len(page) < 20 << 20, "a page of %d bytes" % len(page))
        equal(logmill.stop(), 0, "exit code")
    say("messages of 60 kB: no memory_limit stops the server")


def flood(port, data, stop):
    connection = connect(port)
    try:
        while not stop.is_set():
            connection.sendall(data)
    except OSError:
        pass  # the server has ended
    connection.close()


def faster_than_the_server(lab):
    """A worker whose connections always have more to read sees new ones, timers and the end all the same."""
    port, other, logmill = serve(lab, "flood", "[logs]\nenabled = no\n", "[rule slow]\nmatch = (?:[a-z]+ )+zzz\n",
                                 "workers = 1\ndrain_timeout = 4s")
    stop = threading.Event()
    data = octet(HEAD % utc_stamp() + "some words " * 20) * 2000
    threads = [threading.Thread(target=flood, args=(port, data, stop), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    send_stream(other, octet(HEAD % utc_stamp() + "hello"))
    logmill.wait_received(1, listener="other", seconds=20)
    logmill.metrics().check_conservation()
    equal(logmill.stop(20), 0, "exit code")
    stop.set()
    for thread in threads:
        thread.join()
    say("three endless senders: another one is served, and SIGTERM is followed")


def no_descriptors(lab):
    """Neither the listeners nor the admin port try for ever."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, limits[1]))
    try:
        port, _, logmill = serve(lab, "descriptors", "")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    connections = [connect(port) for _ in range(150)]
    wait_until(lambda: "event=accept_failed" in logmill.log, "logmill says that it cannot accept")
    admin = connect(logmill.http_port)
    admin.sendall(b"GET /livez HTTP/1.0\r\n\r\n")

    def cpu_seconds():
        with open("/proc/%d/stat" % logmill.pid) as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    before = cpu_seconds()
    time.sleep(2)
    check(cpu_seconds() - before < 0.5, "%.2f s of CPU in 2 s of waiting" % (cpu_seconds() - before))
    check(len(logmill.log) < 20000, "%d bytes of log" % len(logmill.log))
    for connection in connections:
        connection.close()
    check(admin.recv(100).startswith(b"HTTP/1.0 200"), "the admin port answers when there are descriptors again")
    admin.close()
    equal(logmill.stop(), 0, "exit code")
    say("no descriptors left: quiet waiting")


def second_signal(lab):
    """While delivering, too, it ends at once, and says that points are lost."""
    sink = lab.start_sink("--fail", "hang:60s@0s", name="hanging-sink")
    port, _, logmill = serve(lab, "impatient", "[influxdb main]\nurl = %s\n" % sink.url, server="drain_timeout = 30s")
    send_stream(port, octet(HEAD % utc_stamp() + "hello") * 100)
    logmill.wait_received(100)
    logmill.signal(signal.SIGTERM)
    time.sleep(1.5)
    check(logmill.running(), "it waits for the database")
    equal(logmill.stop(10), 1, "exit code")
    said = "event=points_lost .*points=100 .*event=stopped lost_points=unknown"
    check(re.search(said, logmill.log, re.DOTALL), "the loss is said")
    say("second SIGTERM: ends at once, exit code 1")


def connections_come_and_go(lab):
    """Half-sent frames, resets, bytes one by one, while SIGTERM comes: what was received is accounted for."""
    sink = lab.start_sink(name="churn-sink")
    port, other, logmill = serve(lab, "churn", "[influxdb main]\nurl = %s\n" % sink.url, server="workers = 8")
    stop = threading.Event()

    def churn(k):
        message = octet(HEAD % utc_stamp() + "churn")
        while not stop.is_set():
            try:
                connection = connect(port if k % 2 else other)
                for byte in message[:20]:
                    connection.send(bytes([byte]))
                connection.sendall(message[20:] * 1 + message * 5 + message[:k * 7])
                if k % 3 == 0:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()
            except OSError:
                return
    threads = [threading.Thread(target=churn, args=(k,), daemon=True) for k in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(0.3)
        logmill.metrics().check_conservation()
    equal(logmill.stop(20), 0, "exit code under churn")
    stop.set()
    for thread in threads:
        thread.join()
    port, other, logmill = serve(lab, "many", "[influxdb main]\nurl = %s\n" % sink.url, server="workers = 8")
    many = [connect(port) for _ in range(900)]
    for connection in many:
        connection.sendall(octet(HEAD % utc_stamp() + "one of many"))
    wait_equal(lambda: logmill.metrics().sum("logmill_messages_received_total"), 900, "received from 900 connections")
    for connection in many:
        connection.close()
    logmill.wait_written(900)
    logmill.metrics().check_conservation()
    say("connections that come and go: every account closes")


def wrong_files(lab):
    config = lab.write("replay.ini", "[server]\nrules = none.ini\nstate_dir = %s\n" % lab.subfolder("replay-state"))
    lab.write("none.ini", "")
    code, _, errors = lab.run("replay", "-c", config, lab.folder)
    equal((code, errors), (1, "logmill: %s: Is a directory\n" % lab.folder), "replay of a folder")


def main(lab):
    for test in (large_messages, faster_than_the_server, no_descriptors, second_signal, connections_come_and_go,
                 wrong_files):
        test(lab)


run(main)
