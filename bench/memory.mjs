// How much memory the parent needs for a child that lives, and how much it has grown by after many that have ended.
import { Clock } from './clock.mjs'
import { open, ways } from './peers.mjs'
import { Result } from './result.mjs'

const TURNS = 7
const FIRST = 1000
const LIVE = 2000
const WARM_UP = 2000
const STARTS = { least: 3000, most: 100_000 }

const compared = /** @type {const} */ (['sigshield', 'child_process'])

export default async function memory(/** @type {Clock} */ clock) {
  const live = new Result({
    question: 'How much memory does the parent need for one live child?',
    unit: 'bytes',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  clock.cases(1 + compared.length)
  for (const _ of clock.turns(TURNS)) {
    for (const way of compared) {
      const program = open(way)
      await program.ask('idle', way, FIRST)
      const [before = Number.NaN] = await program.ask('rss')
      await program.ask('idle', way, LIVE)
      const [after = Number.NaN] = await program.ask('rss')
      live.add({ stdio: 'ignore' }, ways[way].name, (after - before) / LIVE)
      await program.end()
    }
  }

  live.note(
    'In the process itself. The kernel holds a pidfd more for each child of sigshield, which is not counted here.',
  )

  const growth = new Result({
    question: 'How much has the parent grown after many children?',
    unit: 'MB',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  // For both, what there is time for with the first.
  let starts = 0
  for (const way of compared) {
    const program = open(way)
    const [seconds = 1] = await program.ask('starts', way, 32, WARM_UP)
    starts ||= Clock.count((1000 * seconds) / WARM_UP, { in: clock.share, ...STARTS })
    const [before = Number.NaN] = await program.ask('rss')
    await program.ask('starts', way, 32, starts)
    const [after = Number.NaN] = await program.ask('rss')
    growth.add({ stdio: 'ignore' }, ways[way].name, (after - before) / 2 ** 20)
    await program.end()
  }
  growth.note(
    `One run each, of ${starts.toLocaleString('en')}: a leak of ten bytes a start would show as ${(starts / 1e5).toPrecision(2)} MB.`,
  )
  return [live, growth]
}
