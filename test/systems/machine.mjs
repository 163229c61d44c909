/** What the checks of other systems need of this machine. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** Outside the tree, and shared with test/support/npm-program.mjs. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sigshield')

export function run(/** @type {string} */ command, /** @type {readonly string[]} */ args, options = {}) {
  return execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], maxBuffer: 2 ** 28, ...options })
}

export function output(/** @type {string} */ command, /** @type {readonly string[]} */ args, options = {}) {
  return String(run(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options }))
}

const isInstalled = (/** @type {string} */ program) =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) =>
    existsSync(resolve(folder, program)),
  )

/** Installs the Debian packages whose programs are missing, or whose files, named by their whole paths. */
export function need(/** @type {Record<string, string>} */ packageOf) {
  const missing = new Set(Object.entries(packageOf).flatMap(([program, name]) => (isInstalled(program) ? [] : [name])))
  if (missing.size === 0) return
  const names = [...missing]
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    throw new Error(`This needs Debian's ${names.join(', ')}: apt-get install ${names.join(' ')}`)
  }
  run('apt-get', ['update', '-qq'])
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env, stdio: ['ignore', 2, 2] })
}
