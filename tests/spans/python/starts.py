"""Starts Seldon's wrapper once for each environment, and tells which of them it lives with.

On standard input: a list of {"env": {...}}. On standard output, for each: {"started": bool, "code": number or null, "log": text}.

To import the wrapper takes seconds, so it is imported once and each process is forked from this one. What is started is its own `main`.
"""

import http.client
import json
import os
import signal
import socket
import sys
import tempfile
import time

from seldon_core import microservice

SECONDS = 60
MESSAGE = '{"data":{"ndarray":[[1,2]]}}'


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("0.0.0.0", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def guard(lifeline):
    """Ends the process group, with all workers in it, when the other end of the lifeline is closed: by us, or by our end."""
    os.setpgid(0, 0)
    if os.fork() == 0:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)


def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("POST", "/predict", MESSAGE, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    except http.client.HTTPException:
        return False


def outcome(child, port):
    """Whether it has answered, or the code with which it has ended."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return False, os.waitstatus_to_exitcode(status)
        if answers(port):
            return True, None
        time.sleep(0.02)
    return False, None


def main():
    for row in json.load(sys.stdin):
        rest, grpc, metrics = free_ports(3)
        lifeline, ours = os.pipe()
        with tempfile.TemporaryFile() as log:
            child = os.fork()
            if child == 0:
                os.close(ours)
                guard(lifeline)
                for output in (1, 2):
                    os.dup2(log.fileno(), output)
                os.environ.clear()
                os.environ.update(row["env"])
                ports = [f"--http-port={rest}", f"--grpc-port={grpc}", f"--metrics-port={metrics}"]
                sys.argv = ["seldon-core-microservice", "model.Model", "--service-type=MODEL", *ports]
                # The end of this process is the end of the wrapper's.
                return microservice.main()
            os.close(lifeline)
            started, code = outcome(child, rest)
            os.close(ours)
            if code is None:
                os.waitpid(child, 0)
            log.seek(0)
            said = log.read().decode(errors="replace")
        print(json.dumps({"started": started, "code": code, "log": said}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
