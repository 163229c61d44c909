/** What becomes of a signal that reaches `sigshield run`: its child has it already, is sent it, or is stopped. */
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Presses } from '../end/presses.js'
import { native } from '../native/load.js'
import type { ProtectedProcess } from '../protected-process.js'
import { isShortage } from '../signal/kernel-file.js'
import { includes, type Signal, signalName, signalsOf } from '../signal/names.js'
import { processSet } from '../signal/policy.js'
import { processEntry } from '../signal/process-table.js'
import { hold } from '../signal/scopes.js'
import { type ReceivedSignal, wait } from '../signal/waiting.js'
import type { ProcessHandle } from '../start/process-handle.js'
import type { StopRequest } from '../stop.js'
import { say } from './held-output.js'
import { hasTerminal, type JobControl } from './job-control.js'
import { duration } from './values.js'

const { SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH } = constants.signals

/** What a terminal sends to its foreground group, and at its end. */
const OF_TERMINAL: readonly number[] = [SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGCONT, SIGWINCH]
const ASKS_TO_LEAVE: readonly number[] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
const STOPS: readonly number[] = [SIGTSTP, SIGTTIN, SIGTTOU]

const LOOK_AGAIN_MS = 100

/** All that this process can take. */
const ALL: readonly Signal[] = signalsOf((1n << 64n) - 1n).filter((signal) => {
  try {
    return processSet([signal]) !== 0n
  } catch {
    return false
  }
})

/**
 * Whether it may come of a terminal. On macOS no signal is the kernel's own: a Ctrl-C is said to be of who writes to the other side of
 * the terminal, which stands in another session.
 */
function isOfSystem({ pid, fromKernel }: ReceivedSignal): boolean {
  if (fromKernel || process.platform !== 'darwin') return fromKernel
  // None of one that has gone since, as kill(1).
  const { session = 0 } = processEntry(pid) ?? {}
  return session > 0 && session !== processEntry(process.pid)?.session
}

/** Undefined where the system has nothing to wait with: what comes by the next time is held. */
async function nextSignal(): Promise<ReceivedSignal | undefined> {
  try {
    return await wait(ALL)
  } catch (error) {
    // EAGAIN: no thread (pthread_create(3)).
    if (!isShortage(error) && (error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    await sleep(LOOK_AGAIN_MS)
    return undefined
  }
}

export interface RelayOptions {
  readonly stop: StopRequest
  /** That the child was asked not to hear. */
  readonly asked: bigint
  readonly sharesGroup: boolean
}

export class Relay {
  readonly #options: RelayOptions
  /** At its start: a terminal that hangs up is gone when its signal is here. */
  readonly #hasTerminal = hasTerminal()
  #presses: Presses | undefined
  #isHurried = false
  #stopping: Promise<void> = Promise.resolve()
  #enough: () => void = () => {}

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** No signal does anything else while `work` is under way. */
  whileHeld(work: () => Promise<void>): Promise<void> {
    return hold(ALL, work)
  }

  /** As if somebody had sent SIGTERM. */
  leave(child: ProtectedProcess): void {
    this.#stop(SIGTERM, child)
  }

  /** Resolves when somebody asks to leave after the child has: what it has left behind is not waited for any longer. */
  readonly hasEnough = new Promise<void>((resolve) => {
    this.#enough = resolve
  })

  /** Resolves when a stop that is under way is over, with all that it was to reach. */
  get settled(): Promise<void> {
    return this.#stopping
  }

  /** Until this process ends. Rejects where no signal can be taken. */
  async begin(child: ProtectedProcess, handle: ProcessHandle, jobs: JobControl): Promise<never> {
    for (;;) {
      const arrival = await nextSignal()
      if (arrival) this.#take(arrival.number, isOfSystem(arrival), child, handle, jobs)
    }
  }

  #take(number: number, isOfSystem: boolean, child: ProtectedProcess, handle: ProcessHandle, jobs: JobControl): void {
    const isOfTerminal = isOfSystem && this.#hasTerminal && OF_TERMINAL.includes(number)
    const { asked, sharesGroup } = this.#options
    if (!handle.running) {
      if (ASKS_TO_LEAVE.includes(number)) this.#enough()
      return
    }
    if (includes(asked, number)) {
      if (ASKS_TO_LEAVE.includes(number)) this.#stop(number, child)
    } else if (includes(handle.unheard, number)) {
      // It was ignored or blocked before there was a sigshield.
    } else if (number === SIGTERM) {
      this.#stop(number, child)
    } else if (isOfTerminal && (sharesGroup || STOPS.includes(number) || number === SIGWINCH)) {
      // The child has it, or is not meant.
    } else if (number !== SIGCONT || !jobs.hasGoneOn()) {
      handle.kill(number)
    }
  }

  /** The ladder; and its end when somebody insists. */
  #stop(number: number, child: ProtectedProcess): void {
    const signal = signalName(number)
    const { stop } = this.#options
    if (this.#presses === undefined) {
      this.#presses = new Presses(signal)
      const { grace, secondGrace, signal: asks, target } = stop
      const since = performance.now()
      this.#stopping = child.stop({ grace: [grace, secondGrace], signal: asks, target }).then(
        ({ forced }) => {
          if (!forced || grace === 0) return
          const why = this.#isHurried
            ? 'it was asked again'
            : `it did not leave in ${duration(performance.now() - since)}`
          return say(`${child.spawnfile} was killed: ${why}`)
        },
        (error: Error) => {
          this.#presses = undefined
          return say(`${child.spawnfile} can't be stopped: ${error.message}`)
        },
      )
    } else if (this.#presses.isAnother(signal)) {
      this.#isHurried = true
      child.stop({ grace: 0, target: stop.target }).catch(() => {})
    }
  }
}

/** Ends this process as its child has ended, so that who waits for it sees no difference but a core dump that is there once. */
export function endAs(code: number, signal: number | undefined): never {
  if (signal === undefined) return native().leave(code)
  native().endBy(signal)
  return native().leave(128 + signal)
}
