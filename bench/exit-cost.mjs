// How much CPU time the parent spends on one exit, by how many other children it has.
import { open, ways } from './peers.mjs'
import { Result } from './result.mjs'

const IDLE = [0, 1000, 5000]
const TURNS = 10
const EXITS = 50
// Until the engine has compiled what it runs often.
const WARM_UP = 40

export default async function exitCost(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question: 'How much CPU time does one exit cost the parent?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
    plot: { x: 'idle children', log: true },
  })
  // Each in a process of its own: libuv looks at all its children whenever one of the process ends.
  const programs = /** @type {const} */ (['sigshield', 'child_process']).map((way) => ({ way, program: open(way) }))
  for (const { way, program } of programs) {
    for (let i = 0; i < WARM_UP; i += 1) await program.ask('exits', way, EXITS)
  }
  clock.cases(IDLE.length)
  let idle = 0
  for (const count of IDLE) {
    for (const { way, program } of programs) {
      await program.ask('idle', way, count - idle)
      await program.ask('exits', way, EXITS)
    }
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
