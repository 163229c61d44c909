/** Loads the addon at its first use: importing the library costs nothing, and fails nowhere. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireNode } from '../node/runtime.js'
import type { Addon } from './addon.js'

/** The folder that holds binding.gyp: two above lib/native/ and dist/native/ alike. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

let addon: Addon | undefined

/**
 * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there is none for this system, or this is not Node, `ERR_DLOPEN_FAILED` where it was not
 * built.
 */
export function native(): Addon {
  addon ??= load()
  return addon
}

function load(): Addon {
  requireNode()
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    throw Object.assign(
      new Error(
        `sigshield can't start children on ${process.platform} yet: only on Linux and macOS. ` +
          'Use node:child_process there, and tell children to leave over a pipe that you close.',
      ),
      { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' },
    )
  }
  const require = createRequire(import.meta.url)
  if (!existsSync(join(root, 'build')) && !existsSync(join(root, 'prebuilds'))) {
    throw Object.assign(
      new Error(
        `The sigshield addon is not built in ${root}: npm was told not to run install scripts. ` +
          'Run `npm rebuild sigshield` (it needs python3, make and a C++20 compiler).',
      ),
      { code: 'ERR_DLOPEN_FAILED' },
    )
  }
  return (require('node-gyp-build') as (directory: string) => Addon)(root)
}
