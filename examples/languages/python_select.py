# A worker in Python whose nap between two jobs ends at once when its parent asks it to leave.
import os
import select

exit_fd = int(os.environ["SIGSHIELD_EXIT_FD"])
print("ready", flush=True)
while not select.select([exit_fd], [], [], 1)[0]:
    pass  # the next job
print("leaving", flush=True)
