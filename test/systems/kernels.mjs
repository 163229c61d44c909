// npm run test:kernels [-- --newest] [PATTERN]: the smoke set under every kernel that Debian's suites have for x86-64, or those whose
// names match; --newest: of each series and flavour the newest alone.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { stage } from './addon.mjs'
import { Gone, Suite } from './debian.mjs'
import { boot, pack, prepare } from './guest.mjs'
import { need, output, root } from './machine.mjs'

if (process.arch !== 'x64') throw new Error('npm run test:kernels is for x86-64')
const { values, positionals } = parseArgs({ options: { newest: { type: 'boolean' } }, allowPositionals: true })
need({ 'qemu-system-x86_64': 'qemu-system-x86', busybox: 'busybox-static', cpio: 'cpio' })

const suites = [
  ...['bullseye', 'bullseye-security', 'bookworm', 'bookworm-security', 'bookworm-backports'],
  ...['trixie', 'trixie-security', 'trixie-backports', 'forky', 'sid'],
]

/** Kernels that qemu is known not to boot, with the reason. */
const unbootable = /** @type {{ names: RegExp, reason: string }[]} */ ([])

const work = mkdtempSync(join(tmpdir(), 'sigshield-kernels-'))
process.on('exit', () => rmSync(work, { recursive: true }))
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
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

/** @typedef {{ name: string, suite: Suite, series: string }} Kernel */

/** A suite has the kernels of another too. */
const found = new Map()
for (const name of suites) {
  const suite = new Suite(name, 'amd64')
  for (const image of suite.names('^linux-image-[0-9]+[.][0-9]+[.][0-9].*[0-9+a-z]-(cloud-|rt-)?amd64$')) {
    const [, version = '', flavour = ''] = image.match(/^linux-image-(\d+\.\d+).*?-((?:cloud-|rt-)?amd64)$/) ?? []
    if (!found.has(image)) found.set(image, { name: image, suite, series: `${version} ${flavour}` })
  }
}
const byVersion = new Intl.Collator('en', { numeric: true })
const newestFirst = /** @type {Kernel[]} */ ([...found.values()]).sort((a, b) => byVersion.compare(b.name, a.name))
const newest = new Map([...newestFirst].reverse().map((kernel) => [kernel.series, kernel]))
const wanted = new RegExp(positionals[0] ?? '')
// Those that differ most come first.
const chosen = [...new Set([...newest.values(), ...(values.newest ? [] : newestFirst)])].filter(({ name }) =>
  wanted.test(name),
)
if (chosen.length === 0) throw new Error(`No kernel matches ${wanted}`)

/** What became of a kernel: its smoke set, or that it never came so far. */
function resultOf(/** @type {string} */ output, /** @type {number | undefined} */ status) {
  const result = output.match(/^\d+ passed, \d+ failed$/m)?.[0]
  if (result !== undefined) return { result, passed: status === 0 }
  if (!/^GUEST-UP/m.test(output)) return { result: 'did not boot', passed: false }
  return { result: /Kernel panic/.test(output) ? 'the kernel died' : 'no result', passed: false }
}

const GONE = 'gone from its mirror'

/** @returns {Promise<{ result: string, passed: boolean, output: string }>} */
async function tried(/** @type {Kernel} */ { name, suite }) {
  let kernel
  try {
    kernel = suite.kernel(name)
  } catch (error) {
    if (!(error instanceof Gone)) return { result: 'not fetched', passed: false, output: String(error) }
    return { result: GONE, passed: false, output: '' }
  }
  const { output, status } = await boot('x64', { kernel, archive })
  return { ...resultOf(output, status), output }
}

const failed = []
let passing = 0
for (const kernel of chosen) {
  const start = performance.now()
  const { result, passed, output } = await tried(kernel)
  const known = unbootable.find(({ names }) => result === 'did not boot' && names.test(kernel.name))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${kernel.name}: ${result}${known ? ` (known: ${known.reason})` : ''}, ${seconds} s`)
  if (passed) passing += 1
  // Nobody else can have one that is gone either.
  if (passed || known || result === GONE) continue
  if (output) console.log(output)
  failed.push(`${kernel.name} (${result})`)
}
console.log(`${passing} of ${chosen.length} kernels`)
if (passing === 0) failed.push('any')
if (failed.length > 0) throw new Error(`The smoke set has not passed under ${failed.join(', ')}`)
