/** Small Node programs that tests write themselves: a process that ends by a signal can't be the test's own. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closed, type Exit, ended, line } from './processes.js'

export class NodeProgram {
  readonly child: ChildProcess
  readonly #exit: Promise<Exit>

  /** `code` is a module, with the library in reach; it gets `args`. */
  constructor(code: string, args: readonly string[] = [], options: SpawnOptions = {}) {
    const argv = ['--input-type=module', '-e', code, ...args]
    this.child = ended(spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], ...options }))
    this.#exit = closed(this.child)
  }

  get pid(): number {
    return this.child.pid as number
  }

  line(): Promise<string> {
    return line(this.child.stdout)
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
    for (;;) {
      try {
        rest.push(await this.line())
      } catch {
        return { rest, ...(await this.#exit) }
      }
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

/** The next message of a forked child. */
export async function message(child: ChildProcess): Promise<unknown> {
  return (await once(child, 'message'))[0]
}
