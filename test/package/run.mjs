// npm run test:package [-- --tarball FILE] [--reduced] [PATTERN]: the tarball as users have it. The tools come from the registry that
// npm is told of; sigshield comes from one on the loopback, which has nothing else. --reduced: what .ci/run asks for.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { output, root } from '../systems/machine.mjs'
import { bundling } from './bundlers.mjs'
import { compiling } from './compilers.mjs'
import { conditions } from './conditions.mjs'
import { installers } from './installers.mjs'
import { repacked, serve } from './registry.mjs'

/**
 * @typedef {object} Context
 * @property {string} registry - Its address.
 * @property {string} tarball
 * @property {string} older - The version of another one, with the same inside.
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {boolean} [isReduced] - Runs in .ci/run too.
 * @property {(context: Context) => Promise<string | void>} run - Says what else there is to say.
 */

const { values, positionals } = parseArgs({
  options: { tarball: { type: 'string' }, reduced: { type: 'boolean' } },
  allowPositionals: true,
})
if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('npm run test:package is for Linux on x86-64')

const OLDER = '0.0.1'
const work = mkdtempSync(join(tmpdir(), 'sigshield-registry-'))
const isUsers = (/** @type {string} */ name) => name.startsWith('sigshield-user-')
const before = new Set(readdirSync(tmpdir()).filter(isUsers))
const tarball = resolve(
  values.tarball ?? output(process.execPath, [join(root, 'packaging/package.mjs'), '--out', work]).trim(),
)
const registry = await serve([repacked(tarball, OLDER, join(work, 'older')), tarball])
const context = { registry: registry.address, tarball, older: OLDER }

const pattern = new RegExp(positionals[0] ?? '')
const all = [...compiling, ...installers, ...conditions, ...bundling]
const cases = all.filter(({ name, isReduced }) => pattern.test(name) && (isReduced || !values.reduced))
if (cases.length === 0) throw new Error(`Nothing matches ${pattern}`)
const failed = []
for (const { name, run } of cases) {
  const start = performance.now()
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`
  try {
    const said = await run(context)
    const refused = registry.takeRefused()
    if (refused.length > 0) throw new Error(`it asked for more than the package: ${refused.join(', ')}`)
    console.log(`  ok  ${name}${said ? `: ${said}` : ''} (${seconds()})`)
  } catch (error) {
    registry.takeRefused()
    failed.push(name)
    console.log(`  FAILED  ${name} (${seconds()})\n${Object(error).stack}`)
  }
  for (const folder of readdirSync(tmpdir()).filter(isUsers)) {
    if (!before.has(folder)) rmSync(join(tmpdir(), folder), { recursive: true, force: true })
  }
}
registry.close()
rmSync(work, { recursive: true })
console.log(`${cases.length - failed.length} of ${cases.length}`)
if (failed.length > 0) throw new Error(`Not as users need it: ${failed.join('; ')}`)
