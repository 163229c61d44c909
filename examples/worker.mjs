// A lazy worker: each job takes it a second. It finishes the job in hand before it leaves.
import { on } from 'node:events'
import { setTimeout as nap } from 'node:timers/promises'
import { exitEvent } from 'sigshield/child'

const exit = exitEvent()
try {
  for await (const [job] of on(process, 'message', { signal: exit.signal, close: ['disconnect'] })) {
    console.log(`job ${job}`)
    await nap(1000)
    if (exit.isSet()) break
  }
} catch (error) {
  if (!exit.isSet()) throw error
}
console.log('Doing cleanup before leaving ...')
process.disconnect?.()
