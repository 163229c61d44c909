// How many children a second can be started and seen to their end, by how many are in flight.
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const IN_FLIGHT = [1, 8, 32, 128]
const TURNS = 9
const STARTS = 150

export default async function starts(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question: 'How many children can be started a second?',
    unit: 'starts/s',
    better: 'higher',
    ours: ways.sigshield.name,
    plot: { x: 'in flight' },
  })
  const peers = openAll(['sigshield', 'unenforced', 'child_process', 'bun', 'python', 'floor', 'env', 'sh', 'nohup'])
  result.absent(peers.absent)
  for (const [way, program] of peers.present) await program.ask('starts', way, 8, STARTS)
  clock.cases(IN_FLIGHT.length)
  for (const inFlight of IN_FLIGHT) {
    for (const _ of clock.turns(TURNS)) {
      for (const [way, program] of peers.present) {
        const [seconds = Number.NaN] = await program.ask('starts', way, inFlight, STARTS)
        result.add({ 'in flight': inFlight }, ways[way].name, STARTS / seconds)
      }
    }
  }
  await peers.end()
  return [result]
}
