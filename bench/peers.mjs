// The programs that start children for a measurement, each way of it in a process of its own kind. They read a request a line
// and answer it with a line of numbers:
//   hold GIGABYTES               have so much memory in use from now on
//   open COUNT                   have so many more descriptors open from now on (JavaScript and C)
//   block WAY STDIO COUNT        microseconds that each of so many starts held its caller, one child after the other
//   starts WAY IN_FLIGHT COUNT   seconds that so many starts and exits took, so many at a time
//   idle WAY COUNT               start so many children that live on
//   exits WAY COUNT              microseconds of CPU time that one exit took, of so many
//   rss                          bytes of memory, when the engine has given back what it can (Node only)
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { npmProgram } from '../test/support/npm-program.mjs'

/** A second, to /proc: USER_HZ of Linux. */
const TICKS = 100

const place = (/** @type {string} */ name) => join(import.meta.dirname, name)

/** A C program of this folder, compiled for as long as this process lives. */
export function compiled(/** @type {string} */ source) {
  const folder = mkdtempSync(join(tmpdir(), 'sigshield-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const program = join(folder, 'program')
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, place(source)])
  return program
}

/** How each program is started; fails where the machine has not got it. */
export const programs = {
  node: () => [process.execPath, place('javascript.mjs')],
  // On its own: a fork leaves all memory of its process write-protected, and whoever writes to it next pays, page by page.
  forkingNode: () => [process.execPath, place('javascript.mjs')],
  newNode: () => [npmProgram(`node-${process.platform}-${process.arch}`, '26', 'bin/node'), place('javascript.mjs')],
  bun: () => {
    const bun = npmProgram(`@oven/bun-${process.platform}-${process.arch}`, '1.4', 'bin/bun')
    execFileSync(bun, ['--version'])
    return [bun, place('javascript.mjs')]
  },
  python: () => {
    execFileSync('python3', ['--version'])
    return ['python3', place('python.py')]
  },
  floor: () => [compiled('floor.c')],
}

/** Each way to start a child: the program that has it, and its name for readers. */
export const ways = /** @type {const} */ ({
  sigshield: { program: 'node', name: 'sigshield' },
  unwaited: { program: 'node', name: 'sigshield, waitForExec: false' },
  unenforced: { program: 'node', name: 'sigshield, enforce: false' },
  child_process: { program: 'forkingNode', name: 'child_process' },
  newChildProcess: { program: 'newNode', name: 'child_process of Node 26' },
  bun: { program: 'bun', name: 'Bun.spawn' },
  python: { program: 'python', name: 'Python subprocess' },
  floor: { program: 'floor', name: 'C posix_spawn (the floor)' },
  unwaitedFloor: { program: 'floor', name: 'C clone, not waiting for exec (the least of all)' },
  env: { program: 'forkingNode', name: 'child_process + env --ignore-signal=INT' },
  sh: { program: 'forkingNode', name: `child_process + sh -c 'trap "" INT; exec "$@"'` },
  nohup: { program: 'forkingNode', name: 'child_process + nohup' },
})
/** @typedef {keyof typeof ways} Way */

class Program {
  #child
  #lines

  constructor(/** @type {string[]} */ [file = '', ...args]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** @returns {Promise<number[]>} */
  async ask(/** @type {(string | number)[]} */ ...request) {
    this.#child.stdin.write(`${request.join(' ')}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`The program ended at "${request.join(' ')}"`)
    return value.split(' ').filter(Boolean).map(Number)
  }

  /** Seconds of CPU time that it has used so far, with all its children that have ended (proc_pid_stat(5)). */
  get cpu() {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS
  }

  async end() {
    const closed = once(this.#child, 'close')
    this.#child.stdin.end()
    await closed
  }
}

/** One with variables of its own. */
export function openWith(
  /** @type {keyof typeof programs} */ program,
  /** @type {Record<string, string>} */ variables,
) {
  return new Program(['env', ...Object.entries(variables).map((entry) => entry.join('=')), ...programs[program]()])
}

/** One process that has this way, and maybe others. */
export function open(/** @type {Way} */ way) {
  return new Program(programs[ways[way].program]())
}

/**
 * A process for each program that the ways need, and the names of those that this machine has not got, with the reason.
 * @returns {{ present: Map<Way, Program>, absent: Record<string, string>, end(): Promise<void> }}
 */
export function openAll(/** @type {readonly Way[]} */ wanted) {
  /** @type {Map<string, Program | Error>} */
  const opened = new Map()
  /** @type {Map<Way, Program>} */
  const present = new Map()
  /** @type {Record<string, string>} */
  const absent = {}
  for (const way of wanted) {
    const { program, name } = ways[way]
    if (!opened.has(program)) {
      try {
        opened.set(program, open(way))
      } catch (error) {
        opened.set(program, /** @type {Error} */ (error))
      }
    }
    const found = opened.get(program)
    if (found instanceof Program) present.set(way, found)
    else absent[name] = found?.message ?? ''
  }
  return {
    present,
    absent,
    async end() {
      for (const program of new Set(present.values())) await program.end()
    },
  }
}
