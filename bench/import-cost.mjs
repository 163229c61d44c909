// What an import costs a program as it starts: of the library as it is published, in few files.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../packaging/bundle.mjs'
import { Result } from './result.mjs'

const TURNS = 30

const folder = join(import.meta.dirname, '../build/bench/package')
const published = (/** @type {string} */ entry) => pathToFileURL(join(folder, `dist/bundled/${entry}.js`)).href

/** The budget, in milliseconds on a quiet machine of today. */
const budget = { sigshield: 10, 'sigshield/child': 5 }

const peers = {
  sigshield: published('index'),
  'sigshield/child': published('child'),
  'sigshield/signals': published('signals'),
  execa: import.meta.resolve('execa'),
  tinyexec: import.meta.resolve('tinyexec'),
  'node:child_process': 'node:child_process',
}

const program = `const begin = performance.now()
await import(process.argv[1])
console.log(performance.now() - begin)`

/** A process of its own for each, which has nothing loaded yet. */
function run(/** @type {string[]} */ args) {
  return execFileSync(process.execPath, args, { encoding: 'utf8' })
}

export default async function importCost(/** @type {import('./clock.mjs').Clock} */ clock) {
  await bundle(folder)
  const inside = new Result({
    question: 'How long does an import take?',
    unit: 'ms',
    better: 'lower',
    ours: 'sigshield',
  })
  const whole = new Result({
    question: 'How long does a program take that imports it, and ends?',
    unit: 'ms',
    better: 'lower',
    ours: 'sigshield',
  })
  for (const _ of clock.turns(TURNS)) {
    for (const [name, url] of Object.entries(peers)) {
      const begin = performance.now()
      const told = Number(run(['--input-type=module', '-e', program, url]))
      whole.add({}, name, performance.now() - begin)
      inside.add({}, name, told)
    }
    const begin = performance.now()
    run(['--input-type=module', '-e', ''])
    whole.add({}, 'nothing: bare Node', performance.now() - begin)
  }
  inside.note(
    `The budget: ${Object.entries(budget)
      .map(([name, ms]) => `${name} below ${ms} ms`)
      .join(', ')}, on a quiet machine. The addon is loaded at the first use, not by the import.`,
  )
  return [inside, whole]
}
