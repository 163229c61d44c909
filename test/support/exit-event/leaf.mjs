// Says what it knows of its exit event, and when it is connected why that was set.
import { exitEvent } from 'sigshield/child'

const event = exitEvent()
console.log(JSON.stringify({ connected: event.connected, isSet: event.isSet() }))
if (event.connected) {
  await event.wait()
  console.log(event.reason)
}
