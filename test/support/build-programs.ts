/** Compiles the C programs that tests start: Node can't be the probe for signal state, as it resets its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

export const programs = join(import.meta.dirname, '../../build/test')

const flags = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror']
const isMac = process.platform === 'darwin'
const ownFlags: Record<string, string[]> = { nothing: isMac ? [] : ['-static', '-nostdlib'] }
const folders = [import.meta.dirname, join(import.meta.dirname, '../../examples/languages')]

/** Programs of Linux alone. Tests that start one are left out elsewhere: vitest.config.ts. */
const isOfLinux = (source: string) => {
  const text = readFileSync(source, 'utf8')
  return !text.includes('#ifdef __linux__') && /linux\/|sys\/syscall\.h|_GNU_SOURCE/.test(text)
}

const changed = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

function sourcesIn(folder: string): string[] {
  const sources = readdirSync(folder).filter((name) => name.endsWith('.c'))
  return process.platform === 'linux' ? sources : sources.filter((name) => !isOfLinux(join(folder, name)))
}

export default function setup(): void {
  mkdirSync(programs, { recursive: true })
  for (const folder of folders) {
    for (const source of sourcesIn(folder)) {
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
