/** The examples of the public declarations, word for word: each prints what its comments say. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { expect, it } from 'vitest'
import * as library from '../../lib/index.js'
import * as signals from '../../lib/signals.js'
import { folderWith, root } from '../support/examples/pages.js'

const run = promisify(execFile)
const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)

const examples = files.flatMap((file) => {
  const text = readFileSync(join(root, 'lib', file), 'utf8')
  return [...text.matchAll(/@example\n((?: +\* (?!@).*\n)+)[\s\S]*?\*\/\n(.*)/g)].map(([, lines, declaration]) => ({
    of: `${file}: ${declaration?.match(/(?:function|class|async(?! function)) (\w+)/)?.[1] ?? 'example'}`,
    code: (lines as string).replace(/^ +\* /gm, ''),
  }))
})

/** What the reader has imported. */
const prelude = `
import { exec } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ${Object.keys(library)} } from 'sigshield'
import { exitEvent as eventOfThisProcess, liftGuard } from 'sigshield/child'
import { ${Object.keys(signals).filter((name) => !(name in library))} } from 'sigshield/signals'
const exitEvent = eventOfThisProcess
const work = () => {}
`

/** An example may have a name of its own for its event. */
const preludeFor = (code: string) =>
  code.includes('const exitEvent =') ? prelude.replace('const exitEvent = eventOfThisProcess\n', '') : prelude

it('all that can be called has one', () => {
  // A ProtectedProcess is what others return.
  const { ProtectedProcess: _, ...made } = library
  const called = [...Object.keys(made), ...Object.keys(signals), 'exitEvent', 'liftGuard']
  const shown = examples.map(({ code }) => code).join('\n')
  expect(called.filter((name) => !new RegExp(`\\b${name}\\b`).test(shown))).toEqual([])
})

it.each(examples)('$of', async ({ code }) => {
  // `using` is not known to every Node.
  const { outputText } = ts.transpileModule(preludeFor(code) + code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  const folder = folderWith({
    'example.mjs': outputText,
    'worker.mjs': "import { exitEvent } from 'sigshield/child'\nawait exitEvent().wait()\nprocess.disconnect()\n",
  })
  const expected = [...code.matchAll(/console\.log\(.* \/\/ (.*)$/gm)].map(([, text]) => `${text}\n`)
  expect(await run(process.execPath, ['example.mjs'], { cwd: folder })).toEqual({
    stdout: expected.join(''),
    stderr: '',
  })
})
