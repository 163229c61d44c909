/** What one call of protect() gives to the children that other code starts: their protection, and how they are ended. */
import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { checkStop } from '../end/ladder.js'
import { ExitEvent } from '../exit-event.js'
import { native } from '../native/load.js'
import { invalidArgValue, ownOptions } from '../node/errors.js'
import { didYouMean } from '../node/misspelt.js'
import { includes } from '../signal/names.js'
import type { ProcessHandle } from '../start/process-handle.js'
import { type Protection, protectionFrom, unheardSignals } from '../start/protection.js'
import { generalOptions, type ProtectionOptions } from '../start/protection-options.js'
import { type StopOptions, type StopOutcome, type StopRequest, stopRequest } from '../stop.js'

/** As for {@link spawnProtected}, where nothing else is said. */
export interface ProtectOptions
  extends Omit<ProtectionOptions, 'exitEvent' | 'foreground' | 'ignore' | 'parentDeathSignal' | 'waitForExec'> {
  /**
   * SIGTERM among them is refused unless `grace` or `signal` says how such a child is ended.
   * @default ['SIGINT']; [] for a child that is started `detached`: no terminal reaches it
   */
  readonly ignore?: ProtectionOptions['ignore']
  /**
   * Each child has an exit event of its own, which is set with this one.
   * @default none: that of each child stands alone
   */
  readonly exitEvent?: ExitEvent | undefined
  /**
   * Of a child that a worker thread starts by default, it comes at the end of that thread.
   * @default 'SIGTERM', 'SIGKILL' for a child that does not hear that; false for one that is started `detached`
   */
  readonly parentDeathSignal?: ProtectionOptions['parentDeathSignal']
  /** Until a child's tree is killed, when it was sent a signal that it ignores, or is stopped. @default 5000 */
  readonly grace?: StopOptions['grace']
  /** What the tree of a child is sent in place of a signal that it ignores. @default 'SIGTERM', if the child hears it */
  readonly signal?: StopOptions['signal']
}

const names: ReadonlySet<string> = new Set([...generalOptions, 'grace', 'signal'])

const { SIGKILL, SIGTERM } = constants.signals

/** A child's descendants ignore what it ignores. */
const target = process.platform === 'linux' ? 'tree' : 'process'

/** Whoever ends these children besides. */
export interface Adopter {
  adopt(child: ChildProcess, handle: AdoptedHandle): void
}

export interface AdoptedHandle extends ProcessHandle {
  /** Its tree, where a stop of several asks for no other target. */
  endAs(request: StopRequest): Promise<StopOutcome>
}

/** What one child is given. */
export interface ShieldedStart {
  readonly protection: Protection
  /** Of a stop that says nothing else. */
  readonly stopDefaults: StopOptions
  /** In place of a signal that it does not hear. */
  readonly ending: StopRequest
  /** The child has ended, or did not start. */
  ended(): void
  readonly adopter: Adopter | undefined
}

export class Shield {
  readonly #attached: Protection
  readonly #detached: Protection
  readonly #stopDefaults: StopOptions
  readonly #shared: ExitEvent | undefined
  readonly #adopter: Adopter | undefined

  /** @throws TypeError, RangeError for options that are wrong by themselves, or together. */
  constructor(options: unknown, adopter?: Adopter) {
    this.#adopter = adopter
    const given = ownOptions('options', options) as ProtectOptions
    for (const [name, value] of Object.entries(given)) {
      if (!names.has(name))
        throw invalidArgValue(`options.${name}`, value, `is no option of protect()${didYouMean(name, names)}`)
    }
    const { ignore, grace, signal } = given
    const protection = protectionFrom(given, 'auto')
    this.#attached = withDeathSignal(given, protection)
    this.#detached = ignore === undefined ? protectionFrom({ ...given, ignore: [] }, 'auto') : protection
    if (!hearsTerm(protection) && grace === undefined && signal === undefined) {
      const rule = "must not contain SIGTERM, unless 'grace' or 'signal' says how such a child is ended"
      const isIgnored = includes(protection.numbers.ignored, SIGTERM)
      throw invalidArgValue(isIgnored ? 'options.ignore' : 'options.block', isIgnored ? ignore : given.block, rule)
    }
    this.#stopDefaults = { grace, signal, target }
    const child = { unheard: unheardSignals(protection), unhandled: 0n, leadsGroup: false, asksByEvent: true }
    checkStop(child, stopRequest(this.#stopDefaults))
    this.#shared = given.exitEvent
  }

  start(isDetached: boolean): ShieldedStart {
    const general = isDetached ? this.#detached : this.#attached
    const exitEvent = new ExitEvent()
    const events = this.#shared && eventsSetWith(this.#shared)
    // One that starts later finds it set.
    if (this.#shared?.isSet()) exitEvent.set()
    else events?.add(exitEvent)
    const { signal = hearsTerm(general) ? 'SIGTERM' : undefined } = this.#stopDefaults
    return {
      protection: { ...general, exitEvent },
      stopDefaults: this.#stopDefaults,
      ending: { ...stopRequest({ ...this.#stopDefaults, signal }), restHasGrace: true, sameSession: true },
      ended: () => void events?.delete(exitEvent),
      adopter: this.#adopter,
    }
  }
}

/** Those of the children that are set with one that they share: by one listener, however many shields there are. */
const sharing = new WeakMap<ExitEvent, Set<ExitEvent>>()

function eventsSetWith(shared: ExitEvent): Set<ExitEvent> {
  const known = sharing.get(shared)
  if (known) return known
  const events = new Set<ExitEvent>()
  sharing.set(shared, events)
  shared.signal.addEventListener('abort', () => {
    for (const event of events) event.set()
  })
  return events
}

function hearsTerm(protection: Protection): boolean {
  return !includes(unheardSignals(protection), SIGTERM)
}

/** So that no child outlives a parent that had no time to end it, deaf to the terminal. */
function withDeathSignal({ parentDeathSignal }: ProtectOptions, protection: Protection): Protection {
  if (parentDeathSignal !== undefined || !native().hasParentDeathSignal) return protection
  const signal = hearsTerm(protection) ? SIGTERM : SIGKILL
  return { ...protection, numbers: { ...protection.numbers, parentDeathSignal: signal } }
}
