/** Which file a start executes, by the rules of execvp(3) and of `#!` (execve(2)). */
import { accessSync, type BigIntStats, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { native } from '../native/load.js'
import { type StartEnvironment, valueIn } from './environment.js'

export interface ProgramFile {
  readonly path: string
  readonly status: BigIntStats
}

/** As Linux has it. */
const MAX_INTERPRETERS = 5
const LINE_BYTES = 256

/** What is executed at last: the interpreter of a script. Undefined where that can't be told, or nothing can be executed. */
export function programFile(file: string, directory: string, environment: StartEnvironment): ProgramFile | undefined {
  let found: ProgramFile | undefined
  for (const path of candidates(file, environment)) {
    found = executable(directory, path)
    if (found) break
  }
  for (let depth = 0; found && depth <= MAX_INTERPRETERS; depth += 1) {
    const interpreter = interpreterOf(found.path)
    if (interpreter === undefined) return found
    found = executable(directory, interpreter)
  }
  return undefined
}

function candidates(file: string, environment: StartEnvironment): string[] {
  if (file.includes('/')) return [file]
  const path = valueIn(environment, 'PATH') ?? native().defaultPath
  return path.split(':').map((folder) => join(folder, file))
}

/** From `directory`; '' is this process's own, which may have been removed. */
function executable(directory: string, file: string): ProgramFile | undefined {
  try {
    const path = resolve(directory, file)
    const status = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (!status?.isFile()) return undefined
    accessSync(path, constants.X_OK)
    return { path, status }
  } catch {
    return undefined
  }
}

function interpreterOf(path: string): string | undefined {
  const head = readHead(path)
  if (head.toString('latin1', 0, 2) === '#!') {
    return /^#![ \t]*([^ \t\n\0]+)/.exec(head.toString())?.[1]
  }
  return undefined
}

function readHead(path: string): Buffer {
  try {
    const fd = openSync(path, 'r')
    try {
      const head = Buffer.alloc(LINE_BYTES)
      return head.subarray(0, readSync(fd, head, 0, LINE_BYTES, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    // May be executed and not read: then it is no script.
    return Buffer.alloc(0)
  }
}
