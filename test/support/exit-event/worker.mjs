// Reports on its exit event, then waits for it in the way it is told.
import { once } from 'node:events'
import { exitEvent } from 'sigshield/child'

const event = exitEvent()
const send = (message) => new Promise((resolve) => process.send(message, resolve))

const ways = {
  wait: () => event.wait(),
  waitSync: () => event.waitSync(),
  // The signal keeps no process alive: the channel does.
  signal: () => event.signal.aborted || once(event.signal, 'abort', process.channel.ref()),
  isSet: () => {
    while (!event.isSet());
  },
}

process.once('message', async (way) => {
  if (way === 'set') {
    try {
      event.set()
    } catch ({ code }) {
      await send({ code })
    }
    return process.disconnect()
  }
  await send('waiting')
  await ways[way]()
  if (process.connected) {
    await send({ way, reason: event.reason })
    process.disconnect()
  }
})
await send({ connected: event.connected, isSet: event.isSet(), aborted: event.signal.aborted })
