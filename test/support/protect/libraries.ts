/** Libraries and programs that start children, each with a job that would run for long, in a terminal. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { programs } from '../build-programs.js'
import { limit } from '../limits.js'
import { processOf } from '../process-table.mjs'
import { CTRL_C } from '../terminal.js'
import { Shell } from './shell.js'

const root = join(import.meta.dirname, '../../..')
const modules = join(root, 'node_modules')
const preload = pathToFileURL(join(root, 'dist/preload.js')).href

/** Two processes, so that it shows whether what a child has started is reached too. */
const job = `echo up >/dev/tty\nsleep 1000\necho never >/dev/tty\n`
/** In Node, for libraries whose children are Node's. */
const worker = `
  const { writeFileSync } = require('node:fs')
  module.exports = { nap: () => { writeFileSync('/dev/tty', 'up\\n'); return new Promise(() => setInterval(() => {}, 1000)) } }`

export interface Library {
  /** Of its package; undefined for what comes with Node. */
  readonly package?: string
  /** The file of a program, and its arguments; or the code of a module. */
  readonly program?: readonly string[]
  readonly code?: string
  /** Without protection too it leaves its job behind in some runs. */
  readonly leavesAtHangup?: boolean
}

export const libraries: Readonly<Record<string, Library>> = {
  exec: { code: `import { exec } from 'node:child_process'; exec('sh job.sh')` },
  execa: { package: 'execa', code: `import { execa } from 'execa'; await execa('sh', ['job.sh'])` },
  tinyexec: { package: 'tinyexec', code: `import { x } from 'tinyexec'; await x('sh', ['job.sh'])` },
  'cross-spawn': {
    package: 'cross-spawn',
    code: `import { spawn } from 'cross-spawn'; spawn('sh', ['job.sh'], { stdio: 'inherit' })`,
  },
  'simple-git': {
    package: 'simple-git',
    code: `import { simpleGit } from 'simple-git'; await simpleGit().raw('nap')`,
  },
  'jest-worker': {
    package: 'jest-worker',
    code: `import { Worker } from 'jest-worker'
      await new Worker(process.cwd() + '/worker.cjs', { numWorkers: 1, exposedMethods: ['nap'] }).nap()`,
  },
  tinypool: {
    package: 'tinypool',
    code: `import { Tinypool } from 'tinypool'
      await new Tinypool({ filename: process.cwd() + '/worker.cjs', runtime: 'child_process', minThreads: 1, maxThreads: 1 })
        .run(undefined, { name: 'nap' })`,
  },
  'foreground-child': {
    package: 'foreground-child',
    code: `import { foregroundChild } from 'foreground-child'; foregroundChild('sh', ['job.sh'])`,
  },
  concurrently: {
    package: 'concurrently',
    program: [join(modules, 'concurrently/dist/bin/concurrently.js'), "'sh job.sh'"],
  },
  nodemon: {
    package: 'nodemon',
    leavesAtHangup: true,
    program: [join(modules, 'nodemon/bin/nodemon.js'), '--exec', "'sh job.sh'"],
  },
  'npm-run-all2': { package: 'npm-run-all2', program: [join(modules, 'npm-run-all2/bin/run-p/index.js'), 'job'] },
  'npm run': { program: ['$(dirname $(dirname $(realpath $(which npm))))/bin/npm-cli.js', 'run', 'job'] },
}

export function versionOf({ package: name }: Library): string {
  return name ? JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version : process.versions.node
}

export const ends = {
  'Ctrl-C': (shell: Shell) => shell.press(CTRL_C),
  'Ctrl-C twice': async (shell: Shell) => {
    shell.press(CTRL_C)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    shell.press(CTRL_C)
  },
  SIGTERM: (shell: Shell) => process.kill(leaderOf(shell), 'SIGTERM'),
  'terminal closed': (shell: Shell) => shell.terminal.close(),
  'parent SIGKILLed': (shell: Shell) => process.kill(leaderOf(shell), 'SIGKILL'),
} as const

/** The program itself: the shell's own child. */
function leaderOf(shell: Shell): number {
  return shell.living().find((pid) => processOf(pid)?.parent === shell.leader) as number
}

/** Starts it, ends it in one way, and returns how many processes are left when those that end have had the time to. */
export async function leftAfter(
  { program, code }: Library,
  isProtected: boolean,
  end: (shell: Shell) => unknown,
  patienceMs = limit(10_000),
): Promise<number> {
  const folder = mkdtempSync(join(programs, 'library-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'job.sh'), job)
  writeFileSync(join(folder, 'worker.cjs'), worker)
  if (code) writeFileSync(join(folder, 'program.mjs'), code)
  else writeFileSync(join(folder, 'package.json'), '{ "scripts": { "job": "sh job.sh" } }')
  for (const args of [
    ['init', '-q'],
    ['config', 'alias.nap', '!sh job.sh'],
  ])
    execFileSync('git', args, { cwd: folder })
  const shell = await Shell.open(folder)
  const start = code ? ['program.mjs'] : (program as readonly string[])
  shell.type(`clear; node ${isProtected ? `--import ${preload} ` : ''}${start.join(' ')}`)
  await shell.shows('up\r\n')
  await end(shell)
  const deadline = performance.now() + patienceMs
  while (shell.living().length > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20))
  return shell.living().length
}
