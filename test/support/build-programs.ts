/** Compiles the C programs that tests start: Node can't be the probe for signal state, as it resets its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

export const programs = join(import.meta.dirname, '../../build/test')

const flags = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror']
const ownFlags: Record<string, string[]> = { nothing: ['-static', '-nostdlib'] }
const folders = [import.meta.dirname, join(import.meta.dirname, '../../examples/languages')]

const changed = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

export default function setup(): void {
  mkdirSync(programs, { recursive: true })
  for (const folder of folders) {
    for (const source of readdirSync(folder).filter((name) => name.endsWith('.c'))) {
      const name = basename(source, '.c')
      const program = join(programs, name)
      const current = Math.max(changed(join(folder, source)), changed(import.meta.filename))
      if (changed(program) > current) continue
      execFileSync('cc', [
        ...flags,
        ...(ownFlags[name] ?? []),
        ...(name.endsWith('.so') ? ['-shared', '-fPIC'] : []),
        '-o',
        program,
        join(folder, source),
      ])
    }
  }
}
