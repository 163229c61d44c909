// What a start costs by clone, and by the path that macOS runs: posix_spawn of a helper that becomes the program. On Linux, with
// the kqueue of test/support/posix.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWith } from './peers.mjs'
import { Result } from './result.mjs'

const root = join(import.meta.dirname, '..')
const TURNS = 30
// The first of a turn is not counted, as in blocked-loop.
const TURN_LENGTH = 11
const WARM_UP = 300
const IN_FLIGHT = 32
const STARTS = 200

const CLONE = 'clone'

/** As `npm run build:cmake` leaves it: its helper is linked to libc, as every program of a Mac has to be. */
const dynamic = join(root, 'build/cmake/posix')

/** The same with a helper for which no loader runs. */
function withStaticHelper() {
  const folder = mkdtempSync(join(tmpdir(), 'sigshield-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  cpSync(dynamic, folder, { recursive: true })
  const sources = [
    ...['native/platform/posix/exec_helper.c', 'native/platform/posix/become.c'],
    ...['test/support/posix/enforcement_on_linux.c', 'test/support/posix/exec_helper_on_linux.c'],
  ]
  const helper = join(folder, 'build/Release/sigshield-exec')
  const flags = ['-O2', '-static', '-D_GNU_SOURCE', '-Inative']
  execFileSync('cc', [...flags, '-o', helper, ...sources], { cwd: root })
  return folder
}

export default async function paths(/** @type {import('./clock.mjs').Clock} */ clock) {
  const held = new Result({
    question: 'How long does one start hold the event loop, by clone and by the path of a Mac?',
    unit: 'µs',
    better: 'lower',
    ours: CLONE,
  })
  const rate = new Result({
    question: `How many children can be started a second, ${IN_FLIGHT} in flight, by clone and by the path of a Mac?`,
    unit: 'starts/s',
    better: 'higher',
    ours: CLONE,
  })
  const results = [held, rate]
  /** @type {Record<string, Record<string, string>>} */
  const variables = { [CLONE]: {} }
  if (existsSync(dynamic)) {
    variables['posix_spawn, a dynamic helper'] = { SIGSHIELD_PREBUILD: dynamic }
    variables['posix_spawn, a static helper'] = { SIGSHIELD_PREBUILD: withStaticHelper() }
  } else {
    const reason = 'it is not built: npm run build:cmake, on Linux'
    for (const result of results) result.absent({ 'posix_spawn of a helper': reason })
  }
  const programs = Object.entries(variables).map(([name, own]) => /** @type {const} */ ([name, openWith('node', own)]))
  for (const [, program] of programs) await program.ask('block', 'sigshield', 'ignore', WARM_UP)
  clock.cases(results.length)
  for (const _ of clock.turns(TURNS)) {
    for (const [name, program] of programs) {
      const [, ...times] = await program.ask('block', 'sigshield', 'ignore', TURN_LENGTH)
      held.add({}, name, ...times)
    }
  }
  for (const _ of clock.turns(TURNS)) {
    for (const [name, program] of programs) {
      const [seconds = Number.NaN] = await program.ask('starts', 'sigshield', IN_FLIGHT, STARTS)
      rate.add({}, name, STARTS / seconds)
    }
  }
  for (const [, program] of programs) await program.end()
  held.note('Each start waits for the helper to have become the program. Nothing of this was measured on a Mac.')
  return results
}
