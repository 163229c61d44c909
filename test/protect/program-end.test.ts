/** A program that ends while the children of others do: nothing of them is left, not even what nobody has told yet. */

import { expect, it, onTestFinished } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { isAlive, until } from '../support/processes.js'

it.each([
  ['process.exit(1)', ''],
  ['throw new Error("mine")', ''],
  ['process.exit(1)', 'slow()'],
])('takes the rest too where the program ends as soon as the child has: %s %s', async (end, machine) => {
  const secondTerm = `
import signal
signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
print('up', flush=True)
while True: signal.pause()`
  // As in the middle of an execve it shows no environment, until what is told a second time has gone.
  const late = 'echo $$; read; SIGSHIELD_EXIT_INODE=$1 exec sleep 1000 > /dev/null'
  // What is started as it leaves nobody has told yet, nor seen: the program stands still.
  const leaving = [
    'kill -STOP $PPID',
    'exec 4< <(exec env -i bash -c "$0" _ $SIGSHIELD_EXIT_INODE <&3)',
    'read -u 4',
    'echo $$; echo $REPLY',
    'exit 3',
  ].join('; ')
  const script = `exec 3< <(exec python3 -c "$1"); read -u 3
        trap '${leaving}' TERM; echo ready; while :; do sleep 0.01; done`
  const program = new NodeProgram(
    `import { spawn } from 'node:child_process'
      import { createRequire } from 'node:module'
      import { protect } from 'sigshield'
      protect()
      // So that what it tells first has gone, and what waits for that is through its execve, before it looks at anything else.
      function slow() {
        const { exports } = Object.values(createRequire(import.meta.url).cache).find(({ id }) => id.endsWith('.node'))
        const { signalProcess } = exports
        exports.signalProcess = (...args) => {
          const errno = signalProcess(...args)
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100) // It passes with less too.
          return errno
        }
      }
      spawn('bash', ['-c', ...process.argv.slice(1)], { stdio: ['ignore', 'inherit', 'inherit'] })
        .on('exit', () => { ${machine}; ${end} })`,
    [script, late, secondTerm],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  await program.says('ready')
  program.kill('SIGINT')
  const shell = Number(await program.line())
  const pid = Number(await program.line())
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  await until(() => !isAlive(shell), 'the shell has ended')
  program.kill('SIGCONT')
  expect(await program.end()).toMatchObject({ code: 1 })
  await until(() => !isAlive(pid), 'it is gone')
})

it.each([
  ["spawned.on('exit', leave)", 2],
  ["process.on('SIGINT', leave)", 1],
])('takes what was being started as that was told: %s', async (when, term) => {
  const starting = `
import os, signal
def start(*_):
  os.write(5, f"{os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '1000')}\\n".encode())
  os._exit(0)
signal.signal(signal.SIGTERM, start if ${term} == 1 else lambda *_: signal.signal(signal.SIGTERM, start))
os.set_inheritable(5, False)
print('up', flush=True)
while True: signal.pause()`
  const script = `exec 5>&1 3< <(exec python3 -c "$0"); read -u 3
      trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done`
  const program = new NodeProgram(
    `import { spawn, spawnSync } from 'node:child_process'
      import { createRequire } from 'node:module'
      import { protect } from 'sigshield'
      protect()
      const isAlive = (pid) => /^[^Z]/.test(protect(null, () => spawnSync('ps', ['-o', 'stat=', '-p', pid])).stdout)
      // Goes on when who was told has ended.
      function leave() {
        const { exports } = Object.values(createRequire(import.meta.url).cache).find(({ id }) => id.endsWith('.node'))
        const { signalProcess } = exports
        exports.signalProcess = (pid, ...args) => {
          const errno = signalProcess(pid, ...args)
          while (isAlive(pid)) {}
          return errno
        }
        process.exit(1)
      }
      const spawned = spawn('bash', ['-c', ...process.argv.slice(1)], { stdio: ['ignore', 'inherit', 'inherit'] })
      ${when}`,
    [script, starting],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  await program.says('ready')
  program.kill('SIGINT')
  const pid = Number(await program.line())
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  expect(await program.end()).toMatchObject({ code: 1 })
  await until(() => !isAlive(pid), 'it is gone')
})
