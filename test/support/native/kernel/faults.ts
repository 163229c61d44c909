/**
 * Every system call that a start, a kill, an exit and an exit event make, and what comes of its refusal: it works all the
 * same, or this error is told with this step.
 *
 * It is long, as it is the whole table. A call has the half of the work that makes it: the child's, the parent's, or another
 * thread's of the parent.
 */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const { EPERM } = constants.errno

export const errors = ['EPERM', 'ENOSYS', 'EACCES', 'EINVAL', 'EAGAIN', 'ENOMEM', 'EMFILE'] as const
export type Name = (typeof errors)[number]

export type Outcome = 'works' | 'not enforced' | 'never made' | { code: string; step: string }
export type Outcomes = Outcome | ((error: Name) => Outcome)

export interface Row {
  readonly call: string
  readonly round: string
  readonly outcomes: Outcomes
  /** Made once in a process. */
  readonly once?: boolean
  /** Other calls that are refused each time, or pretended (-1), so that this one is made. */
  readonly always?: string
  /** Where not the first, second and fiftieth. */
  readonly uses?: readonly number[]
  /** One round of it starts a thread, or waits. */
  readonly slow?: boolean
}

const fails =
  (step: string) =>
  (code: Name): Outcome => ({ code, step })
const except = (others: Outcomes, exceptions: Partial<Record<Name, Outcome>>) => (error: Name) =>
  exceptions[error] ?? (typeof others === 'function' ? others(error) : others)

/** Has inheritable capabilities, of which some may be ambient. */
const isHeir = !/^CapInh:\t0+$/m.test(readFileSync('/proc/self/status', 'utf8'))

/** No filter is there, as the kernel says. */
const UNFILTERED = 'parent:prctl/GET_SECCOMP=-1'

