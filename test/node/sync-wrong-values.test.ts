import childProcess from 'node:child_process'
import { execFileSyncProtected, spawnSyncProtected } from 'sigshield'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { children } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { incomparable, unprotected, withoutStep } from '../support/node/differences.js'
import { errorShape } from '../support/node/differential.js'
import { isEnded, rare, shown, spawnNames, strange, strangeFor } from '../support/node/wrong-values.js'
import { nothing } from '../support/processes.js'

type Run = (...call: unknown[]) => unknown

const functions: readonly (readonly [string, Run, Run])[] = [
  ['spawnSync', childProcess.spawnSync as Run, spawnSyncProtected as Run],
  ['execFileSync', childProcess.execFileSync as Run, execFileSyncProtected as Run],
]

function outcome(run: Run, call: unknown[]): unknown {
  try {
    const { pid, error, ...rest } = Object(run(...call)) as { pid?: number; error?: object }
    return { ...rest, ...(error && { error: withoutStep(errorShape(error)) }) }
  } catch (error) {
    const { pid: _, error: itself, ...shape } = withoutStep(errorShape(error)) as { pid?: unknown; error?: unknown }
    return { thrown: shape, itself: itself === undefined ? undefined : itself === error }
  }
}

let descriptors: string[] = []
let family: string[] = []
beforeAll(() => {
  descriptors = openDescriptors()
  family = children()
})
afterAll(() => {
  expect(openDescriptors()).toEqual(descriptors)
  expect(children()).toEqual(family)
})

function expectSame(node: Run, ours: Run, make: () => unknown[]): void {
  expect(shown(outcome(ours, make()))).toEqual(shown(outcome(node, make())))
}

/** Node aborts the process: at words and bytes alone, at 'overlapped', and at an id that is no int32. */
const aborts = (name: string, value: unknown) =>
  name === 'stdio' &&
  (value === 'overlapped' ||
    (Array.isArray(value) &&
      value.length > 0 &&
      value.every((source) => typeof source === 'string' && !['ipc', 'x'].includes(source))))

const names = [...spawnNames, 'maxBuffer', 'encoding', 'input']

describe.each(functions)('a wrong value is refused in the same words by %s and ours', (_name, node, ours) => {
  const cases = [...strangeFor(names), ...rare].filter(
    ([name, , make]) => !isEnded(name, make()) && !aborts(name, make()),
  )

  it.each(cases)('%s: %s', (name, _label, make) => {
    expectSame(node, ours, () => [nothing, [], { stdio: ['ignore', 'pipe', 'pipe'], [name]: make(), ...unprotected }])
    expectSame(node, ours, () => [nothing, { stdio: ['ignore', 'pipe', 'pipe'], [name]: make(), ...unprotected }])
  })

  it.each(strange)('file: %s', (_label, make) => {
    expectSame(node, ours, () => [make(), [], unprotected])
    expectSame(node, ours, () => [make(), [], { ...unprotected, shell: true }])
    expectSame(node, ours, () => [make()])
  })

  it.each(strange.filter(([, make]) => !incomparable.argumentOfSpawn(make())))('args: %s', (_label, make) => {
    expectSame(node, ours, () => [nothing, make()])
    expectSame(node, ours, () => [nothing, make(), unprotected])
    expectSame(node, ours, () => [nothing, make(), () => {}])
    expectSame(node, ours, () => [nothing, [make()], { ...unprotected, shell: true }])
  })

  it.each(strange)('options: %s', (_label, make) => {
    expectSame(node, ours, () => [nothing, [], make()])
    expectSame(node, ours, () => [nothing, null, make()])
    expectSame(node, ours, () => [nothing, undefined, make()])
    expectSame(node, ours, () => [nothing, {}, make()])
  })

  it('a time-out that is a number too large', () => {
    for (const timeout of [2 ** 31, 2 ** 53 - 1, 1e300, Number.POSITIVE_INFINITY]) {
      expectSame(node, ours, () => [nothing, [], { timeout, ...unprotected }])
    }
  })

  it('what stdio becomes in the hands of Node', () => {
    for (const stdio of [[], ['pipe'], Object.freeze(['pipe']), [null], Array(2)]) {
      const given = [Array.isArray(stdio) && !Object.isFrozen(stdio) ? [...stdio] : stdio, stdio]
      expectSame(node, ours, () => [nothing, [], { stdio: given[0], ...unprotected }])
      expectSame(node, ours, () => [nothing, [], { stdio: given[1], ...unprotected }])
    }
  })
})
