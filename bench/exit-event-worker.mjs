// Answers "check" with the nanoseconds of one isSet(); leaves when it is told to, by whichever way it was started for.
import { exitEvent } from 'sigshield/child'

const CHECKS = 20_000_000

function nanosecondsOfOneCheck() {
  let set = 0
  const start = process.hrtime.bigint()
  for (let i = 0; i < CHECKS; i += 1) set += event.isSet() ? 1 : 0
  return Number(process.hrtime.bigint() - start) / CHECKS + set
}

const leave = () => process.disconnect?.()
const event = exitEvent()
if (process.argv[2] === 'execa') {
  const { getCancelSignal, sendMessage } = await import('execa')
  // execa's own listener does not hold the loop, as a job would.
  process.channel?.ref()
  const signal = await getCancelSignal()
  signal.addEventListener('abort', leave)
  await sendMessage('ready')
} else {
  event.signal.addEventListener('abort', leave)
  process.on('message', (message) => {
    if (message === 'check') process.send?.(nanosecondsOfOneCheck())
    if (message === 'leave') leave()
  })
  process.send?.('ready')
}
