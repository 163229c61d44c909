/** Starting and observing real processes. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { programs } from './build-programs.js'
import { limit } from './limits.js'
import { processOf } from './process-table.mjs'

export const probe = join(programs, 'probe')
export const nothing = join(programs, 'nothing')
/** Says the numbers of the signals that it ignores, or those that are 'blocked'. */
export const signalSet = join(programs, 'signal-set')

export const { SIGINT, SIGUSR1, SIGUSR2, SIGTERM } = constants.signals

/** In a shell: as setsid(1), which a Mac has not. */
export const SETSID = `python3 -c "import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])"`

/** The next line of a stream; later ones stay to be read. */
export async function line(stream: Readable | null): Promise<string> {
  let text = ''
  for (;;) {
    const character = stream?.read(1) as Buffer | string | null | undefined
    if (character === null || character === undefined) {
      if (!stream || stream.readableEnded || stream.destroyed) throw new Error(`the stream ended after '${text}'`)
      const waiting = new AbortController()
      const events = ['readable', 'end', 'close'].map((event) => once(stream, event, { signal: waiting.signal }))
      await Promise.race(events)
      waiting.abort()
      await Promise.allSettled(events)
    } else if (String(character) === '\n') {
      return text
    } else {
      text += String(character)
    }
  }
}

/** Sends a line and expects it back: what was sent to the process before has been dealt with. */
export async function echo(child: { stdin: Writable | null; stdout: Readable | null }, text: string): Promise<string> {
  child.stdin?.write(`${text}\n`)
  return line(child.stdout)
}

/** Ends a child when the test is over, whatever became of the test. */
export function ended<C extends ChildProcess>(child: C): C {
  onTestFinished(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    // A parent that has disconnected never gets 'close' (Node's own behaviour).
    const disconnected = child.channel !== undefined && !child.connected
    const exit = once(child, disconnected ? 'exit' : 'close')
    child.kill('SIGKILL')
    await exit
  })
  return child
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

export async function closed(child: ChildProcess): Promise<Exit> {
  const [code, signal] = await once(child, 'close')
  return { code, signal }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sigshield-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Polls a condition that only the kernel announces (a process state, a file of another process). */
export async function until(condition: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = Date.now() + limit(20_000)
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${typeof what === 'string' ? what : what()}`)
    await new Promise((resolve) => setTimeout(resolve, 2)) // Only paces the polling: the condition decides.
  }
}

export function isAlive(pid: number): boolean {
  const found = processOf(pid)
  return found !== undefined && found.state !== 'Z'
}
