/** What the guard keeps ignored, and what is not its business. */
import type childProcess from 'node:child_process'
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
import { stateOf } from 'sigshield/signals'
import { describe, expect, it } from 'vitest'
import { guardLibrary } from '../../lib/native/guard-library.js'
import { programs } from '../support/build-programs.js'
import { message } from '../support/node-program.js'
import { closed, ended, probe, SIGINT, SIGTERM, temporaryFolder } from '../support/processes.js'
import { signalState } from '../support/signal-state.js'
import { echoing, expectToDieOfSigint, expectToLiveOn } from '../support/start/echoing.js'

const guarded = join(programs, 'guarded')
const worker = join(import.meta.dirname, '../support/guard/worker.mjs')
const enforce = 'guard'

async function outputOf(child: childProcess.ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) text += chunk
  return text
}

// What this machine has not got is told, and can't be tried.
describe.each(echoing)('$name', ({ program, args, isHere }) => {
  it.skipIf(!isHere)('ignores what it was told to, and lives on after it', async () => {
    const child = ended(spawnProtected(program, args, { ignore: ['SIGINT', 'SIGTERM'], enforce }))
    expect(child.enforced).toBe('guard')
    expect(signalState(child.pid as number).ignored).toEqual(expect.arrayContaining([SIGINT, SIGTERM]))
    await expectToLiveOn(child)
  })

  it.skipIf(!isHere)('dies of SIGINT without protection', async () => {
    await expectToDieOfSigint(program, args)
  })
})

describe('a program that asks for a handler', () => {
  it.each([
    ['sigaction'],
    ['signal'],
    ['ssignal'],
    ['bsd_signal'],
    ['sysv_signal', 'default'],
    ['__sysv_signal', 'default'],
    ['sigset'],
    ['vfork'],
  ])(
    'by %s is told that the signal was ignored, has none, and has it when the guard is lifted',
    async (call, then = 'handled') => {
      expect(await outputOf(spawnProtected(guarded, [call], { enforce }))).toBe(
        '{"before":"ignored","handled":0,"now":"ignored","lifted":1}\n',
      )
      const free = JSON.parse(execFileSync(guarded, [call], { encoding: 'utf8' }))
      expect(free, 'the control').toEqual({ before: 'default', handled: 1, now: then, lifted: 1 })
    },
  )

  it('by sigset may still hold the signal back, and let it go', async () => {
    const child = spawnProtected(guarded, ['sigset after SIG_HOLD'], { enforce })
    expect(JSON.parse(await outputOf(child))).toEqual({ before: 'ignored', handled: 0, now: 'ignored', lifted: 1 })
  })

  it('can’t have posix_spawn set the signal back in another', async () => {
    const child = spawnProtected(guarded, ['posix_spawn'], { enforce })
    expect(JSON.parse(await outputOf(child))).toMatchObject({ before: 'ignored' })
    const free = execFileSync(guarded, ['posix_spawn'], { encoding: 'utf8' })
    expect(JSON.parse(free), 'the control').toMatchObject({ before: 'default' })
  })

  it('has it for a signal that is not guarded', async () => {
    const child = spawnProtected(guarded, ['sigaction'], { ignore: ['SIGTERM'], enforce })
    expect(JSON.parse(await outputOf(child))).toMatchObject({ before: 'default', handled: 1, now: 'handled' })
  })
})

