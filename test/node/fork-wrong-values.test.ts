import childProcess, { type ChildProcess } from 'node:child_process'
import fc from 'fast-check'
import { forkProtected } from 'sigshield'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { incomparable, unprotected } from '../support/node/differences.js'
import { runs, timeout } from '../support/node/fuzzing.js'
import {
  expectSameOutcome,
  isEnded,
  rare,
  spawnNames,
  strange,
  strangeFor,
  together,
} from '../support/node/wrong-values.js'
import { nothing } from '../support/processes.js'

const forkNode = childProcess.fork as unknown as (...call: unknown[]) => ChildProcess
const forkOurs = forkProtected as unknown as (...call: unknown[]) => ChildProcess

const forkBoth = (make: () => unknown[]) =>
  expectSameOutcome(
    () => forkNode(...make()),
    () => forkOurs(...make()),
  )

// What both start when nothing else is said. It stands for a Node that runs an empty module, of which nothing more is seen.
const { execPath } = process
beforeAll(() => {
  process.execPath = nothing
})
afterAll(() => {
  process.execPath = execPath
})

describe('a wrong value is refused in the same words by fork and forkProtected', () => {
  const quick = { silent: true, ...unprotected }
  const forkNames = [...spawnNames, 'execPath', 'execArgv', 'silent']
  const forkRare: typeof rare = [
    ...rare,
    ['execPath', 'a program that is missing', () => '/no/such/program'],
    ['execArgv', 'an item with a NUL', () => ['a\0b']],
    ['execArgv', 'a number', () => [7]],
    ['stdio', 'no channel', () => ['pipe', 'pipe', 'pipe']],
    ['stdio', 'no entries', () => []],
    ['stdio', "'pipe'", () => 'pipe'],
    ['stdio', "'overlapped'", () => 'overlapped'],
    ['stdio', "'inherit'", () => 'inherit'],
    ['stdio', "'nonsense'", () => 'nonsense'],
    ['stdio', 'a channel in another place', () => ['ipc', 'ignore', 'ignore']],
  ]
  const cases = [...strangeFor(forkNames), ...forkRare]
  it.each(cases)('%s: %s', async (name, _label, make) => {
    const patient = isEnded(name, make()) ? { execPath: '/bin/sleep', execArgv: [] } : {}
    const command = isEnded(name, make()) ? ['1000', []] : ['module.js', []]
    await forkBoth(() => [...command, { ...quick, ...patient, [name]: make() }])
  })

  it.each(strange)('modulePath: %s', async (_label, make) => {
    await forkBoth(() => [make(), [], quick])
    await forkBoth(() => [make(), quick])
  })

  it.each(strange.filter(([, make]) => !incomparable.argumentOfFork(make())))('args: %s', async (_label, make) => {
    await forkBoth(() => ['module.js', make(), quick])
    await forkBoth(() => ['module.js', [make()], quick])
  })

  it.each(strange)('options: %s', async (_label, make) => {
    await forkBoth(() => ['module.js', [], make()])
    await forkBoth(() => ['module.js', make()])
    await forkBoth(() => ['module.js', null, make()])
  })

  it('several at once', { timeout }, async () => {
    const property = fc.asyncProperty(together(cases), async (makers) => {
      await forkBoth(() => ['module.js', [], Object.assign({ ...quick }, ...makers.map((make) => make()))])
    })
    await fc.assert(property, runs)
  })
})
