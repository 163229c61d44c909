// npm run bench [-- --json] [-- BENCHMARK...]: measures, and prints tables, or one JSON document with every figure.
import { parseArgs } from 'node:util'
import { table } from './result.mjs'
import { benchmarks, measure } from './suite.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } })
const unknown = positionals.filter((name) => !benchmarks.includes(name))
if (unknown.length > 0) throw new RangeError(`No benchmark ${unknown.join(', ')}; there are ${benchmarks.join(', ')}`)

function print(/** @type {import('./suite.mjs').Told} */ told) {
  console.log(`\n${told.question} (${told.benchmark}, ${told.better} is better)`)
  console.table(table(told))
  for (const [peer, reason] of Object.entries(told.absent)) console.log(`absent: ${peer}: ${reason}`)
  for (const note of told.notes) console.log(note)
}

const measured = await measure(positionals.length > 0 ? positionals : benchmarks, values.json ? undefined : print)
if (values.json) console.log(JSON.stringify(measured, null, 2))
else console.table(measured.machine)
