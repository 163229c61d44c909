/** Compiles the C programs that tests start: Node can't be the probe for signal state, as it resets its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

export const programs = join(import.meta.dirname, '../../build/test')

export default function setup(): void {
  mkdirSync(programs, { recursive: true })
  for (const source of readdirSync(import.meta.dirname)) {
    if (!source.endsWith('.c')) continue
    const program = join(programs, source.slice(0, -2))
    execFileSync('cc', [
      '-std=gnu17',
      '-O1',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-o',
      program,
      join(import.meta.dirname, source),
    ])
  }
}
