/** What of the guard stands in an environment. */
import { basename } from 'node:path'
import { GUARD_LIBRARY } from '../native/guard-library.js'
import { GUARD_VARIABLE, guardText } from '../signal/guard.js'

const isMac = process.platform === 'darwin'

/** The variable that names libraries to the loader. */
export const PRELOAD = isMac ? 'DYLD_INSERT_LIBRARIES' : 'LD_PRELOAD'

const separator = isMac ? ':' : /[: ]/

/** Why the loader can't be told of a library at such a path: the variable has no quoting (ld.so(8), dyld(1)). */
export function whyNotNamed(library: string): string | undefined {
  const isNamed = isMac ? !library.includes(':') : !/[\s:$]/.test(library)
  return isNamed ? undefined : `the loader takes no path with such characters: ${library}`
}

/** An environment as a start has it: its own entries, or this process's. */
export interface StartEnvironment {
  /** `null`: this process's own. */
  readonly environment: readonly string[] | null
  readonly environmentChanges: readonly string[]
}

/** The last of the changes counts, then the first of the entries, as in the environment that is made of them. */
export function valueIn({ environment, environmentChanges }: StartEnvironment, name: string): string | undefined {
  const prefix = `${name}=`
  const change = environmentChanges.findLast((entry) => entry === name || entry.startsWith(prefix))
  if (change !== undefined) return change === name ? undefined : change.slice(prefix.length)
  if (environment === null) return process.env[name]
  return environment.find((entry) => entry.startsWith(prefix))?.slice(prefix.length)
}

const libraries = (value: string | undefined) => (value ?? '').split(separator).filter((path) => path !== '')
const isGuard = (path: string) => basename(path) === GUARD_LIBRARY

/** How a guard is told what to do. `acknowledge`: the descriptor in the child, and its inode, on which it is to answer. */
export function guarding(
  given: StartEnvironment,
  library: string,
  set: bigint,
  acknowledge: { readonly fd: number; readonly inode: bigint } | undefined,
): string[] {
  const before = libraries(valueIn(given, PRELOAD))
  const answer = acknowledge ? `;${acknowledge.fd},${acknowledge.inode}` : ''
  // After the user's own: some must be the first (the sanitizers).
  const after = before.includes(library) ? before : [...before, library]
  return [`${PRELOAD}=${after.join(':')}`, `${GUARD_VARIABLE}=${guardText(set)}${answer}`]
}

/** This process was started under a guard, which its children would inherit. */
const wasGuarded = process.env[GUARD_VARIABLE] !== undefined

/** An explicit start says what is ignored: what this process's own guard adds to it goes. */
export function unguarding(given: StartEnvironment): string[] {
  if (!wasGuarded) return []
  const before = libraries(valueIn(given, PRELOAD))
  if (!before.some(isGuard)) return [GUARD_VARIABLE]
  const after = before.filter((path) => !isGuard(path))
  return [after.length === 0 ? PRELOAD : `${PRELOAD}=${after.join(':')}`, GUARD_VARIABLE]
}