describe('a Node worker', () => {
  async function start(options: object = {}, env?: NodeJS.ProcessEnv) {
    const child = ended(forkProtected(worker, { enforce, ...options, ...(env && { env }) }))
    expect(await message(child)).toBe('ready')
    const ask = async (...question: unknown[]) => {
      child.send(question)
      return message(child)
    }
    return { child, pid: child.pid as number, ask }
  }

  it('is protected after start-up although Node resets signals, and needs no no_new_privs', async () => {
    const { child, pid, ask } = await start()
    expect(child.enforced).toBe('guard')
    expect(signalState(pid).ignored).toContain(SIGINT)
    process.kill(pid, 'SIGINT')
    expect(await ask('echo', 'hello')).toBe('hello')
    // Only Linux has either.
    expect([false, undefined]).toContain(stateOf(pid).noNewPrivs)
    expect(['off', undefined]).toContain(stateOf(pid).seccomp)
  })

  it('never runs a listener of its own, until it lifts the guard: then one that is there already', async () => {
    const { child, pid, ask } = await start({ ignore: ['SIGINT', 'SIGTERM'] })
    await ask('listen', 'SIGINT')
    process.kill(pid, 'SIGINT')
    expect(await ask('lift', ['SIGINT'])).toEqual(['SIGINT'])
    process.kill(pid, 'SIGINT')
    expect(await message(child)).toEqual({ heard: ['SIGINT'] })
    expect(signalState(pid).ignored, 'the other is still guarded').toContain(SIGTERM)
    expect(await ask('lift')).toEqual(['SIGTERM'])
    expect(await ask('lift')).toEqual([])
  })

  it('can’t lift it in a thread, whose environment is a copy', async () => {
    const { ask } = await start()
    expect(await ask('lift in a thread')).toBe('ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
    expect(await ask('lift')).toEqual(['SIGINT'])
  })

  it('has the default action of a signal that it does not listen for, once the guard is lifted', async () => {
    const { child, ask } = await start()
    await ask('lift')
    process.kill(child.pid as number, 'SIGINT')
    expect(await once(child, 'exit')).toEqual([null, 'SIGINT'])
  })

  it('starts children of its own under the guard, by Node too, until it lifts it', async () => {
    const { ask } = await start()
    const first = (await ask('spawn', 'node')) as { pid: number; ignored: boolean }
    expect(first.ignored).toBe(true)
    await ask('lift')
    expect(await ask('spawn', 'node')).toMatchObject({ ignored: false })
  })

  it('loses its protection without the guard', async () => {
    const { child, pid } = await start({ enforce: false })
    expect(child.enforced).toBe(false)
    expect(signalState(pid).ignored).not.toContain(SIGINT)
  })

  it('lets an explicit start have its own signals, and handlers for the others', async () => {
    const { ask } = await start()
    expect(await ask('start', [guarded, ['sigaction'], { ignore: [], enforce: false }])).toMatchObject({
      before: 'default',
      handled: 1,
    })
    expect(await ask('start', [guarded, ['sigaction'], { ignore: ['SIGTERM'], enforce }])).toMatchObject({ handled: 1 })
    expect(await ask('start', [guarded, ['sigaction'], { enforce }])).toMatchObject({ handled: 0 })
  })

  it('keeps what else is preloaded, and leaves nothing of the guard where it is not asked for', async () => {
    const other = 'libm.so.6'
    const { ask } = await start({}, { ...process.env, LD_PRELOAD: other })
    expect(await ask('environment')).toEqual({ LD_PRELOAD: `${other}:${guardLibrary()}`, SIGSHIELD_GUARD: '2' })
    expect(await ask('start environment', { enforce: false })).toEqual({ LD_PRELOAD: other })
    expect(await ask('start environment', { ignore: ['SIGINT', 'SIGUSR1'], enforce })).toEqual({
      LD_PRELOAD: `${other}:${guardLibrary()}`,
      SIGSHIELD_GUARD: '2,10',
    })
  })
})

it('a process without a guard has nothing to lift, and is told of its mistakes', async () => {
  const code = `import { liftGuard } from 'sigshield/child'
    console.log(JSON.stringify(liftGuard()))
    try { liftGuard(['INT']) } catch ({ code }) { console.log(code) }`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
  expect(stdout).toBe('[]\nERR_UNKNOWN_SIGNAL\n')
})

describe('a program finds', () => {
  async function reportOf(options: object) {
    const report = join(temporaryFolder(), 'report')
    const child = ended(spawnProtected(probe, [report], { enforce, ...options }))
    expect(await closed(child)).toEqual({ code: 0, signal: null })
    return JSON.parse(readFileSync(report, 'utf8'))
  }

  it.each([
    [['pipe', 'pipe', 'pipe'], 8],
    [[...Array(8).fill('pipe')], 9],
  ])('exactly the descriptors it was given, with %j', async (stdio, exitFd) => {
    const exitEvent = new ExitEvent()
    // The first start of a file waits for the guard's answer, on a descriptor of its own; the second does not.
    for (let i = 0; i < 2; i += 1) {
      const { fds, ignored, env } = await reportOf({ stdio, exitEvent })
      expect(fds.map(({ fd }: { fd: number }) => fd)).toEqual([...stdio.keys(), exitFd])
      expect(ignored).toEqual([SIGINT])
      expect(env).toContain(`SIGSHIELD_EXIT_FD=${exitFd}`)
      expect(env).toContain('SIGSHIELD_GUARD=2')
    }
  })
})
