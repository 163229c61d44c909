/** The addon for another system than this one, and the least folder in which it runs. */
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { root, run } from './machine.mjs'

/** Node's own headers, of the running version. */
export function headers() {
  const places = [
    join(dirname(dirname(process.execPath)), 'include/node'),
    join(homedir(), '.cache/node-gyp', process.versions.node, 'include/node'),
  ]
  if (!places.some(existsSync)) run(join(root, 'node_modules/.bin/node-gyp'), ['install'], { cwd: root })
  const found = places.find(existsSync)
  if (found === undefined) throw new Error(`Node's headers are in none of ${places.join(', ')}`)
  return found
}

const sources = ['native/sources.txt', 'native/platform/linux/sources.txt']

/** Compiles with `compiler`, a C++ compiler and its own arguments, as binding.gyp does. */
export function buildAddon(/** @type {string[]} */ [compiler = '', ...args], /** @type {string} */ file, env = {}) {
  mkdirSync(dirname(file), { recursive: true })
  const files = sources.flatMap((list) => readFileSync(join(root, list), 'utf8').trim().split('\n'))
  const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir
  const flags = ['-std=c++20', '-O2', '-fvisibility=hidden', '-fPIC', '-shared', '-s', '-Wl,-z,nodelete']
  const defines = ['NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', 'NAPI_VERSION=9']
  const gyps = ['NODE_GYP_MODULE_NAME=sigshield', 'BUILDING_NODE_EXTENSION']
  run(
    compiler,
    [
      ...args,
      ...flags,
      ...[...defines, ...gyps].map((define) => `-D${define}`),
      ...[headers(), join(root, 'native'), join(root, addonApi)].map((folder) => `-I${folder}`),
      ...files,
      '-o',
      file,
    ],
    { cwd: root, env: { ...process.env, ...env } },
  )
}

/** All that the smoke set needs of the project. */
export function stage(/** @type {string} */ folder, /** @type {string} */ addon) {
  for (const part of ['package.json', 'dist', 'node_modules/node-gyp-build', 'test/support/systems/smoke.mjs']) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  mkdirSync(join(folder, 'build/Release'), { recursive: true })
  cpSync(addon, join(folder, 'build/Release/sigshield.node'))
  const guard = join(dirname(addon), 'sigshield-guard.so')
  if (existsSync(guard)) cpSync(guard, join(folder, 'build/Release/sigshield-guard.so'))
}
