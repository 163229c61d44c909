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

const HEIGHT = 260
const LABEL_HEIGHT = 13

// Dark enough to be read as text; the first is ours.
const COLORS = [
  '#1f4e9c',
  '#d55e00',
  '#00805e',
  '#b0408a',
  '#8c564b',
  '#6a3d9a',
  '#8a6d00',
  '#007a8a',
  '#c2185b',
  '#4f7d1f',
  '#616161',
  '#b15928',
]

/** From the lowest p10, or zero, to the highest p90. */
function domainOf(/** @type {Told['rows']} */ rows, /** @type {boolean} */ log) {
  const [low, high] = [Math.min(...rows.map(({ p10 }) => p10)), Math.max(...rows.map(({ p90 }) => p90))]
  if (log) return [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high))]
  return [0, high]
}

/** The places nearest to these, which ascend, that are `gap` apart: those too close move together, about where they are. */
function spread(/** @type {number[]} */ places, /** @type {number} */ gap) {
  /** @type {{ sum: number, count: number }[]} */
  const groups = []
  places.forEach((place, i) => {
    let group = { sum: place - i * gap, count: 1 }
    for (let below = groups.at(-1); below && below.sum / below.count > group.sum / group.count; below = groups.at(-1)) {
      groups.pop()
      group = { sum: group.sum + below.sum, count: group.count + below.count }
    }
    groups.push(group)
  })
  return groups.flatMap(({ sum, count }) => Array(count).fill(sum / count)).map((base, i) => base + i * gap)
}

/** The same rows; the last one of each line says where its label stands, beside its end and clear of the others. */
function labelled(/** @type {Told} */ { rows, plot: { x = '', facet = '', log = false } = {} }) {
  const scale = log ? Math.log10 : Number
  const [bottom = 0, top = 1] = domainOf(rows, log).map(scale)
  const gap = ((top - bottom) * LABEL_HEIGHT) / HEIGHT
  const isLast = (/** @type {(typeof rows)[number]} */ row) =>
    rows.every((other) => other.peer !== row.peer || other[facet] !== row[facet] || Number(other[x]) <= Number(row[x]))
  const ends = rows.filter(isLast)
  const places = new Set(ends.map((row) => `${row[facet]} ${row[x]}`))
  const lines = [...places].flatMap((place) => {
    const here = ends.filter((row) => `${row[facet]} ${row[x]}` === place).sort((a, b) => a.median - b.median)
    const labels = spread(
      here.map(({ median }) => scale(median)),
      gap,
    )
    return here.map((row, i) => ({ ...row, labelAt: log ? 10 ** (labels[i] ?? 0) : labels[i] }))
  })
  return [...rows.filter((row) => !isLast(row)), ...lines]
}

/** Lines over an x of numbers, with a label each; bars otherwise. The whiskers are p10 to p90. */
function specification(/** @type {Told} */ told) {
  const { question, unit, better, rows, ours, plot = {} } = told
  const { x, facet, log = false } = plot
  const value = {
    field: 'median',
    type: 'quantitative',
    title: `${unit}, median; ${better} is better`,
    scale: { type: log ? 'log' : 'linear', ...(x ? { domain: domainOf(rows, log) } : {}) },
    axis: log ? { tickCount: 5 } : {},
  }
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const color = {
    field: 'peer',
    type: 'nominal',
    scale: { domain: peers, range: COLORS },
    title: null,
    legend: null,
  }
  const isOurs = `datum.peer === ${JSON.stringify(ours)}`
  const heavier = { condition: { test: isOurs, value: 4 }, value: 1.5 }
  const bolder = { expr: `${isOurs} ? 'bold' : 'normal'` }
  const spread = { ...value, field: 'p10' }
  const layer = x
    ? [
        { mark: { type: 'line', point: true }, encoding: { y: value, strokeWidth: heavier } },
        { mark: { type: 'rule', opacity: 0.5 }, encoding: { y: spread, y2: { field: 'p90' } } },
        {
          transform: [{ filter: 'isValid(datum.labelAt)' }],
          mark: { type: 'text', align: 'left', dx: 10, fontWeight: bolder },
          encoding: { y: { ...value, field: 'labelAt' }, text: { field: 'peer' } },
        },
      ]
    : [
        { mark: 'bar', encoding: { x: value } },
        { mark: 'rule', encoding: { x: spread, x2: { field: 'p90' } } },
      ]
  const chart = x
    ? {
        width: 320,
        height: HEIGHT,
        encoding: {
          x: { field: x, type: 'ordinal', scale: { type: 'point', padding: 0.2 }, axis: { labelAngle: 0 } },
          color,
        },
        layer,
      }
    : {
        width: 420,
        encoding: { y: { field: 'peer', type: 'nominal', sort: peers, title: null, axis: { labelLimit: 300 } } },
        layer,
      }
  return {
    title: question,
    data: { values: x ? labelled(told) : rows },
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
