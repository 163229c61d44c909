/** A real terminal: what runs in it is the leader of a session that the terminal belongs to. */
import { type IPty, spawn } from 'node-pty'
import { onTestFinished } from 'vitest'
import { until } from './processes.js'

export const CTRL_C = '\x03'
export const CTRL_Z = '\x1a'

export class Terminal {
  /** All that was printed so far. */
  screen = ''
  readonly #pty: IPty
  readonly exit: Promise<{ exitCode: number; signal?: number | undefined }>

  constructor(command: string, args: string[], cwd = process.cwd()) {
    this.#pty = spawn(command, args, { cols: 200, rows: 50, cwd })
    this.#pty.onData((text) => {
      this.screen += text
    })
    let running = true
    this.exit = new Promise((resolve) => {
      this.#pty.onExit((exit) => {
        running = false
        resolve(exit)
      })
    })
    onTestFinished(async () => {
      if (running) this.#pty.kill('SIGKILL')
      await this.exit
    })
  }

  /** Waits until the text appears after position `from` of the screen; returns the position behind it. */
  async shows(text: string, from = 0): Promise<number> {
    await until(
      () => this.screen.includes(text, from),
      () => `the terminal shows '${text}' after: ${this.screen.slice(from)}`,
    )
    return this.screen.indexOf(text, from) + text.length
  }

  /** As by the window's close button: the terminal hangs up. */
  close(): void {
    ;(this.#pty as unknown as { _socket: { destroy(): void } })._socket.destroy()
  }

  type(keys: string): void {
    this.#pty.write(keys)
  }
}
