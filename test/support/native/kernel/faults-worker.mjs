// A thread of faults-parent.mjs that was given an exit event: says that it is ready, then what it was told.
import { parentPort, workerData } from 'node:worker_threads'
import { exitEvent } from 'sigshield/child'

const LOOKS = 60

/** Far longer than it takes. */
const LONGEST_MS = 20_000

/** Each returns whether the event was seen. */
const ways = {
  spins(event) {
    const deadline = performance.now() + LONGEST_MS
    while (!event.isSet()) if (performance.now() > deadline) return false
    return true
  },
  waits: (event) => event.wait(LONGEST_MS),
  blocks: (event) => event.waitSync(LONGEST_MS),
}

async function outcome() {
  const event = exitEvent()
  if (!event.connected) return 'not connected'
  if (event.isSet()) return 'set too early'
  // Looks are cheap: one is the fiftieth use soon.
  for (let i = 0; i < LOOKS; i += 1) if (event.reason !== undefined) return 'set too early'
  parentPort.postMessage('ready')
  if (!(await ways[workerData](event))) return 'never told'
  return event.reason === 'requested' ? 'works' : { reason: event.reason }
}

try {
  parentPort.postMessage(await outcome())
} catch ({ code, step, message }) {
  parentPort.postMessage(step ? { code, step } : { code, message })
}
