// How many children a second can be started and seen to their end, by how many are in flight, and the CPU time that it takes.
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const IN_FLIGHT = [1, 8, 32, 128]
const TURNS = 9
const STARTS = 150

export default async function starts(/** @type {import('./clock.mjs').Clock} */ clock) {
  const rate = new Result({
    question: 'How many children can be started a second?',
    unit: 'starts/s',
    better: 'higher',
    ours: ways.sigshield.name,
    plot: { x: 'in flight' },
  })
  const time = new Result({
    question: 'How much CPU time does a start take, from the call to the exit, of parent and child together?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  const starters = /** @type {const} */ ([
    'sigshield',
    'unwaited',
    'unenforced',
    'child_process',
    'newChildProcess',
    'bun',
    'python',
  ])
  const peers = openAll([...starters, 'floor', 'env', 'sh', 'nohup'])
  rate.absent(peers.absent)
  for (const [way, program] of peers.present) await program.ask('starts', way, 8, STARTS)
  clock.cases(IN_FLIGHT.length)
  for (const inFlight of IN_FLIGHT) {
    // The system tells it in steps of 10 ms: of all turns together.
    /** @type {Map<string, number>} */
    const used = new Map()
    let turns = 0
    for (const _ of clock.turns(TURNS)) {
      turns += 1
      for (const [way, program] of peers.present) {
        const before = program.cpu
        const [seconds = Number.NaN] = await program.ask('starts', way, inFlight, STARTS)
        rate.add({ 'in flight': inFlight }, ways[way].name, STARTS / seconds)
        used.set(way, (used.get(way) ?? 0) + program.cpu - before)
      }
    }
    for (const [way] of peers.present) {
      time.add({ 'in flight': inFlight }, ways[way].name, ((used.get(way) ?? 0) / (STARTS * turns)) * 1e6)
    }
  }
  await peers.end()
  return [rate, time]
}
