/** What docs/comparison.md says of a Ctrl-C, for all that can be run here. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/processes.js'
import { CTRL_C, Terminal } from '../support/terminal.js'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/comparison.md'), 'utf8')

/** Answers each line; on Ctrl-C it does what its parent has made of it. */
const worker = `
if (process.argv[2] === 'handler') process.on('SIGINT', () => {})
process.stdin.on('data', (data) => process.stdout.write(data))
process.stdout.write('up\\n')
`

/** A signal that has reached both is pending in the worker when the parent asks: one that dies of it answers no more. */
const parent = (imports: string, start: string) => `
import { once } from 'node:events'
import { spawn, fork } from 'node:child_process'
${imports}
const node = process.execPath
const worker = ${start}
await once(worker.stdout, 'data')
// Its end may be told before the signal is.
const died = once(worker, 'exit').then(() => 'dies')
process.on('SIGINT', () => {
  worker.stdin.on('error', () => {}).write('alive\\n')
  Promise.race([
    once(worker.stdout, 'data').then(() => 'lives'),
    died,
  ]).then((end) => {
    console.log('the worker', end)
    worker.stdin.destroy()
    worker.kill('SIGKILL')
    process.exit()
  })
})
console.log('press')
`

const stdio = "{ stdio: ['pipe', 'pipe', 'inherit'] }"
const shell = '\'trap "" INT; exec "$0" "$@"\''

it.each([
  ['`child_process.spawn`, `fork`', 'dies', '', `spawn(node, ['worker.mjs'], ${stdio})`],
  ['`child_process.spawn`, `fork`', 'dies', '', "fork('worker.mjs', { silent: true })"],
  ['`{ detached: true }` (setsid)', 'lives', '', "spawn(node, ['worker.mjs'], { detached: true })"],
  ['`env --ignore-signal=INT', 'dies', '', `spawn('env', ['--ignore-signal=INT', node, 'worker.mjs'], ${stdio})`],
  ['`env --ignore-signal=INT', 'dies', '', `spawn('sh', ['-c', ${shell}, node, 'worker.mjs'], ${stdio})`],
  ['a handler in the worker', 'lives', '', `spawn(node, ['worker.mjs', 'handler'], ${stdio})`],
  [
    'execa `cleanup`',
    'dies',
    `import { execa } from '${import.meta.resolve('execa')}'`,
    "execa(node, ['worker.mjs'], { reject: false })",
  ],
  [
    'sigshield',
    'lives',
    `import { forkProtected } from '${join(root, 'dist/index.js')}'`,
    "forkProtected('worker.mjs', { silent: true })",
  ],
])('%s: it %s', async (row, fate, imports, start) => {
  expect(
    page
      .split('\n')
      .find((line) => line.startsWith(`| ${row}`))
      ?.split('|')[2],
  ).toContain(fate)
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'worker.mjs'), worker)
  writeFileSync(join(folder, 'parent.mjs'), parent(imports, start))
  const terminal = new Terminal(process.execPath, ['parent.mjs'], folder)
  await terminal.shows('press')
  terminal.type(CTRL_C)
  await terminal.shows(`the worker ${fate}`)
})
