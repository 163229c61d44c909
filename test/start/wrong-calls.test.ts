/** Every public entry point, given what it should not get: an error with a code, or nothing that matters. */
import { once } from 'node:events'
import { join } from 'node:path'
import { ExitEvent, forkProtected, type ProtectedProcess, Supervisor, spawnProtected } from 'sigshield'
import { exitEvent as ownEvent } from 'sigshield/child'
import { describe, expect, it, onTestFinished } from 'vitest'
import { children, settles } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { strange } from '../support/node/wrong-values.js'
import { ended } from '../support/processes.js'

type Call = (value: never, child: ProtectedProcess) => unknown

const worker = join(import.meta.dirname, '../support/native/quick-worker.mjs')
const quiet = { stdio: 'ignore' } as const

function disposing(supervisor: Supervisor, options: never): void {
  supervisor.handleSignals(options)[Symbol.dispose]()
}

const calls: readonly (readonly [string, Call])[] = [
  ['spawnProtected(value)', (value) => spawnProtected(value)],
  ['spawnProtected(file, value)', (value) => spawnProtected('true', value)],
  ['spawnProtected(file, [], value)', (value) => spawnProtected('true', [], value)],
  ['forkProtected(value)', (value) => forkProtected(value)],
  ['forkProtected(module, value)', (value) => forkProtected(worker, value)],
  ['forkProtected(module, [], value)', (value) => forkProtected(worker, [], value)],
  ['stop(value)', (value, child) => child.stop(value)],
  ['stop({ grace })', (value, child) => child.stop({ grace: value })],
  ['stop({ grace: [value, value] })', (value, child) => child.stop({ grace: [value, value] })],
  ['stop({ signal })', (value, child) => child.stop({ signal: value })],
  ['stop({ target })', (value, child) => child.stop({ target: value })],
  ['kill(value)', (value, child) => child.kill(value)],
  ['new ExitEvent(value).isSet()', (value) => new (ExitEvent as new (value: unknown) => ExitEvent)(value).isSet()],
  ['ExitEvent.wait(value)', (value) => shortly(new ExitEvent().wait(value))],
  ['ExitEvent.waitSync(value)', (value) => isLong(value) || new ExitEvent().waitSync(value)],
  ['exitEvent().wait(value)', (value) => shortly(ownEvent().wait(value))],
  ['exitEvent().waitSync(value)', (value) => isLong(value) || ownEvent().waitSync(value)],
  ['new Supervisor(value)', (value) => new Supervisor(value)],
  ['new Supervisor({ restart })', (value) => new Supervisor({ restart: value })],
  ['new Supervisor({ restart: { when } })', (value) => new Supervisor({ restart: { when: value } })],
  ['new Supervisor({ restart: { delay } })', (value) => new Supervisor({ restart: { when: 'always', delay: value } })],
  ['new Supervisor({ restart: { limit } })', (value) => new Supervisor({ restart: { when: 'always', limit: value } })],
  ['new Supervisor({ grace })', (value) => new Supervisor({ grace: value })],
  ['new Supervisor({ signal })', (value) => new Supervisor({ signal: value })],
  ['new Supervisor({ target })', (value) => new Supervisor({ target: value })],
  ['new Supervisor({ ignore })', (value) => new Supervisor({ ignore: value })],
  ['Supervisor.spawn(value)', (value) => new Supervisor().spawn(value)],
  ['Supervisor.spawn(file, value)', (value) => new Supervisor().spawn('true', value)],
  ['Supervisor.spawn(file, [], value)', (value) => new Supervisor().spawn('true', [], value)],
  ['Supervisor.fork(value)', (value) => new Supervisor().fork(value)],
  ['Supervisor.fork(module, value)', (value) => new Supervisor().fork(worker, value)],
  ['Supervisor.fork(module, [], value)', (value) => new Supervisor().fork(worker, [], value)],
  ['Supervisor.restart(value)', (value) => new Supervisor().restart(value)],
  ['Supervisor.restart({ ready })', (value) => restarted(value)],
  ['Supervisor.shutdown(value)', (value) => new Supervisor().shutdown(value)],
  ['Supervisor.handleSignals(value)', (value) => disposing(new Supervisor(), value)],
  ['Supervisor.handleSignals({ signals })', (value) => disposing(new Supervisor(), { signals: value } as never)],
  ['Supervisor.handleSignals({ before })', (value) => disposing(new Supervisor(), { before: value } as never)],
  ...(
    ['ignore', 'block', 'enforce', 'exitEvent', 'processGroup', 'foreground', 'parentDeathSignal', 'drain'] as const
  ).map(
    (name) =>
      [
        `spawnProtected(file, { ${name} })`,
        (value: never) => spawnProtected('true', { ...quiet, [name]: value }),
      ] as const,
  ),
]

