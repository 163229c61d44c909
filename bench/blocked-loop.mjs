// How long one start holds the event loop, by the memory that the parent has in use and by stdio.
import { openAll, ways } from './peers.mjs'
import { Result } from './result.mjs'

const GIGABYTES = [0, 1, 4]
const STDIO = ['ignore', 'pipe']
const TURNS = 30
// The first of a turn is not counted: the programs before it have had the processor's caches.
const LEAST_LENGTH = 4
const MOST_LENGTH = 31
// Where not all programs can have so much memory at once.
const LEFT_OUT_FIRST = 'newChildProcess'

const free = () => process.availableMemory() * 0.9

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
    'newChildProcess',
    'bun',
    'python',
    'floor',
    'unwaitedFloor',
  ])
  result.absent(peers.absent)
  const programs = new Set(peers.present.values())
  await clock.warmUp(
    [...peers.present].flatMap(([way, program]) =>
      STDIO.map((stdio) => () => program.ask('block', way, stdio, MOST_LENGTH)),
    ),
  )
  clock.cases(GIGABYTES.length * STDIO.length)
  let held = 0
  for (const gigabytes of GIGABYTES) {
    const more = (gigabytes - held) * 2 ** 30
    const last = peers.present.get(LEFT_OUT_FIRST)
    if (last && more * programs.size > free()) {
      peers.present.delete(LEFT_OUT_FIRST)
      programs.delete(last)
      await last.end()
      result.note(
        `${ways[LEFT_OUT_FIRST].name} was left out from ${gigabytes} GB on: together the programs need more memory than is free here.`,
      )
    }
    if (more * programs.size > free()) {
      result.note(
        `${gigabytes} GB was left out: ${programs.size} programs together need more memory than is free here.`,
      )
      continue
    }
    await Promise.all([...programs].map((program) => program.ask('hold', gigabytes - held)))
    held = gigabytes
    for (const stdio of STDIO) {
      /** @type {Map<string, number>} */
      const lengths = new Map()
      for (const [way, program] of peers.present) {
        const begin = performance.now()
        await program.ask('block', way, stdio, LEAST_LENGTH)
        const each = (performance.now() - begin) / LEAST_LENGTH
        const bounds = { parts: peers.present.size, least: LEAST_LENGTH, most: MOST_LENGTH }
        lengths.set(way, clock.countPerTurn(each, bounds))
      }
      for (const _ of clock.turns(TURNS)) {
        for (const [way, program] of peers.present) {
          const [, ...times] = await program.ask('block', way, stdio, lengths.get(way) ?? 0)
          result.add({ 'memory in use, GB': gigabytes, stdio }, ways[way].name, ...times)
        }
      }
    }
  }
  await peers.end()
  return [result]
}
