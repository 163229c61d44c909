/** Loads the addon at its first use: importing the library costs nothing, and fails nowhere. */
import { createRequire } from 'node:module'
import { unavailable } from '../node/errors.js'
import { requireNode } from '../node/runtime.js'
import type { Addon } from './addon.js'
import { isCutOff } from './elf.js'
import { addonFile } from './place.js'
import { cutOff, missing, outdated, unloadable } from './refused.js'
import { missingName } from './surface.js'

let addon: Addon | undefined

/**
 * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there can be none for this system, or this is not Node, `ERR_DLOPEN_FAILED`
 * where there is none, it can't be loaded, or is of another version; `EMFILE`, `ENFILE` where no descriptor is left to load it.
 */
export function native(): Addon {
  addon ??= load()
  return addon
}

function load(): Addon {
  requireNode()
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    throw unavailable(
      `sigshield can't start children on ${process.platform} yet: only on Linux and macOS. ` +
        'Use node:child_process there, and tell children to leave over a pipe that you close.',
    )
  }
  const file = addonFile()
  if (file === undefined) throw missing()
  const loaded = required(file)
  const name = missingName(loaded)
  if (name !== undefined) throw outdated(name)
  return loaded
}

function required(file: string): Addon {
  if (isCut(file)) throw cutOff(file)
  try {
    return createRequire(import.meta.url)(file) as Addon
  } catch (error) {
    throw unloadable(file, error)
  }
}

/** What can't be read the loader says better. */
function isCut(file: string): boolean {
  try {
    return isCutOff(file)
  } catch {
    return false
  }
}
