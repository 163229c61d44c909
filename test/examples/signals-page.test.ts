/** The programs of docs/signals.md, word for word: each prints what the page says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as signals from '../../lib/signals.js'
import { folderWith, root } from '../support/examples/pages.js'
import { NodeProgram } from '../support/node-program.js'

const page = readFileSync(join(root, 'docs/signals.md'), 'utf8')
const examples = [
  ...page.matchAll(/## ([^\n]+)(?:(?!\n## )[\s\S])*?```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g),
].map(([, title, code, printed]) => [title, code, printed] as [string, string, string])

it('all of the page is here', () => {
  expect(examples).toHaveLength([...page.matchAll(/```js/g)].length)
  for (const name of Object.keys(signals)) expect(page).toContain(`${name}(`)
})

it.each(examples)('%s', async (_title, code, printed) => {
  const folder = folderWith({ 'example.mjs': code })
  const program = new NodeProgram('await import(process.argv[1])', [join(folder, 'example.mjs')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(await program.end()).toEqual({ rest: printed.trim().split('\n'), code: 0, signal: null })
})
