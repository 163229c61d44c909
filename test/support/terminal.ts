/** A real terminal: what runs in it is the leader of a session that the terminal belongs to. */
import { readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { type IPty, spawn } from 'node-pty'
import { onTestFinished } from 'vitest'
import { allProcesses } from './process-table.mjs'
import { until } from './processes.js'

export const CTRL_C = '\x03'
export const CTRL_Z = '\x1a'

/** What node-pty has of a terminal, which it does not say. */
interface Internals {
  readonly _fd: number
  readonly _socket: { destroy(error?: Error): unknown }
}

/**
 * When the last program has closed it, libuv takes the first short read for the end (uv__stream_io), and each of a terminal is: what
 * the kernel still has of its output would be lost.
 */
function readsAll(pty: Internals, read: (bytes: Buffer) => void): void {
  const destroy = pty._socket.destroy.bind(pty._socket)
  pty._socket.destroy = (error) => {
    const bytes = Buffer.alloc(65_536)
    try {
      for (;;) read(bytes.subarray(0, readSync(pty._fd, bytes)))
    } catch {
      // EIO: that was all. EAGAIN: others hold it, and write nothing.
    }
    pty._socket.destroy = destroy
    return destroy(error)
  }
}

/** It may have ended meanwhile. */
export function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export class Terminal {
  /** All that was printed so far. */
  screen = ''
  readonly #pty: IPty
  readonly #internals: Internals
  readonly exit: Promise<{ exitCode: number; signal?: number | undefined }>

  constructor(command: string, args: string[], cwd = process.cwd()) {
    this.#pty = spawn(command, args, { cols: 200, rows: 50, cwd, encoding: null })
    const decoder = new StringDecoder()
    const read = (bytes: Buffer) => {
      this.screen += decoder.write(bytes)
    }
    this.#pty.onData((bytes) => read(bytes as unknown as Buffer))
    this.#internals = this.#pty as unknown as Internals
    readsAll(this.#internals, read)
    let running = true
    this.exit = new Promise((resolve) => {
      this.#pty.onExit((exit) => {
        running = false
        resolve(exit)
      })
    })
    const session = this.#pty.pid
    onTestFinished(async () => {
      if (running) this.#pty.kill('SIGKILL')
      await this.exit
      // What it has left in the background hears no hangup.
      for (const found of allProcesses()) if (found.session === session) killed(found.pid)
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
    this.#internals._socket.destroy()
  }

  type(keys: string): void {
    this.#pty.write(keys)
  }
}
