/** The same calls through spawnSync and execFileSync, and through ours. */
import childProcess, { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc, { type Arbitrary } from 'fast-check'
import { execFileSyncProtected, spawnSyncProtected } from 'sigshield'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settles } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { intendedDifferences, type Pair, unprotected } from '../support/node/differences.js'
import {
  type Call,
  everyAccess,
  everyStream,
  type Observation,
  openOnExec,
  type Places,
  portable,
  type Source,
} from '../support/node/differential.js'
import { runs, timeout } from '../support/node/fuzzing.js'
import { observeSync } from '../support/node/sync-differential.js'
import { probe } from '../support/processes.js'

let leaking: ReadonlySet<number> = new Set()
let places: Places
const folder = mkdtempSync(join(tmpdir(), 'sigshield-sync-'))
const inFolder = (name: string) => join(folder, name)
const notExecutable = inFolder('not-executable')

beforeAll(async () => {
  // Children of other users write here too.
  chmodSync(folder, 0o777)
  writeFileSync(inFolder('file'), 'some text\n', { mode: 0o666 })
  execFileSync('mkfifo', [inFolder('fifo')])
  writeFileSync(notExecutable, '#!/bin/sh\n', { mode: 0o644 })
  const server = createServer().listen(inFolder('socket'))
  await once(server, 'listening')
  places = { file: inFolder('file'), fifo: inFolder('fifo'), folder, report: inFolder('report'), server }
  leaking = openOnExec()
})

afterAll(async () => {
  const closed = once(places.server, 'close')
  places.server.close()
  await closed
  rmSync(folder, { recursive: true })
})

type Run = (file: string, args: string[], options: object) => unknown
const functions: Readonly<Record<string, { node: Run; ours: Run }>> = {
  spawnSync: { node: childProcess.spawnSync as Run, ours: spawnSyncProtected as Run },
  execFileSync: { node: childProcess.execFileSync as Run, ours: execFileSyncProtected as Run },
}

/** Runs a call on both sides, one after the other, and expects the same of them, and nothing left behind. */
async function expectAlike(name: string, call: Call, oursFirst: boolean): Promise<void> {
  const descriptors = openDescriptors()
  const { node, ours } = functions[name] as { node: Run; ours: Run }
  const sides = { node, ours: ((file, args, options) => ours(file, args, { ...options, ...unprotected })) as Run }
  const seen: Partial<Record<keyof typeof sides, Observation>> = {}
  for (const side of oursFirst ? (['ours', 'node'] as const) : (['node', 'ours'] as const)) {
    const { report, ...rest } = await observeSync(sides[side], call, places)
    seen[side] = { ...rest, ...(report && { report: portable(report) }) }
    await settles(openDescriptors, descriptors)
  }
  let pair: Pair = { call, node: seen.node as Observation, ours: seen.ours as Observation, leaking }
  for (const { remove } of intendedDifferences) pair = remove(pair)
  expect(pair.ours).toStrictEqual(pair.node)
}

async function expectAllAlike(calls: Arbitrary<Call>): Promise<void> {
  const name = fc.constantFrom(...Object.keys(functions))
  await fc.assert(fc.asyncProperty(name, calls, fc.boolean(), expectAlike), runs)
}

/** Most of the time the option is left out. */
function sometimes<T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: arbitrary as Arbitrary<T | undefined> },
  )
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map((string) => string.replaceAll('\0', '')),
  fc.constantFrom('', ' ', 'a b', "it's", '$HOME', '\\', '\n', 'ü', '𝄞', 'e\u0301', '\ud800', '-'),
)
const anyArgument = fc.oneof({ weight: 5, arbitrary: text }, fc.constantFrom(1, -0, 1.5, null, undefined, true, 10n))
const argsOf = (what: string) =>
  fc.array(anyArgument, { maxLength: 3 }).map((more) => [inFolder('report'), what, ...more])

const bytes = fc.uint8Array({ maxLength: 20 })
const input = fc.oneof(
  text,
  fc.constantFrom('', null, 0, false),
  bytes,
  bytes.map((array) => Buffer.from(array)),
  bytes.map((array) => new DataView(array.buffer, 0, array.length >> 1)),
  bytes.map((array) => new Uint16Array(array.slice(0, array.length & ~1).buffer)),
  fc.float64Array({ maxLength: 3 }),
  bytes.map((array) => new Uint8Array(new SharedArrayBuffer(array.length))),
  // More than any pipe holds, both ways.
  fc.constantFrom(300_000, 1 << 20).map((length) => Buffer.alloc(length, 'abcdefg')),
)

const options = fc.record({
  env: sometimes(fc.constantFrom(null, {}, Object.create({ INHERITED: 'yes' }), { A: undefined, B: 1 })),
  cwd: sometimes(fc.constantFrom(null, '', '/', folder, pathToFileURL(folder), Buffer.from(folder))),
  uid: sometimes(fc.constantFrom(null, 0, 65534)),
  gid: sometimes(fc.constantFrom(null, 0, 65534)),
  detached: sometimes(fc.constantFrom(true, false, null)),
  argv0: sometimes(fc.oneof(text, fc.constant(null))),
  windowsHide: sometimes(fc.boolean()),
  timeout: sometimes(fc.constantFrom(0, 60_000, null)),
  killSignal: sometimes(fc.constantFrom('SIGTERM', 'sigkill', 9, null)),
  maxBuffer: sometimes(fc.constantFrom(0, 1 << 22, Number.POSITIVE_INFINITY, null)),
  encoding: sometimes(fc.constantFrom(null, '', 'buffer', 'utf8', 'latin1', 'hex', 'base64', 'utf16le', 'nonsense')),
  input: sometimes(input),
})

