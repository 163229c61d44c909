/** The shapes of the errors we throw: Node's own codes, and its wording where it has one. */
import { getSystemErrorName, inspect } from 'node:util'

function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code })
}

/** A value that the rule forbids; `rule` completes "The property 'x' …" and says what to do instead. */
export function invalidArgValue(name: string, value: unknown, rule: string): TypeError & { code: string } {
  const kind = name.includes('.') ? 'property' : 'argument'
  return withCode(new TypeError(`The ${kind} '${name}' ${rule}. Received ${inspect(value)}`), 'ERR_INVALID_ARG_VALUE')
}

export function invalidArgType(name: string, expected: string, value: unknown): TypeError & { code: string } {
  const kind = name.includes('.') ? 'property' : 'argument'
  return withCode(
    new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${inspect(value)}`),
    'ERR_INVALID_ARG_TYPE',
  )
}

export function outOfRange(name: string, range: string, value: unknown): RangeError & { code: string } {
  return withCode(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`),
    'ERR_OUT_OF_RANGE',
  )
}

/** `place`: the option and the entry, where it is not a call's only signal. */
export function unknownSignal(value: unknown, place: string, hint: string): TypeError & { code: string } {
  const where = place === 'signal' ? '' : ` in ${place}`
  return withCode(new TypeError(`Unknown signal: ${inspect(value)}${where}${hint}`), 'ERR_UNKNOWN_SIGNAL')
}

export function checkInteger(name: string, value: number, minimum: number, maximum: number): number {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value
  throw outOfRange(name, `an integer >= ${minimum} && <= ${maximum}`, value)
}

/** setTimeout's limit: longer delays would fire at once. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** A duration; Infinity is none at all. */
export function checkMilliseconds(name: string, value: unknown): number {
  if (value === Number.POSITIVE_INFINITY) return value
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value)
  if (value >= 0 && value <= MAX_TIMEOUT_MS) return value
  throw outOfRange(name, `>= 0 && <= ${MAX_TIMEOUT_MS}, or Infinity`, value)
}

/** What a person has written at `place`, in a file or a variable. */
export function invalidSetting(place: string, cause: unknown): TypeError & { code: string } {
  return withCode(new TypeError(`${place}: ${(cause as Error).message}`, { cause }), 'ERR_INVALID_ARG_VALUE')
}

/** What this platform, or this thread, can't do; `message` says what to do instead. */
export function unavailable(message: string): Error & { code: string } {
  return withCode(new Error(message), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
}

/** What a callback must not return. */
export function invalidReturnValue(expected: string, callback: string, value: unknown): TypeError & { code: string } {
  return withCode(
    new TypeError(`Expected ${expected} to be returned from the "${callback}" function but got ${inspect(value)}.`),
    'ERR_INVALID_RETURN_VALUE',
  )
}

/** An operation that the state of the object forbids. */
export function invalidState(message: string): Error & { code: string } {
  return withCode(new Error(message), 'ERR_INVALID_STATE')
}

/** Of the same name and shape as Node's own class, which it keeps to itself. */
export class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(cause: unknown) {
    super('The operation was aborted', { cause })
  }
}

/** A system call that failed, in the shape of Node's own system errors. */
export function systemError(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall })
}

export function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The object's own properties alone: what somebody has put on Object.prototype is no option.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for what is no object.
 */
export function ownOptions(name: string, value: unknown): object {
  if (!isOptions(value)) throw invalidArgType(name, 'of type object', value)
  return { __proto__: null, ...value }
}
