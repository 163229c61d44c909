// How long one start holds the event loop, by the descriptors that the parent has open: the sockets of a server, say, or what it
// holds of its children.
import { execFileSync } from 'node:child_process'
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const MOST = 20_000
/** What a process needs for itself. */
const SPARE = 200
const TURNS = 30
// The first of a turn is not counted, as in blocked-loop.
const TURN_LENGTH = 11
// Until the engines have compiled what they run often.
const WARM_UP = 200

/** As many as this machine allows. */
function descriptorsToOpen() {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? MOST : Math.min(MOST, Number(limit) - SPARE)
}

export default async function manyDescriptors(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question: 'How long does one start hold the event loop of a process that has many descriptors open?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  const peers = openAll(['sigshield', 'child_process', 'bun', 'floor'])
  result.absent(peers.absent)
  const programs = new Set(peers.present.values())
  for (const [way, program] of peers.present) await program.ask('block', way, 'ignore', WARM_UP)
  const counts = [0, descriptorsToOpen()]
  clock.cases(counts.length)
  for (const count of counts) {
    for (const program of programs) await program.ask('open', count)
    for (const _ of clock.turns(TURNS)) {
      for (const [way, program] of peers.present) {
        const [, ...times] = await program.ask('block', way, 'ignore', TURN_LENGTH)
        result.add({ 'more descriptors': count }, ways[way].name, ...times)
      }
    }
  }
  await peers.end()
  return [result]
}
