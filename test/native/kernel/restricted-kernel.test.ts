import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { programs } from '../../support/build-programs.js'
import { probe, temporaryFolder } from '../../support/processes.js'

const restricted = join(programs, 'restricted')
const script = join(import.meta.dirname, '../../support/native/kernel/restricted-parent.mjs')

/** Leaves a descriptor open in the parent, beyond the first gap, where Node does not close it either. */
const leaveOpen = `import os, sys
os.dup2(os.open("/dev/null", os.O_RDONLY), 99)
os.set_inheritable(99, True)
os.execv(sys.argv[1], sys.argv[1:])`

async function run(features: string, what: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)('python3', [
    '-c',
    leaveOpen,
    restricted,
    features,
    process.execPath,
    script,
    what,
    ...args,
  ])
  return JSON.parse(stdout)
}

describe('without pidfds', () => {
  it.each(['pidfd', 'none'])('exits come once each, with their codes and signals (%s missing)', async (features) => {
    expect(await run(features, 'exits')).toEqual({
      codes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      killed: 'SIGTERM',
      zombies: 0,
    })
  })

  it.each(['pidfd', 'clone_pidfd', 'none'])('calls that block see their ends (%s missing)', async (features) => {
    expect(await run(features, 'sync')).toEqual({
      status: 0,
      length: 200_000,
      signal: 'SIGTERM',
      error: 'ETIMEDOUT',
      quick: 7,
      zombies: 0,
    })
  })

  it('unref() still lets the parent end', async () => {
    expect(await run('pidfd', 'unref')).toEqual({ started: true })
  })

  it('children of a terminated worker thread are reaped by the process', async () => {
    expect(await run('pidfd', 'worker')).toEqual({ zombies: 0 })
  })
})

describe('a policy that always refuses what Node does without', () => {
  // arm64 has dup3(2) and ppoll(2) alone.
  const others = process.arch === 'x64' ? ['dup3', 'epoll_wait', 'poll', 'poll,ppoll', 'poll,ppoll,waitid'] : []
  const calls = [
    'waitid',
    'wait4',
    'ppoll',
    'setpgid',
    'getpgid',
    'fchmod',
    'getrusage',
    'rt_sigpending',
    'pidfd_open',
    'pidfd_send_signal',
    ...others,
  ]
  const { EPERM, ENOSYS, EACCES, ENOMEM } = constants.errno
  const errors = process.env.TEST_FAULTS === 'all' ? [EPERM, ENOSYS, EACCES] : [EPERM]
  const policies = calls.flatMap((call) =>
    errors.map((errno) =>
      call
        .split(',')
        .map((name) => `${name}=${errno}`)
        .join(),
    ),
  )

  // No errno of a policy alone.
  policies.push(`getrusage=${ENOMEM}`)
  if (process.arch === 'x64') policies.push(`dup3=${ENOMEM}`, `poll=${ENOMEM}`, `poll=${ENOMEM},ppoll=${ENOMEM}`)

  it.concurrent.each(policies)('%s: exits come, calls that block end, and the event tells', async (policy) => {
    expect(await run(policy, 'exits')).toEqual({
      codes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      killed: 'SIGTERM',
      zombies: 0,
    })
    expect(await run(policy, 'sync')).toMatchObject({ status: 0, signal: 'SIGTERM', quick: 7, zombies: 0 })
    expect(await run(policy, 'worker')).toEqual({ zombies: 0 })
    expect(await run(policy, 'event')).toEqual({ told: true, stopped: { code: 0, signal: null, forced: false } })
  })
})

describe('without close_range', () => {
  it.each(['close_range', 'none'])('a child has only the descriptors it was given (%s missing)', async (features) => {
    // Its parent has 99 open without close-on-exec; the control is in start/descriptors.test.ts.
    const report = join(temporaryFolder(), 'report')
    expect(await run(features, 'descriptors', probe, report)).toEqual({ fds: [0, 1, 2] })
  })
})

describe('without seccomp', () => {
  it('spawnProtected starts the child all the same, and says that it is not enforced', async () => {
    expect(await run('seccomp', 'auto')).toEqual({ enforced: false, code: 0 })
  })

  it('forkProtected starts nothing, and says what to do', async () => {
    expect(await run('seccomp', 'fork')).toEqual({
      code: 'ENOSYS',
      step: 'seccomp',
      syscall: 'spawn',
      message:
        "spawn ENOSYS: the system gives no seccomp filter, so the child could undo what it ignores. Pass { enforce: false } or 'auto' to start it all the same",
      children: [],
    })
  })
})

describe('without a clone that shares memory, as under qemu-user', () => {
  it('nothing is started, and the error says where that is so, and what to do', async () => {
    expect(await run('clone_vm', 'fork')).toEqual({
      code: 'EINVAL',
      step: 'clone',
      syscall: 'spawn',
      message:
        "spawn EINVAL: the system refuses the flags of clone(2), which is probably user-mode emulation (qemu-user, also behind docker's --platform). Run a Node of the machine's own architecture, or emulate the whole machine",
      children: [],
    })
  })
})
