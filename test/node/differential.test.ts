/** The same calls through `child_process` and through sigshield, and what can be seen of them on either side. */
import childProcess, { type ChildProcess, execFileSync, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, fstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc, { type Arbitrary } from 'fast-check'
import { spawnProtected } from 'sigshield'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settles } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { incomparable, intendedDifferences, type Pair, unprotected } from '../support/node/differences.js'
import {
  type Call,
  everyAccess,
  everyStream,
  type Observation,
  observe,
  openOnExec,
  type Places,
  portable,
  type Source,
} from '../support/node/differential.js'
import { runs, timeout } from '../support/node/fuzzing.js'
import { probe } from '../support/processes.js'

let leaking: ReadonlySet<number> = new Set()
let places: Places
const folder = mkdtempSync(join(tmpdir(), 'sigshield-differential-'))
const inFolder = (name: string) => join(folder, name)
const programs = dirname(probe)

const script = inFolder('script-without-interpreter')
const badInterpreter = inFolder('script-with-a-missing-interpreter')
const notExecutable = inFolder('not-executable')
const garbage = inFolder('garbage')
const loop = inFolder('loop')
const shadowed = inFolder('shadowed')

beforeAll(async () => {
  // Children of other users write here too.
  chmodSync(folder, 0o777)
  writeFileSync(inFolder('file'), 'some text\n', { mode: 0o666 })
  execFileSync('mkfifo', [inFolder('fifo')])
  writeFileSync(script, `exec '${probe}' "$@"\n`, { mode: 0o755 })
  writeFileSync(badInterpreter, '#!/no/such/interpreter\n', { mode: 0o755 })
  writeFileSync(notExecutable, '#!/bin/sh\n', { mode: 0o644 })
  writeFileSync(garbage, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 2, 3]), { mode: 0o755 })
  symlinkSync(loop, loop)
  execFileSync('mkdir', [shadowed])
  // Found before the real one, but not to be executed.
  writeFileSync(join(shadowed, 'probe'), '', { mode: 0o644 })
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

const sides = {
  node: childProcess.spawn as (file: string, args: string[], options: SpawnOptions) => ChildProcess,
  ours: (file: string, args: string[], options: SpawnOptions) =>
    spawnProtected(file, args, { ...options, ...unprotected }),
}

/** Runs a call on both sides, one after the other, and expects the same of them, and nothing left behind. */
async function expectAlike(call: Call, oursFirst: boolean): Promise<void> {
  const descriptors = openDescriptors()
  const seen: Partial<Record<keyof typeof sides, Observation>> = {}
  for (const side of oursFirst ? (['ours', 'node'] as const) : (['node', 'ours'] as const)) {
    const { report, ...rest } = await observe(sides[side], call, places)
    seen[side] = { ...rest, ...(report && { report: portable(report) }) }
    await settles(openDescriptors, descriptors)
  }
  let pair: Pair = { call, node: seen.node as Observation, ours: seen.ours as Observation, leaking }
  for (const { remove } of intendedDifferences) pair = remove(pair)
  expect(pair.ours).toStrictEqual(pair.node)
}

async function expectAllAlike(calls: Arbitrary<Call>): Promise<void> {
  await fc.assert(fc.asyncProperty(calls, fc.boolean(), expectAlike), runs)
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
  fc.constantFrom(
    '',
    ' ',
    'a b',
    "it's",
    '"quoted"',
    '$HOME',
    '\\',
    '*',
    '\n',
    'ü',
    '𝄞',
    'e\u0301',
    '\ud800',
    '=',
    '-',
  ),
)
const anyArgument = fc.oneof({ weight: 5, arbitrary: text }, fc.constantFrom(1, -0, 1.5, null, undefined, true, 10n))
const args = fc.array(anyArgument, { maxLength: 4 }).map((more) => [inFolder('report'), '-', ...more])

const variableName = fc.oneof(text, fc.constantFrom('A', 'HOME', 'LANG', 'PATH ', '7', 'SIGSHIELD'))
const variables = fc.dictionary(variableName, fc.oneof(anyArgument, fc.object({ maxDepth: 0 })), { maxKeys: 5 })
const noSuch = '/no/such/folder'
const searchPaths = [
  programs,
  `${noSuch}:${programs}`,
  `:${programs}`,
  `${programs}:`,
  `/${'x'.repeat(5000)}:${programs}`,
  `/${'x'.repeat(300)}:${programs}`,
  `${inFolder('file')}:${programs}`,
  `${shadowed}:${programs}`,
  `${loop}:${programs}`,
  shadowed,
  `${shadowed}:${noSuch}`,
  noSuch,
  inFolder('file'),
  '',
  ':',
]
const environment = fc.oneof(
  fc.constantFrom(undefined, null, {}, Object.create({ INHERITED: 'yes' }), { PATH: undefined }),
  variables,
  fc.tuple(variables, fc.constantFrom(...searchPaths)).map(([env, PATH]) => ({ ...env, PATH })),
)

