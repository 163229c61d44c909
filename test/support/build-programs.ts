/** Compiles the C programs that tests start: Node can't be the probe for signal state, as it resets its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export const programs = join(import.meta.dirname, '../../build/test')

const flags = ['-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror']
const isMac = process.platform === 'darwin'
const ownFlags: Record<string, string[]> = { nothing: isMac ? [] : ['-static', '-nostdlib'] }
const folders = [import.meta.dirname, join(import.meta.dirname, '../../examples/languages')]

/** Programs of Linux alone. Tests that start one are left out elsewhere: test/support/posix/of-linux.ts. */
const isOfLinux = (source: string) => {
  const text = readFileSync(source, 'utf8')
  return !text.includes('#ifdef __linux__') && /linux\/|sys\/syscall\.h|_GNU_SOURCE/.test(text)
}

const changed = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

function sourcesIn(folder: string): string[] {
  const sources = readdirSync(folder).filter((name) => name.endsWith('.c'))
  return process.platform === 'linux' ? sources : sources.filter((name) => !isOfLinux(join(folder, name)))
}

/** The command as a Mac's shell reads it, where TEST_WITHOUT_PROC is set. */
export const commandWithoutProc = join(programs, 'without-proc/sigshield.js')

function writeCommandWithoutProc(): void {
  const root = join(import.meta.dirname, '../..')
  const command = readFileSync(join(root, 'bin/sigshield.js'), 'utf8')
  const text = command.replace('-r /proc/self/status', '-r /nowhere').replace('../dist', join(root, 'dist'))
  mkdirSync(dirname(commandWithoutProc), { recursive: true })
  writeFileSync(commandWithoutProc, text, { mode: 0o755 })
}

export default function setup(): void {
  mkdirSync(programs, { recursive: true })
  if (process.env.TEST_WITHOUT_PROC) writeCommandWithoutProc()
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
