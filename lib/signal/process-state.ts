/** The signals of any process: what it does with them, and sending it one. */
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { native } from '../native/load.js'
import { checkInteger, invalidArgType, ownOptions, systemError, unavailable } from '../node/errors.js'
import { warnOfMisspelt } from '../node/misspelt.js'
import { isProcOwn } from './kernel-file.js'
import { type Signal, signalNumber, signalsOf } from './names.js'
import { ProcStatus } from './proc-status.js'
import { entryOf, type ToldProcess, toldProcesses } from './process-table.js'

/** Signals that have come, and wait. */
export interface PendingSignals {
  /** For its main thread. */
  readonly thread: Signal[]
  /** For any of its threads. */
  readonly process: Signal[]
}

/** What the kernel says of a process's signals (proc_pid_status(5); KERN_PROC of sysctl(3) on macOS, which tells less). */
export interface ProcessState {
  /** The process's, or a thread's. */
  readonly pid: number
  /**
   * With the pid it names one process for ever: clock ticks from the system's start to the process's; on macOS microseconds since 1970.
   */
  readonly startedAt: number
  /** SIG_IGN. On macOS also those whose default action is to be ignored and that it does not handle, but never SIGCONT. */
  readonly ignored: Signal[]
  /** Have a handler. */
  readonly caught: Signal[]
  /** In the mask of its main thread. Undefined on macOS. */
  readonly blocked: Signal[] | undefined
  /** Have come, and wait. Undefined on macOS. */
  readonly pending: PendingSignals | undefined
  /** It gains no privilege by execve(2), and may install filters. Undefined on macOS, which has nothing like it. */
  readonly noNewPrivs: boolean | undefined
  /** What restricts its system calls; `'filter'` also stands for what enforces `ignore` (seccomp(2)). Undefined on macOS. */
  readonly seccomp: 'off' | 'strict' | 'filter' | undefined
}

const LARGEST_PID = 2 ** 22
const modes = ['off', 'strict', 'filter'] as const

/**
 * What any process does with its signals, one by the id of a thread too. Signals 32 and 33, libc's own, are told like others. Also from
 * a worker thread; `blocked` and `pending.thread` are of the main thread there too.
 * @param pid - of a process, or of one of its threads.
 * @returns what the kernel says at this moment.
 * @throws Error `ESRCH` when there is no such process, `EACCES` when it may not be looked at, what else open(2) refuses (`EMFILE`,
 * `ENFILE`; `ERR_ACCESS_DENIED` under Node's permission model); TypeError `ERR_INVALID_ARG_TYPE`,
 * RangeError `ERR_OUT_OF_RANGE`; in Node Error `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is no addon, or /proc
 * is of another pid namespace.
 * @example
 * const child = spawnProtected('sleep', ['60'])
 * console.log(stateOf(child.pid as number).ignored.join()) // SIGINT
 * await child.stop()
 */
export function stateOf(pid: number): ProcessState {
  checkPid(pid)
  const told = toldProcesses(pid)
  if (told) return stateTold(told[0])
  for (;;) {
    const startedAt = startOf(pid)
    const status = looking(() => new ProcStatus(pid))
    // The number may be another's by now.
    if (startOf(pid) !== startedAt) continue
    const set = (name: string) => signalsOf(status.set(name))
    return {
      pid,
      startedAt,
      ignored: set('SigIgn'),
      caught: set('SigCgt'),
      blocked: set('SigBlk'),
      pending: { thread: set('SigPnd'), process: set('ShdPnd') },
      noNewPrivs: status.field('NoNewPrivs') === '1',
      seccomp: modes[Number(status.field('Seccomp'))] ?? 'filter',
    }
  }
}

function stateTold(told: ToldProcess | undefined): ProcessState {
  if (told === undefined) throw systemError(-constants.errno.ESRCH, 'sysctl')
  const { pid, startedAt, ignored, caught } = told
  const untold = { blocked: undefined, pending: undefined, noNewPrivs: undefined, seccomp: undefined }
  return { pid, startedAt, ignored: signalsOf(ignored), caught: signalsOf(caught), ...untold }
}

function checkPid(pid: unknown): number {
  if (typeof pid !== 'number') throw invalidArgType('pid', 'of type number', pid)
  return checkInteger('pid', pid, 1, LARGEST_PID)
}

function startOf(pid: number): number {
  if (!isProcOwn() && existsSync('/proc/self/stat')) {
    throw unavailable(
      'stateOf() reads /proc, which is of another pid namespace here. Mount its own (mount -t proc proc /proc)',
    )
  }
  return entryOf(
    pid,
    looking(() => readFileSync(`/proc/${pid}/stat`, 'latin1')),
  ).startedAt
}

function looking<T>(look: () => T): T {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Without proc(5) there is no telling.
    if (code === 'ESRCH' || (code === 'ENOENT' && existsSync('/proc/self/stat'))) {
      throw systemError(-constants.errno.ESRCH, 'open')
    }
    // What hides the processes of others answers so (hidepid of proc(5)).
    if (code === 'EPERM') throw systemError(-constants.errno.EACCES, 'open')
    throw error
  }
}

/** Which process is meant. */
export interface KillOptions {
  /** As `stateOf` told it. */
  readonly startedAt: number
}

const killOptions: ReadonlySet<string> = new Set<keyof KillOptions>(['startedAt'])

/**
 * Sends a signal to the process that had this pid and was started then, and to no other that has the pid now (pidfd_send_signal(2)).
 * Where the system knows no pidfds (kernels before 5.3, some containers) a moment remains between the look and the signal. Signal 0
 * only asks.
 * @param pid - of any process.
 * @param signal - a signal, or 0.
 * @param options - which process is meant.
 * @returns true, as `process.kill`.
 * @throws Error `ESRCH` when that process has ended, `EPERM` when it may not be sent a signal, `EMFILE`, `ENFILE` where no descriptor is
 * left, `EACCES` where it may not be looked at; TypeError `ERR_INVALID_ARG_TYPE`,
 * `ERR_UNKNOWN_SIGNAL`, RangeError `ERR_OUT_OF_RANGE`; Error `ERR_DLOPEN_FAILED`, `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is
 * no addon.
 * @example
 * const child = spawnProtected('sleep', ['60'])
 * const { startedAt } = stateOf(child.pid as number)
 * console.log(kill(child.pid as number, 'SIGTERM', { startedAt })) // true
 */
export function kill(pid: number, signal: Signal | 0, options: KillOptions): true {
  checkPid(pid)
  const number = signal === 0 ? 0 : signalNumber(signal)
  const own = ownOptions('options', options)
  warnOfMisspelt(own, killOptions)
  const { startedAt } = own as Partial<Record<keyof KillOptions, unknown>>
  if (typeof startedAt !== 'number') throw invalidArgType('options.startedAt', 'of type number', startedAt)
  checkInteger('options.startedAt', startedAt, 0, Number.MAX_SAFE_INTEGER)
  const error = native().signalProcess(pid, startedAt, number)
  if (error !== 0) throw systemError(error, 'kill')
  return true
}
