/** Libraries and programs that start children, each with a job that would run for long, in a terminal. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { programs } from '../build-programs.js'
import { limit } from '../limits.js'
import { allPids, childrenOf, processOf } from '../process-table.mjs'
import { until } from '../processes.js'
import { CTRL_C, killed } from '../terminal.js'
import { Shell } from './shell.js'

const root = join(import.meta.dirname, '../../..')
export const modules = join(root, 'node_modules')
const preload = pathToFileURL(join(root, 'dist/preload.js')).href

/** Two processes, so that it shows whether what a child has started is reached too. */
const job = `echo up >/dev/tty\nsleep 1000\necho never >/dev/tty\n`
/** In Node, for libraries whose children are Node's. */
const worker = `
  const { writeFileSync } = require('node:fs')
  module.exports = { nap: () => { writeFileSync('/dev/tty', 'up\\n'); return new Promise(() => setInterval(() => {}, 1000)) } }`

/** How many processes may be left, protected; where nothing is said none. */
export interface Leaves {
  /** By a SIGTERM that the program does not hand on: of a child the kernel ends the child itself, not what that has started. */
  readonly SIGTERM: number
  readonly 'parent SIGKILLed': number
  readonly 'terminal closed'?: number
  readonly 'Ctrl-C'?: number
  readonly 'Ctrl-C twice'?: number
}

export interface Library {
  /** Of its package; undefined for what comes with Node. */
  readonly package?: string
  /** The file of a program, and its arguments; or the code of a module. */
  readonly program?: readonly string[]
  readonly code?: string
  readonly leaves: Leaves
  /** Some of what is left are children of the program itself. */
  readonly areChildrenLeft?: boolean
  /** What it needs beside it. */
  readonly files?: Readonly<Record<string, string>>
  /** Where its package is, and others that it loads. */
  readonly modules?: string
  /** Starts what it needs. */
  readonly beside?: (folder: string) => void
}

export const leaves = (count: number): Leaves => ({ SIGTERM: count, 'parent SIGKILLed': count })

export const libraries: Readonly<Record<string, Library>> = {
  exec: { leaves: leaves(2), code: `import { exec } from 'node:child_process'; exec('sh job.sh')` },
  execa: {
    package: 'execa',
    leaves: leaves(1),
    code: `import { execa } from 'execa'; await execa('sh', ['job.sh'])`,
  },
  tinyexec: {
    package: 'tinyexec',
    leaves: leaves(1),
    code: `import { x } from 'tinyexec'; await x('sh', ['job.sh'])`,
  },
  'cross-spawn': {
    package: 'cross-spawn',
    leaves: leaves(1),
    code: `import { spawn } from 'cross-spawn'; spawn('sh', ['job.sh'], { stdio: 'inherit' })`,
  },
  'simple-git': {
    package: 'simple-git',
    leaves: leaves(2),
    code: `import { simpleGit } from 'simple-git'; await simpleGit().raw('nap')`,
  },
  'jest-worker': {
    package: 'jest-worker',
    leaves: leaves(0),
    code: `import { Worker } from 'jest-worker'
      await new Worker(process.cwd() + '/worker.cjs', { numWorkers: 1, exposedMethods: ['nap'] }).nap()`,
  },
  tinypool: {
    package: 'tinypool',
    leaves: leaves(0),
    code: `import { Tinypool } from 'tinypool'
      await new Tinypool({ filename: process.cwd() + '/worker.cjs', runtime: 'child_process', minThreads: 1, maxThreads: 1 })
        .run(undefined, { name: 'nap' })`,
  },
  'foreground-child': {
    package: 'foreground-child',
    leaves: leaves(1),
    code: `import { foregroundChild } from 'foreground-child'; foregroundChild('sh', ['job.sh'])`,
  },
  concurrently: {
    package: 'concurrently',
    leaves: { SIGTERM: 0, 'parent SIGKILLed': 2 },
    program: [join(modules, 'concurrently/dist/bin/concurrently.js'), "'sh job.sh'"],
  },
  nodemon: {
    package: 'nodemon',
    // At a hangup its job is left in some runs without protection too.
    leaves: { ...leaves(2), 'terminal closed': 2 },
    program: [join(modules, 'nodemon/bin/nodemon.js'), '--exec', "'sh job.sh'"],
  },
  'npm-run-all2': {
    package: 'npm-run-all2',
    leaves: leaves(2),
    program: [join(modules, 'npm-run-all2/bin/run-p/index.js'), 'job'],
  },
  'npm run': {
    leaves: leaves(2),
    program: ['$(dirname $(dirname $(realpath $(which npm))))/bin/npm-cli.js', 'run', 'job'],
  },
}

export function versionOf({ package: name, modules: place = modules }: Library): string {
  return name ? JSON.parse(readFileSync(join(place, name, 'package.json'), 'utf8')).version : process.versions.node
}

export const ends = {
  'Ctrl-C': (shell: Shell) => shell.press(CTRL_C),
  'Ctrl-C twice': async (shell: Shell) => {
    shell.press(CTRL_C)
    // Two presses within a second are one.
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

/** Starts it, and returns the terminal when its job is under way. */
async function started(library: Library, isProtected: boolean): Promise<{ shell: Shell; living: () => number[] }> {
  const { program, code, files = {}, modules: place, beside } = library
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
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  if (place) symlinkSync(place, join(folder, 'node_modules'))
  onTestFinished(() => {
    for (const pid of livingIn(folder)) killed(pid)
  })
  beside?.(folder)
  const shell = await Shell.open(folder)
  const start = code ? ['program.mjs'] : (program as readonly string[])
  shell.type(`clear; node ${isProtected ? `--import ${preload} ` : ''}${start.join(' ')}`)
  await shell.shows('up\r\n')
  // Some give their children a session of their own.
  const living = () => [...new Set([...shell.living(), ...livingIn(folder)])].filter((pid) => pid !== shell.leader)
  return { shell, living }
}

function livingIn(folder: string): number[] {
  return allPids().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder
    } catch {
      return false
    }
  })
}

/** Ends it in one way, protected: the program ends, and what it has started itself, and of the rest as much as is told. */
export async function endsAsTold(library: Library, end: keyof typeof ends): Promise<void> {
  const { shell, living } = await started(library, true)
  const program = leaderOf(shell)
  const own = [program, ...childrenOf(program).map(({ pid }) => pid)]
  const told = library.leaves[end] ?? 0
  await ends[end](shell)
  await until(
    () => {
      const left = living()
      return left.length <= told && (library.areChildrenLeft || !own.some((pid) => left.includes(pid)))
    },
    () => `at most ${told} are left of ${own} and others: ${living()}`,
  )
}

/** How many processes are left, however long one waits. */
export async function leftAfter(library: Library, isProtected: boolean, end: keyof typeof ends): Promise<number> {
  const { shell, living } = await started(library, isProtected)
  await ends[end](shell)
  const deadline = performance.now() + limit(8000)
  while (living().length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  return living().length
}
