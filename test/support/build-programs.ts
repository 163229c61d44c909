/** Compiles the C programs that tests start: Node can't be the probe for signal state, as it resets its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export const programs = join(import.meta.dirname, '../../build/test')

const flags = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror']
const folders = [import.meta.dirname, join(import.meta.dirname, '../../examples/languages')]

export default function setup(): void {
  mkdirSync(programs, { recursive: true })
  for (const folder of folders) {
    for (const source of readdirSync(folder).filter((name) => name.endsWith('.c'))) {
      const kind = source.endsWith('.so.c') ? ['-shared', '-fPIC'] : []
      execFileSync('cc', [...flags, ...kind, '-o', join(programs, source.slice(0, -2)), join(folder, source)])
    }
  }
}
