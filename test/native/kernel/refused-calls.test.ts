/** Starts on systems that refuse a call, or hold a child between its clone and its program. */
import childProcess, { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { programs } from '../../support/build-programs.js'
import { silentWhileHeld } from '../../support/native/kernel/held.js'
import { closed, ended, isAlive, line, temporaryFolder, until } from '../../support/processes.js'

const { EACCES, EINVAL, EMFILE, ENOMEM, ENOSYS, EPERM } = constants.errno

/** By its place, as a parent may run in another folder. */
const library = pathToFileURL(join(import.meta.dirname, '../../../dist/index.js')).href

/** What a parent does: starts a child with these options, and prints how the start and the child ended. */
function parent(options: object, command: string[] = ['true'], before = ''): string[] {
  const code = `import { once } from 'node:events'
    import { spawnProtected } from '${library}'
    const [command, ...args] = ${JSON.stringify(command)}
    ${before}
    try {
      const child = spawnProtected(command, args, { stdio: 'ignore', ...${JSON.stringify(options)} })
      process.stdout.write('started\\n')
      const [code, signal] = await once(child, 'exit')
      console.log(JSON.stringify({ enforced: child.enforced, code, signal }))
    } catch ({ code, step }) {
      console.log(JSON.stringify({ code, step }))
    }`
  return [process.execPath, '--input-type=module', '-e', code]
}

async function outcome(command: string[], env: object = {}, cwd = process.cwd()): Promise<unknown> {
  const [file = '', ...args] = command
  const { stdout } = await promisify(execFile)(file, args, { cwd, env: { ...process.env, ...env } })
  return JSON.parse(stdout.trim().split('\n').at(-1) as string)
}

const restricted = (features: string, command: string[]) => [join(programs, 'restricted'), features, ...command]
const held = (action: string | number, command: string[]) => [join(programs, 'held'), String(action), ...command]
const preload = { LD_PRELOAD: join(programs, 'preloaded-clone.so') }
/** For others no_new_privs is set before, and other ids are refused. */
const isRoot = process.getuid?.() === 0
const runs = { enforced: 'filter', code: 0, signal: null }

describe('a call that is refused', () => {
  it.each([
    [`clone_pidfd=${EPERM}`, {}, runs],
    [`clone_pidfd=${ENOSYS}`, {}, runs],
    [`clone_pidfd=${EINVAL}`, {}, runs],
    [`clone_pidfd=${EMFILE}`, {}, runs],
    ['setsid', { detached: true }, { code: 'EPERM', step: 'setsid' }],
    ['setsid', {}, runs],
    ['wide_signal', { enforce: true }, runs],
    [`seccomp=${EACCES}`, {}, { ...runs, enforced: false }],
    [`seccomp=${EACCES}`, { stdio: ['ignore', 'pipe', 2, 1, 0] }, { ...runs, enforced: false }],
    [`seccomp=${EACCES}`, { enforce: true }, { code: 'EACCES', step: 'seccomp' }],
    // What the kernel has for its own eyes (net.core.bpf_jit_limit).
    ['seccomp=524', { enforce: true }, { code: 'ENOTSUP', step: 'seccomp' }],
    ['seccomp=524', {}, { ...runs, enforced: false }],
    ['seccomp_killed', {}, runs],
    ['seccomp_killed', isRoot ? { enforce: true, uid: 65534 } : { enforce: true }, runs],
    ['getppid', { parentDeathSignal: true }, runs],
    ['getppid,ppoll', { parentDeathSignal: true }, process.arch === 'x64' ? runs : { code: 'EPERM', step: 'poll' }],
    ['getppid,pidfd_open', { parentDeathSignal: true }, { code: 'EPERM', step: 'getppid' }],
  ])('%s, with %j', async (features, options, expected) => {
    expect(await outcome(restricted(features, parent(options)))).toEqual(expected)
  })

  // libuv has setgid(2) and setuid(2) alone, and asks nobody for the rest.
  it
    .skipIf(!isRoot)
    .each([
      `setresuid=${ENOSYS}`,
      `setresgid=${ENOSYS}`,
      `setresuid=${ENOMEM},setresgid=${EPERM}`,
      `ambient=${ENOMEM}`,
    ])('%s: a child has the ids that it is given', async (features) => {
    const check = ['sh', '-c', 'grep -cE "^[UG]id:(.65534){4}$" /proc/self/status | grep -qx 2']
    const command = restricted(features, parent({ uid: 65534, gid: 65534, groups: [] }, check))
    expect(await outcome(command)).toEqual(runs)
  })

  it.skipIf(!isRoot)('setgroups: a parent without groups has none to take from a child', async () => {
    const command = restricted(`setgroups=${ENOMEM}`, parent({ uid: 65534, gid: 65534 }))
    expect(await outcome(['setpriv', '--clear-groups', ...command])).toEqual(runs)
    const control = ['setpriv', '--groups', '4242', ...command]
    expect(await outcome(control)).toEqual({ code: 'ENOMEM', step: 'setgroups' })
  })

  // On arm64 Node asks for a mapping of this size by itself; faults.test.ts knows the addon's call from others.
  it.skipIf(process.arch === 'arm64')('mprotect for the stack of the child', async () => {
    expect(await outcome(restricted('mprotect_stack', parent({})))).toEqual({ code: 'EACCES', step: 'mprotect' })
  })

  it.skipIf(!isRoot).each([
    [`seccomp=${EACCES}`, 1],
    [`seccomp=${EPERM}`, 1],
  ])('%s: a child that is not enforced keeps its privileges', async (features, lines) => {
    const command = ['grep', '-c', '^NoNewPrivs:\\s0$', '/proc/self/status']
    const [file = '', ...args] = restricted(features, parent({ stdio: 'inherit' }, command))
    const { stdout } = await promisify(execFile)(file, args)
    expect(stdout).toContain(`${lines}\n`)
    expect(stdout).toContain('"enforced":false')
  })
})

it.skipIf(!isRoot).each([EACCES, EPERM])(
  'sigshield exec becomes the program all the same where no filter is allowed (%i)',
  async (errno) => {
    const command = join(import.meta.dirname, '../../../bin/sigshield.js')
    const print = ['grep', '-c', '^NoNewPrivs:\\s0$', '/proc/self/status']
    const [file = '', ...args] = restricted(`seccomp=${errno}`, [process.execPath, command, 'exec', ...print])
    expect((await promisify(execFile)(file, args)).stdout).toBe('1\n')
  },
)

describe.skipIf(process.arch !== 'x64')('a policy for x86-64', () => {
  // SystemCallArchitectures=native
  it.each([{}, { enforce: true }])('that ends who calls another ABI: with %j', async (options) => {
    expect(await outcome(restricted('other_abis_killed', parent(options)))).toEqual(runs)
  })

  it('the control: such a call ends the process', async () => {
    const killed = promisify(execFile)(join(programs, 'restricted'), [
      'other_abis_killed',
      join(programs, 'other-abi'),
      'x32',
    ])
    await expect(killed).rejects.toMatchObject({ signal: 'SIGSYS' })
  })

  it('that has no epoll_wait(2), as Node has none: exits are told, and nobody spins', async () => {
    const code = `import { once } from 'node:events'
      import { spawnProtected } from '${library}'
      const codes = []
      for (const code of [1, 2, 3]) {
        const child = spawnProtected('sh', ['-c', \`read line; exit \${code}\`], { stdio: ['pipe', 'ignore', 'ignore'] })
        child.stdin.end('\\n')
        codes.push((await once(child, 'exit'))[0])
      }
      const before = process.cpuUsage()
      const idle = spawnProtected('sleep', ['0.5'], { stdio: 'ignore' })
      await once(idle, 'exit')
      const { user, system } = process.cpuUsage(before)
      console.log(JSON.stringify({ codes, spins: user + system > 400_000 }))`
    const node = [process.execPath, '--input-type=module', '-e', code]
    expect(await outcome(restricted('epoll_wait', node))).toEqual({ codes: [1, 2, 3], spins: false })
  })
})

it('as many children start as child_process can start, where descriptors are few', async () => {
  const code = (start: string) => `import { spawn } from 'node:child_process'
    import { spawnProtected } from 'sigshield'
    const children = []
    try {
      for (let i = 0; i < 60; i += 1) {
        const child = ${start}('sleep', ['1000'], { stdio: 'ignore' })
        child.on('error', () => {})
        if (child.pid !== undefined) children.push(child)
      }
    } catch {}
    console.log(JSON.stringify(children.length))
    for (const child of children) child.kill('SIGKILL')`
  const started = (start: string) =>
    outcome(['sh', '-c', 'ulimit -n 64; exec "$@"', '-', process.execPath, '--input-type=module', '-e', code(start)])
  expect(await started('spawnProtected')).toBe(await started('spawn'))
})

describe('musl’s clone()', () => {
  it('starts a child', async () => {
    expect(await outcome(parent({}), preload)).toEqual(runs)
  })

  it('a process that another library forked in the middle of the first start does not hold it up', async () => {
    const report = join(temporaryFolder(), 'pid')
    onTestFinished(() => void process.kill(Number(readFileSync(report, 'utf8')), 'SIGKILL'))
    // It holds a copy of the pipe's write end until it is killed, and that is after this.
    expect(await outcome(parent({}), { ...preload, FORK_BEFORE_CLONE: report })).toEqual(runs)
    expect(isAlive(Number(readFileSync(report, 'utf8')))).toBe(true)
  })

  it('nor one that reports by the pipe, in a session of its own', async () => {
    const forking = () => {
      const report = join(temporaryFolder(), 'pid')
      onTestFinished(() => void process.kill(Number(readFileSync(report, 'utf8')), 'SIGKILL'))
      return { ...preload, FORK_BEFORE_CLONE: report }
    }
    expect(await outcome(parent({ uid: 65534, detached: true }), forking())).toEqual(runs)
    expect(await outcome(parent({ uid: 65534, cwd: '/no/such' }), forking())).toMatchObject({ code: 'ENOENT' })
  })
})

describe.each([true, false])('a child that is not through (the first of its parent: %s)', (first) => {
  it.each([
    ['none', {}],
    ['waitid', {}],
    [`waitid=${ENOSYS},clone_pidfd`, {}],
    ['waitid', { uid: 65534 }],
  ])('lets no start return (%s refused, with %j)', async (features, options) => {
    const flag = join(temporaryFolder(), 'held')
    // The first start of a process has another proof than the later ones.
    const before = first ? '' : "spawnProtected('true', { stdio: 'ignore' })"
    const command = parent({ cwd: '/', ...options }, ['sleep', '1000'], before)
    const [file = '', ...args] = restricted(features, held(flag, command))
    const node = ended(childProcess.spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] }))
    const output = await silentWhileHeld(node, flag)
    await until(() => output().startsWith('started\n'), 'the start has returned')
    process.kill(-(node.pid as number), 'SIGKILL')
  })
})

