import childProcess from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { forkProtected, type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { closed, echo, ended, probe, SIGINT, SIGTERM, SIGUSR2, temporaryFolder } from '../support/processes.js'
import { enforced, signalState } from '../support/signal-state.js'
import { echoing, expectToDieOfSigint, expectToLiveOn, worker } from '../support/start/echoing.js'

// What this machine has not got is told, and can't be tried.
describe.each(echoing)('$name', ({ program, args, isHere }) => {
  it.skipIf(!isHere)('starts with exactly the asked signals ignored and blocked', async () => {
    const child = ended(spawnProtected(program, args, { ignore: ['SIGINT', 'SIGTERM'], block: ['SIGUSR2'] }))
    // On return the program runs: its execve is proven, and no instruction of it had another state.
    const atOnce = signalState(child.pid as number)
    expect(atOnce.ignored).toEqual(expect.arrayContaining([SIGINT, SIGTERM]))
    // Node sets a mask of its own as it starts, perhaps before it was looked at. (The C probe tells of every program's start.)
    // Only Linux tells another's.
    if (program !== process.execPath && atOnce.blocked) expect(atOnce.blocked).toContain(SIGUSR2)
    expect(await echo(child, 'hello')).toMatch(/hello|ready/)
  })

  it.skipIf(!isHere)('still ignores them when it has started up, and lives on after both', async () => {
    const child = ended(spawnProtected(program, args, { ignore: ['SIGINT', 'SIGTERM'] }))
    await expectToLiveOn(child)
  })

  it.skipIf(!isHere)('dies of SIGINT without protection', async () => {
    await expectToDieOfSigint(program, args)
  })
})

/** As the program itself finds them. */
async function found(options: SpawnProtectedOptions) {
  const report = join(temporaryFolder(), 'report')
  expect(await closed(ended(spawnProtected(probe, [report], options)))).toEqual({ code: 0, signal: null })
  const { ignored, blocked } = JSON.parse(readFileSync(report, 'utf8'))
  return { ignored, blocked }
}

it('by default ignores SIGINT alone and blocks nothing', async () => {
  expect(await found({})).toEqual({ ignored: [SIGINT], blocked: [] })
})

it('ignores nothing with an empty list', async () => {
  expect(await found({ ignore: [] })).toEqual({ ignored: [], blocked: [] })
  const child = ended(spawnProtected('cat', { ignore: [] }))
  expect(child.enforced).toBe(false)
  child.kill('SIGINT')
  expect(await closed(child)).toEqual({ code: null, signal: 'SIGINT' })
})

it('a blocked signal stays pending until the program unblocks it', async () => {
  const script =
    'import signal,sys\nprint(sys.stdin.readline(),end="",flush=True)\nsignal.pthread_sigmask(signal.SIG_SETMASK,[])\nprint("not reached",flush=True)'
  const child = ended(spawnProtected('python3', ['-c', script], { ignore: [], block: ['SIGTERM'] }))
  process.kill(child.pid as number, 'SIGTERM')
  expect(await echo(child, 'alive')).toBe('alive')
  expect(await closed(child)).toEqual({ code: null, signal: 'SIGTERM' })
})

describe('a Node worker', () => {
  async function start(options: object) {
    const child = ended(forkProtected(worker, ['ipc'], options))
    await once(child, 'message')
    return child
  }

  it('is protected after start-up although Node resets signals', async () => {
    const child = await start({})
    expect(child.enforced).toBe(enforced.other)
    expect(signalState(child.pid as number).ignored).toContain(SIGINT)
    process.kill(child.pid as number, 'SIGINT')
    child.send('hello')
    expect(await once(child, 'message')).toEqual(['hello', undefined])
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('never runs a handler of its own for an ignored signal', async () => {
    const child = await start({})
    child.send('handle SIGINT')
    await once(child, 'message')
    process.kill(child.pid as number, 'SIGINT')
    child.send('handled?')
    expect(await once(child, 'message')).toEqual([{ handled: 0 }, undefined])
  })

  it('loses the protection with enforce: false', async () => {
    const child = await start({ enforce: false })
    expect(child.enforced).toBe(false)
    expect(signalState(child.pid as number).ignored).not.toContain(SIGINT)
    process.kill(child.pid as number, 'SIGINT')
    expect(await closed(child)).toEqual({ code: null, signal: 'SIGINT' })
  })

  it.each([
    ['still ignore', true],
    ['no longer ignore', false],
  ])('has children of its own that %s with enforce: %s', async (_what, enforce) => {
    const child = await start({ enforce })
    child.send('spawn cat')
    const [{ pid }] = (await once(child, 'message')) as [{ pid: number }]
    expect(signalState(pid).ignored.includes(SIGINT)).toBe(enforce)
  })
})

describe('no_new_privs', () => {
  const status = ['-E', '^(NoNewPrivs|Seccomp):', '/proc/self/status']
  const start = `import { spawnProtected } from 'sigshield'
    const child = spawnProtected('grep', ${JSON.stringify(status)}, { stdio: 'inherit' })
    process.exitCode = child.enforced ? 0 : 1`

  it('is what an unprivileged parent enforces by', async () => {
    const parent = [process.execPath, '--input-type=module', '-e', start]
    const options = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all']
    const { stdout } = await promisify(childProcess.execFile)('setpriv', [...options, ...parent])
    expect(stdout).toBe('NoNewPrivs:\t1\nSeccomp:\t2\n')
  })

  it.each([{}, { uid: 65534, gid: 65534 }])('is not set where the parent is privileged, with %j', async (options) => {
    expect(process.getuid?.(), 'this test needs root').toBe(0)
    const child = ended(spawnProtected('grep', status, options))
    let output = ''
    for await (const chunk of child.stdout ?? []) output += chunk
    expect(output).toBe('NoNewPrivs:\t0\nSeccomp:\t2\n')
  })
})
