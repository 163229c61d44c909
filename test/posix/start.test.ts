/** What is the posix path's own. Run by `npm run test:posix` alone. */
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import { kill, stateOf } from 'sigshield/signals'
import { describe, expect, it } from 'vitest'
import { call } from '../support/command.js'
import { limit } from '../support/limits.js'
import { processOf } from '../support/process-table.mjs'
import { closed, ended, line, temporaryFolder } from '../support/processes.js'
import { toldIgnored } from '../support/signal-state.js'

const unavailable = { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' }
const root = join(import.meta.dirname, '../..')
const prebuild = process.env.SIGSHIELD_PREBUILD ?? root
const built = join(prebuild, 'build/Release')

/** Another process with an addon folder of its own. */
function program(folder: string, code: string, env: Record<string, string> = {}) {
  const args = ['--input-type=module', '-e', `import { spawnProtected } from 'sigshield'\n${code}`]
  return ended(
    childProcess.spawn(process.execPath, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, SIGSHIELD_PREBUILD: folder, ...env },
    }),
  )
}

function copiedAddon(): string {
  const folder = temporaryFolder()
  cpSync(built, join(folder, 'build/Release'), { recursive: true })
  return folder
}

describe('what the system has not is refused, and tells what to do instead', () => {
  it('parentDeathSignal', () => {
    const start = () => spawnProtected('sleep', ['1000'], { parentDeathSignal: true })
    expect(start).toThrow(expect.objectContaining({ ...unavailable, message: expect.stringContaining('exit event') }))
  })

  it('--drain', async () => {
    const said = await call(['run', '--drain', '1s', '--', 'true'])
    expect(said).toEqual({
      out: '',
      err: expect.stringMatching(/--drain works on Linux only/),
      code: 125,
      signal: null,
    })
  })
})

it('stateOf tells what such a system knows: no mask, and nothing that waits', () => {
  const child = ended(spawnProtected('cat', [], { ignore: ['SIGTERM'], block: ['SIGHUP'] }))
  const state = stateOf(child.pid as number)
  const untold = { blocked: undefined, pending: undefined, noNewPrivs: undefined, seccomp: undefined }
  expect(state).toEqual({
    pid: child.pid,
    startedAt: expect.any(Number),
    ignored: toldIgnored('SIGTERM'),
    caught: [],
    ...untold,
  })
  // Microseconds since 1970.
  expect(Math.abs(Date.now() - state.startedAt / 1000)).toBeLessThan(limit(60_000))
  expect(kill(state.pid, 0, state)).toBe(true)
})

describe('the exec helper', () => {
  it('is made executable where a package was copied without its modes', async () => {
    const folder = copiedAddon()
    const helper = join(folder, 'build/Release/sigshield-exec')
    chmodSync(helper, 0o644)
    const child = program(folder, "spawnProtected('echo', ['runs'], { stdio: 'inherit' })")
    expect(await line(child.stdout)).toBe('runs')
    expect(statSync(helper).mode & 0o777).toBe(0o755)
  })

  it('that is missing is not taken for the program', async () => {
    const folder = copiedAddon()
    renameSync(join(folder, 'build/Release/sigshield-exec'), join(folder, 'elsewhere'))
    const child = program(folder, "spawnProtected('true').on('error', ({ code, step }) => console.log(code, step))")
    expect(await line(child.stdout)).toBe('ENOENT posix_spawn')
  })

  it('gets nothing of the environment that is meant for the program', async () => {
    const child = spawnProtected('env', [], { env: { LD_PRELOAD: '/nonexistent.so', PATH: '/usr/bin:/bin' } })
    // ld.so tells of a library that it can't load: once, for the program.
    const told: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => told.push(String(data)))
    expect(await closed(child)).toEqual({ code: 0, signal: null })
    expect(told.join('').match(/nonexistent/g)?.length).toBe(2)
  })

  it('is over before the start is: what runs is the program', () => {
    const child = ended(spawnProtected('sleep', ['1000']))
    expect(processOf(child.pid as number)?.name).toBe('sleep')
  })
})

it('an exit that is told before it can be reaped is not lost', async () => {
  const code = `
    for (const command of ['true', 'false', 'sleep']) {
      spawnProtected(command, ['0.2'], { stdio: 'ignore' }).on('exit', (code) => console.log(command, code))
    }`
  const child = program(prebuild, code, { SIGSHIELD_TEST_EARLY_EXITS: '1' })
  const end = closed(child)
  const told = [await line(child.stdout), await line(child.stdout), await line(child.stdout)]
  expect(told.sort()).toEqual(['false 1', 'sleep 0', 'true 0'])
  expect(await end).toEqual({ code: 0, signal: null })
})

it('the number of a pipe may take 64 bits, and another is not taken for it', async () => {
  const script = `
    import { exitEvent } from 'sigshield/child'
    const given = BigInt(process.env.SIGSHIELD_EXIT_INODE)
    const { native } = await import(${JSON.stringify(join(root, 'dist/native/load.js'))})
    const fd = Number(process.env.SIGSHIELD_EXIT_FD)
    const claims = [given, given + 2n ** 53n, given + 2n ** 64n].map((inode) => native().claimExitFd(fd, inode).isOurs)
    console.log(JSON.stringify([...claims, exitEvent().connected]))`
  const child = ended(
    spawnProtected(process.execPath, ['--input-type=module', '-e', script], { cwd: root, exitEvent: new ExitEvent() }),
  )
  expect(JSON.parse(await line(child.stdout))).toEqual([true, false, false, true])
})

it('the mark of a request is O_APPEND, and no child that starts later misses it', async () => {
  const event = new ExitEvent()
  const script = `import fcntl, os, select
fd = int(os.environ['SIGSHIELD_EXIT_FD'])
print('ready', bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND), flush=True)
select.select([fd], [], [])
print('told', bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND), flush=True)`
  const start = () => ended(spawnProtected('python3', ['-c', script], { exitEvent: event }))
  const first = start()
  expect(await line(first.stdout)).toBe('ready False')
  event.set()
  expect(await line(first.stdout)).toBe('told True')
  const late = start()
  expect([await line(late.stdout), await line(late.stdout)]).toEqual(['ready True', 'told True'])
  await once(late, 'exit')
})
