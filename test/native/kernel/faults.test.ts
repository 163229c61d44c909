/**
 * Every system call that a start, a kill, an exit and an exit event make, refused at its first, second and fiftieth use
 * with each of seven errors: exactly what comes of it, that nothing is left behind, and that the next one works.
 *
 * `npm run test:faults` tries all of them; the suite the fiftieth use with one error only, and two errors for what a process
 * does once.
 */
import { execFile } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { programs } from '../../support/build-programs.js'
import { temporaryFolder } from '../../support/processes.js'

const parent = join(import.meta.dirname, '../../support/native/kernel/faults-parent.mjs')
const all = process.env.TEST_FAULTS === 'all'

const errors = ['EPERM', 'ENOSYS', 'EACCES', 'EINVAL', 'EAGAIN', 'ENOMEM', 'EMFILE'] as const
type Name = (typeof errors)[number]

type Outcome = 'works' | 'not enforced' | { code: string; step: string }
type Outcomes = Outcome | ((error: Name) => Outcome)

interface Row {
  readonly call: string
  readonly round: string
  readonly outcomes: Outcomes
  /** Made once in a process. */
  readonly once?: boolean
  /** Another call that is refused each time, so that this one is made. */
  readonly always?: string
}

const fails =
  (step: string) =>
  (code: Name): Outcome => ({ code, step })
const except = (others: Outcomes, exceptions: Partial<Record<Name, Outcome>>) => (error: Name) =>
  exceptions[error] ?? (typeof others === 'function' ? others(error) : others)

