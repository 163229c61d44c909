/** `sigshield run`: who waits for it, and who signals it, sees its program. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ExitEvent, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { call, sh, sigshield, started } from '../support/command.js'
import { childrenOf, processOf } from '../support/process-table.mjs'
import { closed, ended, isAlive, line, probe, SIGINT, SIGUSR1, temporaryFolder, until } from '../support/processes.js'

/** Says `up`, then each signal that its handlers get, and goes on; a line of its input is said again. */
const LISTENING = `
import os, signal, sys
names = sys.argv[1].split(',')
def say(number, frame): os.write(1, (signal.Signals(number).name + "\\n").encode())
for name in names: signal.signal(getattr(signal, name), say)
os.write(1, b"up\\n")
while True:
  text = os.read(0, 100)
  if not text: break
  os.write(1, text)
`

/** Its program has handlers for these. */
async function listening(options: string[], signals: string, spawnOptions = {}): Promise<ChildProcess> {
  const args = ['run', ...options, '--', 'python3', '-c', LISTENING, signals]
  const child = ended(spawn(sigshield, args, { stdio: ['pipe', 'pipe', 'inherit'], ...spawnOptions }))
  expect(await line(child.stdout)).toBe('up')
  return child
}

async function echo(child: ChildProcess, text: string): Promise<string> {
  child.stdin?.write(`${text}\n`)
  return line(child.stdout)
}

/** The program itself. */
function programOf(child: ChildProcess): number {
  return childrenOf(child.pid as number)[0]?.pid as number
}

describe('ends as its program does', () => {
  it.each([0, 1, 2, 77, 126, 255])('by code %i', async (code) => {
    expect(await call(['run', '--', 'sh', '-c', `exit ${code}`])).toEqual({ out: '', err: '', code, signal: null })
  })

  it.each(['INT', 'TERM', 'HUP', 'QUIT', 'KILL', 'SEGV', 'USR1', 'PIPE', 'XFSZ', 'ALRM', 'ABRT'])(
    'by SIG%s',
    async (name) => {
      // Not by the shell: a bash ignores SIGQUIT.
      const args = ['run', '--ignore=none', '--', 'sh', '-c', `exec kill -${name} $$`]
      expect(await call(args)).toMatchObject({ err: '', code: null, signal: `SIG${name}` })
    },
  )

  it('by a real-time signal', async () => {
    const { out } = await sh(`"$1" run --ignore=none -- sh -c 'kill -37 $$'; echo $?`, [sigshield])
    expect(out).toBe(`${128 + 37}\n`)
  })

  it('without a core dump of its own', async () => {
    const folder = temporaryFolder()
    await sh(`cd "$1"; ulimit -c unlimited; "$2" run -- sh -c 'ulimit -c 0; kill -SEGV $$'`, [folder, sigshield])
    expect((await sh('ls "$1"', [folder])).out).toBe('')
  })

  it('a program that stops by its own hand goes on by another’s', async () => {
    const child = started(sigshield, ['run', '--', 'sh', '-c', 'kill -STOP $$; exit 5'], { detached: true })
    const end = closed(child)
    await until(() => processOf(programOf(child) ?? 0)?.state === 'T', 'it has stopped')
    process.kill(programOf(child), 'SIGCONT')
    expect(await end).toEqual({ code: 5, signal: null })
  })
})

describe('what this process was started with', () => {
  it('goes on to the program: descriptors, ignored signals, limits, environment', async () => {
    const report = join(temporaryFolder(), 'report')
    const setup = `trap '' HUP USR1; exec 5</etc/passwd; exec "$@"`
    const env = { ...process.env, NODE_OPTIONS: '--stack-trace-limit=3' }
    const said = await sh(setup, [sigshield, 'run', '--ignore', 'INT', '--', probe, report], { env })
    expect(said).toEqual({ out: '', err: '', code: 0, signal: null })
    const found = JSON.parse(readFileSync(report, 'utf8'))
    expect(found.ignored).toEqual([1, SIGINT, SIGUSR1].sort((a, b) => a - b))
    expect(found.fds.map(({ fd }: { fd: number }) => fd)).toContain(5)
    expect(found.env).toContain('NODE_OPTIONS=--stack-trace-limit=3')
    const ours = (entry: string) => entry.startsWith('SIGSHIELD_') && !entry.startsWith('SIGSHIELD_PREBUILD=')
    expect(found.env.filter(ours)).toEqual([])
    const { out } = await sh('ulimit -Sn 300; "$1" run -- sh -c "ulimit -Sn"', [sigshield])
    expect(out).toBe('300\n')
  })

  it('is not what stops it: nohup', async () => {
    const script = `trap '' HUP; exec "$@"`
    const args = ['-c', script, 'sh', sigshield, 'run', '--', 'python3', '-c', LISTENING, 'SIGUSR1']
    const child = ended(spawn('sh', args, { stdio: ['pipe', 'pipe', 'inherit'] }))
    expect(await line(child.stdout)).toBe('up')
    child.kill('SIGHUP')
    expect(await echo(child, 'still here')).toBe('still here')
    child.kill('SIGUSR1')
    expect(await line(child.stdout)).toBe('SIGUSR1')
  })

  it('stdin is the program’s, to the last byte', async () => {
    const { out } = await sh(`printf 'one\\ntwo\\nthree\\n' | { "$1" run -- head -c 4; cat; }`, [sigshield])
    expect(out).toBe('one\ntwo\nthree\n')
  })
})

