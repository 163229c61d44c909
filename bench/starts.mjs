// How many children a second can be started and seen to their end, by how many are in flight.
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const IN_FLIGHT = [1, 8, 32, 128]
const TURNS = 9
const STARTS = 400

export default async function starts() {
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
  for (const inFlight of IN_FLIGHT) {
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const [way, program] of peers.present) {
        const [seconds = Number.NaN] = await program.ask('starts', way, inFlight, STARTS)
        result.add({ 'in flight': inFlight }, ways[way].name, STARTS / seconds)
      }
    }
  }
  await peers.end()
  return [result]
}
