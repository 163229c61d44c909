// What an import costs a program as it starts: of the library as it is published, in few files.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../packaging/bundle.mjs'
import { Result } from './result.mjs'

const TURNS = 30

const built = join(import.meta.dirname, '../build/bench')
const folder = join(built, 'package')
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
  'an empty module': pathToFileURL(join(built, 'empty.mjs')).href,
}

/** In a file, as programs are: the first module that is a file costs Node more than any later one. */
const program = join(built, 'importing.mjs')
const text = `const begin = performance.now()
if (process.argv[2]) await import(process.argv[2])
console.log(performance.now() - begin)
`

/** A process of its own for each, which has nothing loaded yet. */
function run(/** @type {string[]} */ args) {
  return execFileSync(process.execPath, args, { encoding: 'utf8' })
}

export default async function importCost(/** @type {import('./clock.mjs').Clock} */ clock) {
  await bundle(folder)
  mkdirSync(built, { recursive: true })
  writeFileSync(program, text)
  writeFileSync(join(built, 'empty.mjs'), '')
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
      const told = Number(run([program, url]))
      whole.add({}, name, performance.now() - begin)
      inside.add({}, name, told)
    }
    const begin = performance.now()
    run([program])
    whole.add({}, 'nothing: bare Node', performance.now() - begin)
  }
  inside.note(
    `The budget: ${Object.entries(budget)
      .map(([name, ms]) => `${name} below ${ms} ms`)
      .join(', ')}, on a quiet machine. The addon is loaded at the first use, not by the import.`,
  )
  return [inside, whole]
}
