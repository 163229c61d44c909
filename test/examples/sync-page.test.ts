/** The program of docs/sync.md, word for word. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { folderWith, root } from '../support/examples/pages.js'
import { NodeProgram } from '../support/node-program.js'

const page = readFileSync(join(root, 'docs/sync.md'), 'utf8')

/** Runs the page's program as it is, or changed. */
async function run(change = (code: string) => code): Promise<object> {
  const [, code = '', printed = ''] = /```js\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(page) ?? []
  const folder = folderWith({ 'example.mjs': change(code) })
  const program = new NodeProgram('await import(process.argv[1])', [join(folder, 'example.mjs')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return { ...(await program.end()), printed: printed.trim().split('\n') }
}

it('prints what the page says', async () => {
  const { rest, code, printed } = (await run()) as Record<string, unknown>
  expect({ rest, code }).toEqual({ rest: printed, code: 0 })
})

it('and not with child_process (the control)', async () => {
  const plain = (code: string) =>
    code.replace("'sigshield'", "'node:child_process'").replaceAll('execFileSyncProtected', 'execFileSync')
  expect(await run(plain)).toMatchObject({ rest: [], code: 1 })
})
