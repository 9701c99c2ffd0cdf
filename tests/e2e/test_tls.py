#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real rsyslog over tls://: both its drivers, anonymous and with certificates by name, TLS 1.2 and 1.3. A sender
without the certificate that is demanded, and one that does not speak TLS at all, are refused and counted. When logmill
stops under load, rsyslog notices (a bare FIN, nothing unread on the socket) and gives the rest to the next one:
nothing is lost."""
import shutil
import socket
import ssl
import subprocess
import threading
import time

from lab import (Missing, check, check_each_once, connect, equal, finish, octet, run, say, utc_stamp,
                 wait_equal, wait_until)

MESSAGES = 2000        # of each driver and mode
RATE = 12000           # a second, in the restart
RESTART_MESSAGES = 72000

# processInternalMessages: rsyslog 8.2302 reads on from the descriptor of a TLS connection it has just closed (nsd_ossl,
# after its peer's FIN). When its message about that opens /dev/log under the same number meanwhile, it waits for ever.
RSYSLOG = """global(workDirectory="%(work)s" maxMessageSize="64k" processInternalMessages="on"
  defaultNetstreamDriverCAFile="{certs}/ca.crt"{client})
main_queue(queue.type="LinkedList" queue.size="200000" queue.timeoutEnqueue="60000")
module(load="imptcp")
input(type="imptcp" address="127.0.0.1" port="{input}")
action(name="out" type="omfwd" target="127.0.0.1" port="{output}" protocol="tcp" tcp_framing="octet-counted"
  template="RSYSLOG_SyslogProtocol23Format" StreamDriver="{driver}" StreamDriverMode="1" {auth}
  queue.type="LinkedList" queue.size="200000" action.resumeRetryCount="-1" action.resumeInterval="1"
  action.resumeIntervalMax="1")
"""
CLIENT = """
  defaultNetstreamDriverCertFile="{certs}/client.crt" defaultNetstreamDriverKeyFile="{certs}/client.key\""""
ANON = 'StreamDriverAuthMode="anon"'
NAME = 'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="logmill.test"'

LISTENER = """[listen {name}]
address = tls://127.0.0.1:{port}
framing = octet-counting
tls_cert = {certs}/server.crt
tls_key = {certs}/server.key
"""


def openssl(*arguments, folder):
    done = subprocess.run(["openssl", *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    equal(done.returncode, 0, "openssl %s: %s" % (arguments, done.stdout.decode()))


def make_certificates(lab):
    """One authority, a server's and a client's certificate; also a client's of an authority nobody knows."""
    folder = lab.subfolder("certs")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for authority in ("ca", "stranger-ca"):
        openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=" + authority, "-keyout", authority + ".key",
                "-out", authority + ".crt", folder=folder)
    for name, authority, host in (("server", "ca", "logmill.test"), ("client", "ca", "sender.test"),
                                  ("stranger", "stranger-ca", "sender.test")):
        lab.write("certs/%s.ext" % name, "subjectAltName=DNS:%s\n" % host)
        openssl("req", *key, "-subj", "/CN=" + host, "-keyout", name + ".key", "-out", name + ".csr", folder=folder)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", authority + ".crt", "-CAkey", authority + ".key",
                "-CAcreateserial", "-days", "2", "-extfile", name + ".ext", "-out", name + ".crt", folder=folder)
    return folder


def message(number, tag):
    return "<134>1 %s host %s - - - seq=%d" % (utc_stamp(), tag, number)


def feed(port, first, count, tag, rate=0):
    """Numbered messages to rsyslog's input."""
    connection, start = connect(port), time.monotonic()
    for number in range(first, first + count):
        connection.sendall(octet(message(number, tag)))
        if rate and (number - first) % 50 == 49:
            time.sleep(max(0.0, start + (number - first) / rate - time.monotonic()))
    finish(connection)


class Senders:
    """An rsyslogd each."""

    def __init__(self, lab, certs):
        self.lab, self.certs = lab, certs

    def start(self, name, driver, auth, output, client=True):
        port = self.lab.free_port()
        rsyslog = self.lab.rsyslog(RSYSLOG.format(
            certs=self.certs, client=CLIENT.format(certs=self.certs) if client else "", input=port, output=output,
            driver=driver, auth=auth), name=name)
        return rsyslog, port


