/** Programs that say `ready` and then echo lines, each in its own way of starting up. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { closed, echo, ended, line, SIGINT, SIGTERM } from '../processes.js'
import { signalState } from '../signal-state.js'

export const worker = join(import.meta.dirname, 'echo-worker.mjs')

const programs = {
  cat: ['cat'],
  sed: ['sed', '-u', ''],
  bash: ['bash', '-c', 'echo ready; while read -r l; do echo "$l"; done'],
  python3: ['python3', '-uc', 'import sys\nprint("ready")\nfor l in sys.stdin: print(l, end="")'],
  java: ['java', join(import.meta.dirname, 'Echo.java')],
  node: [process.execPath, worker],
} as const

const installed = (program: string) =>
  program.includes('/') || (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)))

/** One that ignores SIGINT and SIGTERM, when it has started up: lives on after both. */
export async function expectToLiveOn(child: ChildProcessWithoutNullStreams): Promise<void> {
  child.stdin.write('one\n')
  while ((await line(child.stdout)) !== 'one');
  expect(signalState(child.pid as number).ignored).toEqual(expect.arrayContaining([SIGINT, SIGTERM]))
  process.kill(child.pid as number, 'SIGINT')
  process.kill(child.pid as number, 'SIGTERM')
  expect(await echo(child, 'two')).toBe('two')
  child.stdin.end()
  expect(await closed(child)).toEqual({ code: 0, signal: null })
}

/** The control: one without protection. */
export async function expectToDieOfSigint(program: string, args: readonly string[]): Promise<void> {
  const child = ended(spawn(program, args))
  child.stdin.write('one\n')
  while ((await line(child.stdout)) !== 'one');
  child.kill('SIGINT')
  const { code, signal } = await closed(child)
  // The JVM and Python turn the signal into an exit of their own.
  expect(signal ?? code).toSatisfy((end) => end === 'SIGINT' || end === 130)
}

/** `isHere`: on this machine. */
export const echoing = Object.entries(programs).map(([name, [program, ...args]]) => {
  const isHere = installed(program)
  if (!isHere) console.log(`not on this machine, so not tested: ${program}`)
  return { name, program, args, isHere }
})
