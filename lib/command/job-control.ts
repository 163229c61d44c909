/** Ctrl-Z, fg and bg: this process stops when its child does, as that is all that the shell sees, and goes on with it. */
import { closeSync, constants as files, openSync } from 'node:fs'
import { constants } from 'node:os'
import { native } from '../native/load.js'
import { kernelFile, unlessShort } from '../signal/kernel-file.js'
import { processEntry } from '../signal/process-table.js'
import type { ProcessHandle } from '../start/process-handle.js'

const { SIGCONT, SIGSTOP, SIGTSTP } = constants.signals

/** Whether this process's session has a terminal; false where it can't be told now. */
export function hasTerminal(): boolean {
  return unlessShort(isOfTerminal) ?? false
}

/** proc_pid_stat(5), or where there is no /proc, tty(4). */
function isOfTerminal(): boolean {
  const stat = kernelFile('/proc/self/stat')
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0'
  try {
    closeSync(openSync('/dev/tty', files.O_RDONLY | files.O_NOCTTY | files.O_NONBLOCK))
    return true
  } catch {
    return false
  }
}

/**
 * Whether its parent has given it a process group of its own, and so lets it go on when it is stopped: npm and scripts do not. False
 * where it can't be told now.
 */
function hasShell(): boolean {
  const [own, parent] = unlessShort(() => [processEntry(process.pid), processEntry(process.ppid)]) ?? []
  return own !== undefined && own.session === parent?.session && own.group !== parent.group
}

export class JobControl {
  readonly #pid: number
  readonly #handle: ProcessHandle
  readonly #holdsTerminal: boolean
  readonly #sharesGroup: boolean
  #hasStopped = false

  constructor(pid: number, handle: ProcessHandle, child: { holdsTerminal: boolean; sharesGroup: boolean }) {
    this.#pid = pid
    this.#handle = handle
    this.#holdsTerminal = child.holdsTerminal
    this.#sharesGroup = child.sharesGroup
    if (!hasTerminal() || !(child.holdsTerminal || hasShell())) return
    process.on('SIGCHLD', () => this.#look())
    // It may have stopped already.
    this.#look()
  }

  get #stopSignal(): number {
    const signal = this.#handle.stopSignal
    if (signal !== 0 || !this.#holdsTerminal || !this.#handle.running) return signal
    // Who took the terminal back has taken the news.
    return unlessShort(() => processEntry(this.#pid))?.state === 'T' ? SIGTSTP : 0
  }

  /** Whether a SIGCONT that has come is the end of such a stop, of which the child is told already. */
  hasGoneOn(): boolean {
    const had = this.#hasStopped
    this.#hasStopped = false
    return had
  }

  #look(): void {
    const signal = this.#stopSignal
    if (signal === 0) return
    this.#hasStopped = true
    if (signal === SIGSTOP) process.kill(process.pid, SIGSTOP)
    else native().stopByDefault(signal)
    this.#goOn()
  }

  /** By `fg` or `bg`: a shell lets its job's process group go on, and gives it the terminal. */
  #goOn(): void {
    if (this.#holdsTerminal) native().handOverTerminal(this.#pid)
    if (!this.#sharesGroup) this.#handle.killGroup(SIGCONT)
    else if (this.#handle.stopSignal !== 0) this.#handle.kill(SIGCONT)
  }
}
