/** What `run` says while it holds all signals: whoever does not read must not keep it from its child. */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { native } from '../native/load.js'
import { withMask } from '../signal/mask.js'

/** What a pipe takes at once when it takes anything, on every system: PIPE_BUF of POSIX. */
const PIECE = 512
/** Who reads now and then, does so by then. */
const LONGEST_MS = 500
const LOOK_AGAIN_MS = 20

/** To standard error, if there is one. Resolves when it is written, or nobody has read for so long. */
export async function say(text: string): Promise<void> {
  const bytes = Buffer.from(`sigshield run: ${text}\n`)
  const end = performance.now() + LONGEST_MS
  try {
    for (let position = 0; position < bytes.length; ) {
      if (native().canWrite(2)) position += write(bytes.subarray(position, position + PIECE))
      else if (performance.now() < end) await sleep(LOOK_AGAIN_MS)
      else return
    }
  } catch {}
}

/** In the background too, where the terminal may send SIGTTOU to who writes, again and again while it is handled (termios(3)). */
function write(bytes: Uint8Array): number {
  return withMask('block', ['SIGTTOU'], () => writeSync(2, bytes))
}
