/** What the system refuses to the command while it is at work, or does not show to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { call, type Said, sh, sigshield, started } from '../support/command.js'
import { childrenOf } from '../support/process-table.mjs'
import { closed, echo, ended, isAlive, line, temporaryFolder, until } from '../support/processes.js'
import { Terminal } from '../support/terminal.js'

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

describe('no descriptors', () => {
  it('what is adopted is reaped later', async () => {
    const script = 'echo up; while read -r word; do (true &); echo "$word"; done; exit 3'
    const child = await up(sigshield, ['run', '--drain', 'infinity', '--', 'sh', '-c', script])
    const pid = child.pid as number
    const hasZombie = () => childrenOf(pid).some(({ state }) => state === 'Z')
    await limitOf(pid, 'nofile=5')
    expect(await echo(child, 'first')).toBe('first')
    await until(hasZombie, 'there is one to reap')
    await limitOf(pid, 'nofile=1000')
    await until(() => !hasZombie(), 'it is reaped')
    child.stdin?.end()
    expect(await closed(child)).toEqual({ code: 3, signal: null })
  })

  it('what holds the terminal goes on', async () => {
    const script = 'echo pid $PPID up; read -r word; exit 4'
    const terminal = new Terminal(sigshield, ['run', '--foreground', '--', 'sh', '-c', script])
    await terminal.shows('up')
    const pid = Number(/pid (\d+)/.exec(terminal.screen)?.[1])
    await limitOf(pid, 'nofile=5')
    process.kill(pid, 'SIGCHLD')
    terminal.type('word\n')
    expect(await terminal.exit).toMatchObject({ exitCode: 4 })
  })

  it('`stop` waits for an end that it can’t see', async () => {
    const target = await up('python3', ['-c', LISTENING])
    const stop = started(sigshield, ['stop', '--grace', 'infinity', String(target.pid)])
    const end = closed(stop)
    const pid = stop.pid as number
    expect(await line(target.stdout)).toBe('SIGTERM')
    await limitOf(pid, 'nofile=5')
    const looks = () =>
      Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    const before = looks()
    await until(() => looks() > before + 10, 'it has looked again')
    target.stdin?.end()
    await closed(target)
    await limitOf(pid, 'nofile=1000')
    expect(await line(stop.stdout)).toMatch(/: SIGTERM: ended after /)
    expect(await end).toEqual({ code: 0, signal: null })
  })

  /** Becomes the command, which has inherited a descriptor beyond its limit. */
  const BEYOND = `
import os, resource, sys
os.dup2(os.open('/etc/passwd', os.O_RDONLY), 251)
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200 if sys.argv[1] == 'hard' else hard))
os.execv(sys.argv[2], sys.argv[2:])
`
  const script =
    'head -c 4 /proc/self/fd/251; ulimit -Sn; [ -z "$SIGSHIELD_EXIT_FD" ] || test -p "/proc/self/fd/$SIGSHIELD_EXIT_FD"'

  it.each([
    ['soft', []],
    ['hard', []],
    ['soft', ['--exit-event']],
    ['hard', ['--exit-event', '--parent-death-signal']],
  ])('one beyond the %s limit goes on to the program %j', async (limit, options) => {
    const said = await all(['-c', BEYOND, limit, sigshield, 'run', ...options, '--', 'sh', '-c', script])
    expect(said).toEqual({ out: 'root200\n', err: '', code: 0, signal: null })
  })

  const all = (args: readonly string[]) => sh('exec python3 "$@"', args)
})

describe.runIf(isRoot)('no /proc', () => {
  const without = (args: readonly string[], options: readonly string[] = []) =>
    sh('exec unshare "$@"', [...options, '--mount', 'sh', '-c', 'mount -t tmpfs none /proc; exec "$@"', 'sh', ...args])

  it.each([
    ['--drain', ['--drain', '1s'], []],
    ['--target tree', ['--target', 'tree'], []],
    ['process 1', [], ['--pid', '--fork']],
  ])('`run` starts nothing that it can’t do: %s', async (_what, options, unshared) => {
    const file = join(temporaryFolder(), 'started')
    const said = await without([sigshield, 'run', ...options, '--', 'touch', file], unshared)
    expect(said).toMatchObject({ out: '', code: 125, signal: null })
    expect(said.err).toMatch(/^sigshield run: .* \/proc, which this process can’t read/)
    expect(existsSync(file)).toBe(false)
  })

  it('but all else (the control)', async () => {
    const said = await without([sigshield, 'run', '--', 'echo', 'here'])
    expect(said).toEqual({ out: 'here\n', err: '', code: 0, signal: null })
  })

  it('`stop` and `ps` say so', async () => {
    const target = await up('python3', ['-c', LISTENING])
    for (const args of [['stop', String(target.pid)], ['stop', '--orphans', '--yes'], ['ps'], ['ps', '--json']]) {
      const said = await without([sigshield, ...args])
      expect(said).toMatchObject({ out: '', code: 1, signal: null })
      expect(said.err).toMatch(/^sigshield (stop|ps): .* \/proc, which this process can’t read/)
    }
    expect(await echo(target, 'still here')).toBe('still here')
  })
})