/** Present keys with the value undefined are not the same as absent ones: both are made. */
const sparse = fc.tuple(options, fc.boolean()).map(([all, drop]) => {
  if (!drop) return all
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
})

// Node aborts at 'overlapped' and at a stream without a number.
const all = fc.constantFrom('pipe', 'ignore')
const word = fc.constantFrom<Source>('ignore', 'pipe', 'inherit', null, undefined)
const file = fc.constantFrom<Source>(...everyAccess.map((access) => ({ file: access })))
const stream = fc.constantFrom<Source>(
  ...everyStream.filter((name) => name !== 'socket').map((name) => ({ stream: name })),
)
const standard = fc.constantFrom<Source>(0, 1, 2, -2)
const unknown = fc.constantFrom<Source>('nonsense', 'x')
const entries = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.oneof(word, file, stream, standard), { maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: // Node aborts where nothing is left of them.
      fc.array(fc.oneof(word, unknown), { maxLength: 6 }).map((sources) => ['pipe', ...sources]),
  },
)

/** Above the first three this process has pipes of libuv's own, and Node's child others in their place. */
const withoutPrivate = entries.map((sources) =>
  sources.map((source, i) => (i > 2 && source === 'inherit' ? 'ignore' : source)),
)

describe('Node and sigshield run the same', () => {
  it('programs that hand on their input', { timeout }, async () => {
    await expectAllAlike(
      fc.record({
        file: fc.constant(probe),
        args: argsOf('cat'),
        options: sparse,
        stdio: fc.oneof(fc.constant(undefined), all, fc.array(all, { minLength: 1, maxLength: 5 })),
      }),
    )
  })

  it('programs with any descriptors', { timeout }, async () => {
    await expectAllAlike(
      fc.record({
        file: fc.constant(probe),
        args: argsOf('-'),
        // A program that reads nothing has taken what a pipe holds, or not yet.
        options: sparse.map(({ input: _, ...rest }) => rest),
        stdio: fc.oneof({ weight: 9, arbitrary: withoutPrivate }, fc.constant('inherit')),
      }),
    )
  })

  it('shells: their output, errors and ends', { timeout }, async () => {
    await expectAllAlike(
      fc
        .tuple(
          fc.constantFrom(
            'echo out; echo err >&2',
            'cat; exit 3',
            'cat >&2; kill -TERM $$',
            'kill -KILL $$',
            'echo ü >&2; exit 1',
            'exec >&- 2>&-; cat >/dev/null',
            // With arguments, which tee would take for files.
            'head -c 700000 /dev/zero | tee /dev/stderr; echo',
            'cat /dev/fd/3 >&2 <&-',
            'exit 0',
            '',
          ),
          fc.constantFrom<readonly string[]>([], ['a b']),
          fc.constantFrom<unknown>(true, '/bin/bash', 'no-such-shell', notExecutable, ''),
          sparse,
          fc.oneof(fc.constant(undefined), all, fc.array(all, { minLength: 3, maxLength: 5 })),
        )
        .map(([command, args, shell, { input: given, ...rest }, stdio]) => ({
          file: command,
          args,
          // What a program does not read is EPIPE, or not: whoever is first.
          options: { ...rest, ...(given && command.startsWith('cat;') && { input: 'text' }), env: process.env, shell },
          stdio,
        })),
    )
  })
})

describe('Node and sigshield refuse the same', () => {
  const broken = fc.constantFrom<(call: Call) => Call>(
    ...['no-such-program', notExecutable, folder, `${probe}/x`, '', 'a\0b'].map((wrong) => (call: Call) => ({
      ...call,
      file: wrong,
    })),
    ...[
      { cwd: '/no/such/folder' },
      { uid: -2 },
      { argv0: 'a\0' },
      { env: { A: '\0' } },
      { input: 5 },
      { input: [] },
    ].map((wrong) => (call: Call) => ({ ...call, options: { ...call.options, ...wrong } })),
    ...['ipc', 999, { fd: -1 }, { fd: -2 }].map((source) => (call: Call) => ({
      ...call,
      stdio: ['pipe', 'pipe', 'pipe', source as Source],
    })),
    (call) => ({ ...call, args: ['x'.repeat(1 << 18)] }),
  )

  it('what the system or Node does not take', { timeout }, async () => {
    const sound = fc.record({
      file: fc.constantFrom(probe, 'true'),
      args: argsOf('cat'),
      options: sparse,
      stdio: fc.oneof(fc.constant(undefined), all),
    })
    await expectAllAlike(
      fc.tuple(sound, fc.array(broken, { minLength: 1, maxLength: 2 })).map(([call, changes]) => {
        const { input: _, ...options } = call.options as { input?: unknown }
        const read = call.file === probe ? call : { ...call, options }
        return changes.reduce<Call>((changed, change) => change(changed), read)
      }),
    )
  })
})
