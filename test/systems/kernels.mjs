// npm run test:kernels [-- PATTERN]: the smoke set under every kernel that Debian's suites have for x86-64, or those whose names
// match.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stage } from './addon.mjs'
import { Suite } from './debian.mjs'
import { boot, pack, prepare } from './guest.mjs'
import { need, output, root } from './machine.mjs'

if (process.arch !== 'x64') throw new Error('npm run test:kernels is for x86-64')
need({ 'qemu-system-x86_64': 'qemu-system-x86', busybox: 'busybox-static', cpio: 'cpio' })

const suites = ['bullseye', 'bookworm', 'bookworm-backports', 'trixie', 'trixie-backports', 'forky', 'sid']
const wanted = new RegExp(process.argv[2] ?? '')

const work = mkdtempSync(join(tmpdir(), 'sigshield-kernels-'))
process.on('exit', () => rmSync(work, { recursive: true }))
const guest = join(work, 'root')
mkdirSync(guest)

/** This machine's Node, with the libraries that it and the addon load. */
const addon = join(root, 'build/Release/sigshield.node')
for (const program of [process.execPath, addon]) {
  for (const [, library] of output('ldd', [program]).matchAll(/(\/\S+) \(/g)) {
    mkdirSync(join(guest, dirname(String(library))), { recursive: true })
    cpSync(String(library), join(guest, String(library)), { dereference: true })
  }
}
prepare(guest, output('sh', ['-c', 'command -v busybox']).trim())
cpSync(process.execPath, join(guest, 'bin/node'), { dereference: true })
stage(join(guest, 'project'), addon)
writeFileSync(join(guest, 'command'), 'node test/support/systems/smoke.mjs\n')
const archive = join(work, 'initrd')
pack(guest, archive)

const seen = new Set()
const failed = []
for (const name of suites) {
  const suite = new Suite(name, 'amd64')
  for (const image of suite
    .names('^linux-image-[0-9].*[0-9+a-z]-(cloud-|rt-)?amd64$')
    .filter((found) => wanted.test(found))) {
    // A suite has the kernels of another too.
    if (seen.has(image)) continue
    seen.add(image)
    const folder = join(suite.unpacked(image, './boot'), 'boot')
    const kernel = join(folder, String(readdirSync(folder).find((file) => file.startsWith('vmlinuz'))))
    const start = performance.now()
    const { output, status } = await boot('x64', { kernel, archive })
    const result = output.match(/^\d+ passed, \d+ failed$/m)?.[0] ?? 'no result'
    console.log(`${name} ${image}: ${result}, ${((performance.now() - start) / 1000).toFixed(1)} s`)
    if (status === 0) continue
    console.log(output)
    failed.push(image)
  }
}
if (failed.length > 0) throw new Error(`The smoke set fails under ${failed.join(', ')}`)
if (seen.size === 0) throw new Error(`No kernel matches ${wanted}`)
console.log(`${seen.size} kernels`)
