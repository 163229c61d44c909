// How many children a second can be started and seen to their end, by how many are in flight, and the CPU time that it takes.
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const IN_FLIGHT = [1, 8, 32, 128]
const TURNS = 9
// A turn has so many, and those in flight.
const LEAST_STARTS = 40
const MOST_STARTS = 200

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
  await clock.warmUp(
    [...peers.present].map(
      ([way, program]) =>
        () =>
          program.ask('starts', way, 8, LEAST_STARTS),
    ),
  )
  clock.cases(IN_FLIGHT.length)
  for (const inFlight of IN_FLIGHT) {
    // The system tells it in steps of 10 ms: of all turns together.
    const compared = []
    const least = LEAST_STARTS + inFlight
    let starts = MOST_STARTS + inFlight
    for (const [way, program] of peers.present) {
      const [seconds = Number.NaN] = await program.ask('starts', way, inFlight, least)
      starts = clock.countPerTurn((seconds * 1000) / least, { parts: peers.present.size, least, most: starts })
      compared.push({ way, program, used: 0, turns: 0 })
    }
    for (const _ of clock.turns(TURNS)) {
      for (const peer of compared) {
        const before = peer.program.cpu
        const [seconds = Number.NaN] = await peer.program.ask('starts', peer.way, inFlight, starts)
        rate.add({ 'in flight': inFlight }, ways[peer.way].name, starts / seconds)
        peer.used += peer.program.cpu - before
        peer.turns += 1
      }
    }
    for (const { way, used, turns } of compared) {
      time.add({ 'in flight': inFlight }, ways[way].name, (used / (starts * turns)) * 1e6)
    }
  }
  await peers.end()
  return [rate, time]
}