export const rows: Row[] = [
  // The child half.
  { call: 'child:set_tid_address', round: 'plain', outcomes: fails('set_tid_address') },
  { call: 'child:rt_sigaction', round: 'plain', outcomes: fails('rt_sigaction') },
  { call: 'child:setsid', round: 'detached', outcomes: fails('setsid') },
  { call: 'child:setpgid', round: 'group', outcomes: fails('setpgid') },
  { call: 'child:openat/null', round: 'plain', outcomes: fails('open') },
  { call: 'child:close', round: 'plain', outcomes: 'works' },
  { call: 'child:dup3', round: 'moved', outcomes: process.arch === 'x64' ? 'works' : fails('dup3') },
  ...(process.arch === 'x64'
    ? [{ call: 'child:dup2', round: 'moved', always: `child:dup3=${EPERM}`, outcomes: fails('dup3') }]
    : []),
  { call: 'child:fcntl/F_SETFD', round: 'pipes', outcomes: fails('fcntl') },
  { call: 'child:fcntl/F_DUPFD_CLOEXEC', round: 'moved', outcomes: fails('fcntl') },
  { call: 'child:fcntl/F_GETFL', round: 'pipes', outcomes: 'works' },
  { call: 'child:chdir', round: 'plain', outcomes: fails('chdir') },
  // EACCES: no_new_privs is asked for.
  { call: 'child:prctl/SET_SECCOMP', round: 'plain', outcomes: except('not enforced', { EACCES: 'works' }) },
  { call: 'child:prctl/SET_SECCOMP', round: 'required', outcomes: except(fails('seccomp'), { EACCES: 'works' }) },
  // Who refuses calls here is a filter: without one it is another call. EINVAL: its flag is not known.
  {
    call: 'child:seccomp/SPEC_ALLOW',
    round: 'plain',
    always: UNFILTERED,
    outcomes: except('not enforced', { EINVAL: 'works', EACCES: 'works' }),
  },
  {
    call: 'child:seccomp/SPEC_ALLOW',
    round: 'required',
    always: UNFILTERED,
    outcomes: except(fails('seccomp'), { EINVAL: 'works', EACCES: 'works' }),
  },
  {
    call: 'child:seccomp',
    round: 'required',
    always: `${UNFILTERED} child:seccomp/SPEC_ALLOW=${constants.errno.EINVAL}`,
    outcomes: except(fails('seccomp'), { EACCES: 'works' }),
  },
  { call: 'child:setgroups', round: 'ids', outcomes: fails('setgroups') },
  { call: 'child:setgroups', round: 'uid', outcomes: fails('setgroups') },
  { call: 'child:getgroups', round: 'uid', outcomes: 'works' },
  ...['gid', 'uid'].flatMap((kind) => [
    { call: `child:setres${kind}`, round: 'ids', outcomes: 'works' as const },
    ...[`set${kind}`, `getres${kind}`].map((other) => ({
      call: `child:${other}`,
      round: 'ids',
      always: `child:setres${kind}=${EPERM}`,
      // Whether the ids change is asked by the first, and then whether they have.
      uses: other === 'getresuid' ? [2] : [1, 2, 50],
      outcomes: { code: 'EPERM', step: `setres${kind}` },
    })),
  ]),
  { call: 'child:getresuid', round: 'ids', outcomes: 'works' },
  { call: 'child:prctl/AMBIENT', round: 'ids', outcomes: isHeir ? fails('prctl') : 'works' },
  {
    call: 'child:capget',
    round: 'ids',
    always: `child:prctl/AMBIENT=${EPERM}`,
    outcomes: { code: 'EPERM', step: 'prctl' },
  },
  { call: 'child:prctl/PDEATHSIG', round: 'death', outcomes: fails('prctl') },
  // Its parent's pidfd tells whether it is gone.
  { call: 'child:getppid', round: 'death', outcomes: 'works' },
  { call: 'child:getppid', round: 'death', always: `parent:pidfd_open=${EPERM}`, outcomes: fails('getppid') },
  {
    call: 'child:ppoll',
    round: 'death',
    always: `child:getppid=${EPERM}`,
    outcomes: process.arch === 'x64' ? 'works' : fails('poll'),
  },
  ...(process.arch === 'x64'
    ? [
        {
          call: 'child:poll',
          round: 'death',
          always: `child:getppid=${EPERM} child:ppoll=${EPERM}`,
          outcomes: fails('poll'),
        },
      ]
    : []),
  { call: 'child:close_range', round: 'plain', outcomes: 'works' },
  ...['openat/proc', 'getdents64', 'fcntl/FD_CLOEXEC'].map((call) => ({
    call: `child:${call}`,
    round: 'plain',
    always: `child:close_range=${constants.errno.ENOSYS}`,
    outcomes: 'works' as const,
  })),
  { call: 'child:write', round: 'ids', outcomes: 'works' },
  { call: 'child:openat/tty', round: 'foreground, in a terminal', outcomes: fails('open') },
  { call: 'child:getpgid', round: 'foreground, in a terminal', outcomes: fails('getpgid') },
  { call: 'child:ioctl', round: 'foreground, in a terminal', outcomes: fails('ioctl') },
  { call: 'child:rt_sigprocmask', round: 'plain', outcomes: fails('rt_sigprocmask') },
  { call: 'child:execve', round: 'plain', outcomes: fails('execve') },

  // The parent half.
  { call: 'parent:prctl/GET_SECCOMP', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:rt_sigaction', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:uname', round: 'required', once: true, outcomes: 'works' },
  { call: 'parent:open/proc', round: 'plain', once: true, outcomes: 'works' },
  {
    call: 'parent:prctl/GET_SPECULATION_CTRL',
    round: 'required',
    once: true,
    always: `parent:uname=${EPERM}`,
    outcomes: 'works',
  },
  { call: 'parent:fcntl/F_GETFD', round: 'pipes', outcomes: fails('fcntl') },
  { call: 'parent:socketpair', round: 'pipes', outcomes: fails('socketpair') },
  { call: 'parent:pipe2', round: 'plain', once: true, outcomes: fails('pipe2') },
  { call: 'parent:pipe2', round: 'ids', outcomes: fails('pipe2') },
  // Two by the first start: it is known then that execve clears the word, and there are low numbers.
  ...['plain', 'detached'].map((round) => ({
    call: 'parent:pipe2',
    round,
    uses: [3],
    outcomes: 'never made' as const,
  })),
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

  // Without waiting for the program. What can't be looked up, or watched, is waited for.
  { call: 'parent:gettid', round: 'at once', once: true, outcomes: 'works' },
  ...['stat', 'faccessat', 'clone/pidfd', 'epoll_ctl/ADD', 'epoll_ctl/DEL', 'poll', 'read'].map((call) => ({
    call: `parent:${call}`,
    round: 'at once',
    outcomes: 'works' as const,
  })),
  // The first use is by the start that waits.
  { call: 'parent:pipe2', round: 'at once', uses: [2, 50], outcomes: 'works' },
  { call: 'parent:epoll_pwait', round: 'at once', once: true, outcomes: 'works' },
  { call: 'child:chdir', round: 'at once', outcomes: fails('chdir') },

  // A session of its own is waited for.
  { call: 'child:setsid', round: 'detached, at once', outcomes: fails('setsid') },
  ...['parent:futex', 'child:futex'].map((call) => ({ call, round: 'detached, at once', outcomes: 'works' as const })),

  // With many descriptors open: what is refused is not tried again, or only this time.
  { call: 'parent:getrlimit', round: 'many descriptors', once: true, outcomes: 'works' },
  ...['fcntl/F_GETFD of a high one', 'fcntl/F_DUPFD_CLOEXEC', 'fstat', 'dup3', 'clone/pidfd,files'].map((call) => ({
    call: `parent:${call}`,
    round: 'many descriptors',
    outcomes: 'works' as const,
  })),
  {
    call: 'parent:clone/files',
    round: 'many descriptors',
    once: true,
    always: `parent:clone/pidfd,files=${EPERM}`,
    outcomes: 'works',
  },
  { call: 'child:close_range/UNSHARE', round: 'many descriptors', once: true, outcomes: 'works' },
  { call: 'child:fcntl/F_GETFD of a high one', round: 'many descriptors', once: true, outcomes: 'works' },
  // Only until the child has a table of its own: what it looks for is looked up first, and the pipe of its release is lent a number.
  ...['parent:openat2', 'parent:dup3', 'parent:futex', 'child:futex'].map((call) => ({
    call,
    round: 'many descriptors, at once',
    outcomes: 'works' as const,
  })),
  { call: 'child:close_range/UNSHARE', round: 'many descriptors, at once', once: true, outcomes: 'works' },

  // Watching, reaping, signalling.
  { call: 'parent:epoll_create1', round: 'plain', once: true, outcomes: fails('epoll_create1') },
  { call: 'parent:waitid/probe', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:epoll_ctl/ADD', round: 'plain', outcomes: 'works' },
  // Once refused, SIGCHLD tells of exits.
  { call: 'parent:epoll_pwait', round: 'plain', once: true, outcomes: 'works' },
  { call: 'parent:waitid/reap', round: 'plain', outcomes: 'works' },
  { call: 'parent:waitid/reap', round: 'plain', always: `parent:clone/pidfd=${EPERM}`, outcomes: 'works' },
  { call: 'parent:pidfd_send_signal/exists', round: 'plain', always: `parent:waitid/reap=${EPERM}`, outcomes: 'works' },
  { call: 'parent:wait4', round: 'plain', always: `parent:waitid/reap=${EPERM}`, outcomes: 'works' },
  { call: 'parent:waitid/look', round: 'stop of a group', outcomes: 'works' },
  { call: 'parent:pidfd_send_signal', round: 'kill', outcomes: 'works' },
  { call: 'parent:waitid/exists', round: 'kill', always: `parent:pidfd_send_signal=${EPERM}`, outcomes: 'works' },
  { call: 'parent:kill', round: 'kill', always: `parent:pidfd_send_signal=${EPERM}`, outcomes: fails('kill') },
  // SIGTERM, SIGCONT, and SIGKILL for who is left.
  { call: 'parent:pidfd_send_signal/group', round: 'stop of a group', uses: [1, 2, 3, 50], outcomes: 'works' },
  {
    call: 'parent:kill/group',
    round: 'stop of a group',
    always: `parent:pidfd_send_signal/group=${EPERM}`,
    uses: [1],
    outcomes: fails('kill'),
  },
  {
    call: 'parent:kill/group',
    round: 'stop of a group',
    always: `parent:pidfd_send_signal/group=${EPERM}`,
    uses: [2, 50],
    outcomes: 'works',
  },
  { call: 'parent:epoll_ctl/DEL', round: 'plain', outcomes: 'works' },
  { call: 'parent:getrusage', round: 'plain', once: true, outcomes: 'works' },

  // The terminal.
  { call: 'parent:open/tty', round: 'foreground, in a terminal', outcomes: fails('open') },
  { call: 'parent:tcgetattr', round: 'foreground, in a terminal', outcomes: 'works' },
  { call: 'parent:waitid/look', round: 'foreground, in a terminal', outcomes: 'works' },
  { call: 'parent:waitid/stops', round: 'foreground, in a terminal', outcomes: 'works' },
  { call: 'parent:tcgetpgrp', round: 'foreground, in a terminal', outcomes: 'works' },
  { call: 'parent:tcsetpgrp', round: 'foreground, in a terminal', outcomes: 'works' },
  { call: 'parent:tcsetpgrp', round: 'missing in the foreground, in a terminal', outcomes: 'works' },
  { call: 'parent:tcsetattr', round: 'killed in the foreground, in a terminal', outcomes: 'works' },

  // The exit event.
  { call: 'parent:pipe2', round: 'event', once: true, outcomes: fails('pipe2') },
  { call: 'parent:fchmod', round: 'event', outcomes: 'works' },
  { call: 'parent:write', round: 'event', outcomes: 'works' },
  { call: 'parent:fcntl/F_SETFL', round: 'event', outcomes: fails('fcntl') },
  { call: 'parent:fstat', round: 'event', outcomes: fails('fstat') },

  // The child's side of it.
  { call: 'parent:fstat', round: 'child that claims', outcomes: fails('fstat') },
  { call: 'parent:fstatfs', round: 'child that claims', outcomes: fails('fstatfs') },
  { call: 'parent:fcntl/F_GETFL', round: 'child that claims', outcomes: fails('fcntl') },
  { call: 'parent:fcntl/FD_CLOEXEC', round: 'child that claims', outcomes: 'works' },
  ...[
    { call: 'worker:poll', round: 'child that spins' },
    { call: 'worker:poll', round: 'child that waits' },
    { call: 'worker:poll', round: 'child that blocks' },
    { call: 'worker:eventfd', round: 'child that spins' },
    { call: 'worker:eventfd', round: 'child that waits' },
    { call: 'worker:eventfd_write', round: 'child that waits' },
    // The first use in a round is the claim's. Who blocks looks itself, and so may the thread.
    { call: 'worker:fstat', round: 'child that spins', uses: [2, 4, 50] },
    { call: 'worker:fstat', round: 'child that blocks', uses: [2] },
    { call: 'worker:ioctl/FIONREAD', round: 'child that spins', always: `parent:fchmod=${EPERM}` },
    { call: 'worker:ioctl/FIONREAD', round: 'child that blocks', always: `parent:fchmod=${EPERM}` },
  ].map((row) => ({ ...row, outcomes: 'works' as const, slow: true })),
]
