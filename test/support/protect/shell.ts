/** An interactive shell in a real terminal: what it starts is a foreground group of its own below a session leader that lives on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { programs } from '../build-programs.js'
import { allProcesses } from '../process-table.mjs'
import { until } from '../processes.js'
import { killed, Terminal } from '../terminal.js'

const PROMPT = 'ended with'

export class Shell {
  readonly terminal: Terminal
  #session = 0
  #seen = 0

  private constructor(folder: string) {
    this.terminal = new Terminal('bash', ['--norc', '--noprofile', '-i'], folder)
    onTestFinished(() => {
      for (const pid of this.living()) killed(pid)
    })
  }

  static async open(folder = process.cwd()): Promise<Shell> {
    const shell = new Shell(folder)
    shell.terminal.type(`export NO_COLOR=1; PS1='${PROMPT}'' $? > '; echo session' '$$\n`)
    const end = await shell.terminal.shows('session ')
    await shell.terminal.shows('\n', end)
    shell.#session = Number.parseInt(shell.terminal.screen.slice(end), 10)
    shell.#seen = await shell.terminal.shows(`${PROMPT} 0 > `, end)
    return shell
  }

  type(line: string): void {
    this.terminal.type(`${line}\n`)
  }

  /** Runs an ES module, with the library in reach. */
  module(code: string, flags = ''): void {
    const folder = mkdtempSync(join(programs, 'module-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'program.mjs')
    writeFileSync(file, code)
    this.type(`node ${flags} ${file}`)
  }

  /** Waits until this is printed, after all that was waited for before. */
  async shows(text: string): Promise<void> {
    this.#seen = await this.terminal.shows(text, this.#seen)
  }

  /** In either order. */
  async showsBoth(one: string, other: string): Promise<void> {
    const ends = await Promise.all([one, other].map((text) => this.terminal.shows(text, this.#seen)))
    this.#seen = Math.max(...ends)
  }

  press(key: string): void {
    this.terminal.type(key)
  }

  /** The status that the shell has seen. */
  async ended(): Promise<number> {
    await this.shows(`${PROMPT} `)
    await until(() => / > /.test(this.terminal.screen.slice(this.#seen)), 'the prompt is complete')
    return Number.parseInt(this.terminal.screen.slice(this.#seen), 10)
  }

  /** All that lives in its session, but itself. */
  living(): number[] {
    return this.#members().map(({ pid }) => pid)
  }

  #members() {
    const session = this.#session
    return allProcesses().filter((found) => found.session === session && found.pid !== session && found.state !== 'Z')
  }

  /**
   * The shell knows of a stop by the first process of its job. Another, that waits for a line and has not run since, takes what is typed
   * by then before it stops.
   */
  async hasStopped(): Promise<void> {
    await until(
      () => this.#members().every(({ state }) => state === 'T'),
      () => `all have stopped: ${this.living()}`,
    )
  }

  async isEmpty(): Promise<void> {
    await until(() => this.living().length === 0, `nothing is left: ${this.living()}`)
  }

  get leader(): number {
    return this.#session
  }
}