describe('a signal for this process', () => {
  it.each(['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGALRM', 'SIGCONT', 'SIGURG', 'SIGIO'] as const)(
    '%s is passed on, once',
    async (signal) => {
      const child = await listening([], signal)
      child.kill(signal)
      expect(await line(child.stdout)).toBe(signal)
      expect(await echo(child, 'next')).toBe('next')
      child.stdin?.end()
      expect(await closed(child)).toEqual({ code: 0, signal: null })
    },
  )

  it('SIGINT too, if the program hears it', async () => {
    const child = await listening(['--ignore=none'], 'SIGINT')
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe('SIGINT')
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe('SIGINT')
    expect(await echo(child, 'next')).toBe('next')
  })

  it('that the program was to ignore does nothing, unless it asks to leave', async () => {
    const child = await listening(['--ignore', 'INT,USR1'], 'SIGTERM,SIGUSR2')
    child.kill('SIGUSR1')
    child.kill('SIGUSR2')
    expect(await line(child.stdout)).toBe('SIGUSR2')
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe('SIGTERM')
  })

  it('SIGTSTP stops the program, SIGCONT lets it go on', async () => {
    // In a group that is orphaned, as the tests' own may be, the kernel drops it.
    const child = await listening(['--process-group'], 'SIGUSR1')
    const program = programOf(child)
    child.kill('SIGTSTP')
    await until(() => processOf(program)?.state === 'T', 'it has stopped')
    child.kill('SIGCONT')
    expect(await echo(child, 'on')).toBe('on')
  })
})

