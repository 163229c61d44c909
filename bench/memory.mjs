// How much memory the parent needs for a child that lives, and how much it has grown by after many that have ended.
import { open, ways } from './peers.mjs'
import { Result } from './result.mjs'

const TURNS = 7
const FIRST = 1000
const LIVE = 5000
const WARM_UP = 5000
const STARTS = 100_000

const compared = /** @type {const} */ (['sigshield', 'child_process'])

export default async function memory() {
  const live = new Result({
    question: 'How much memory does the parent need for one live child?',
    unit: 'bytes',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  for (let turn = 0; turn < TURNS; turn += 1) {
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
    question: `How much has the parent grown after ${STARTS.toLocaleString('en')} children?`,
    unit: 'MB',
    better: 'lower',
    ours: ways.sigshield.name,
  })
  for (const way of compared) {
    const program = open(way)
    await program.ask('starts', way, 32, WARM_UP)
    const [before = Number.NaN] = await program.ask('rss')
    await program.ask('starts', way, 32, STARTS)
    const [after = Number.NaN] = await program.ask('rss')
    growth.add({ stdio: 'ignore' }, ways[way].name, (after - before) / 2 ** 20)
    await program.end()
  }
  growth.note('One run each: a leak of ten bytes a start would show as one MB.')
  return [live, growth]
}