const cwd = fc.constantFrom<unknown>(
  undefined,
  null,
  '',
  '/',
  '.',
  folder,
  `${folder}/`,
  programs,
  pathToFileURL(folder),
  pathToFileURL(`${programs}/`),
  Buffer.from(folder),
)
const id = fc.constantFrom<unknown>(undefined, null, 0, 65534, 1)

const options = fc.record({
  env: sometimes(environment),
  cwd: sometimes(cwd),
  uid: sometimes(id),
  gid: sometimes(id),
  detached: sometimes(fc.constantFrom(true, false, null)),
  argv0: sometimes(fc.oneof(text, fc.constant(null))),
  windowsHide: sometimes(fc.boolean()),
  serialization: sometimes(fc.constantFrom('json', 'advanced')),
  timeout: sometimes(fc.constantFrom(0, 60_000)),
  killSignal: sometimes(fc.constantFrom('SIGTERM', 'sigkill', 9, null)),
})

/** Present keys with the value undefined are not the same as absent ones: both are made. */
const sparse = fc.tuple(options, fc.boolean()).map(([all, drop]) => {
  if (!drop) return all
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
})

const all = fc.constantFrom('pipe', 'ignore', 'inherit', 'overlapped')
/** For what may be thrown. */
const allThatThrow = all.filter((source) => !incomparable.entryOfWhatThrows(source))
const word = fc.constantFrom<Source>('ignore', 'pipe', 'inherit', 'overlapped', null, undefined)
const file = fc.constantFrom<Source>(...everyAccess.map((access) => ({ file: access })))
const stream = fc.constantFrom<Source>(...everyStream.map((name) => ({ stream: name })))
const standard = fc.constantFrom<Source>(0, 1, 2)
/** Descriptors of this very process, below, at and above their targets. Its 3 to 7 must not be made blocking, as 0 to 2 are. */
const low = fc.constantFrom<Source>(0, 1, 2, 3, 4, 5, 6, 7)
/** libuv's own pipe for signals is among the pipes, and Node's child has another in its place. */
const privatePipes = new Set([3, 4, 5, 6, 7].filter((fd) => fstatSync(fd).isFIFO()))
const isPrivate = (source: Source, index: number) => privatePipes.has(source === 'inherit' ? index : Number(source))
const firstThree = fc.oneof(word, file, stream, standard)
const further = fc.oneof(word, file, stream, low)

const mixed = fc.oneof(
  fc
    .tuple(fc.array(firstThree, { maxLength: 3 }), fc.array(further, { maxLength: 5 }))
    .map(([first, more]) => (first.length === 3 ? [...first, ...more] : first)),
  // Few different sources, so that they come again and again.
  fc
    .tuple(firstThree, firstThree, fc.array(fc.boolean(), { minLength: 2, maxLength: 8 }))
    .map(([a, b, picks]) => picks.map((pick) => (pick ? a : b))),
  fc.shuffledSubarray<Source>([0, 1, 2, { file: 'both' }, 'pipe', { file: 'append' }], { minLength: 3 }),
)
const entries = mixed.map((sources) => sources.map((source, i) => (isPrivate(source, i) ? 'ignore' : source)))
const stdioThatThrows = fc.oneof(
  allThatThrow,
  entries.map((sources) => sources.map((source) => (incomparable.entryOfWhatThrows(source) ? 'pipe' : source))),
)
const withChannel = fc
  .tuple(entries, fc.nat(7))
  .map(([sources, index]) => Object.assign([...sources], { [Math.min(index, sources.length)]: 'ipc' }))
const stdio = fc.oneof(
  { weight: 1, arbitrary: all },
  { weight: 6, arbitrary: entries },
  { weight: 1, arbitrary: withChannel },
)

