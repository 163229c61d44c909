// How long one start holds the event loop, by the memory that the parent has in use and by stdio.
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const GIGABYTES = [0, 1, 4]
const STDIO = ['ignore', 'pipe']
const TURNS = 30
// The first of a turn is not counted: the programs before it have had the processor's caches.
const TURN_LENGTH = 31
// Until the engines have compiled what they run often, as they have in a server.
const WARM_UP_MS = 1000

export default async function blockedLoop(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question: 'How long does one start hold the event loop?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
    plot: { x: 'memory in use, GB', facet: 'stdio', log: true },
  })
  const peers = openAll([
    'sigshield',
    'unwaited',
    'unenforced',
    'child_process',
    'bun',
    'python',
    'floor',
    'unwaitedFloor',
  ])
  result.absent(peers.absent)
  const programs = new Set(peers.present.values())
  for (const [way, program] of peers.present) {
    for (const stdio of STDIO) {
      const end = performance.now() + WARM_UP_MS
      while (performance.now() < end) await program.ask('block', way, stdio, TURN_LENGTH)
    }
  }
  clock.cases(GIGABYTES.length * STDIO.length)
  let held = 0
  for (const gigabytes of GIGABYTES) {
    const needed = (gigabytes - held) * programs.size * 2 ** 30
    if (needed > process.availableMemory() * 0.9) {
      result.note(
        `${gigabytes} GB was left out: ${programs.size} programs together need more memory than is free here.`,
      )
      continue
    }
    for (const program of programs) await program.ask('hold', gigabytes - held)
    held = gigabytes
    for (const stdio of STDIO) {
      for (const _ of clock.turns(TURNS)) {
        for (const [way, program] of peers.present) {
          const [, ...times] = await program.ask('block', way, stdio, TURN_LENGTH)
          result.add({ 'memory in use, GB': gigabytes, stdio }, ways[way].name, ...times)
        }
      }
    }
  }
  await peers.end()
  return [result]
}
