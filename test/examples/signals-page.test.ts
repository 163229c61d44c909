/** The programs of docs/signals.md, word for word: each prints what the page says. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as signals from '../../lib/signals.js'
import { NodeProgram } from '../support/node-program.js'
import { temporaryFolder } from '../support/processes.js'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/signals.md'), 'utf8')
const examples = [
  ...page.matchAll(/## ([^\n]+)(?:(?!\n## )[\s\S])*?```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g),
].map(([, title, code, printed]) => [title, code, printed] as [string, string, string])

it('all of the page is here', () => {
  expect(examples).toHaveLength([...page.matchAll(/```js/g)].length)
  for (const name of Object.keys(signals)) expect(page).toContain(`${name}(`)
})

it.each(examples)('%s', async (_title, code, printed) => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/sigshield'))
  writeFileSync(join(folder, 'example.mjs'), code)
  const program = new NodeProgram('await import(process.argv[1])', [join(folder, 'example.mjs')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(await program.end()).toEqual({ rest: printed.trim().split('\n'), code: 0, signal: null })
})
