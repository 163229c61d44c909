import childProcess, { type ChildProcess } from 'node:child_process'
import fc from 'fast-check'
import { spawnProtected } from 'sigshield'
import { describe, it } from 'vitest'
import { alike } from '../support/node/differential.js'
import { runs, timeout } from '../support/node/fuzzing.js'
import {
  expectSameOutcome,
  isEnded,
  notText,
  rare,
  spawnNames,
  strange,
  strangeFor,
  together,
} from '../support/node/wrong-values.js'

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
    const command = isEnded(name, make()) ? ['sleep', ['1000']] : ['true', []]
    await spawnBoth(() => [...command, { stdio: 'ignore', [name]: make(), ...alike }])
  })

  it.each(strange)('file: %s', async (_label, make) => {
    await spawnBoth(() => [make(), [], alike])
    await spawnBoth(() => [make(), [], { ...alike, shell: true }])
    await spawnBoth(() => [make()])
  })

  // Newer Nodes drop an argument that can't become text in silence; ours throws, as Node 20 does.
  const dropsWhatIsNotText = Number(process.versions.node.split('.')[0]) >= 22
  const comparable = strange.filter(([, make]) => !(dropsWhatIsNotText && notText(make())))
  it.each(comparable)('args: %s', async (_label, make) => {
    await spawnBoth(() => ['true', make()])
    await spawnBoth(() => ['true', make(), alike])
    await spawnBoth(() => ['true', [make()], { ...alike, stdio: 'ignore' }])
    await spawnBoth(() => ['true', [make()], { ...alike, stdio: 'ignore', shell: true }])
  })

  it.each(strange)('options: %s', async (_label, make) => {
    await spawnBoth(() => ['true', [], make()])
    await spawnBoth(() => ['true', null, make()])
    await spawnBoth(() => ['true', undefined, make()])
  })

  it('several at once', { timeout }, async () => {
    const property = fc.asyncProperty(together(cases), async (makers) => {
      await spawnBoth(() => ['true', [], Object.assign({ stdio: 'ignore' }, ...makers.map((make) => make()), alike)])
    })
    await fc.assert(property, runs)
  })
})
