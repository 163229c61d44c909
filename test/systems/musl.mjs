// npm run test:musl [-- TARBALL]: the smoke set on musl, as Alpine has it; of the packed library, or of this tree. Node is the one inside
// pnpm's musl program; libstdc++ and musl are Debian's. They stand in a root of their own, as the program names its loader by path.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildLinux } from '../../packaging/linux.mjs'
import { npmProgram } from '../support/npm-program.mjs'
import { stage, unpack } from './addon.mjs'
import { Suite } from './debian.mjs'
import { cache, need, run } from './machine.mjs'

if (process.arch !== 'x64') throw new Error('npm run test:musl is for x86-64')
need({ 'musl-gcc': 'musl-tools', unshare: 'util-linux', busybox: 'busybox-static' })

const PNPM = '11.21.0'
// 1.2.5: since then its clone() refuses more flags.
const DEBIAN = 'trixie'

const guest = join(cache, 'musl-root')
rmSync(guest, { recursive: true, force: true })
for (const folder of ['bin', 'lib', 'usr/lib', 'usr/local/bin', 'proc', 'dev', 'tmp', 'project']) {
  mkdirSync(join(guest, folder), { recursive: true })
}

/** A single executable application, which a mark in it makes; without the mark it is Node. */
function unmarked(/** @type {Buffer} */ program) {
  const mark = Buffer.from('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1')
  const place = program.indexOf(mark)
  if (place < 0) throw new Error('this pnpm has no mark of a single executable application')
  program.write('0', place + mark.length - 1)
  return program
}
const pnpm = npmProgram('@pnpm/linuxstatic-x64', PNPM, 'pnpm', ['--force'])
// As in Docker's own image.
writeFileSync(join(guest, 'usr/local/bin/node'), unmarked(readFileSync(pnpm)), { mode: 0o755 })

const suite = new Suite(DEBIAN, 'amd64')
cpSync(join(suite.unpacked('musl'), 'usr/lib/x86_64-linux-musl/libc.so'), join(guest, 'lib/ld-musl-x86_64.so.1'))
for (const [name, library] of [
  ['libstdc++6', 'libstdc++.so.6'],
  ['libgcc-s1', 'libgcc_s.so.1'],
]) {
  const path = join(suite.unpacked(String(name)), 'usr/lib/x86_64-linux-gnu', String(library))
  cpSync(realpathSync(path), join(guest, 'usr/lib', String(library)))
}
const shim = join(guest, 'usr/lib/ld-linux-x86-64.so.2')
run('musl-gcc', ['-shared', '-fPIC', '-O1', '-o', shim, join(import.meta.dirname, 'glibc-symbols.c')])

const busybox = String(['/bin/busybox', '/usr/bin/busybox'].find(existsSync))
if (spawnSync('ldd', [busybox], { encoding: 'utf8' }).stdout.includes('=>'))
  throw new Error(`${busybox} needs glibc: apt-get install busybox-static`)
for (const program of ['sh', 'sleep', 'true']) cpSync(busybox, join(guest, 'bin', program))

const project = join(guest, 'project')
const [tarball] = process.argv.slice(2)
if (tarball === undefined) {
  const folder = join(cache, 'musl-addon')
  buildLinux('linux-x64-musl', folder)
  stage(project, join(folder, 'sigshield.node'))
} else {
  unpack(tarball, project)
}

const inside = [
  ['mount', '--rbind', '/proc', `${guest}/proc`],
  ['mount', '--rbind', '/dev', `${guest}/dev`],
  ['exec', 'chroot', guest, '/usr/local/bin/node', '/project/test/support/systems/smoke.mjs'],
]
const script = inside.map((words) => words.map((word) => `'${word}'`).join(' ')).join(' && ')
run('unshare', [...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--mount', 'sh', '-c', script], {
  env: { PATH: process.env.PATH, HOME: '/tmp' },
})
