/** What a child of a supervisor is given where nobody says otherwise. */
import { constants } from 'node:os'
import { type Signal, signalName } from '../signal/names.js'
import type { ProtectionOptions } from '../start/protection.js'
import type { StopOptions } from '../stop.js'

/** What may end a child by itself. Checked by its start. */
interface StartOptions extends ProtectionOptions {
  readonly timeout?: unknown
  readonly signal?: unknown
  readonly killSignal?: unknown
}

/** What this process handles itself, but for the signals that are to end the child. */
export function defaultIgnore(
  { ignore, foreground, parentDeathSignal, timeout, signal, killSignal = 'SIGTERM' }: StartOptions,
  stop: StopOptions,
  handled: readonly number[],
): { readonly ignore?: readonly Signal[] } {
  if (ignore !== undefined || foreground === true || handled.length === 0) return {}
  const isLimited = timeout !== undefined || signal !== undefined
  const ending: unknown[] = [stop.signal, parentDeathSignal, isLimited ? killSignal : undefined]
  const signals = new Set([constants.signals.SIGINT, ...handled])
  return { ignore: [...signals].filter((number) => !ending.includes(number) && !ending.includes(signalName(number))) }
}

/** What was given: an option that is undefined has its default. */
export function definite<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options
}
