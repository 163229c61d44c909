/** Values that options and arguments should not have, and how a start with them is compared with `child_process`. */
import type { ChildProcess } from 'node:child_process'
import fc from 'fast-check'
import { expect } from 'vitest'
import { children, settles } from '../census.js'
import { openDescriptors } from '../descriptors.mjs'
import { incomparable, withoutStep } from './differences.js'
import { errorShape } from './differential.js'

type Outcome = Readonly<Record<string, unknown>>

/** What becomes of a start that should be refused: all that is thrown, or how the child went. */
async function outcome(start: () => ChildProcess): Promise<Outcome> {
  let child: ChildProcess
  try {
    child = start()
  } catch (error) {
    return { thrown: withoutStep(errorShape(error)) }
  }
  const errors: unknown[] = []
  child.on('error', (error) => errors.push(withoutStep(errorShape(error))))
  const end = await new Promise((resolve) => child.once('close', (...exit) => resolve(exit)))
  return { spawnargs: child.spawnargs, errors, end }
}

/** What there was before the first start. */
let descriptors: string[] | undefined
let family: string[] | undefined

export async function expectSameOutcome(node: () => ChildProcess, ours: () => ChildProcess): Promise<void> {
  descriptors ??= openDescriptors()
  family ??= children()
  const expected = await outcome(node)
  const actual = await outcome(ours)
  await settles(children, family)
  await settles(openDescriptors, descriptors)
  expect(shown(actual)).toEqual(shown(expected))
}

export const shown = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_key, item) => (typeof item === 'symbol' || typeof item === 'bigint' ? String(item) : item)),
  )

class Pathlike {
  href = 'file:///'
}

/** Messages show its stack, so there is but one. */
const anError = new Error('e')

/** Made anew for each call: Node writes into a `stdio` that it is given. */
export const strange: readonly (readonly [string, () => unknown])[] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['true', () => true],
  ['false', () => false],
  ['0', () => 0],
  ['-0', () => -0],
  ['1', () => 1],
  ['-1', () => -1],
  ['1.5', () => 1.5],
  ['NaN', () => Number.NaN],
  ['Infinity', () => Number.POSITIVE_INFINITY],
  ['2 ** 31', () => 2 ** 31],
  ['2 ** 32', () => 2 ** 32],
  ['10n', () => 10n],
  ["''", () => ''],
  ["'x'", () => 'x'],
  ["'a\\0b'", () => 'a\0b'],
  ['a long string', () => 'x'.repeat(200)],
  ['a symbol', () => Symbol('s')],
  ['a function', () => function named() {}],
  ['an arrow function', () => () => 1],
  ['{}', () => ({})],
  ['an object without prototype', () => Object.create(null)],
  ['{ a: 1 }', () => ({ a: 1 })],
  ['an object with a href', () => new Pathlike()],
  ['a URL of http', () => new URL('http://example.org/')],
  ['a URL with a NUL', () => new URL('file:///a%00b')],
  ['[]', () => []],
  ["['x']", () => ['x']],
  ["['a\\0b']", () => ['a\0b']],
  ['[1, null]', () => [1, null]],
  ['a RegExp', () => /x/],
  ['a Date', () => new Date(0)],
  ['a Map', () => new Map()],
  ['an Error', () => anError],
  ['a Buffer', () => Buffer.from('/tmp')],
  ['a Buffer with a NUL', () => Buffer.from('a\0b')],
  ['a Uint8Array', () => new Uint8Array([47])],
  ['a String object', () => new String('x')],
  ['a promise', () => Promise.resolve()],
]
const minusOne = { fd: -1 }

