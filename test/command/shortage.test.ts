/** What the system refuses to the command while it is at work, or does not show to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { call, type Said, sh, sigshield, started } from '../support/command.js'
import { closed, echo, ended, isAlive, line } from '../support/processes.js'

const isRoot = process.getuid?.() === 0

/** Says `up`, then each SIGUSR1, SIGUSR2 and SIGTERM that it gets, and goes on; a line of its input is said again. */
const LISTENING = `
import os, signal
def say(number, frame): os.write(1, (signal.Signals(number).name + "\\n").encode())
for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM): signal.signal(number, say)
os.write(1, b"up\\n")
while True:
  text = os.read(0, 100)
  if not text: break
  os.write(1, text)
`

async function up(command: string, args: readonly string[]): Promise<ChildProcess> {
  const child = ended(spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] }))
  expect(await line(child.stdout)).toBe('up')
  return child
}

/** The soft limit of a process that runs; `as`: its user. */
async function limitOf(pid: number, limit: string, as: readonly string[] = []): Promise<void> {
  const said = await sh('exec "$@"', [...as, 'prlimit', '--pid', String(pid), `--${limit}:`])
  expect(said).toEqual({ out: '', err: '', code: 0, signal: null })
}

/** `node bin/sigshield.js run`, after that code. */
function runAfter(code: string, args: readonly string[]): Promise<Said> {
  const text = `data:text/javascript,${encodeURIComponent(code)}`
  return sh('exec node --import "$@"', [text, sigshield, 'run', ...args])
}

/** The program of `run` says which process it is. */
const saysPid = ['--', 'sh', '-c', 'echo $$; exec sleep 1000']

describe('no threads', () => {
  // Root has no such limit. The right to read is for a Node that stands in root's home.
  const nobody = ['setpriv', '--reuid=47217', '--regid=47217', '--clear-groups']
  const mayRead = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']

  it.runIf(isRoot)('signals wait until there is one again', async () => {
    const program = ['python3', '-c', LISTENING]
    const child = await up('setpriv', [...nobody.slice(1), ...mayRead, sigshield, 'run', '--', ...program])
    const pid = child.pid as number
    const end = once(child, 'exit')
    await limitOf(pid, 'nproc=1', nobody)
    child.kill('SIGUSR1')
    expect(await line(child.stdout)).toBe('SIGUSR1')
    child.kill('SIGUSR2')
    expect(await echo(child, 'meanwhile')).toBe('meanwhile')
    await limitOf(pid, 'nproc=500', nobody)
    expect(await Promise.race([line(child.stdout), end])).toBe('SIGUSR2')
    child.stdin?.end()
    expect(await end).toEqual([0, null])
  })

  it('where no signal can be taken at all, the program is not left alone', async () => {
    const load = new URL('../../dist/native/load.js', import.meta.url)
    const said = await runAfter(
      `import { native } from '${load}'
       native().waitForSignal = () => -1`,
      saysPid,
    )
    expect(said).toMatchObject({ err: 'sigshield run: operation not permitted\n', code: 125, signal: null })
    expect(isAlive(Number(said.out))).toBe(false)
  })
})

it('a guard that proves absent late ends the program, and `run`', async () => {
  const said = await runAfter(
    `import { subscribe } from 'node:diagnostics_channel'
     const error = Object.assign(new Error('spawn ENOTSUP'), { code: 'ENOTSUP', errno: -95, step: 'guard' })
     subscribe('child_process', ({ process: child }) => setImmediate(() => child.emit('error', error)))`,
    ['--', 'sleep', '1000'],
  )
  const err = 'sigshield run: guard: operation not supported on socket (--no-enforce does without the guard)\n'
  expect(said).toEqual({ out: '', err, code: 125, signal: null })
})

describe('nobody reads standard error', () => {
  /** Becomes the command, with a pipe that is full. */
  const FULL = `
import os, sys
reader, writer = os.pipe()
os.set_inheritable(reader, True)
os.set_blocking(writer, False)
try:
  while True: os.write(writer, bytes(4096))
except BlockingIOError: os.set_blocking(writer, True)
os.dup2(writer, 2)
os.execv(sys.argv[1], sys.argv[1:])
`

  it('a program that does not leave is killed all the same', async () => {
    const run = ['run', '--grace', '100ms', '--', 'python3', '-c', LISTENING]
    const child = await up('python3', ['-c', FULL, sigshield, ...run])
    child.kill('SIGTERM')
    expect(await line(child.stdout)).toBe('SIGTERM')
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('what can’t be started ends by its status', async () => {
    const child = started('python3', ['-c', FULL, sigshield, 'run', '--', './nothing/here'])
    expect(await closed(child)).toEqual({ code: 127, signal: null })
  })

  it('who does, reads all (the control)', async () => {
    const name = `./${'folder/'.repeat(500)}nothing`
    const said = await call(['run', '--', name])
    expect(said).toMatchObject({ err: `sigshield run: ${name}: no such file or directory\n`, code: 127 })
  })
})
