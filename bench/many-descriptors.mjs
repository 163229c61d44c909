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

/** Of each peer that can. */
const LIVE_CHILDREN = 5_000

export default async function manyDescriptors(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question:
      'How long does one start hold the event loop of a process that has many descriptors open, or many children?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  const most = descriptorsToOpen()
  clock.cases(4)
  /** Beside nothing, and then beside what it is that each program is asked for. */
  async function compare(
    /** @type {readonly import('./peers.mjs').Way[]} */ wanted,
    /** @type {string} */ beside,
    /** @type {(program: { ask(...request: (string | number)[]): Promise<number[]> }, way: string) => Promise<unknown>} */ prepare,
  ) {
    const peers = openAll(wanted)
    result.absent(peers.absent)
    for (const [way, program] of peers.present) await program.ask('block', way, 'ignore', WARM_UP)
    const prepared = new Set()
    for (const isMore of [false, true]) {
      for (const [way, program] of isMore ? peers.present : []) {
        if (!prepared.has(program)) await prepare(program, way)
        prepared.add(program)
      }
      for (const _ of clock.turns(TURNS)) {
        for (const [way, program] of peers.present) {
          const [, ...times] = await program.ask('block', way, 'ignore', TURN_LENGTH)
          result.add({ beside: isMore ? beside : `no ${beside}` }, ways[way].name, ...times)
        }
      }
    }
    await peers.end()
  }
  await compare(['sigshield', 'unwaited', 'child_process', 'bun', 'floor'], `${most} more descriptors`, (program) =>
    program.ask('open', most),
  )
  await compare(['sigshield', 'unwaited', 'bun'], `${LIVE_CHILDREN} live children`, (program, way) =>
    program.ask('idle', way, LIVE_CHILDREN),
  )
  return [result]
}
