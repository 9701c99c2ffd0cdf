#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What rsyslog really sends comes through with the exact number of messages and their exact text, whatever the size of
the reads: a byte at a time, in two parts at every place, 1,000 bytes at a time, all at once.

The frames and texts that must come out are found here by other means than logmill's: lengths, and one regular
expression."""
import collections
import os
import re
import socket
import struct
import time

from lab import check, connect, equal, finish, octet, run, say, wait_equal

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "captures")
RFC5424 = re.compile(rb'<(?:\d+|invld)>1 \S+ \S+ \S+ \S+ \S+ (?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)(?: (.*))?', re.S)
LISTENERS = ("counted", "lines", "auto", "udp")
CONFIG = """
[listen counted]
address = tcp://127.0.0.1:%d
framing = octet-counting
[listen lines]
address = tcp://127.0.0.1:%d
framing = lf
[listen auto]
address = tcp://127.0.0.1:%d
[listen udp]
address = udp://127.0.0.1:%d
[logs]
time = received
[influxdb main]
url = %s
"""
PAUSE = 0.001      # between single bytes: the receiver has read the one before
SPLIT_PAUSE = 0.05  # between the two parts


def split_counted(data):
    frames, at = [], 0
    while at < len(data):
        space = data.index(b" ", at)
        end = space + 1 + int(data[at:space])
        frames.append(data[space + 1:end])
        check(len(data) >= end, "the capture ends inside a frame")
        at = end
    return frames


def split_datagrams(data):
    frames, at = [], 0
    while at < len(data):
        end = at + 4 + struct.unpack(">I", data[at:at + 4])[0]
        frames.append(data[at + 4:end])
        at = end
    return frames


def text_of(frame):
    """The message of an RFC 5424 frame as the database gives it (white space at the end cut, what is not UTF-8 as
    U+FFFD), or the whole of another frame: where the message begins in an RFC 3164 one is a matter of taste."""
    match = RFC5424.fullmatch(frame)
    return (match[1] or b"" if match else frame).decode(errors="replace").rstrip()


def load():
    """name -> (how it is sent, frames)"""
    captures = {}
    for name in sorted(os.listdir(FOLDER)):
        if not name.endswith(".bin"):
            continue
        with open(os.path.join(FOLDER, name), "rb") as file:
            data = file.read()
        if name.startswith("udp"):
            captures[name] = ("udp", split_datagrams(data))
        elif "_lf" in name:
            captures[name] = ("lines", data.split(b"\n")[:-1])
        else:
            captures[name] = ("counted", split_counted(data))
    return captures


def stream(how, frames):
    return b"".join(map(octet, frames)) if how == "counted" else b"".join(frame + b"\n" for frame in frames)


def short(frames):
    """The same with the long messages cut, so that sending byte by byte takes seconds."""
    return [re.sub(rb"([xy])\1{20,}", rb"\1\1\1", frame) for frame in frames][:40]


class Account:
    """What was sent to which listener, and what must therefore be in the database."""

    def __init__(self, logmill, ports):
        self.logmill, self.ports = logmill, ports
        self.sent = collections.Counter({name: 0 for name in LISTENERS})
        self.texts = collections.Counter()
        self.other = collections.Counter()

    def note(self, listener, frames, times=1):
        self.sent[listener] += len(frames) * times
        for frame in frames:
            (self.texts if RFC5424.fullmatch(frame) else self.other)[text_of(frame)] += times

    def check_received(self, what):
        def received():
            metrics = self.logmill.metrics()
            return {name: metrics.sum("logmill_messages_received_total", listener=name) for name in LISTENERS}
        wait_equal(received, dict(self.sent), what)
        say("%s: %d messages" % (what, sum(self.sent.values())))


def send_whole(account, captures, size):
    """Each capture over a connection of its own, in pieces of that size."""
    for how, frames in captures.values():
        if how == "udp":
            continue
        data = stream(how, frames)
        for listener in (how, "auto"):
            connection = connect(account.ports[listener])
            for at in range(0, len(data), size):
                connection.sendall(data[at:at + size])
            finish(connection)
            account.note(listener, frames)


def send_datagrams(account, captures):
    udp = connect(account.ports["udp"], socket.SOCK_DGRAM)
    for how, frames in captures.values():
        if how == "udp":
            for frame in frames:
                udp.send(frame)
            account.note("udp", frames)
    udp.close()


def send_bytes(account, captures):
    """All at the same time, a byte of each in turn."""
    ways = []
    for how, frames in captures.values():
        if how == "udp":
            continue
        frames = short(frames)
        for listener in (how, "auto"):
            connection = connect(account.ports[listener])
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ways.append((connection, stream(how, frames)))
            account.note(listener, frames)
    for i in range(max(len(data) for _, data in ways)):
        for connection, data in ways:
            if i < len(data):
                connection.send(data[i:i + 1])
        time.sleep(PAUSE)
    for connection, _ in ways:
        finish(connection)


def send_splits(account, how, frames, together=250):
    """One connection for each place where the stream can be cut in two."""
    data = stream(how, frames)
    places = range(1, len(data))
    for first in range(0, len(places), together):
        ways = [(connect(account.ports["auto"]), place) for place in places[first:first + together]]
        for connection, place in ways:
            connection.sendall(data[:place])
        time.sleep(SPLIT_PAUSE)
        for connection, place in ways:
            connection.sendall(data[place:])
        for connection, _ in ways:
            finish(connection)
    account.note("auto", frames, len(places))


def check_texts(got, wanted):
    wrong = {text[:300]: (got[text], wanted[text]) for text in got | wanted if got[text] != wanted[text]}
    equal(wrong, {}, "texts that are there another number of times than sent (got, wanted)")


def check_tails(got, sent):
    """Each message is the end of a frame that was sent, and no frame's message is there less often than it was sent."""
    equal(sum(got.values()), sum(sent.values()), "messages of RFC 3164")
    for text in got:
        check(any(frame.endswith(text) for frame in sent), "no frame ends like %r" % text)
    for frame, times in sent.items():
        check(sum(n for text, n in got.items() if frame.endswith(text)) >= times, "missing: %r" % frame)


