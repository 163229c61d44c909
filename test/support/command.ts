/** The `sigshield` command, as a user starts it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { commandWithoutProc } from './build-programs.js'
import { closed, type Exit, ended } from './processes.js'

export const sigshield = process.env.TEST_WITHOUT_PROC
  ? commandWithoutProc
  : join(import.meta.dirname, '../../bin/sigshield.js')

export interface Said extends Exit {
  readonly out: string
  readonly err: string
}

/** Everything is read; ended with its test. */
export function started(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return ended(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options }))
}

export async function all(child: ChildProcess): Promise<Said> {
  const read = async (stream: typeof child.stdout) => (stream === null ? '' : text(stream))
  const [out, err, end] = await Promise.all([read(child.stdout), read(child.stderr), closed(child)])
  return { out, err, ...end }
}

export function call(args: readonly string[], options: SpawnOptions = {}): Promise<Said> {
  return all(started(sigshield, args, options))
}

export function sh(script: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<Said> {
  return all(started('sh', ['-c', script, 'sh', ...args], options))
}
