// A lazy worker: each job takes it a second. It finishes the job in hand before it leaves.
import { on } from 'node:events'
import { setTimeout as nap } from 'node:timers/promises'
import { exitEvent } from 'sigshield/child'

const exit = exitEvent()
try {
  // Run by hand it has no channel, and so no jobs.
  const messages = process.connected ? on(process, 'message', { signal: exit.signal, close: ['disconnect'] }) : []
  for await (const [job] of messages) {
    console.log(`job ${job}`)
    await nap(1000)
    if (exit.isSet()) break
  }
} catch (error) {
  if (!exit.isSet()) throw error
}
console.log('Doing cleanup before leaving ...')
if (process.connected) process.disconnect?.()