const rows: Row[] = [
  // The child half.
  { call: 'child:set_tid_address', round: 'plain', outcomes: fails('set_tid_address') },
  { call: 'child:rt_sigaction', round: 'plain', outcomes: fails('rt_sigaction') },
  { call: 'child:setsid', round: 'detached', outcomes: fails('setsid') },
  { call: 'child:setpgid', round: 'group', outcomes: fails('setpgid') },
  { call: 'child:openat/null', round: 'plain', outcomes: fails('open') },
  { call: 'child:close', round: 'plain', outcomes: 'works' },
  { call: 'child:dup3', round: 'moved', outcomes: fails('dup3') },
  { call: 'child:fcntl/F_SETFD', round: 'pipes', outcomes: fails('fcntl') },
  { call: 'child:fcntl/F_DUPFD_CLOEXEC', round: 'moved', outcomes: fails('fcntl') },
  { call: 'child:fcntl/F_GETFL', round: 'pipes', outcomes: 'works' },
  { call: 'child:chdir', round: 'plain', outcomes: fails('chdir') },
  // EINVAL: the flag is not known. EACCES: no_new_privs is asked for.
  {
    call: 'child:seccomp/SPEC_ALLOW',
    round: 'plain',
    outcomes: except('not enforced', { EINVAL: 'works', EACCES: 'works' }),
  },
  {
    call: 'child:seccomp/SPEC_ALLOW',
    round: 'required',
    outcomes: except(fails('seccomp'), { EINVAL: 'works', EACCES: 'works' }),
  },
  {
    call: 'child:seccomp',
    round: 'required',
    always: `child:seccomp/SPEC_ALLOW=${constants.errno.EINVAL}`,
    outcomes: except(fails('seccomp'), { EACCES: 'works' }),
  },
  { call: 'child:setgroups', round: 'ids', outcomes: fails('setgroups') },
  { call: 'child:setgroups', round: 'uid', outcomes: fails('setgroups') },
  { call: 'child:getgroups', round: 'uid', outcomes: 'works' },
  { call: 'child:setresgid', round: 'ids', outcomes: fails('setresgid') },
  { call: 'child:getresuid', round: 'ids', outcomes: 'works' },
  // EINVAL: the kernel has none.
  { call: 'child:prctl/AMBIENT', round: 'ids', outcomes: except(fails('prctl'), { EINVAL: 'works' }) },
  { call: 'child:setresuid', round: 'ids', outcomes: fails('setresuid') },
  { call: 'child:prctl/PDEATHSIG', round: 'death', outcomes: fails('prctl') },
  // Its parent can't be seen, so it is taken for gone.
  { call: 'child:getppid', round: 'death', outcomes: { code: 'ESRCH', step: 'prctl' } },
  { call: 'child:close_range', round: 'plain', outcomes: 'works' },
  ...['openat/proc', 'getdents64', 'fcntl/FD_CLOEXEC'].map((call) => ({
    call: `child:${call}`,
    round: 'plain',
    always: `child:close_range=${constants.errno.ENOSYS}`,
    outcomes: 'works' as const,
  })),
  { call: 'child:write', round: 'ids', outcomes: 'works' },
  { call: 'child:rt_sigprocmask', round: 'plain', outcomes: fails('rt_sigprocmask') },
  { call: 'child:execve', round: 'plain', outcomes: fails('execve') },

  // The parent half.
  { call: 'parent:prctl/GET_SECCOMP', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:rt_sigaction', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:x32_rt_sigaction', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:fcntl/F_GETFD', round: 'pipes', outcomes: fails('fcntl') },
  { call: 'parent:socketpair', round: 'pipes', outcomes: fails('socketpair') },
  { call: 'parent:pipe2', round: 'plain', once: true, outcomes: fails('pipe2') },
  { call: 'parent:pipe2', round: 'ids', outcomes: fails('pipe2') },
  { call: 'parent:mmap', round: 'plain', once: true, outcomes: fails('mmap') },
  { call: 'parent:mprotect', round: 'plain', once: true, outcomes: fails('mprotect') },
  { call: 'parent:pidfd_open', round: 'death', outcomes: 'works' },
  { call: 'parent:clone/pidfd', round: 'plain', outcomes: 'works' },
  {
    call: 'parent:clone',
    round: 'plain',
    always: `parent:clone/pidfd=${constants.errno.EPERM}`,
    outcomes: fails('clone'),
  },
  { call: 'parent:poll', round: 'ids', outcomes: 'works' },
  { call: 'parent:read', round: 'ids', outcomes: 'works' },
  { call: 'parent:read', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:getpgid', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:setpgid', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:futex', round: 'plain', outcomes: 'works' },
  { call: 'parent:waitpid', round: 'missing', outcomes: 'works' },

  // Watching, reaping, signalling.
  { call: 'parent:epoll_create1', round: 'plain', once: true, outcomes: fails('epoll_create1') },
  { call: 'parent:waitid/probe', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:epoll_ctl/ADD', round: 'plain', outcomes: 'works' },
  { call: 'parent:epoll_wait', round: 'plain', outcomes: 'works' },
  { call: 'parent:epoll_ctl/DEL', round: 'plain', outcomes: 'works' },
  { call: 'parent:getrusage', round: 'plain', once: true, outcomes: 'works' },

  // The exit event.
  { call: 'parent:pipe2', round: 'event', once: true, outcomes: fails('pipe2') },
  { call: 'parent:fchmod', round: 'event', outcomes: 'works' },
  { call: 'parent:write', round: 'event', outcomes: 'works' },
  { call: 'parent:fcntl/F_SETFL', round: 'event', outcomes: fails('fcntl') },
  { call: 'parent:fstat', round: 'event', outcomes: fails('fstat') },
]

async function outcomesOf(row: Row, errors: Name[], uses: number[]) {
  const control = join(temporaryFolder(), 'control')
  writeFileSync(control, '')
  truncateSync(control, 16_384)
  const task = { ...row, errors: errors.map((name) => constants.errno[name]), uses }
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', parent, JSON.stringify(task)], {
    env: { ...process.env, FAULTS: control, LD_PRELOAD: join(programs, 'faults.so') },
  })
  return JSON.parse(stdout)
}

/** Made by the rounds, and not refused here. */
const leftOut = new Set([
  // Without it Node itself does not run.
  'parent:rt_sigprocmask',
  // Advice, and not given under every Node.
  'parent:setsockopt',
  // It is made until it works: there is nothing else to do.
  'child:exit_group',
  // Who can't ask for the end of a child can't tell how it ended: null, and null.
  'parent:waitid/pidfd',
  // Only after another was refused.
  'parent:waitid',
  'parent:open',
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
  expect([...seen].filter((call) => !known.has(call) && !leftOut.has(call))).toEqual([])
})

describe.concurrent.each(rows)('$call in "$round"', (row) => {
  const processes: [Name[], number[]][] = row.once
    ? (all ? errors : (['EPERM', 'EAGAIN'] as const)).map((error) => [[error], [1]])
    : all
      ? [[[...errors], [1, 2, 50]]]
      : [
          [[...errors], [1, 2]],
          [['EAGAIN'], [50]],
        ]

  it.each(processes)('refused with %j at use %j', async (errors, uses) => {
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
  })
})
