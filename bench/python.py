"""Python's subprocess. Answers requests as peers.mjs has them."""

import os
import subprocess
import sys
import time

held = []


def start(stdio):
    where = subprocess.PIPE if stdio == "pipe" else subprocess.DEVNULL
    return subprocess.Popen(["true"], stdin=where, stdout=where, stderr=where)


def hold(gigabytes):
    held.append(bytearray(b"\1") * (int(gigabytes) << 30))
    return []


def block(_way, stdio, count):
    times = []
    for _ in range(int(count)):
        begin = time.perf_counter()
        child = start(stdio)
        times.append((time.perf_counter() - begin) * 1e6)
        child.communicate()
    return times


def starts(_way, in_flight, count):
    in_flight, left = int(in_flight), int(count)
    children = {}
    begin = time.perf_counter()
    while left > 0 or children:
        while left > 0 and len(children) < in_flight:
            child = start("ignore")
            children[child.pid] = child
            left -= 1
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        children.pop(ended.si_pid).wait()
    return [time.perf_counter() - begin]


requests = {"hold": hold, "block": block, "starts": starts}
for line in sys.stdin:
    name, *arguments = line.split()
    print(*requests[name](*arguments), flush=True)
