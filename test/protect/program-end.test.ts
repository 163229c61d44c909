/** A program that ends while the children of others do: nothing of them is left, not even what nobody has told yet. */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { NodeProgram } from '../support/node-program.js'
import { isAlive, until } from '../support/processes.js'

const table = pathToFileURL(join(import.meta.dirname, '../support/process-table.mjs'))

/** `code` has start(), which runs the script, and onceTold(then), which calls `then(pid)` before the program goes on. */
const programOf = (code: string, script: string, ...args: string[]) =>
  new NodeProgram(
    `import { spawn } from 'node:child_process'
    import { createRequire } from 'node:module'
    import { protect } from 'sigshield'
    import { processOf } from '${table}'
    protect()
    const start = () => spawn('bash', ['-c', ...process.argv.slice(1)], { stdio: ['ignore', 'inherit', 'inherit'] })
    function onceTold(then) {
      const { exports } = Object.values(createRequire(import.meta.url).cache).find(({ id }) => id.endsWith('.node'))
      const { signalProcess } = exports
      exports.signalProcess = (pid, ...args) => {
        const errno = signalProcess(pid, ...args)
        then(pid)
        return errno
      }
    }
    ${code}`,
    [script, ...args],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )

async function expectEnd(program: NodeProgram, pid: number): Promise<void> {
  expect(await program.end()).toMatchObject({ code: 1 })
  await until(() => !isAlive(pid), 'it is gone')
}

function killedAtLast(pid: number): number {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
  return pid
}

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
  const program = programOf(
    `// What waits for those it tells is through its execve before it looks at anything else. It passes with less time too.
    const slow = () => onceTold(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100))
    start().on('exit', () => { ${machine}; ${end} })`,
    script,
    late,
    secondTerm,
  )
  await program.says('ready')
  program.kill('SIGINT')
  const shell = Number(await program.line())
  const pid = killedAtLast(Number(await program.line()))
  await until(() => !isAlive(shell), 'the shell has ended')
  program.kill('SIGCONT')
  await expectEnd(program, pid)
})

it.each([
  ["started.on('exit', leave)", 2],
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
  const program = programOf(
    `function leave() {
      onceTold((pid) => {
        while (!['Z', undefined].includes(protect(null, () => processOf(pid))?.state)) {}
      })
      process.exit(1)
    }
    const started = start()
    ${when}`,
    script,
    starting,
  )
  await program.says('ready')
  program.kill('SIGINT')
  const pid = killedAtLast(Number(await program.line()))
  await expectEnd(program, pid)
})
