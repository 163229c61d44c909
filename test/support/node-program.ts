/** Small Node programs that tests write themselves: a process that ends by a signal can't be the test's own. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { closed, type Exit, ended } from './processes.js'

export class NodeProgram {
  readonly child: ChildProcess
  readonly #exit: Promise<Exit>
  /** Read all the time: at its exit Node throws away what nobody reads. */
  readonly #lines: AsyncIterator<string>

  /** `code` is a module, with the library in reach; it gets `args`. */
  constructor(code: string, args: readonly string[] = [], options: SpawnOptions = {}) {
    const argv = ['--input-type=module', '-e', code, ...args]
    this.child = ended(spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], ...options }))
    this.#exit = closed(this.child)
    this.#lines = createInterface({ input: this.child.stdout as Readable })[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.child.pid as number
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the program has ended')
    return value
  }

  async says(...expected: string[]): Promise<void> {
    for (const text of expected) {
      const said = await this.line()
      if (said !== text) throw new Error(`expected '${text}', but it said '${said}'`)
    }
  }

  /** What it still prints, and how it ends. */
  async end(): Promise<Exit & { readonly rest: string[] }> {
    const rest: string[] = []
    for (let next = await this.#lines.next(); !next.done; next = await this.#lines.next()) rest.push(next.value)
    return { rest, ...(await this.#exit) }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

/** The next message of a forked child. */
export async function message(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'message'))[0]
}