describe('a stop', () => {
  it('SIGTERM: passed on, and killed when the grace is over', async () => {
    const child = await listening(['--grace', '300ms'], 'SIGTERM', { stdio: ['pipe', 'pipe', 'pipe'] })
    child.kill('SIGTERM')
    expect(await line(child.stdout)).toBe('SIGTERM')
    expect(await line(child.stderr)).toMatch(/^sigshield run: python3 was killed: it did not leave in /)
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('a program that leaves by SIGTERM ends it by its own code', async () => {
    const child = ended(
      spawn(sigshield, ['run', '--', 'bash', '-c', "trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    expect(await line(child.stdout)).toBe('up')
    child.kill('SIGTERM')
    expect(await closed(child)).toEqual({ code: 3, signal: null })
  })

  it('SIGINT asks by the first signal that is heard', async () => {
    const child = await listening(['--ignore', 'INT,TERM', '--grace', 'infinity'], 'SIGHUP')
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe('SIGHUP')
    child.kill('SIGTERM')
    expect(await echo(child, 'once')).toBe('once')
  })

  it('--stop-signal takes its place', async () => {
    const child = await listening(['--stop-signal', 'USR1', '--grace', '200ms,infinity'], 'SIGUSR1,SIGTERM')
    child.kill('SIGTERM')
    expect(await line(child.stdout)).toBe('SIGUSR1')
    expect(await line(child.stdout)).toBe('SIGTERM')
  })

  it('--exit-event asks first, and SIGTERM follows', async () => {
    const script = `trap 'echo term; exit 7' TERM; echo up; until read -t 0 -u "$SIGSHIELD_EXIT_FD"; do sleep 0.01; done; echo asked; while :; do sleep 0.01; done`
    const child = ended(
      spawn(sigshield, ['run', '--exit-event', '--grace', '1s,infinity', '--', 'bash', '-c', script], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
    expect(await line(child.stdout)).toBe('up')
    child.kill('SIGINT')
    expect([await line(child.stdout), await line(child.stdout)]).toEqual(['asked', 'term'])
    expect(await closed(child)).toEqual({ code: 7, signal: null })
  })

  it('an exit event that this process was given goes on to the program', async () => {
    const event = new ExitEvent()
    const script = 'until read -t 0 -u "$SIGSHIELD_EXIT_FD"; do sleep 0.01; done; exit 4'
    for (const options of [[], ['--exit-event', '--grace', 'infinity']]) {
      const child = ended(
        spawnProtected(sigshield, ['run', ...options, '--', 'bash', '-c', script], {
          stdio: 'ignore',
          ignore: [],
          exitEvent: event,
        }),
      )
      const end = closed(child)
      // Once it is set a program is there for a moment only.
      if (!event.isSet()) await until(() => childrenOf(child.pid as number).length > 0, 'the program runs')
      event.set()
      expect(await end).toEqual({ code: 4, signal: null })
    }
  })

  it('asked again later: killed at once', async () => {
    const child = await listening(['--grace', 'infinity'], 'SIGTERM', { stdio: ['pipe', 'pipe', 'pipe'] })
    child.kill('SIGINT')
    expect(await line(child.stdout)).toBe('SIGTERM')
    // The same request, as wrappers send it: within a second.
    child.kill('SIGTERM')
    expect(await echo(child, 'still here')).toBe('still here')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    child.kill('SIGINT')
    expect(await line(child.stderr)).toBe('sigshield run: python3 was killed: it was asked again')
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it.each([
    ['group', ['--process-group', '--target', 'group']],
    ['tree', ['--target', 'tree']],
  ])('--target %s reaches what the program has started', async (_target, options) => {
    const script = `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done' & echo $$; wait`
    const child = ended(
      spawn(sigshield, ['run', ...options, '--grace', '300ms', '--', 'sh', '-c', script], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
    const pids = [Number(await line(child.stdout)), Number(await line(child.stdout))]
    onTestFinished(() => {
      for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
    })
    child.kill('SIGTERM')
    await closed(child)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('--parent-death-signal: the program does not outlive it', async () => {
    const child = await listening(['--parent-death-signal'], 'SIGUSR1')
    const program = programOf(child)
    child.kill('SIGKILL')
    await until(() => !isAlive(program), 'the program has ended')
  })

  it('without it, it does (the control)', async () => {
    const child = await listening([], 'SIGUSR1')
    const program = programOf(child)
    child.kill('SIGKILL')
    await until(() => processOf(program)?.parent !== child.pid, 'it has lost its parent')
    expect(isAlive(program)).toBe(true)
    process.kill(program, 'SIGKILL')
  })
})

describe('--drain', () => {
  const leaving = `(sleep 0.5; echo late) & exit 3`

  it('waits for what the program has left behind', async () => {
    const child = ended(
      spawn(sigshield, ['run', '--drain', '30s', '--', 'sh', '-c', leaving], { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    let said = ''
    ;(child.stdout as Readable).on('data', (text) => {
      said += text
    })
    const exit = new Promise((resolve) => child.once('exit', (code) => resolve([code, said])))
    expect(await exit).toEqual([3, 'late\n'])
  })

  it('until somebody asks to leave', async () => {
    const file = join(temporaryFolder(), 'pid')
    const script = `sleep 1000 & echo $! >"$1"; exit 3`
    const child = ended(
      spawn(sigshield, ['run', '--drain', 'infinity', '--', 'sh', '-c', script, 'sh', file], { stdio: 'ignore' }),
    )
    const end = closed(child)
    const names = () => childrenOf(child.pid as number).map(({ name }) => name)
    // Before it has reaped its own child the request is for that one.
    await until(() => names().join() === 'sleep', 'it has adopted one, and nothing else is left')
    child.kill('SIGTERM')
    expect(await end).toEqual({ code: 3, signal: null })
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL')
  })

  it('but not longer', async () => {
    const script = `sleep 1000 & echo $! >"$1"; exit 3`
    const file = join(temporaryFolder(), 'pid')
    expect(
      await call(['run', '--drain', '100ms', '--', 'sh', '-c', script, 'sh', file], { stdio: 'ignore' }),
    ).toMatchObject({
      code: 3,
    })
    const pid = Number(readFileSync(file, 'utf8'))
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })
})

describe.runIf(process.getuid?.() === 0)('as process 1 of a container', () => {
  const container = (args: string[]) =>
    ended(
      spawn('unshare', ['--pid', '--fork', '--mount-proc', sigshield, 'run', ...args], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )

  it('reaps what it inherits', async () => {
    const script = `
      for i in 1 2 3; do (sh -c 'exit 0' &) ; done
      while [ "$(cat /proc/[0-9]*/stat 2>/dev/null | wc -l)" -gt 4 ]; do sleep 0.05; done
      grep -c 'Z 1 ' /proc/[0-9]*/stat 2>/dev/null | grep -v ':0' ; echo none; echo $PPID`
    const init = container(['--', 'bash', '-c', script])
    expect([await line(init.stdout), await line(init.stdout)]).toEqual(['none', '1'])
    expect(await closed(init)).toEqual({ code: 0, signal: null })
  })

  it('passes signals on, and ends by 128 + n', async () => {
    const init = container(['--', 'python3', '-c', LISTENING, 'SIGTERM,SIGUSR1'])
    expect(await line(init.stdout)).toBe('up')
    const pid = childrenOf(init.pid as number)[0]?.pid as number
    process.kill(pid, 'SIGUSR1')
    expect(await line(init.stdout)).toBe('SIGUSR1')
    process.kill(pid, 'SIGTERM')
    expect(await line(init.stdout)).toBe('SIGTERM')
    process.kill(childrenOf(pid)[0]?.pid as number, 'SIGKILL')
    expect(await closed(init)).toEqual({ code: 137, signal: null })
  })
})