def client_context(certs, certificate=None, version=None):
    context = ssl.create_default_context(cafile=certs + "/ca.crt")
    if certificate:
        context.load_cert_chain(certs + "/%s.crt" % certificate, certs + "/%s.key" % certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def send_tls(port, context, data):
    """Returns the version spoken; raises when refused."""
    with context.wrap_socket(connect(port), server_hostname="logmill.test") as connection:
        connection.sendall(data)
        version = connection.version()
        connection.settimeout(0.5)
        try:
            check(connection.recv(1) != b"x", "syslog says nothing")  # in 1.3 a refusal comes after the handshake
        except socket.timeout:
            pass
        return version


def count(influx, tag):
    return influx.value('SELECT count("message") FROM "syslog" WHERE "appname" = \'%s\'' % tag)


def check_drivers(influx, senders, ports):
    """Every driver and mode sends its messages at the same time as the others."""
    ways = [("ossl_anon", "ossl", ANON, "any", False), ("gtls_anon", "gtls", ANON, "any", False),
            ("ossl_name", "ossl", NAME, "mutual", True), ("gtls_name", "gtls", NAME, "mutual", True),
            ("ossl_13", "ossl", NAME, "only13", True), ("gtls_13", "gtls", NAME, "only13", True)]
    running = [(name, *senders.start(name, driver, auth, ports[listener], client))
               for name, driver, auth, listener, client in ways]
    for name, _, port in running:
        feed(port, 0, MESSAGES, name)
    for name, rsyslog, _ in running:
        wait_equal(lambda name=name: count(influx, name), MESSAGES, "messages of " + name)
        rsyslog.stop()
        say("%s: %d messages" % (name, MESSAGES))


def check_versions(influx, ports, certs):
    sent = 0
    for listener, certificate in (("any", None), ("mutual", "client")):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            spoken = send_tls(ports[listener], client_context(certs, certificate, version),
                              octet(message(sent, "versions")))
            equal(spoken, name, "version spoken with the listener " + listener)
            sent += 1
    wait_equal(lambda: count(influx, "versions"), sent, "messages over 1.2 and 1.3")
    return sent


def refused(port, context):
    try:
        send_tls(port, context, octet(message(0, "refused")))
    except (ssl.SSLError, ConnectionError):
        return True
    return False


def check_refusals(logmill, influx, senders, ports, certs):
    def errors(listener):
        return logmill.metrics().sum("logmill_connection_errors_total", listener=listener, reason="tls")
    for name, listener, context in (
            ("no certificate, 1.2", "mutual", client_context(certs, None, ssl.TLSVersion.TLSv1_2)),
            ("no certificate, 1.3", "mutual", client_context(certs, None, ssl.TLSVersion.TLSv1_3)),
            ("a stranger's certificate, 1.2", "mutual", client_context(certs, "stranger", ssl.TLSVersion.TLSv1_2)),
            ("a stranger's certificate, 1.3", "mutual", client_context(certs, "stranger", ssl.TLSVersion.TLSv1_3)),
            ("1.2 where 1.3 is the oldest", "only13", client_context(certs, "client", ssl.TLSVersion.TLSv1_2))):
        before = errors(listener)
        check(refused(ports[listener], context), name + " is refused")
        wait_equal(lambda listener=listener: errors(listener), before + 1, "refusals counted: " + name)

    before = errors("any")
    plain = connect(ports["any"])
    plain.sendall(octet(message(0, "refused")))
    try:
        plain.recv(100)  # an alert perhaps, then the end or a reset
    except ConnectionError:
        pass
    plain.close()
    wait_equal(lambda: errors("any"), before + 1, "plain text on the TLS port, counted")

    for driver in ("ossl", "gtls"):
        before = errors("mutual")
        rsyslog, port = senders.start(driver + "_bare", driver, ANON, ports["mutual"], client=False)
        feed(port, 0, 10, "refused")
        wait_until(lambda: errors("mutual") > before, "rsyslog's %s without a certificate is refused" % driver)
        rsyslog.kill()
    equal(count(influx, "refused"), 0, "messages of those refused")
    say("refused and counted: %s" % {name: errors(name) for name in ports})


def check_restart(lab, logmill, influx, senders, ports):
    """SIGTERM in mid-stream; the next logmill has the same ports 0.3 s later."""
    running, feeders = [], []
    for name, driver, auth, listener in (("ossl_restart", "ossl", ANON, "any"), ("gtls_restart", "gtls", NAME, "mutual")):
        rsyslog, port = senders.start(name, driver, auth, ports[listener])
        running.append((name, rsyslog))
        feeders.append(threading.Thread(target=feed, args=(port, 0, RESTART_MESSAGES, name, RATE)))
    for feeder in feeders:
        feeder.start()
    for name, _ in running:
        wait_until(lambda name=name: count(influx, name) > 0, "the first messages of " + name)
    check(any(feeder.is_alive() for feeder in feeders), "the stop did not fall into the run")
    start = time.monotonic()
    equal(logmill.stop(), 0, "exit code of logmill after SIGTERM under load")
    stop_seconds = time.monotonic() - start
    time.sleep(0.3)
    logmill.start()
    for feeder in feeders:
        feeder.join()
    for name, rsyslog in running:
        wait_equal(lambda name=name: count(influx, name), RESTART_MESSAGES, "messages of " + name)
        check_each_once(influx.numbers(
            RESTART_MESSAGES, query='SELECT "message" FROM "syslog" WHERE "appname" = \'%s\'' % name), name)
        rsyslog.stop()
    say("restart under load: stopped in %.2f s, %d messages of each driver, 0 lost" % (stop_seconds, RESTART_MESSAGES))


def main(lab):
    for program in ("openssl", "rsyslogd"):
        if shutil.which(program) is None:
            raise Missing(program + " is not installed")
    influx, certs = lab.influx(), make_certificates(lab)
    ports = {name: lab.free_port() for name in ("any", "mutual", "only13")}
    listeners = {name: LISTENER.format(name=name, port=port, certs=certs) for name, port in ports.items()}
    listeners["mutual"] += "tls_ca = %s/ca.crt\n" % certs
    listeners["only13"] += "tls_ca = %s/ca.crt\ntls_min_version = 1.3\n" % certs
    logmill = lab.serve("".join(listeners.values()) + "[influxdb main]\nurl = %s\nflush_interval = 200ms\n" % influx.url)
    senders = Senders(lab, certs)
    check_drivers(influx, senders, ports)
    check_versions(influx, ports, certs)
    check_refusals(logmill, influx, senders, ports, certs)
    check_restart(lab, logmill, influx, senders, ports)


run(main)