export const rare: readonly (readonly [string, string, () => unknown])[] = [
  ...(incomparable.entry(minusOne)
    ? []
    : ([
        ['stdio', '[{ fd: -1 }]', () => [minusOne]],
        ['stdio', '{ fd: -1 } above', () => ['ignore', 'ignore', 'ignore', minusOne]],
      ] as const)),
  ['cwd', 'a folder that is missing', () => '/no/such/folder'],
  ['uid', '-(2 ** 31)', () => -(2 ** 31)],
  ['gid', '2 ** 31 - 1', () => 2 ** 31 - 1],
  ['timeout', 'Number.MAX_SAFE_INTEGER + 1', () => Number.MAX_SAFE_INTEGER + 1],
  ['timeout', '-5', () => -5],
  ['signal', 'an object with `aborted`', () => ({ aborted: false })],
  ['signal', 'an AbortSignal that is aborted', () => AbortSignal.abort('why')],
  ['killSignal', "'SIGFOO'", () => 'SIGFOO'],
  ['killSignal', "'sigterm'", () => 'sigterm'],
  ['killSignal', '64', () => 64],
  ['killSignal', '65', () => 65],
  ['killSignal', "'toString'", () => 'toString'],
  ['killSignal', "'constructor'", () => 'constructor'],
  ['stdio', "'ipc'", () => 'ipc'],
  ['stdio', "'IGNORE'", () => 'IGNORE'],
  ['stdio', "['ipc', 'ipc']", () => ['ipc', 'ipc']],
  ['stdio', "['ipc', 'nonsense']", () => ['ipc', 'nonsense']],
  ['stdio', "['nonsense']", () => ['nonsense']],
  ['stdio', '[{}]', () => [{}]],
  ['stdio', '[true]', () => [true]],
  ['stdio', '[false]', () => [false]],
  ['stdio', "['']", () => ['']],
  ['stdio', '[10n]', () => [10n]],
  ['stdio', '[Symbol()]', () => [Symbol('s')]],
  ['stdio', '[[]]', () => [[]]],
  ['stdio', '[() => {}]', () => [() => {}]],
  ['stdio', '[{ fd: "1" }]', () => [{ fd: '1' }]],
  ['stdio', '[{ fd: -2 }]', () => [{ fd: -2 }]],
  ['stdio', '{ fd: -2 } above', () => ['ignore', 'ignore', 'ignore', { fd: -2 }]],
  ['stdio', '[-1]', () => [-1]],
  ['stdio', '-2 above', () => ['ignore', 'ignore', 'ignore', -2]],
  ['stdio', '[1e9]', () => [1e9]],
  ['serialization', "'nonsense'", () => 'nonsense'],
  ['env', '{ A: Symbol() }', () => ({ A: Symbol('s') })],
  ['env', '{ A: an object without prototype }', () => ({ A: Object.create(null) })],
  ['env', '{ A: 10n }', () => ({ A: 10n })],
  ['env', '{ A: a NUL }', () => ({ A: 'a\0b' })],
  ['env', 'a name with a NUL', () => ({ 'A\0': '' })],
  ['shell', 'a shell with a NUL', () => '/bin/s\0h'],
]

export const strangeFor = (options: readonly string[]) =>
  options.flatMap((name) =>
    strange
      .filter(([, make]) => !((name === 'uid' || name === 'gid') && incomparable.id(make())))
      .map(([label, make]) => [name, label, make] as const),
  )

/** Whether the child is ended from outside, so that it must not end by itself before. */
export function isEnded(name: string, value: unknown): boolean {
  if (name === 'timeout') return Number.isInteger(value) && (value as number) > 0
  return name === 'signal' && value instanceof AbortSignal
}

export const together = (cases: readonly (readonly [string, string, () => unknown])[]) =>
  fc.array(
    fc.constantFrom(
      ...cases
        .filter(([name, , make]) => !isEnded(name, make()))
        .map(([name, label, make]) =>
          Object.assign(() => ({ [name]: make() }), { toString: () => `${name}: ${label}` }),
        ),
    ),
    { minLength: 2, maxLength: 4 },
  )

const names = ['cwd', 'detached', 'uid', 'gid', 'shell', 'argv0', 'windowsHide', 'windowsVerbatimArguments', 'timeout']
export const spawnNames = [...names, 'signal', 'killSignal', 'stdio', 'serialization', 'env']
