/** Libraries and programs too large for every run: installed for this one (test/support/npm-program.mjs), or Debian's. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { need } from '../../systems/machine.mjs'
import { npmProgram } from '../npm-program.mjs'
import { ended } from '../processes.js'
import { type Library, leaves, modules } from './libraries.js'

/** In a test of a runner: a process of the test's own. */
const napping = `execFile('sh', ['job.sh']); return new Promise(() => setInterval(() => {}, 1000))`
const jestTest = `
  const { execFile } = require('node:child_process')
  test('naps', () => { ${napping} }, 2 ** 30)`
const vitestTest = `
  import { execFile } from 'node:child_process'
  import { test } from 'vitest'
  test('naps', () => { ${napping} }, 2 ** 30)`

/** One that asks a program. */
const prettierPlugin = `
  import { execFile } from 'node:child_process'
  import { promisify } from 'node:util'
  export const languages = [{ name: 'nap', parsers: ['nap'], extensions: ['.nap'] }]
  const parse = async () => ({ text: (await promisify(execFile)('sh', ['job.sh'])).stdout })
  export const parsers = { nap: { parse, astFormat: 'nap', locStart: () => 0, locEnd: () => 0 } }
  export const printers = { nap: { print: (path) => path.node.text } }`

const bullmqJob = `module.exports = require('./worker.cjs').nap`

/** The folder of modules that a program of this package stands in. */
const modulesWith = (name: string, program: string) =>
  program.slice(0, program.lastIndexOf(join('node_modules', name)) + 'node_modules'.length)

export function installed(): Record<string, Library> {
  const jest = npmProgram('jest', '30', 'bin/jest.js')
  const pnpm = npmProgram('pnpm', '9', 'bin/pnpm.cjs')
  const prettier = npmProgram('prettier', '3', 'bin/prettier.cjs')
  const fluent = npmProgram('fluent-ffmpeg', '2', 'index.js')
  const bullmq = npmProgram('bullmq', '5', 'package.json')
  const puppeteer = npmProgram('puppeteer-core', '24', 'package.json')
  const redis = 'redis-server'
  const chromium = '/usr/bin/chromium-headless-shell'
  need({ [redis]: 'redis-server', ffmpeg: 'ffmpeg', [chromium]: 'chromium-headless-shell' })
  const vitest = join(modules, 'vitest/vitest.mjs')
  return {
    jest: {
      package: 'jest',
      modules: modulesWith('jest', jest),
      program: [jest, '--maxWorkers=2', '--watchman=false', '--cache=false'],
      files: { 'one.test.js': jestTest, 'two.test.js': jestTest },
      leaves: leaves(2),
    },
    'vitest run': {
      package: 'vitest',
      program: [vitest, 'run'],
      files: { 'nap.test.js': vitestTest, 'vitest.config.mjs': 'export default {}' },
      leaves: leaves(2),
    },
    'vitest watch': {
      package: 'vitest',
      program: [vitest, 'watch'],
      files: { 'nap.test.js': vitestTest, 'vitest.config.mjs': 'export default {}' },
      // To it Ctrl-C is a key: no signal is sent to anybody.
      leaves: { ...leaves(2), 'Ctrl-C': 2, 'Ctrl-C twice': 2 },
    },
    'pnpm run': {
      package: 'pnpm',
      modules: modulesWith('pnpm', pnpm),
      program: [pnpm, 'run', 'job'],
      leaves: leaves(2),
    },
    'prettier, a plugin': {
      package: 'prettier',
      modules: modulesWith('prettier', prettier),
      program: [prettier, '--plugin', './plugin.mjs', 'text.nap'],
      files: { 'plugin.mjs': prettierPlugin, 'text.nap': 'text' },
      leaves: leaves(1),
    },
    'fluent-ffmpeg': {
      package: 'fluent-ffmpeg',
      modules: modulesWith('fluent-ffmpeg', fluent),
      code: `
        import { writeFileSync } from 'node:fs'
        import ffmpeg from 'fluent-ffmpeg'
        ffmpeg('testsrc=size=64x64').inputFormat('lavfi').native().format('null').output('-')
          .on('stderr', (line) => line.startsWith('frame') && writeFileSync('/dev/tty', 'up\\n'))
          .on('error', (error) => console.error(error.message)).run()`,
      leaves: leaves(0),
    },
    'bullmq, sandboxed': {
      package: 'bullmq',
      modules: modulesWith('bullmq', bullmq),
      files: { 'job.cjs': bullmqJob },
      beside: (folder) => {
        const options = ['--port', '0', '--unixsocket', join(folder, 'redis.sock'), '--save', '', '--dir', '/tmp']
        ended(spawn(redis, options, { stdio: 'ignore', detached: true, cwd: '/' }))
      },
      code: `
        import { Queue, Worker } from 'bullmq'
        const connection = { path: process.cwd() + '/redis.sock' }
        new Worker('naps', process.cwd() + '/job.cjs', { connection })
        await new Queue('naps', { connection }).add('nap', {})`,
      // At SIGTERM they finish the job that they have.
      leaves: leaves(1),
      areChildrenLeft: true,
    },
    puppeteer: {
      package: 'puppeteer-core',
      modules: modulesWith('puppeteer-core', puppeteer),
      code: `
        import { writeFileSync } from 'node:fs'
        import puppeteer from 'puppeteer-core'
        const browser = await puppeteer.launch({ executablePath: '${chromium}', args: ['--no-sandbox'] })
        await browser.newPage()
        writeFileSync('/dev/tty', 'up\\n')`,
      // The browser has a session of its own, and several processes.
      leaves: { SIGTERM: 0, 'parent SIGKILLed': 20 },
      areChildrenLeft: true,
    },
  }
}
