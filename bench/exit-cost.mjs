// How much CPU time the parent spends on one exit, by how many other children it has.
import { Clock } from './clock.mjs'
import { open, ways } from './peers.mjs'
import { Result } from './result.mjs'

const THOUSAND = 1000
// Of the last ones as many thousands as there is time for.
const IDLE = [0, THOUSAND, 5 * THOUSAND]
const TURNS = 10
const EXITS = 50

export default async function exitCost(/** @type {Clock} */ clock) {
  const result = new Result({
    question: 'How much CPU time does one exit cost the parent?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
    plot: { x: 'idle children', log: true },
  })
  // Each in a process of its own: libuv looks at all its children whenever one of the process ends.
  const programs = /** @type {const} */ (['sigshield', 'child_process']).map((way) => ({ way, program: open(way) }))
  await clock.warmUp(
    programs.map(
      ({ way, program }) =>
        () =>
          program.ask('exits', way, EXITS),
    ),
  )
  clock.cases(IDLE.length)
  let idle = 0
  // Milliseconds, in each program.
  let perThousand = 0
  for (const most of IDLE) {
    const more = (most - idle) / THOUSAND
    const bounds = { in: clock.share / 2, least: Math.min(more, 1), most: more }
    const count = idle + THOUSAND * Clock.count(perThousand, bounds)
    const begin = performance.now()
    for (const { way, program } of programs) await program.ask('idle', way, count - idle)
    perThousand = (THOUSAND * (performance.now() - begin)) / Math.max(1, count - idle)
    for (const { way, program } of programs) await program.ask('exits', way, EXITS)
    idle = count
    for (const _ of clock.turns(TURNS)) {
      for (const { way, program } of programs) {
        result.add({ 'idle children': count }, ways[way].name, ...(await program.ask('exits', way, EXITS)))
      }
    }
  }
  for (const { program } of programs) await program.end()
  return [result]
}
