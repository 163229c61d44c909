/**
 * Node's own options keep Node's rules: values are checked here at little cost, and one that looks wrong is shown to
 * `child_process` itself, which refuses it in its own words.
 */
import childProcess from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { unavailable } from '../node/errors.js'

export type Options = Record<string, unknown>

/** As they were when this was loaded: a program may put ours, or a mock, in their place. */
export const nodes: typeof childProcess = { ...childProcess }

/** Thrown by what poisons a call, where Node has found nothing to refuse before. */
export class Accepted extends Error {}

/**
 * Has `child_process` check arguments without starting anything: its spawn checks `signal` after all that its callers pass
 * and `killSignal` after that, and both of these throw.
 */
export const poison = {
  signal: new Proxy({} as AbortSignal, {
    has() {
      throw new Accepted()
    },
  }),
  killSignal: Symbol('never a signal') as unknown as number,
}

/** Throws what Node throws for these arguments, if it does. */
export function letNodeCheck(start: () => unknown): void {
  proveOrderOfChecks()
  if (isAccepted(start)) return
}

export function isAccepted(start: () => unknown): boolean {
  try {
    start()
  } catch (error) {
    if (error instanceof Accepted) return true
    throw error
  }
  return false
}

/** Whether Node refuses what is asked of it; anything else that is thrown is a refusal too. */
export function isRefused(start: () => unknown): boolean {
  try {
    isAccepted(start)
    return false
  } catch {
    return true
  }
}

/** Each can only be refused. */
export const refused: readonly Options[] = [
  { cwd: 1 },
  { detached: 1 },
  { uid: 'x' },
  { gid: 'x' },
  { shell: 1 },
  { argv0: 1 },
  { windowsHide: 1 },
  { windowsVerbatimArguments: 1 },
  { timeout: -1 },
  { env: { NUL: '\0' } },
]

let proved = false

/**
 * All that rests on the order of Node's checks: were `signal` not the last but one, a wrong value would go unseen; were it not
 * checked at all, a program would be started twice.
 */
function proveOrderOfChecks(): void {
  if (proved) return
  // Even unchecked it could start nothing: there is no such program.
  const ask = (options: Options) => () => nodes.spawn('/dev/null/sigshield', [], options as object)
  const holds =
    isRefused(ask({ signal: null, killSignal: poison.killSignal })) &&
    isRefused(ask({ killSignal: poison.killSignal })) &&
    refused.every((options) => isRefused(ask({ ...options, ...poison }))) &&
    isAccepted(ask({ ...poison }))
  if (!holds) {
    throw unavailable(
      `sigshield can't have the options of child_process checked by Node ${process.versions.node}: it is made for Node 20, 22, ` +
        '24 and 26. Use one of these, or a newer sigshield.',
    )
  }
  proved = true
}

export const isObject = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0')
export const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined
const isInt32 = (value: unknown) => typeof value === 'number' && value === (value | 0)
const isBoolean = (value: unknown) => typeof value === 'boolean'
const isSignal = (value: unknown) =>
  typeof value === 'string'
    ? value.toUpperCase() in constants.signals
    : Object.values(constants.signals).includes(value as number)

/** Each true only for values that Node takes; with any other the call is shown to Node. */
const rules: Readonly<Record<string, ((value: unknown) => boolean) | null | undefined>> = {
  __proto__: null,
  cwd: isText,
  detached: isBoolean,
  uid: isInt32,
  gid: isInt32,
  shell: (value) => isBoolean(value) || isText(value),
  argv0: isText,
  windowsHide: isBoolean,
  windowsVerbatimArguments: isBoolean,
  timeout: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
}

/** The overloads of spawn: (file), (file, options), (file, args), (file, args, options). */
export function overload(args: unknown, options: unknown): { args: readonly unknown[]; options: unknown } {
  if (Array.isArray(args)) return { args, options }
  return isAbsent(args) ? { args: [], options } : { args: [], options: args }
}

/** What Node checks before it looks at the environment. */
export function checkAsNode(file: unknown, args: readonly unknown[], options: Options): void {
  let suspicious = !isText(file) || file === '' || args.some((arg) => typeof arg === 'string' && !isText(arg))
  for (const name in options) suspicious ||= !isAbsent(options[name]) && rules[name]?.(options[name]) === false
  // With arguments for a shell, Node has a deprecation warning of its own to give.
  if (!suspicious && !(options.shell && args.length > 0)) return
  letNodeCheck(() => nodes.spawn(file as string, args as string[], { ...options, ...poison }))
}

/** What Node checks after it. */
export function checkEndsAsNode(file: string, args: readonly unknown[], options: Options): void {
  const { signal, killSignal } = options
  if (signal !== undefined && !(isObject(signal) && 'aborted' in signal)) {
    letNodeCheck(() => nodes.spawn(file, args as string[], { ...options, killSignal: poison.killSignal }))
  }
  if (!isAbsent(killSignal) && !isSignal(killSignal)) {
    letNodeCheck(() => nodes.execFile('/', { killSignal: killSignal as number, signal: poison.signal }))
  }
}

/** A path as Node hands it on: only of URLs it makes text. */
export function pathOf(path: unknown): unknown {
  return typeof path === 'string' || types.isUint8Array(path) ? path : fileURLToPath(path as URL)
}
