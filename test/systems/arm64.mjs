// npm run test:arm64 [-- smoke | --tarball FILE | --shard N/COUNT | PATH...]: on arm64, in emulated machines. Each part has a fresh one: the smoke
// set with programs of 32-bit ARM, and the suite in shards; or the smoke set of a packed library.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { unpack } from './addon.mjs'
import { makeRoot } from './arm64-guest.mjs'
import { Suite } from './debian.mjs'
import { boot, pack } from './guest.mjs'
import { cache, need, run } from './machine.mjs'
import { Results } from './results.mjs'
import { files, shardOf } from './shards.mjs'

const NODE = '24'
const SUITE = 'trixie'
const SHARDS = 8
/** Emulated, and perhaps beside other work. */
const SLOWNESS = '40'
const HOURS = 3600

const { values, positionals } = parseArgs({
  options: { shard: { type: 'string' }, tarball: { type: 'string' } },
  allowPositionals: true,
})

/** @typedef {{ name: string, files?: string[], variables: Record<string, string> }} Part */

/** @returns {Part} */
function shard(/** @type {string} */ name) {
  const [number = 0, count = 0] = name.split('/').map(Number)
  const inside = shardOf(number, count)
  if (inside.length === 0) throw new Error(`--shard ${name} has no files: expected N/COUNT, as 3/8`)
  return { name: `shard ${name}`, files: inside, variables: { SHARD: name } }
}

/** @type {Part} */
const smoke = { name: 'smoke', variables: {} }

/** @returns {Part[]} */
function parts() {
  if (values.shard !== undefined) return [shard(values.shard)]
  if (values.tarball !== undefined) return [{ name: 'the packed library', variables: { PACKED: '1' } }]
  if (positionals.includes('smoke')) return [smoke]
  if (positionals.length > 0) {
    // One that is left out runs where it is named in full.
    const named = positionals.flatMap((path) => {
      const inside = files.filter((file) => file.startsWith(path))
      return inside.length > 0 ? inside : [path]
    })
    return [{ name: positionals.join(' '), files: named, variables: { FILES: named.join() } }]
  }
  return [smoke, ...Array.from({ length: SHARDS }, (_, index) => shard(`${index + 1}/${SHARDS}`))]
}

const wanted = parts()
need({
  'qemu-system-aarch64': 'qemu-system-arm',
  cpio: 'cpio',
  'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
  'arm-linux-gnueabihf-gcc': 'gcc-arm-linux-gnueabihf',
})
mkdirSync(cache, { recursive: true })
const work = mkdtempSync(join(cache, 'arm64-'))
process.on('exit', () => rmSync(work, { recursive: true }))
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const suite = new Suite(SUITE, 'arm64')
const guest = join(work, 'root')
await makeRoot(guest, { suite, node: NODE })
const program = join(guest, 'project/aarch32')
const flags = ['-static', '-nostdlib', '-marm', '-O1', '-Wall', '-Wextra', '-Werror']
run('arm-linux-gnueabihf-gcc', [...flags, '-o', program, join(import.meta.dirname, 'aarch32.c')])
const scripts = 'test/support/systems'
if (values.tarball !== undefined) unpack(values.tarball, join(guest, 'packed'))
const command = `if [ -n "$PACKED" ]; then cd /packed && node ${scripts}/smoke.mjs
elif [ -n "$SHARD$FILES" ]; then node ${scripts}/suite.mjs
else node ${scripts}/smoke.mjs && node ${scripts}/aarch32.mjs /project/aarch32; fi
`
writeFileSync(join(guest, 'command'), command)
const archive = join(work, 'initrd')
pack(guest, archive)
rmSync(guest, { recursive: true })

const [image = ''] = suite.names('^linux-image-[0-9].*-cloud-arm64$')
const kernel = suite.kernel(image)

const failed = []
for (const { name, files: expected = [], variables } of wanted) {
  const start = performance.now()
  const results = new Results(expected)
  const tell = (/** @type {string} */ text) => process.stdout.write(results.take(text))
  const { status } = await boot('arm64', {
    kernel,
    archive,
    memory: 6144,
    limit: 4 * HOURS,
    variables: { ...variables, TEST_TIMEOUT_FACTOR: SLOWNESS },
    tell,
  })
  const passed = status === 0 && results.passed
  console.log(
    `${results.list()}${name}: ${passed ? 'passed' : 'FAILED'}, ${((performance.now() - start) / 60_000).toFixed(1)} min`,
  )
  if (!passed) failed.push(name)
}
if (failed.length > 0) throw new Error(`Failed on arm64: ${failed.join(', ')}`)
