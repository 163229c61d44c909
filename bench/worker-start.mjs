// How long a Node worker takes from its start to its first message.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { forkProtected } from 'sigshield'
import { Result } from './result.mjs'

const TURNS = 20
const worker = join(import.meta.dirname, 'worker-start-worker.mjs')

/** @type {Record<string, () => childProcess.ChildProcess>} */
const peers = {
  'forkProtected, enforced': () => forkProtected(worker),
  'forkProtected, enforce: false': () => forkProtected(worker, { enforce: false }),
  'child_process.fork': () => childProcess.fork(worker),
}

export default async function workerStart(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question: 'How long does a Node worker take to its first message?',
    unit: 'ms',
    better: 'lower',
    ours: 'forkProtected, enforced',
  })
  for (const turn of clock.turns(TURNS)) {
    for (const [name, fork] of Object.entries(peers)) {
      const begin = performance.now()
      const child = fork()
      await once(child, 'message')
      if (turn > 0) result.add({}, name, performance.now() - begin)
      await once(child, 'close')
    }
  }
  return [result]
}
