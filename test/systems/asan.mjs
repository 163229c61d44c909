// npm run test:asan [-- FILTER...]: the native core alone, the smoke set, and the suite, or files of it, with
// AddressSanitizer and UndefinedBehaviorSanitizer.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { checkCore, packages } from './core-threads.mjs'
import { need, output, root, run } from './machine.mjs'

/** Files of the suite that mean nothing here, and why. */
const leftOut = {
  'test/native/leak.alone.test.ts': 'it asks malloc for what it holds, and the sanitizer has a malloc of its own',
  'test/start/sync-memory.alone.test.ts': 'it measures memory, of which the sanitizer keeps what was freed for a while',
  'test/command/shortage.test.ts': 'it takes /proc away, which the sanitizer reads as it starts',
}

need({ ...packages, patchelf: 'patchelf' })
for (const build of ['build', 'build:asan']) run('npm', ['run', build], { cwd: root })

const built = join(root, 'build/asan')
// Leaks are looked for here: Node itself frees little at its end.
checkCore(
  join(built, 'core_threads'),
  { UBSAN_OPTIONS: 'print_stacktrace=1' },
  {
    overflow: /heap-buffer-overflow[\s\S]*start\.cc/,
    leak: /detected memory leaks[\s\S]*StringList/,
    shift: /shift exponent[\s\S]*signal_set\.h/,
  },
)

/** Where the loader looks first. */
const prebuild = join(built, 'load')
const addon = join(prebuild, 'build/Release/sigshield.node')
mkdirSync(join(prebuild, 'build/Release'), { recursive: true })
copyFileSync(join(built, 'Debug/sigshield.node'), addon)

// Not preloaded: other programs that tests start would have it too, and those for which they preload something would not.
const node = join(built, 'bin/node')
mkdirSync(join(built, 'bin'), { recursive: true })
copyFileSync(process.execPath, node)
run('patchelf', ['--add-needed', realpathSync(output('gcc', ['-print-file-name=libasan.so']).trim()), node])

const reports = join(built, 'reports')
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports)
/** What any process of the suite has reported, whatever has become of it. */
const reported = () => readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'))

const log = `log_path=${join(reports, 'report')}`
const env = {
  ...process.env,
  PATH: `${join(built, 'bin')}${delimiter}${process.env.PATH}`,
  SIGSHIELD_PREBUILD: prebuild,
  ASAN_OPTIONS: `detect_leaks=0:verify_asan_link_order=0:${log}`,
  UBSAN_OPTIONS: `print_stacktrace=1:${log}`,
  TEST_LEFT_OUT: Object.keys(leftOut).join(';'),
}

// The addon as the library never calls it.
spawnSync(node, ['-e', `require(${JSON.stringify(addon)}).spawn('', new ArrayBuffer(4))`], { env })
if (!/heap-buffer-overflow[\s\S]*spawn\.cc/.test(reported().join('\n'))) {
  throw new Error(`a mistake in the addon was not found: ${reported()}`)
}
console.log('  ok  a mistake in the addon is found')
rmSync(reports, { recursive: true })
mkdirSync(reports)

const suite = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)]
const results = [[join(root, 'test/support/systems/smoke.mjs')], suite].map(
  (args) => spawnSync(node, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }).status,
)
for (const [file, reason] of Object.entries(leftOut)) console.log(`left out: ${file}: ${reason}`)
const found = reported()
for (const report of found) console.error(report)
if (found.length > 0 || results.some((status) => status !== 0)) process.exit(1)
