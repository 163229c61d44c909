/**
 * Every system call that a start, a kill, an exit and an exit event make, refused at its first, second and fiftieth use
 * with each of seven errors: exactly what comes of it, that nothing is left behind, and that the next one works.
 *
 * `npm run test:faults` tries all of them; the suite the fiftieth use with one error only, and two errors for what a process
 * does once, or slowly.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { spawn } from 'node-pty'
import { afterAll, describe, expect, it } from 'vitest'
import { programs } from '../../support/build-programs.js'
import { limit } from '../../support/limits.js'
import { errors, type Name, type Row, rows } from '../../support/native/kernel/faults.js'

const parent = join(import.meta.dirname, '../../support/native/kernel/faults-parent.mjs')
const all = process.env.TEST_FAULTS === 'all'

/** Where close_range(2) is refused a child looks at every number below the limit, and each look is asked about: a service may have a million. */
const parentOf = (args: readonly string[]) => [
  '-c',
  'ulimit -n 4096; LD_PRELOAD=$0 exec "$@"',
  join(programs, 'faults.so'),
  process.execPath,
  ...args,
]

/** As the leader of a session that has a terminal. */
async function runInTerminal(argv: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const terminal = spawn('bash', argv, { env })
  let screen = ''
  terminal.onData((text) => {
    screen += text
  })
  const exit = await new Promise((resolve) => terminal.onExit(resolve))
  expect(exit, screen).toEqual({ exitCode: 0, signal: 0 })
}

async function outcomesOf(row: Row, errors: readonly Name[], uses: readonly number[]) {
  // Not by a hook: hooks of tests that run at once are mixed up.
  const folder = mkdtempSync(join(tmpdir(), 'sigshield-'))
  try {
    const control = join(folder, 'control')
    const report = join(folder, 'report')
    writeFileSync(control, '')
    truncateSync(control, 16_384)
    const task = { ...row, errors: errors.map((name) => constants.errno[name]), uses, report }
    const argv = parentOf(['--expose-gc', parent, JSON.stringify(task)])
    const env = { ...process.env, FAULTS: control }
    if (row.round.endsWith('in a terminal')) await runInTerminal(argv, env)
    else await promisify(execFile)('bash', argv, { env })
    return JSON.parse(readFileSync(report, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Made by the rounds, and not refused here. */
const leftOut = new Set([
  // Without it Node itself does not run.
  'parent:rt_sigprocmask',
  // Advice, and not given under every Node.
  'parent:setsockopt',
  // It is made until it works: there is nothing else to do.
  'child:exit_group',
  'worker:rt_sigprocmask',
  // The kernel's own, where a call with a time limit was interrupted: as that call.
  'parent:restart_syscall',
  'child:restart_syscall',
  'worker:restart_syscall',
  // As by the main thread.
  'worker:fstatfs',
  'worker:fcntl/F_GETFL',
  'worker:fcntl/FD_CLOEXEC',
  // Without it no thread runs: libc itself ends the process.
  'worker:futex',
  // Only in a stop that takes long: a child that is not known to be stopped is taken to run.
  'parent:waitid/stopped',
  // Only after another was refused.
  'parent:raise',
  'child:prlimit64',
  'child:prctl/NO_NEW_PRIVS',
  // Only where a stream that the child inherits does not block.
  'child:fcntl/F_SETFL',
])

const seen = new Set<string>()
const names = Object.fromEntries(errors.map((name) => [constants.errno[name], name]))

afterAll(() => {
  const known = new Set(rows.map(({ call }) => call))
  const unknown = [...seen].filter((call) => !known.has(call) && !leftOut.has(call))
  expect(unknown, unknown.join(', ')).toEqual([])
})

type Process = [errors: readonly Name[], uses: readonly number[]]

function processesOf({ once, uses = [1, 2, 50], slow }: Row): Process[] {
  if (once) return (all ? errors : (['EPERM', 'EAGAIN'] as const)).map((error) => [[error], [1]])
  if (all) return [[errors, uses]]
  if (slow) return [[['EPERM', 'EMFILE'], uses.slice(0, 1)]]
  const [early, late] = [uses.filter((use) => use < 10), uses.filter((use) => use >= 10)]
  const processes: Process[] = [
    [errors, early],
    [['EAGAIN'], late],
  ]
  return processes.filter(([, uses]) => uses.length > 0)
}

/** The guest of `npm run test:arm64` has the library in one file, which claims its event once, however often it is asked. */
const claimsAgain = !existsSync(join(import.meta.dirname, '../../../dist/bundled'))
const tried = rows.filter(({ round }) => claimsAgain || round !== 'child that claims')

describe.concurrent.each(tried)('$call in "$round"', (row) => {
  it.each(processesOf(row))(
    'refused with %j at use %j',
    async (errors, uses) => {
      const found = await outcomesOf(row, errors, uses)
      for (const call of found.seen) seen.add(call)
      const expected = errors.flatMap((error) =>
        uses.map((use) => ({
          error,
          use,
          outcome: typeof row.outcomes === 'function' ? row.outcomes(error) : row.outcomes,
          after: 'works',
          left: {},
        })),
      )
      const actual = found.outcomes.map((entry: { error: number }) => ({ ...entry, error: names[entry.error] }))
      expect(actual).toEqual(expected)
    },
    limit(all ? 600_000 : 30_000),
  )
})
