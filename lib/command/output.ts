/** What the command itself says. `run` and `exec` leave the streams to their program, and write to the bare descriptor. */
import { writeSync } from 'node:fs'

let isWatched = false
let isOver = false

/**
 * To standard output. Where nothing more can be written, what was begun is finished all the same: without a word where who reads it
 * has seen enough.
 */
export function print(text: string): void {
  if (!isWatched) {
    isWatched = true
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (isOver) return
      isOver = true
      if (error.code === 'EPIPE') return
      process.exitCode = 1
      complain(`sigshield: standard output: ${error.message}`)
    })
  }
  if (!isOver) process.stdout.write(text)
}

/** To standard error, if there is one. */
export function complain(text: string): void {
  try {
    writeSync(2, `${text}\n`)
  } catch {}
}
