/** The guard as a file: it stands beside the addon. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { addonFile, root } from './place.js'

/** The last part of its path, by which another copy of sigshield's is known too. */
export const GUARD_LIBRARY = process.platform === 'darwin' ? 'sigshield-guard.dylib' : 'sigshield-guard.so'

let places: readonly string[] | undefined

/** Undefined where it was not built, or is there no longer: a loader that finds none goes on without it. */
export function guardLibrary(): string | undefined {
  places ??= [dirname(addonFile() ?? root), join(root, 'build/Release')].map((folder) => join(folder, GUARD_LIBRARY))
  return places.find(existsSync)
}
