/** What a child of a supervisor is given where nobody says otherwise, and what can't work together. */
import { constants } from 'node:os'
import { checkStop } from '../end/ladder.js'
import { type ExitEvent, sourceOf } from '../exit-event.js'
import { invalidArgValue, ownOptions } from '../node/errors.js'
import { type Signal, signalName } from '../signal/names.js'
import { hasOwnGroup, protectionFrom, unheardSignals } from '../start/protection.js'
import type { ProtectionOptions } from '../start/protection-options.js'
import { type StopOptions, stopRequest } from '../stop.js'
import { RestartPolicy } from './restart.js'

/** What may end a child by itself. Checked by its start. */
interface StartOptions extends ProtectionOptions {
  readonly timeout?: unknown
  readonly signal?: unknown
  readonly killSignal?: unknown
}

/** What this process handles itself, but for the signals that are to end the child. */
export function defaultIgnore(
  { ignore, foreground, parentDeathSignal, timeout, signal, killSignal }: StartOptions,
  stop: StopOptions,
  handled: readonly number[],
): { readonly ignore?: readonly Signal[] } {
  if (ignore !== undefined || foreground === true || handled.length === 0) return {}
  const isLimited = timeout !== undefined || signal !== undefined
  // Node takes it in any case.
  const limiting = typeof killSignal === 'string' ? killSignal.toUpperCase() : (killSignal ?? 'SIGTERM')
  const ending: unknown[] = [stop.signal, parentDeathSignal, isLimited ? limiting : undefined]
  const signals = new Set([constants.signals.SIGINT, ...handled])
  return { ignore: [...signals].filter((number) => !ending.includes(number) && !ending.includes(signalName(number))) }
}

/** What was given: an option that is undefined has its default, and what stands on Object.prototype is none. */
export function definite<Options extends object>(options: Options): Options {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { __proto__: null, ...Object.fromEntries(given) } as unknown as Options
}

/**
 * What would make a stop impossible is refused when it is given.
 * @throws TypeError, RangeError in Node's shapes.
 */
export function checkTogether(start: ProtectionOptions, stop: StopOptions, restart: unknown): RestartPolicy {
  if (start.waitForExec !== undefined) {
    const rule = 'must not be given: a supervisor has to know at once whether a child of its runs'
    throw invalidArgValue('options.waitForExec', start.waitForExec, rule)
  }
  const protection = protectionFrom(start, 'auto')
  const leadsGroup = hasOwnGroup(protection) || (start as { detached?: unknown }).detached === true
  const asksByEvent = start.exitEvent === undefined || sourceOf(start.exitEvent)?.settable === true
  checkStop({ unheard: unheardSignals(protection), unhandled: 0n, leadsGroup, asksByEvent }, stopRequest(stop))
  return new RestartPolicy(restart)
}

/**
 * For children that other code starts. A supervisor's ladder is theirs too.
 * @throws TypeError `ERR_INVALID_ARG_VALUE` for an exit event: it is the supervisor's.
 */
export function adoptedOptions(
  given: object | null,
  start: ProtectionOptions,
  stop: StopOptions,
  event: ExitEvent,
): object {
  const own = definite(ownOptions('options', given)) as { exitEvent?: ExitEvent }
  if (own.exitEvent !== undefined) {
    throw invalidArgValue('options.exitEvent', own.exitEvent, "must not be given: it is the supervisor's own")
  }
  const { foreground: _, ...shared } = start
  const { grace = stopRequest({}).grace, signal } = stop
  return { grace, signal, ...shared, ...own, exitEvent: event }
}
