/** Programs that say `ready` and then echo lines, each in its own way of starting up. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

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

/** `isHere`: on this machine. */
export const echoing = Object.entries(programs).map(([name, [program, ...args]]) => {
  const isHere = installed(program)
  if (!isHere) console.log(`not on this machine, so not tested: ${program}`)
  return { name, program, args, isHere }
})
