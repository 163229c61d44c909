/** `sigshield exec`: the program is as the same shell would have started it, but for what was asked for. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { all, call, sh, sigshield, started } from '../support/command.js'
import { hasProc } from '../support/process-table.mjs'
import { closed, ended, line, nothing, probe, SIGUSR2, temporaryFolder } from '../support/processes.js'

/** What the probe has seen, started in a shell after `setup`, and by `prefix`. */
async function seen(setup: string, prefix: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const report = join(temporaryFolder(), 'report')
  const script = `${setup}\nexec "$@"`
  const said = await sh(script, [...prefix, probe, report], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  expect(said).toEqual({ out: '', err: '', code: 0, signal: null })
  const { args, env: given, fds, ...rest } = JSON.parse(readFileSync(report, 'utf8'))
  const kept = fds.map(({ inode: _inode, ...fd }: Record<string, unknown>) => fd)
  // On a Mac no more of them go on. The sh of a Mac is a bash, which counts itself, notes down what it starts, and keeps no order.
  const found = hasProc ? given : given.filter((entry: string) => !/^(_|SHLVL)=/.test(entry)).sort()
  return {
    ...rest,
    args: args.slice(0, 1),
    env: found,
    fds: kept.filter(({ fd }: { fd: number }) => hasProc || fd <= 2),
  }
}

const bare: readonly string[] = []
/** It has no real-time signals. */
const isMac = process.platform === 'darwin'

describe('beside the bare command', () => {
  it.each([
    ['a plain shell', ''],
    ['signals that a shell ignores', `trap '' HUP USR1 PIPE QUIT${isMac ? '' : ' RTMIN+3'}`],
    ['descriptors', 'exec 3</etc/passwd 5>>/dev/null 9<>/dev/zero'],
    ['closed descriptors', 'exec 0<&- 2>&-'],
    ['an umask, a directory', 'umask 027; cd /usr'],
  ])('%s', async (_title, setup) => {
    const expected = await seen(setup, bare)
    const found = await seen(setup, [sigshield, 'exec', '--ignore=none', '--'])
    expect(found).toEqual(expected)
  })

  it('its signals, and nothing else', async () => {
    const setup = "trap '' HUP"
    const expected = await seen(setup, bare)
    const found = await seen(setup, [
      sigshield,
      'exec',
      '--ignore',
      'INT,TERM',
      '--block',
      isMac ? 'USR2' : 'USR2,35',
      '--',
    ])
    expect(found).toEqual({ ...expected, ignored: [1, 2, 15], blocked: isMac ? [SIGUSR2] : [SIGUSR2, 35] })
  })

  it('the environment, to the byte', async () => {
    const env = {
      PATH: process.env.PATH,
      'a.b-c': 'a name that dash drops',
      LINES_: 'a\nb\n',
      NODE_OPTIONS: '--stack-trace-limit=3',
      NODE_UNIQUE_ID: '7',
      NODE_V8_COVERAGE: '/nowhere',
      SIGSHIELD_STARTED: 'no',
      EMPTY: '',
      ÄÖ: 'ü€',
    }
    const expected = await all(started('env', ['-0'], { env }))
    const found = await call(['exec', 'env', '-0'], { env })
    expect(found.err).toBe('')
    expect(found.out.split('\0').sort()).toEqual(expected.out.split('\0').sort())
    // A shell adds PWD to an environment that has none: not to this one.
    expect(found.out).not.toContain('PWD=')
  })

  it('a variable that holds the bytes by which the others are noted down', async () => {
    const env = { PATH: process.env.PATH, SEPARATORS: 'a\x1fb\x1ec' }
    const { out } = await call(['exec', 'printenv', 'SEPARATORS'], { env })
    expect(out).toBe('a\x1fb\x1ec\n')
  })

  it('limits and status', async () => {
    const settled = (text: string) =>
      text
        .split('\n')
        .filter(
          (entry) =>
            !/^(Pid|Tgid|NStgid|NSpid|VmRSS|VmHWM|Rss|Vm|.*ctxt_switches|SigQ|Cpus|Mems|Shd|FDSize|Name)/.test(entry),
        )
    const files = ['/proc/self/limits', '/proc/self/status', '/proc/self/coredump_filter', '/proc/self/oom_score_adj']
    const script = 'ulimit -Sn 512; ulimit -c 0; exec "$@"'
    const expected = await sh(script, ['cat', ...files])
    const found = await sh(script, [sigshield, 'exec', '--ignore=none', 'cat', ...files])
    expect(settled(found.out)).toEqual(settled(expected.out))
  })

  it('a descriptor that does not block stays so', async () => {
    const wrap = ['-c', 'import os,sys; os.set_blocking(0, False); os.execvp(sys.argv[1], sys.argv[1:])']
    const flags = ['python3', '-c', 'import os; print(os.get_blocking(0))']
    const run = async (prefix: string[]) => {
      const child = started('python3', [...wrap, ...prefix, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] })
      return (await all(child)).out
    }
    const expected = await run([])
    expect(expected).toBe('False\n')
    expect(await run([sigshield, 'exec', '--'])).toBe(expected)
  })
})

