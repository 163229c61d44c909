// What the seccomp filter behind `enforce` costs a child that does nothing but system calls.
import { text } from 'node:stream/consumers'
import { spawnProtected } from 'sigshield'
import { compiled } from './peers.mjs'
import { Result } from './result.mjs'

const TURNS = 40
const CALLS = { 'read of 4 KB': 200_000, getppid: 1_000_000 }

export default async function filterCost() {
  const result = new Result({
    question: 'What does a system call cost in a child?',
    unit: 'ns',
    better: 'lower',
    ours: 'enforced',
  })
  if (process.platform !== 'linux') {
    result.absent({ enforced: 'enforce does not add a filter to system calls on this platform' })
    return [result]
  }
  const program = compiled('filter-cost.c')
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [call, count] of Object.entries(CALLS)) {
      for (const enforce of turn % 2 ? [true, false] : [false, true]) {
        const child = spawnProtected(program, [call, String(count)], { stdio: ['ignore', 'pipe', 'inherit'], enforce })
        const nanoseconds = Number(await text(/** @type {import('node:stream').Readable} */ (child.stdout)))
        result.add({ call }, enforce ? 'enforced' : 'not enforced', nanoseconds)
      }
    }
  }
  return [result]
}
