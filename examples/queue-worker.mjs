// Takes jobs as messages, one at a time, until there are no more or the parent asks it to leave. Jobs that it has taken in by
// then and not begun it reports.
import { on } from 'node:events'
import { exitEvent } from 'sigshield/child'

const exit = exitEvent()
if (!exit.connected) console.log('run by hand: nobody will ask this worker to leave')

/** A job without a single turn of the event loop, which the request must not cut. */
function work(/** @type {number} */ ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** @type {number[]} */
const left = []
try {
  // Run by hand there is no channel.
  const messages = process.connected ? on(process, 'message', { signal: exit.signal, close: ['disconnect'] }) : []
  // What has arrived is handed out to the last message before the signal ends the loop.
  for await (const [{ id, ms, end }] of messages) {
    if (end) break
    if (exit.isSet()) {
      left.push(id)
    } else {
      work(ms)
      process.send?.({ done: id })
    }
  }
} catch (error) {
  if (!exit.isSet()) throw error
}
if (process.connected) process.send?.({ left }, () => process.connected && process.disconnect?.())