describe('this process becomes the program', () => {
  it('by the same pid, which takes what comes', async () => {
    const child = ended(
      spawn(sigshield, ['exec', '--', 'sh', '-c', 'echo $$; read -r word; echo $word'], { stdio: 'pipe' }),
    )
    expect(await line(child.stdout)).toBe(String(child.pid))
    child.stdin.write('hello\n')
    expect(await line(child.stdout)).toBe('hello')
  })

  it('with nothing of Node left: no threads, no descriptors', async () => {
    const { out } = await call(['exec', 'sh', '-c', 'ls /proc/$$/task | wc -l; readlink /proc/$$/exe'])
    expect(out).toMatch(/^1\n\/(usr\/)?bin\/dash\n$|^1\n.*sh\n$/)
  })

  it('a script without a first line is a shell script', async () => {
    const script = join(temporaryFolder(), 'script')
    writeFileSync(script, 'echo "script $1"\n')
    chmodSync(script, 0o755)
    expect((await call(['exec', '--', script, 'x'])).out).toBe('script x\n')
  })

  it('an IPC channel is the program’s', async () => {
    const code = 'process.on("message", (m) => process.send(m + 1, () => process.disconnect()))'
    const child = ended(
      spawn(sigshield, ['exec', '--', process.execPath, '-e', code], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    )
    const answer = once(child, 'message')
    child.send(41)
    expect((await answer)[0]).toBe(42)
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })
})

describe('what else it can be given', () => {
  it.runIf(process.getuid?.() === 0)('--groups', async () => {
    expect((await call(['exec', '--groups', '5,6', '--', 'id', '-G'])).out).toBe('0 5 6\n')
    expect((await call(['exec', '--groups', 'none', '--', 'id', '-G'])).out).toBe('0\n')
  })

  it('--process-group', async () => {
    const { out } = await call([
      'exec',
      '--process-group',
      'python3',
      '-c',
      'import os; print(os.getpgrp() == os.getpid())',
    ])
    expect(out).toBe('True\n')
    const { out: without } = await call(['exec', 'python3', '-c', 'import os; print(os.getpgrp() == os.getpid())'])
    expect(without).toBe('False\n')
  })

  it('--parent-death-signal: when who has started it dies', async () => {
    const script = `"$1" exec --parent-death-signal=USR1 -- bash -c 'trap "echo usr1; exit" USR1; echo $$; while :; do sleep 0.02; done' & wait`
    const parent = ended(spawn('sh', ['-c', script, 'sh', sigshield], { stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(Number(await line(parent.stdout))).toBeGreaterThan(1)
    parent.kill('SIGKILL')
    expect(await line(parent.stdout)).toBe('usr1')
  })
})

describe('enforcement', () => {
  const node = [
    '-e',
    'process.on("SIGINT", () => {}); console.log("up"); setInterval(() => {}, 1000); process.stdin.on("data", (d) => process.stdout.write(d))',
  ]
  const python = [
    '-c',
    'import signal,sys\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nprint("up", flush=True)\nfor l in sys.stdin: print(l, end="", flush=True)',
  ]

  it.each([
    ['node', process.execPath, node],
    ['python', 'python3', python],
  ])('%s resets SIGINT as it starts, and lives', async (_name, program, args) => {
    // On a Mac nobody would be there to tell whether it is.
    const how = isMac ? '--enforce=auto' : '--enforce'
    const child = ended(spawn(sigshield, ['exec', how, '--', program, ...args], { stdio: 'pipe' }))
    expect(await line(child.stdout)).toBe('up')
    child.kill('SIGINT')
    child.stdin.write('still here\n')
    expect(await line(child.stdout)).toBe('still here')
  })

  it('without it python dies (the control)', async () => {
    const child = ended(spawn(sigshield, ['exec', '--no-enforce', '--', 'python3', ...python], { stdio: 'pipe' }))
    expect(await line(child.stdout)).toBe('up')
    child.kill('SIGINT')
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGINT' })
  })

  it('does not reach what was only inherited: the program may handle it', async () => {
    const code = 'import signal,os\nsignal.signal(signal.SIGHUP, lambda *_: print("hup"))\nos.kill(os.getpid(), 1)'
    const { out } = await sh(`trap '' HUP; exec "$@"`, [sigshield, 'exec', '--enforce', '--', 'python3', '-c', code])
    expect(out).toBe('hup\n')
    const asked = await call(['exec', '--enforce', '--ignore', 'HUP', '--', 'python3', '-c', code])
    expect(asked.out).toBe('')
  })
})

describe('a program that is not started', () => {
  it.each([
    ['nowhere', 127, 'sigshield exec: nowhere: command not found\n'],
    ['/nowhere/at/all', 127, 'sigshield exec: /nowhere/at/all: no such file or directory\n'],
    ['/etc/passwd', 126, 'sigshield exec: /etc/passwd: permission denied\n'],
    ['/etc', 126, 'sigshield exec: /etc: permission denied\n'],
    ['/etc/passwd/x', 126, 'sigshield exec: /etc/passwd/x: not a directory\n'],
  ])('%s', async (file, code, err) => {
    expect(await call(['exec', '--', file])).toEqual({ out: '', err, code, signal: null })
    expect(await call(['run', '--', file])).toEqual({ out: '', err: err.replace('exec', 'run'), code, signal: null })
    // As the shell says.
    expect((await sh('"$1" 2>/dev/null', [file])).code).toBe(code === 126 && file === '/etc/passwd/x' ? 127 : code)
  })

  it('for a group that is not there: its own failure', async () => {
    const { err, code } = await call(['exec', '--process-group=4194304', '--', nothing])
    expect({ err, code }).toEqual({ err: 'sigshield exec: setpgid: operation not permitted\n', code: 125 })
  })
})
