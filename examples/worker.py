# The same lazy worker in Python. All it knows of its parent is a descriptor: when that becomes readable, leave.
import os
import select
import sys

exit_fd = os.environ.get("SIGSHIELD_EXIT_FD")
watched = [int(exit_fd)] if exit_fd else []

for line in sys.stdin:
    print(f"job {line.strip()}", flush=True)
    leave, _, _ = select.select(watched, [], [], 1)  # a nap that the parent can interrupt
    if leave:
        break
print("Doing cleanup before leaving ...", flush=True)
