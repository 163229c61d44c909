/** One supervisor's part in the end of this process by a signal. */
import { constants } from 'node:os'
import { nextTick } from '../node/clock.js'
import { dispose } from '../node/dispose.js'
import { invalidArgType, invalidArgValue, ownOptions, unavailable } from '../node/errors.js'
import { warnOfMisspelt } from '../node/misspelt.js'
import { isMainThread } from '../node/thread.js'
import { type Signal, signalName } from '../signal/names.js'
import { endingSignals } from '../signal/policy.js'
import { coordinator } from './coordinator.js'

export interface HandleSignalsOptions {
  /** @default SIGINT, SIGTERM, SIGHUP */
  readonly signals?: readonly Signal[] | undefined
  /** The application's own part, at the same time: the process ends when what it returns has resolved and all children have gone. */
  readonly before?: ((signal: NodeJS.Signals) => unknown) | undefined
}

const optionNames: ReadonlySet<string> = new Set(['signals', 'before'])

/** What a signal does. */
export interface Endings {
  /** Asks all children, and resolves when they have gone. */
  shutdown(): Promise<unknown>
  /** The same, without grace. */
  kill(): Promise<unknown>
}

const DEFAULT_SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Until it is disposed of. */
export function handleSignals(
  options: readonly Signal[] | HandleSignalsOptions,
  { shutdown, kill }: Endings,
): Disposable & { readonly signals: readonly number[] } {
  const { signals = DEFAULT_SIGNALS, before } = Array.isArray(options)
    ? { signals: options }
    : (ownOptions('options', options) as HandleSignalsOptions)
  if (!Array.isArray(options)) warnOfMisspelt(options, optionNames)
  const place = Array.isArray(options) ? 'options' : 'options.signals'
  if (before !== undefined && typeof before !== 'function') {
    throw invalidArgType('options.before', 'of type function', before)
  }
  const numbers = endingSignals(place, signals)
  const names = numbers.map(signalName) as NodeJS.Signals[]
  const nameless = names.findIndex((name) => !Object.hasOwn(constants.signals, name))
  if (nameless !== -1) {
    const rule = 'must not be a real-time signal: Node has no listeners for them'
    throw invalidArgValue(`${place}[${nameless}]`, signals[nameless], rule)
  }
  if (!isMainThread()) {
    throw unavailable(
      'handleSignals() works on the main thread only: a worker thread gets no signals. Call it there, and shutdown() here',
    )
  }
  let hurry = () => {}
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve
  })
  const participant = {
    leave: async (signal: NodeJS.Signals) => {
      await Promise.all([shutdown().catch(warn), Promise.race([hurried, callHook(before, signal)])])
    },
    hurry: () => {
      hurry()
      // The first shutdown tells what became of it.
      kill().catch(() => {})
    },
  }
  coordinator().add(participant, names)
  return { signals: numbers, [dispose]: () => coordinator().remove(participant) }
}

async function callHook(before: HandleSignalsOptions['before'], signal: NodeJS.Signals): Promise<void> {
  try {
    await before?.(signal)
  } catch (error) {
    // An 'uncaughtException', as of any listener.
    nextTick(() => {
      throw error
    })
  }
}

/** A child that can't be ended does not keep this process from its own end. */
function warn(error: Error): void {
  process.emitWarning(error)
}
