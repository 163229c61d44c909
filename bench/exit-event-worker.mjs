// Answers "check" with the nanoseconds of one isSet(); else leaves when its event is set or a message comes.
import { exitEvent } from 'sigshield/child'

const event = exitEvent()
const CHECKS = 20_000_000

function nanosecondsOfOneCheck() {
  let set = 0
  const start = process.hrtime.bigint()
  for (let i = 0; i < CHECKS; i += 1) set += event.isSet() ? 1 : 0
  return Number(process.hrtime.bigint() - start) / CHECKS + set
}

event.signal.addEventListener('abort', () => process.disconnect?.())
process.on('message', (message) => {
  if (message === 'check') process.send?.(nanosecondsOfOneCheck())
  if (message === 'leave') process.disconnect?.()
})
process.send?.('ready')
