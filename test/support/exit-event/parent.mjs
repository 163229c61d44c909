// A parent that ends in the way that its input says. Its two workers outlive it and report on the output they share.

import { createInterface } from 'node:readline'
import { ExitEvent, spawnProtected } from 'sigshield'

const workers = {
  node: [
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { writeSync } from 'node:fs'
      import { exitEvent } from 'sigshield/child'
      const event = exitEvent()
      event.isSet()
      process.stderr.write('up')
      await event.wait()
      writeSync(1, 'node ' + event.reason + '\\n')`,
    ],
  ],
  python: [
    'python3',
    [
      '-c',
      `import fcntl, os, select, sys, time
fd = int(os.environ["SIGSHIELD_EXIT_FD"])
sys.stderr.write("up"); sys.stderr.flush()
select.select([fd], [], [])
# The mark of a request, which no reader can consume.
requested = bool(os.fstat(fd).st_mode & 0o111 or fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND)
os.write(1, b"python requested\\n" if requested else b"python orphaned\\n")`,
    ],
  ],
}

const event = new ExitEvent()
await Promise.all(
  Object.values(workers).map(([program, args]) => {
    const child = spawnProtected(program, args, { stdio: ['ignore', 'inherit', 'pipe'], exitEvent: event })
    return new Promise((resolve) => child.stderr.once('data', resolve))
  }),
)
console.log('ready')
const ends = {
  exit: () => process.exit(0),
  crash: () => process.abort(),
  'set and exit': () => {
    event.set()
    process.exit(0)
  },
}
createInterface({ input: process.stdin }).once('line', (end) => ends[end]())
