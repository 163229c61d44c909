import childProcess, { type ChildProcess } from 'node:child_process'
import fc from 'fast-check'
import { spawnProtected } from 'sigshield'
import { describe, it } from 'vitest'
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

const spawnNode = childProcess.spawn as unknown as (...call: unknown[]) => ChildProcess
const spawnOurs = spawnProtected as unknown as (...call: unknown[]) => ChildProcess

const spawnBoth = (make: () => unknown[]) =>
  expectSameOutcome(
    () => spawnNode(...make()),
    () => spawnOurs(...make()),
  )

describe('a wrong value is refused in the same words by spawn and spawnProtected', () => {
  const cases = [...strangeFor(spawnNames), ...rare]
  it.each(cases)('%s: %s', async (name, _label, make) => {
    const command = isEnded(name, make()) ? ['sleep', ['1000']] : [nothing, []]
    await spawnBoth(() => [...command, { stdio: 'ignore', [name]: make(), ...unprotected }])
  })

  it.each(strange)('file: %s', async (_label, make) => {
    await spawnBoth(() => [make(), [], unprotected])
    await spawnBoth(() => [make(), [], { ...unprotected, shell: true }])
    await spawnBoth(() => [make()])
  })

  it.each(strange.filter(([, make]) => !incomparable.argumentOfSpawn(make())))('args: %s', async (_label, make) => {
    await spawnBoth(() => [nothing, make()])
    await spawnBoth(() => [nothing, make(), unprotected])
    await spawnBoth(() => [nothing, [make()], { ...unprotected, stdio: 'ignore' }])
    await spawnBoth(() => [nothing, [make()], { ...unprotected, stdio: 'ignore', shell: true }])
  })

  it.each(strange)('options: %s', async (_label, make) => {
    await spawnBoth(() => [nothing, [], make()])
    await spawnBoth(() => [nothing, null, make()])
    await spawnBoth(() => [nothing, undefined, make()])
  })

  it('several at once', { timeout }, async () => {
    const property = fc.asyncProperty(together(cases), async (makers) => {
      await spawnBoth(() => [
        nothing,
        [],
        Object.assign({ stdio: 'ignore' }, ...makers.map((make) => make()), unprotected),
      ])
    })
    await fc.assert(property, runs)
  })
})
