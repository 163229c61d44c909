"""exit-event-python.py check: nanoseconds of one is_set(). exit-event-python.py COUNT: milliseconds from set() until the
last of so many waiting processes had gone."""

import multiprocessing
import sys
import time
import timeit


def leave(event, ready):
    ready.release()
    event.wait()


def main():
    context = multiprocessing.get_context("fork")
    event = context.Event()
    if sys.argv[1] == "check":
        print(min(timeit.repeat(event.is_set, number=200000, repeat=3)) / 200000 * 1e9)
        return
    ready = context.Semaphore(0)
    children = [context.Process(target=leave, args=(event, ready)) for _ in range(int(sys.argv[1]))]
    for child in children:
        child.start()
    for _ in children:
        ready.acquire()
    begin = time.perf_counter()
    event.set()
    for child in children:
        child.join()
    print((time.perf_counter() - begin) * 1e3)


main()
