/** Others who stand before child_process: tracers and mocks. Installed for `npm run test:libraries`; vi.mock: mocked.test.ts. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { programs } from '../support/build-programs.js'
import { limit } from '../support/limits.js'
import { npmProgram } from '../support/npm-program.mjs'
import { closed, ended, signalSet } from '../support/processes.js'

const root = join(import.meta.dirname, '../..')
const protecting = ['--import', pathToFileURL(join(root, 'dist/preload.js')).href]

/** Says of each child whether it ignores SIGINT, and whether it is protected. */
const program = `
  import * as childProcess from 'node:child_process'
  import { once } from 'node:events'
  import { createRequire } from 'node:module'
  import { exec, execFile, fork, spawn } from 'node:child_process'
  import { protectionOf } from '${pathToFileURL(join(root, 'dist/index.js')).href}'
  import { stateOf } from '${pathToFileURL(join(root, 'dist/signals.js')).href}'
  const required = createRequire(import.meta.url)('child_process')
  const nap = ['sleep', ['1000']]
  const children = {
    spawn: spawn(...nap),
    exec: exec('exec sleep 1000'),
    execFile: execFile(...nap),
    fork: fork('./nap.mjs'),
    namespace: childProcess.spawn(...nap),
    required: required.spawn(...nap),
  }
  for (const [name, child] of Object.entries(children)) {
    child.on('error', () => {})
    console.log(name, stateOf(child.pid).ignored.includes('SIGINT'), protectionOf(child) !== undefined)
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  console.log('wrapped', (globalThis.calls ?? 0) > 0)
  process.exit()`

const each = (isProtected: boolean) =>
  ['spawn', 'exec', 'execFile', 'fork', 'namespace', 'required'].map((name) => `${name} ${isProtected} ${isProtected}`)

/** A folder with the modules that stand beside this program of a package. */
function folderWith(name: string, installed: string, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(programs, 'wrapped-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const end = installed.lastIndexOf(join('node_modules', name)) + 'node_modules'.length
  symlinkSync(installed.slice(0, end), join(folder, 'node_modules'))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

async function run(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'] as ('pipe' | 'ignore')[],
  }
  const child = ended(spawn(process.execPath, args, options))
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (out += text))
  const { code } = await closed(child)
  return { code, out, lines: out.split('\n').filter((line) => / (true|false)/.test(line)) }
}

const files = { 'program.mjs': program, 'nap.mjs': 'setInterval(() => {}, 1000)' }

describe.runIf(process.env.TEST_LIBRARIES === 'all')(
  'children are protected behind',
  { timeout: limit(120_000) },
  () => {
    const tracing = {
      DD_TRACE_AGENT_URL: 'http://127.0.0.1:1',
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    }
    // It tells what it has wrapped by its own channel.
    const counting = `
    import dc from 'node:diagnostics_channel'
    dc.tracingChannel('datadog:child_process:execution').start.subscribe(() => (globalThis.calls = 1))
    dc.channel('tracing:datadog:child_process:execution:start').subscribe(() => (globalThis.calls = 1))`

    it.each(['before', 'after'])('dd-trace, %s protect', async (order) => {
      const tracer = npmProgram('dd-trace', '5', 'initialize.mjs', ['--ignore-scripts'])
      const folder = folderWith('dd-trace', tracer, { ...files, 'counting.mjs': counting })
      const theirs = ['--import', pathToFileURL(tracer).href]
      const both = order === 'before' ? [...theirs, ...protecting] : [...protecting, ...theirs]
      const { lines } = await run(folder, [...both, '--import', './counting.mjs', 'program.mjs'], tracing)
      expect(lines).toEqual([...each(true), 'wrapped true'])
      const control = await run(folder, [...theirs, '--import', './counting.mjs', 'program.mjs'], tracing)
      expect(control.lines).toEqual([...each(false), 'wrapped true'])
    })

    const instrumentation = `
    import { register } from 'node:module'
    import { InstrumentationBase, InstrumentationNodeModuleDefinition, registerInstrumentations } from '@opentelemetry/instrumentation'
    register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)
    class Spawns extends InstrumentationBase {
      init() {
        return new InstrumentationNodeModuleDefinition('child_process', ['*'], (exports) => {
          for (const name of ['spawn', 'exec', 'execFile', 'fork']) {
            this._wrap(exports, name, (original) => function (...args) {
              globalThis.calls = 1
              return original.apply(this, args)
            })
          }
          return exports
        })
      }
    }
    registerInstrumentations({ instrumentations: [new Spawns('spawns', '1.0.0', {})] })`

    it.each(['before', 'after'])('OpenTelemetry and import-in-the-middle, %s protect', async (order) => {
      const theirs = npmProgram('@opentelemetry/instrumentation', '0.301.1', 'package.json', ['@opentelemetry/api@1'])
      const folder = folderWith('@opentelemetry/instrumentation', theirs, { ...files, 'tracing.mjs': instrumentation })
      const own = ['--import', './tracing.mjs']
      const both = order === 'before' ? [...own, ...protecting] : [...protecting, ...own]
      expect((await run(folder, [...both, 'program.mjs'])).lines).toEqual([...each(true), 'wrapped true'])
      expect((await run(folder, [...own, 'program.mjs'])).lines).toEqual([...each(false), 'wrapped true'])
    })

    const mocked = `
    jest.mock('node:child_process', () => {
      const actual = jest.requireActual('node:child_process')
      return { ...actual, spawn: jest.fn(actual.spawn), exec: jest.fn() }
    })
    const { exec, spawn } = require('node:child_process')
    test('a spied spawn, and a mocked exec', async () => {
      const child = spawn('${signalSet}')
      let said = ''
      for await (const data of child.stdout) said += data
      expect(spawn).toHaveBeenCalledTimes(1)
      expect(exec('true')).toBeUndefined()
      expect(said).toBe(process.env.EXPECTED + '\\n')
    })`

    it.each(['--runInBand', '--maxWorkers=2'])('jest.mock, %s', async (how) => {
      const jest = npmProgram('jest', '30', 'bin/jest.js')
      const folder = folderWith('jest', jest, { 'package.json': '{}', 'one.test.js': mocked, 'two.test.js': mocked })
      const args = [jest, how, '--watchman=false', '--cache=false']
      const { code, out } = await run(folder, [...protecting, ...args], { EXPECTED: '2' })
      expect(code, out).toBe(0)
      const control = await run(folder, args, { EXPECTED: '' })
      expect(control.code, control.out).toBe(0)
    })
  },
)
