/** Compiles what the tests of this folder start, or load. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { programs } from '../support/build-programs.js'

const flags = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror']

export function compiledProgram(name: string): string {
  return compiled(name, name, [])
}

/** To be preloaded, or loaded as an addon. */
export function compiledLibrary(name: string): string {
  return compiled(name, `${name}.node`, ['-shared', '-fPIC', '-ftls-model=initial-exec'])
}

function compiled(name: string, output: string, kind: string[]): string {
  const path = join(programs, output)
  execFileSync('cc', [...flags, ...kind, '-o', path, join(import.meta.dirname, `${name}.c`)])
  return path
}
