// npm run bench:report [-- FILE]: writes RESULTS.md and its plots from a measurement, a new one or what `bench -- --json` printed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as vega from 'vega'
import { compile } from 'vega-lite'
import { table } from './result.mjs'
import { benchmarks, measure } from './suite.mjs'

/** @typedef {import('./suite.mjs').Told} Told */

const [file] = process.argv.slice(2)
/** @type {import('./suite.mjs').Measured} */
const { machine, results } = file ? JSON.parse(readFileSync(file, 'utf8')) : await measure(benchmarks)
const plots = join(import.meta.dirname, 'plots')
mkdirSync(plots, { recursive: true })

/** Lines over an x of numbers, bars otherwise; the whiskers are p10 to p90. */
function specification(/** @type {Told} */ { question, unit, better, rows, ours, plot = {} }) {
  const { x, facet, log } = plot
  const value = {
    field: 'median',
    type: 'quantitative',
    title: `${unit}, median; ${better} is better`,
    scale: { type: log ? 'log' : 'linear' },
    axis: log ? { tickCount: 5 } : {},
  }
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const color = {
    field: 'peer',
    type: 'nominal',
    sort: peers,
    title: null,
    legend: { orient: facet ? 'bottom' : 'right', columns: facet ? 3 : 1, labelLimit: 400 },
  }
  const heavier = { condition: { test: `datum.peer === ${JSON.stringify(ours)}`, value: 4 }, value: 1.5 }
  const spread = { ...value, field: 'p10' }
  const layer = x
    ? [
        { mark: { type: 'line', point: true }, encoding: { y: value, strokeWidth: heavier } },
        { mark: { type: 'rule', opacity: 0.5 }, encoding: { y: spread, y2: { field: 'p90' } } },
      ]
    : [
        { mark: 'bar', encoding: { x: value } },
        { mark: 'rule', encoding: { x: spread, x2: { field: 'p90' } } },
      ]
  const chart = x
    ? { width: 320, height: 260, encoding: { x: { field: x, type: 'ordinal', axis: { labelAngle: 0 } }, color }, layer }
    : {
        width: 420,
        encoding: { y: { field: 'peer', type: 'nominal', sort: peers, title: null, axis: { labelLimit: 300 } } },
        layer,
      }
  return {
    title: question,
    data: { values: rows },
    background: 'white',
    ...(facet
      ? {
          facet: { field: facet, type: 'nominal', title: null, sort: null },
          columns: x ? 2 : 1,
          spec: chart,
          // Without a common x a facet shows those peers alone that it has.
          resolve: x ? { axis: { y: 'independent' } } : { scale: { y: 'independent' } },
        }
      : chart),
  }
}

async function draw(/** @type {Told} */ told) {
  const compiled = compile(/** @type {any} */ (specification(told)))
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none' })
  const name = `${told.benchmark}.svg`
  writeFileSync(join(plots, name), await view.toSVG())
  return `plots/${name}`
}

const cells = (/** @type {unknown[]} */ list) => `| ${list.join(' | ')} |`

function markdownTable(/** @type {object[]} */ rows) {
  const names = Object.keys(rows[0] ?? {})
  return [cells(names), cells(names.map(() => '---')), ...rows.map((row) => cells(Object.values(row)))].join('\n')
}

const sections = []
for (const told of results) {
  const { question, better, absent, notes } = told
  sections.push(`## ${question}`, `\`npm run bench -- ${told.benchmark}\`; ${better} is better.`)
  if (told.plot) sections.push(`![${question}](${await draw(told)})`)
  sections.push(markdownTable(table(told)))
  for (const [peer, reason] of Object.entries(absent)) sections.push(`Absent on this machine: ${peer} (${reason}).`)
  sections.push(...notes)
}

writeFileSync(
  join(import.meta.dirname, 'RESULTS.md'),
  `${[
    '# Benchmark results',
    'Written by `npm run bench:report`. All peers of a table ran in the same run, in turns. "Better by" compares medians: above 1x the first one named does better than the peer.',
    markdownTable(Object.entries(machine).map(([what, value]) => ({ machine: what, '': value }))),
    ...sections,
  ].join('\n\n')}\n`,
)
