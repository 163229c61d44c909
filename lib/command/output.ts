/** What the command itself says. `run` and `exec` leave the streams to their program, and write to the bare descriptor. */
import { writeSync } from 'node:fs'

let isWatched = false
let isOver = false

/** To standard output. Who reads it may have seen enough: what was begun is finished all the same, without a word. */
export function print(text: string): void {
  if (!isWatched) {
    isWatched = true
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      isOver = true
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