describe('a signal that would dump core, between clone and execve', () => {
  const { SIGQUIT, SIGABRT, SIGTERM } = constants.signals

  /** The parent in a folder of its own, as core_pattern may name a file in it. */
  async function dumped(signal: number, options: object, how: string[]) {
    const folder = temporaryFolder()
    const unlimited = ['sh', '-c', 'ulimit -c unlimited; exec "$@"', '-']
    const end = await outcome([...unlimited, ...held(signal, [...how, ...parent(options)])], {}, folder)
    return { end, files: readdirSync(folder) }
  }

  it.each([
    [SIGQUIT, 'SIGQUIT'],
    [SIGABRT, 'SIGABRT'],
    [SIGTERM, 'SIGTERM'],
  ])('%s ends the child by %s, without a dump of the parent’s memory', async (signal, name) => {
    const { end, files } = await dumped(signal, { cwd: '/' }, [])
    expect(end).toEqual({ enforced: 'filter', code: null, signal: name })
    expect(files).toEqual([])
  })

  it('a Linux before 5.16 would end the parent too: SIGKILL', async () => {
    // What the kernel says of itself (personality(2)): 2.6.
    const { end } = await dumped(SIGQUIT, { cwd: '/' }, ['setarch', '--uname-2.6'])
    expect(end).toEqual({ enforced: 'filter', code: null, signal: 'SIGKILL' })
  })

  it('is met as the program starts with it', async () => {
    const { end } = await dumped(SIGQUIT, { cwd: '/', ignore: ['SIGQUIT'] }, [])
    expect(end).toEqual(runs)
    const blocked = await dumped(SIGQUIT, { cwd: '/', block: ['SIGQUIT'] }, [])
    expect(blocked.end).toEqual(runs)
  })
})

describe('a parent outside the pid namespace of its children', () => {
  it('can have them die with it', async () => {
    const options = { parentDeathSignal: true, stdio: ['ignore', 'inherit', 'ignore'] }
    const [file = '', ...args] = parent(options, ['sleep', '1000'])
    const env = { ...process.env, ...preload, UNSHARE_BEFORE_CLONE: '1' }
    const node = ended(childProcess.spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(await line(node.stdout)).toBe('started')
    const end = closed(node)
    node.kill('SIGKILL')
    // 'close' comes when nobody holds its output any more: the child is gone.
    await end
  })
})
