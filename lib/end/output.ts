/** What children wrote last is read before this process ends by a signal. */
import type { ChildProcess } from 'node:child_process'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { clearTimeout, setTimeout } from '../node/clock.js'

/** Descendants may hold the pipes for ever, or nobody may read them. */
const LONGEST_MS = 1000

export async function readToTheEnd(children: readonly ChildProcess[]): Promise<void> {
  const streams = children.flatMap(({ stdio }) => stdio.filter((stream) => stream instanceof Readable))
  // A stream that breaks is over too.
  const ends = streams.map((stream) => finished(stream, { writable: false }).catch(() => {}))
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, LONGEST_MS)
  })
  await Promise.race([Promise.all(ends), late])
  clearTimeout(timer)
}
