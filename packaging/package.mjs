// npm run --silent package -- --out DIR: the tarball that is published, with binaries for all systems. Standard output is its path alone.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { output, root, run } from '../test/systems/machine.mjs'
import { faultsOf, faultsOfChildHalf } from './gate.mjs'
import { brokenLinks } from './links.mjs'
import { buildLinux, buildObject, targets } from './linux.mjs'
import { stage } from './staging.mjs'

/** Bytes. A file that nobody meant to ship is larger than what is left. */
const LIMIT = 2_000_000

const { values } = parseArgs({ options: { out: { type: 'string' } } })
if (values.out === undefined) throw new Error('npm run package -- --out DIR')
if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('The tarball is made on Linux for x86-64')
const out = resolve(values.out)
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`)

// What is packed has its modes from here, whatever the user's are.
process.umask(0o022)
// Declarations are written anew by it, so the JavaScript must be too; and what checks files for a Mac is the library's.
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
})

const work = mkdtempSync(join(tmpdir(), 'sigshield-package-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
const folder = join(work, 'package')
await stage(folder)

/** @type {string[]} */
const faults = []
const systems = /** @type {import('./linux.mjs').LinuxSystem[]} */ (Object.keys(targets))
for (const system of systems) {
  const place = join(folder, 'prebuilds', system)
  buildLinux(system, place)
  const [, machine, libc] = /** @type {['linux', 'x64' | 'arm64', 'glibc' | 'musl']} */ (system.split('-'))
  for (const [kind, name] of /** @type {const} */ ([
    ['addon', 'sigshield.node'],
    ['guard', 'sigshield-guard.so'],
  ])) {
    const found = faultsOf(join(place, name), { kind, machine, libc })
    faults.push(...found.map((fault) => `${system}/${name} ${fault}`))
    say(`${system}/${name}: ${statSync(join(place, name)).size} bytes`)
  }
  const object = join(work, `${system}.o`)
  buildObject(system, 'child', object)
  faults.push(...faultsOfChildHalf(object).map((fault) => `${system}: the child half ${fault}`))
}

run(process.execPath, ['test/systems/darwin.mjs'], { cwd: root, stdio: ['ignore', 2, 2] })
for (const machine of ['arm64', 'x64']) {
  for (const part of ['sigshield.node', 'sigshield-exec', 'sigshield-guard.dylib']) {
    const file = `prebuilds/darwin-${machine}/${part}`
    cpSync(join(root, file), join(folder, file))
  }
}

for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const path = join(file.parentPath, file.name)
  // The checkout's own modes may be narrower.
  chmodSync(path, file.isDirectory() || (statSync(path).mode & 0o100) !== 0 ? 0o755 : 0o644)
}

mkdirSync(out, { recursive: true })
const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', out, '--loglevel=error']
const [{ filename, size, unpackedSize, files }] = JSON.parse(output('npm', pack, { cwd: folder }))
const packed = new Map(files.map((/** @type {{ path: string, mode: number }} */ { path, mode }) => [path, mode]))
for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const path = join(file.parentPath, file.name).slice(folder.length + 1)
  if (file.isFile() && !packed.has(path)) faults.push(`${path} was not packed`)
}
for (const link of brokenLinks(folder)) faults.push(`${link} is not there`)
if (packed.has('binding.gyp')) faults.push('installers would build what has a binding.gyp at its top')
for (const [path, mode] of packed) {
  const isProgram = path === 'bin/sigshield.js' || /^prebuilds\/.*\/[\w-]+$/.test(path)
  if (isProgram && mode !== 0o755) faults.push(`${path} has the mode ${mode.toString(8)}`)
}
if (process.env.GITHUB_REF_TYPE === 'tag' && readFileSync(join(folder, 'package.json'), 'utf8').includes('.invalid')) {
  faults.push('its package.json has an address that is none')
}
if (size > LIMIT) faults.push(`it has ${size} bytes, and may have ${LIMIT}`)
say(`${filename}: ${size} bytes, ${unpackedSize} unpacked, ${packed.size} files; at most ${LIMIT}`)
if (faults.length > 0) {
  rmSync(join(out, filename))
  throw new Error(`The package is not fit to be published:\n  ${faults.join('\n  ')}`)
}
console.log(join(out, filename))
