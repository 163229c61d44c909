/** What the command itself says. `run` and `exec` leave the streams to their program, and write to the bare descriptor. */
import { writeSync } from 'node:fs'

let isWatched = false

/** To standard output. Who reads it may have seen enough: then this process ends quietly. */
export function print(text: string): void {
  if (!isWatched) {
    isWatched = true
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
  process.stdout.write(text)
}

/** To standard error, if there is one. */
export function complain(text: string): void {
  try {
    writeSync(2, `${text}\n`)
  } catch {}
}
