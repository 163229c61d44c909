/** The guard as a file: it stands beside the addon. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from './load.js'

/** The last part of its path, by which another copy of sigshield's is known too. */
export const GUARD_LIBRARY = process.platform === 'darwin' ? 'sigshield-guard.dylib' : 'sigshield-guard.so'

let found: string | undefined

/** Undefined where it was not built. */
export function guardLibrary(): string | undefined {
  if (found !== undefined) return found
  const { path } = createRequire(import.meta.url)('node-gyp-build') as { path(directory: string): string }
  const beside = join(dirname(path(root)), GUARD_LIBRARY)
  if (existsSync(beside)) found = beside
  return found
}
