/** What crosses to the addon as text. */
import { constants } from 'node:os'

/**
 * More text than any system executes (execve(2): 6 MB on Linux), and less than a string can hold: so that the answer is the
 * system's own, and not that of the engine.
 */
const MAX_TEXT = 2 ** 26

/** A step that failed before the system was asked. */
export interface Refused {
  readonly errno: number
  readonly step: string
}

/** As C++ turns a JavaScript value into text: symbols throw, and a NUL ends it. */
export function text(value: unknown): string {
  const string = `${value as string}`
  const end = string.indexOf('\0')
  return end < 0 ? string : string.slice(0, end)
}

/** Of the joined `strings`, or of the paths that stand before them. Undefined where the system is to say what is too long. */
export function tooLong(paths: { file: string; directory: string }, strings: readonly string[]): Refused | undefined {
  if (isTooLong([paths.directory])) return { errno: -constants.errno.ENAMETOOLONG, step: 'chdir' }
  if (isTooLong([paths.file])) return { errno: -constants.errno.ENAMETOOLONG, step: 'execve' }
  if (isTooLong(strings)) return { errno: -constants.errno.E2BIG, step: 'execve' }
  return undefined
}

function isTooLong(strings: readonly string[]): boolean {
  let length = 0
  for (const string of strings) length += string.length
  return length > MAX_TEXT
}
