// How long one start holds the event loop, by the descriptors that the parent has open: the sockets of a server, say, or what it
// holds of its children.
import { execFileSync } from 'node:child_process'
import { Clock } from './clock.mjs'
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const MOST = 20_000
/** What a process needs for itself. */
const SPARE = 200
const TURNS = 30
// The first of a turn is not counted, as in blocked-loop.
const TURN_LENGTH = 11

/** @typedef {{ ask(...request: (string | number)[]): Promise<number[]> }} Asked */

/** As many as this machine allows. */
function descriptorsToOpen() {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? MOST : Math.min(MOST, Number(limit) - SPARE)
}

/** Of each peer that can, where there is time for them. */
const LIVE_CHILDREN = { least: 500, most: 5_000 }

export default async function manyDescriptors(/** @type {Clock} */ clock) {
  const result = new Result({
    question:
      'How long does one start hold the event loop of a process that has many descriptors open, or many children?',
    unit: 'µs',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  clock.cases(4)
  /** Beside nothing, and then beside what `prepare` says that each program has. */
  async function compare(
    /** @type {readonly import('./peers.mjs').Way[]} */ wanted,
    /** @type {string} */ beside,
    /** @type {(programs: Map<Asked, string>) => Promise<number>} */ prepare,
  ) {
    const peers = openAll(wanted)
    result.absent(peers.absent)
    const start = (/** @type {Asked} */ program, /** @type {string} */ way) =>
      program.ask('block', way, 'ignore', TURN_LENGTH)
    await clock.warmUp(
      [...peers.present].map(
        ([way, program]) =>
          () =>
            start(program, way),
      ),
    )
    /** By the first way that each has. @type {Map<Asked, string>} */
    const programs = new Map()
    for (const [way, program] of peers.present) if (!programs.has(program)) programs.set(program, way)
    for (const isMore of [false, true]) {
      const count = isMore ? await prepare(programs) : 'no'
      for (const _ of clock.turns(TURNS)) {
        for (const [way, program] of peers.present) {
          const [, ...times] = await start(program, way)
          result.add({ beside: `${count} ${beside}` }, ways[way].name, ...times)
        }
      }
    }
    await peers.end()
  }
  await compare(['sigshield', 'unwaited', 'child_process', 'bun', 'floor'], 'more descriptors', async (programs) => {
    const count = descriptorsToOpen()
    for (const program of programs.keys()) await program.ask('open', count)
    return count
  })
  await compare(['sigshield', 'unwaited', 'bun'], 'live children', async (programs) => {
    const { least, most } = LIVE_CHILDREN
    const room = clock.share / 2 / programs.size
    let count = 0
    for (const [program, way] of programs) {
      const begin = performance.now()
      await program.ask('idle', way, least)
      count ||= Clock.count((performance.now() - begin) / least, { in: room, least, most })
      await program.ask('idle', way, count - least)
    }
    return count
  })
  return [result]
}
