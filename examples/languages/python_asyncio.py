# The same with asyncio: the job in hand is cancelled.
import asyncio
import os


async def work():
    while True:
        await asyncio.sleep(1)  # the next job


async def main():
    exit_fd = int(os.environ["SIGSHIELD_EXIT_FD"])
    working = asyncio.create_task(work())
    loop = asyncio.get_running_loop()

    def leave():
        loop.remove_reader(exit_fd)  # it stays readable
        working.cancel()

    loop.add_reader(exit_fd, leave)
    print("ready", flush=True)
    try:
        await working
    except asyncio.CancelledError:
        print("leaving", flush=True)


asyncio.run(main())