def main(lab):
    captures = load()
    equal({name: len(frames) for name, (_, frames) in captures.items()}, {
        "tcp_lf.bin": 31, "tcp_lf_rfc3164.bin": 31, "tcp_octet_counted.bin": 31, "tcp_octet_counted_custom.bin": 31,
        "tcp_octet_imjournal_oom.bin": 85, "udp.bin": 31}, "messages in the captures")
    influx, ports = lab.influx(), {name: lab.free_port() for name in LISTENERS}
    logmill = lab.serve(CONFIG % (*ports.values(), influx.url))
    account = Account(logmill, ports)
    send_whole(account, captures, 1 << 20)
    account.check_received("all at once")
    send_datagrams(account, captures)
    account.check_received("datagrams")
    send_whole(account, captures, 65536)
    send_whole(account, captures, 1000)
    account.check_received("64 KiB and 1,000 bytes at a time")
    send_bytes(account, captures)
    account.check_received("a byte at a time")
    for name in ("tcp_octet_counted.bin", "tcp_octet_counted_custom.bin", "tcp_lf.bin", "tcp_lf_rfc3164.bin"):
        how, frames = captures[name]
        send_splits(account, how, frames[:8] + frames[12:15] + frames[17:18] + frames[22:24])
        account.check_received("every split of " + name)

    total = sum(account.sent.values())
    logmill.wait_written(total)
    metrics = logmill.metrics()
    metrics.check_conservation()
    for what in ("connection_errors_total", "messages_truncated_total", "points_rejected_total",
                 "udp_kernel_drops_total"):
        equal(metrics.sum("logmill_" + what), 0, what)
    equal(influx.value('SELECT count("severity_code") FROM "syslog"'), total, "rows")
    rows = influx.rows('SELECT "message", "severity_code", "version" FROM "syslog"')
    check_texts(collections.Counter(row["message"] for row in rows if row["version"] is not None), account.texts)
    check_tails(collections.Counter(row["message"] for row in rows if row["version"] is None), account.other)
    say("%d messages, %d different texts, each as often as it was sent" % (total, len(account.texts | account.other)))


run(main)