const isLong = (value: unknown) => typeof value === 'number' && value > 1

/** What waits for ever by right is not waited for. */
const shortly = (waiting: Promise<unknown>) => Promise.race([waiting, new Promise(setImmediate)])

async function restarted(ready: never): Promise<void> {
  const supervisor = new Supervisor()
  supervisor.spawn('sleep', ['1000'], { ...quiet, ignore: [] })
  try {
    await supervisor.restart({ ready, grace: 0 })
  } finally {
    await supervisor.shutdown({ grace: 0 })
  }
}

/** Ends what a call has started, and tells what it failed with. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    const result = await call()
    if (result instanceof Object && 'spawnargs' in result) await end(result as ProtectedProcess)
    return undefined
  } catch (error) {
    return error
  }
}

async function end(child: ProtectedProcess): Promise<void> {
  const errors = new Promise((resolve) => child.on('error', resolve))
  if (child.pid === undefined) {
    await errors
    return
  }
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

describe.each(calls)('%s', (_, call) => {
  it('has an error with a code for all that it does not take', async () => {
    const descriptors = openDescriptors()
    const family = children()
    const child = ended(spawnProtected('sleep', ['1000'], { ...quiet, ignore: [] }))
    const end = once(child, 'exit')
    const without: string[] = []
    for (const [label, make] of strange) {
      const error = await failure(() => call(make() as never, child))
      const code = (error as { code?: unknown } | undefined)?.code
      if (error !== undefined && typeof code !== 'string') without.push(`${label}: ${error}`)
    }
    expect(without).toEqual([])
    child.kill('SIGKILL')
    await end
    await settles(children, family)
    globalThis.gc?.()
    await settles(openDescriptors, descriptors)
  })
})

describe('what somebody has put on Object.prototype is no option of ours', () => {
  const ours = {
    ignore: ['SIGFOO'],
    block: ['SIGFOO'],
    enforce: 'polluted',
    exitEvent: 'polluted',
    processGroup: 'polluted',
    foreground: 'polluted',
    parentDeathSignal: 'SIGFOO',
    drain: 'polluted',
    grace: 'polluted',
    target: 'polluted',
    restart: 'polluted',
    ready: 'polluted',
    signals: 'polluted',
    before: 'polluted',
    when: 'polluted',
    delay: 'polluted',
    limit: 'polluted',
  }

  it.each(Object.entries(ours))('%s', async (name, value) => {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: true })
    onTestFinished(() => void Reflect.deleteProperty(Object.prototype, name))
    try {
      const child = spawnProtected('sleep', ['1000'], { ...quiet, ignore: [] })
      expect(await child.stop()).toMatchObject({ signal: 'SIGTERM' })
      const bare = spawnProtected('true')
      expect(await once(bare, 'exit')).toEqual([0, null])
      const forked = forkProtected(worker, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
      expect(await once(forked, 'exit')).toEqual([0, null])
      const supervisor = new Supervisor({ signal: 'SIGTERM' })
      supervisor.handleSignals()[Symbol.dispose]()
      supervisor.handleSignals({})[Symbol.dispose]()
      supervisor.spawn('sleep', ['1000'], { ...quiet, ignore: [], restart: { when: 'always' } })
      expect(await supervisor.restart()).toHaveLength(1)
      expect((await supervisor.shutdown()).at(-1)).toMatchObject({ signal: 'SIGTERM' })
    } finally {
      Reflect.deleteProperty(Object.prototype, name)
    }
  })
})