describe('child_process and sigshield start the same', () => {
  it('programs: arguments, environment, directory, ids, session', { timeout }, async () => {
    await expectAllAlike(
      fc.record({
        file: fc.constantFrom(probe, script),
        args,
        options: sparse,
        stdio: fc.oneof(fc.constant('ignore'), fc.constant(undefined), all),
      }),
    )
  })

  it('programs with any descriptors', { timeout }, async () => {
    await expectAllAlike(
      fc.record({
        file: fc.constant(probe),
        args,
        options: fc.record({ detached: sometimes(fc.boolean()), uid: sometimes(id) }),
        stdio,
      }),
    )
  })

  it('programs by their name', { timeout }, async () => {
    await expectAllAlike(
      fc.record({
        file: fc.constantFrom('probe', './probe', 'shadowed/probe', 'script-without-interpreter', 'no-such-program'),
        args,
        options: fc
          .tuple(
            fc.oneof(
              fc.constantFrom<{ PATH?: string } | undefined>(undefined, {}),
              fc.constantFrom(...searchPaths).map((PATH) => ({ PATH })),
            ),
            fc.constantFrom(undefined, programs, folder, '/'),
          )
          // After an entry that is too long, glibc looks in the working directory too: nothing to be found there.
          .map(([env, cwd]) => ({ env, cwd: (env?.PATH?.length ?? 0) > 4096 ? '/' : cwd })),
        stdio: allThatThrow,
      }),
    )
  })

  it('shells', { timeout }, async () => {
    await expectAllAlike(
      fc
        .tuple(
          fc.constantFrom(
            `'${probe}' '${inFolder('report')}' - "a b" $A`,
            `exec '${probe}' '${inFolder('report')}'`,
            `A=1 '${probe}' '${inFolder('report')}' <&- | cat; true`,
            'no-such-program',
            'exit 7',
            'kill -TERM $$',
            "echo 'unbalanced",
            '',
          ),
          fc.constantFrom<readonly string[]>([], ['x', 'a b', '$0']),
          fc.constantFrom<unknown>(true, '/bin/bash', 'bash', 'no-such-shell', notExecutable, ''),
          sparse,
          // What a shell says of itself must not get into a channel.
          stdioThatThrows,
        )
        .map(([command, more, shell, given, sources]) => ({
          file: command,
          args: more,
          // bash reads the profile of its user when its input is a socket: here there is none.
          options: { ...given, env: { ...(given.env ?? process.env), HOME: folder }, shell },
          stdio: sources,
        })),
    )
  })
})

describe('child_process and sigshield refuse the same', () => {
  const strangeNumbers = [999, -1, -2, -3, 1.5, Number.NaN, 2 ** 31, 2 ** 32, 2 ** 32 - 1, -(2 ** 31)].filter(
    (fd) => !incomparable.descriptor(fd),
  )
  const strangeObjects = strangeNumbers.map((fd) => ({ fd })).filter((entry) => !incomparable.entry(entry))
  const broken = fc.constantFrom<(call: Call) => Call>(
    ...[
      'no-such-program',
      '/no/such/program',
      notExecutable,
      folder,
      '.',
      '/',
      badInterpreter,
      garbage,
      loop,
      `${probe}/x`,
      'x'.repeat(256),
      `./${'x'.repeat(256)}`,
      `/${'x/'.repeat(3000)}`,
      '',
      'a\0b',
      '\ud800',
    ].map((file) => (call: Call) => ({ ...call, file })),
    ...['/no/such/folder', inFolder('file'), loop, '/tmp\0', 'x'.repeat(5000), new URL('http://example.org/')].map(
      (directory) => (call: Call) => ({ ...call, options: { ...call.options, cwd: directory } }),
    ),
    ...[new URL('file:///a%00b'), new URL('file:///a%2fb'), new URL('file://host/a'), Buffer.from('a\0b')].map(
      (directory) => (call: Call) => ({ ...call, options: { ...call.options, cwd: directory } }),
    ),
    ...[{ uid: -1 }, { gid: -1 }, { uid: -2 }, { argv0: 'a\0' }, { env: { A: '\0' } }, { env: { 'A\0': '' } }].map(
      (wrong) => (call: Call) => ({ ...call, options: { ...call.options, ...wrong } }),
    ),
    (call) => ({ ...call, args: ['a\0b'] }),
    (call) => ({ ...call, args: ['x'.repeat(1 << 18)] }),
    ...[...strangeNumbers, ...strangeObjects, 'ipc'].flatMap((source) =>
      [0, 2, 3, 6].map((index) => (call: Call) => {
        const sources = Array.isArray(call.stdio) ? [...call.stdio] : []
        while (sources.length <= index) sources.push('ignore')
        return { ...call, stdio: sources.with(index, source) }
      }),
    ),
  )

  it('what the system or Node does not take', { timeout }, async () => {
    const sound = fc.record({
      file: fc.constantFrom(probe, 'true'),
      args,
      options: fc.oneof(fc.constant({}), sparse),
      stdio: stdioThatThrows,
    })
    await expectAllAlike(
      fc.tuple(sound, fc.array(broken, { minLength: 1, maxLength: 2 })).map(([call, changes]) => {
        return changes.reduce<Call>((changed, change) => change(changed), call)
      }),
    )
  })
})
