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

/** On Linux. */
export const nativeSources = () =>
  ['native/sources.txt', 'native/platform/linux/sources.txt'].flatMap((list) =>
    readFileSync(join(root, list), 'utf8').trim().split('\n'),
  )

/** The arguments of a C++ compiler that an addon of ours needs, as binding.gyp gives them. */
export function compilation() {
  const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir
  const defines = ['NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', 'NAPI_VERSION=9']
  const gyps = ['NODE_GYP_MODULE_NAME=sigshield', 'BUILDING_NODE_EXTENSION']
  return [
    ...['-std=c++20', '-O2', '-fvisibility=hidden', '-fPIC'],
    ...[...defines, ...gyps].map((define) => `-D${define}`),
    ...[headers(), join(root, 'native'), join(root, addonApi)].map((folder) => `-I${folder}`),
  ]
}

/** Where node-gyp leaves the objects of native/platform/linux in `project`: test/native/kernel/child-half.test.ts looks into them. */
export const objects = (/** @type {string} */ project) =>
  join(project, 'build/Release/obj.target/sigshield/native/platform/linux')

/** node-pty ships no binary for Linux; `modules` is the folder of modules that it stands in. */
export function buildTerminals(/** @type {string[]} */ [compiler = '', ...args], /** @type {string} */ modules) {
  const folder = join(modules, 'node-pty')
  const file = join(folder, 'build/Release/pty.node')
  mkdirSync(dirname(file), { recursive: true })
  run(compiler, [
    ...[...args, '-std=c++17', '-O2', '-w', '-fPIC', '-shared', '-DNAPI_CPP_EXCEPTIONS', '-DBUILDING_NODE_EXTENSION'],
    ...['-DNODE_GYP_MODULE_NAME=pty', `-I${headers()}`, `-I${join(folder, 'node_modules/node-addon-api')}`],
    ...[join(folder, 'src/unix/pty.cc'), '-lutil', '-o', file],
  ])
}

const smoke = 'test/support/systems/smoke.mjs'

/** The packed library, and the smoke set in it. */
export function unpack(/** @type {string} */ tarball, /** @type {string} */ folder) {
  mkdirSync(folder, { recursive: true })
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder])
  cpSync(join(root, smoke), join(folder, smoke))
}

/** All that the smoke set needs of the project. */
export function stage(/** @type {string} */ folder, /** @type {string} */ addon) {
  for (const part of ['package.json', 'dist', smoke]) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  mkdirSync(join(folder, 'build/Release'), { recursive: true })
  cpSync(addon, join(folder, 'build/Release/sigshield.node'))
  const guard = join(dirname(addon), 'sigshield-guard.so')
  if (existsSync(guard)) cpSync(guard, join(folder, 'build/Release/sigshield-guard.so'))
}
