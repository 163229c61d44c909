/**
 * What a Mac has not, by whatever path: listed as in differences.ts. TEST_WITHOUT_PROC tries on Linux how the rest does without /proc;
 * what else a Mac has not, Linux can't try.
 */
import type { Differences } from './differences.js'

const PROC = 'only /proc tells it of a process'
const STARTED_WITH = 'what the command was started with is noted down from /proc: docs/platforms.md'
const BASH = 'the sh of a Mac is a bash, which ignores SIGQUIT, and says 126 where dash says 127'
const NAMESPACE = 'only Linux has namespaces: unshare(1)'
const PRELOAD = 'LD_PRELOAD: a Mac binds a name to one library, and its own programs are given no other'
const SECCOMP = 'seccomp, and system calls that it refuses'
const REALTIME = 'a Mac has no real-time signals'
const PRLIMIT = 'prlimit(1): a Mac changes the limits of no other process'
const NO_STATIC = 'a Mac has no static programs: its kernel starts none'
const ELF = 'files of ELF, and what Linux’s loader makes of them'
const OF_APPLE = 'what comes with a Mac is signed for Apple alone, and loads no guard'

export const ofLinux: Differences = {
  // Whole files.
  'end/reaper.test.ts': { '': NAMESPACE },
  'exit-event/without-thread.test.ts': { '': PRELOAD },
  'guard/late-answer.test.ts': { '': ELF },
  'native/exits-refused.test.ts': { '': SECCOMP },
  'native/orphans.test.ts': { '': `threads are counted in /proc; ${PRLIMIT}` },
  'native/refused-watch.test.ts': { '': PRELOAD },
  'native/signal-actions.test.ts': { '': "the action as Linux's kernel keeps it, by raw system calls" },
  'native/tracer.test.ts': { '': 'ptrace(2) of Linux: on a Mac a tracer becomes the parent, and is told in its place' },
  'signal/own-queue.test.ts': { '': `RLIMIT_SIGPENDING; ${REALTIME}` },
  'signal/held.test.ts': { '': 'only Linux freezes processes by a file: cgroups(7)' },
  'signal/reused-pid.test.ts': { '': NAMESPACE },
  'stop/reused-number.test.ts': { '': NAMESPACE },
  'stop/reused-terminal.test.ts': { '': NAMESPACE },

  // Tests.
  'command/call.test.ts': { 'RTMIN,RTMIN+1': REALTIME },
  'command/exec.test.ts': {
    'signals that a shell ignores': STARTED_WITH,
    descriptors: STARTED_WITH,
    'its signals, and nothing else': STARTED_WITH,
    'the environment, to the byte': STARTED_WITH,
    'a descriptor that does not block': STARTED_WITH,
    'an IPC channel': STARTED_WITH,
    'limits and status': PROC,
    'with nothing of Node left': PROC,
    'does not reach what was only inherited': `${STARTED_WITH}; a Mac refuses exec --enforce`,
    '/etc/passwd/x': BASH,
  },
  'command/package.test.ts': { 'hands on what it was started with': STARTED_WITH },
  'command/ps.test.ts': { 'where the system shows no more': NAMESPACE },
  'command/run.test.ts': {
    'goes on to the program: descriptors': STARTED_WITH,
    nohup: STARTED_WITH,
    'by a real-time signal': REALTIME,
    'as process 1 of a container': NAMESPACE,
  },
  'command/stop.test.ts': {
    'takes its signals from a descriptor': 'signalfd(2)',
    'has lost its first thread': 'on a Mac a process ends with its first thread',
    'where nothing can be written': 'a Mac has no /dev/full',
    '--orphans': NAMESPACE,
  },
  'command/terminal.test.ts': { 'from outside of its pid namespace': NAMESPACE },
  'end/coordinator.test.ts': { 'process 1 of a container': NAMESPACE },
  'examples/readme.test.ts': { 'under timeout(1)': 'a Mac has no timeout(1)' },
  'exit-event/exit-event.test.ts': { 'takes no signals, sleeps until the event': PROC },
  'guard/callers.test.ts': {
    'where the guard can’t cover it': NO_STATIC,
    'runs nothing that it can not be loaded into': NO_STATIC,
    'in a process under the guard': PRELOAD,
  },
  'guard/coverage.test.ts': {
    'the shell that runs a file without a known format': OF_APPLE,
    'which is asked anew': NO_STATIC,
    'refused is > a static program': NO_STATIC,
    'refused is > a script for one': NO_STATIC,
    'a program of another machine': ELF,
    'a Go program': ELF,
    'one that is cut off': ELF,
    'for another user': `it takes root; ${ELF}`,
    'against all that its file says': ELF,
    'whose own sigaction comes before': ELF,
    'with a library before the guard': PRELOAD,
    'a fork that is refused': NO_STATIC,
  },
  'guard/protection.test.ts': {
    "'cat' > ignores": OF_APPLE,
    "'sed' > ignores": OF_APPLE,
    ssignal: 'only glibc has it',
    sysv_signal: 'only glibc has it',
    'keeps what else is preloaded': PRELOAD,
  },
  'guard/without-filter.test.ts': {
    'there is no filter then': SECCOMP,
    'where the guard can’t be': NO_STATIC,
  },
  'node/ipc.test.ts': {
    'is found by a Node child of spawn': PROC,
    'is found by a worker of fork': PROC,
  },
  'node/lifecycle.test.ts': { 'a real-time signal': REALTIME },
  'node/other-runtimes.test.ts': {
    'Bun 1.4.5': 'exitEvent() reads /proc outside Node.js, and says so where there is none',
  },
  'protect/terminal.test.ts': { 'Ctrl-\\ ends all': BASH },
  'signal/own-copies.test.ts': { 'a wait of one takes': REALTIME },
  'signal/own-interplay.test.ts': {
    'inherits the real-time signals of it alone': REALTIME,
    'native code keeps the action of a section': PRELOAD,
  },
  'signal/own-listeners.test.ts': { 'goes on inside, in another thread': PRELOAD },
  'signal/own-mask.test.ts': {
    'real-time signals': REALTIME,
    'restores exactly what was there': REALTIME,
    'all signals have a description': REALTIME,
  },
  'signal/own-scopes.test.ts': {
    'drops the signal, and puts back': REALTIME,
    'could not be taken': SECCOMP,
    'real-time signals queue': REALTIME,
  },
  'signal/own-storm.test.ts': { 'real-time signals': REALTIME },
  'signal/own-wait.test.ts': {
    'rejects as in Node': REALTIME,
    'that exits while many wait': REALTIME,
    'from several threads': REALTIME,
  },
  'start/sync-terminal.test.ts': { 'Ctrl-\\ ends both': BASH },
  'start/protection.test.ts': { no_new_privs: 'a Mac has nothing like it' },
}
