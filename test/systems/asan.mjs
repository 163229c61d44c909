// npm run test:asan [-- FILTER...]: the smoke set and the tests of starts, stops and exit events over an addon with
// AddressSanitizer and UndefinedBehaviorSanitizer.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { need, output, root, run } from './machine.mjs'

need({ cmake: 'cmake', gcc: 'g++' })
for (const build of ['build', 'build:asan']) run('npm', ['run', build], { cwd: root })

const built = join(root, 'build/asan')
const folder = join(built, 'load/build/Release')
mkdirSync(folder, { recursive: true })
copyFileSync(join(built, 'Debug/sigshield.node'), join(folder, 'sigshield.node'))

const env = {
  ...process.env,
  // node-gyp-build looks here first.
  SIGSHIELD_PREBUILD: join(built, 'load'),
  LD_PRELOAD: output('gcc', ['-print-file-name=libasan.so']).trim(),
  // Node itself frees little at its end.
  ASAN_OPTIONS: 'detect_leaks=0',
}
const filters = process.argv.length > 2 ? process.argv.slice(2) : ['test/start', 'test/stop', 'test/exit-event']

run(process.execPath, [join(root, 'test/support/systems/smoke.mjs')], { env })
run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project=together', ...filters], {
  cwd: root,
  env,
})
