/** The pages as a whole: their links, and the snippets that are no programs by themselves. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import ts from 'typescript'
import { expect, it } from 'vitest'
import * as child from '../../lib/child.js'
import * as library from '../../lib/index.js'
import * as signals from '../../lib/signals.js'
import { blocks, root } from '../support/examples/pages.js'
import { closed, ended, line } from '../support/processes.js'

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
const read = (page: string) => readFileSync(join(root, page), 'utf8')

function block(page: string, language: string): string {
  const found = blocks(page, language)
  expect(found).toHaveLength(1)
  return found[0] as string
}

/** As GitHub names them. */
function anchors(text: string): string[] {
  const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title as string)
  return titles.map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

it.each(pages)('%s: what it links to is there', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string)
  const missing = links
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path, anchor] = link.split('#') as [string, string | undefined]
      const file = path === '' ? page : join(dirname(page), path)
      return !existsSync(join(root, file)) || (anchor !== undefined && !anchors(read(file)).includes(anchor))
    })
  expect(missing).toEqual([])
})

const modules: Readonly<Record<string, object>> = {
  sigshield: library,
  'sigshield/child': child,
  'sigshield/signals': signals,
}
const snippets = pages.flatMap((page) =>
  blocks(page, 'js').map((code, i) => ({
    of: `${page} ${i + 1}`,
    code,
  })),
)

it.each(snippets)('the snippet $of is JavaScript, and imports what is there', ({ code }) => {
  const { diagnostics } = ts.transpileModule(code, { fileName: 'snippet.mjs', reportDiagnostics: true })
  expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([])
  for (const [, names = '', module = ''] of code.matchAll(/import \{ ([^}]*) \} from '(sigshield[^']*)'/g)) {
    for (const name of names.split(', ')) expect(modules[module]).toHaveProperty(name)
  }
})

it('README is short', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(121)
})

it('the supervisor of docs/stopping.md is the one of README, which is run', () => {
  expect(read('README.md')).toContain(block('docs/stopping.md', 'js'))
})

it.each([
  [
    'Python',
    'python3',
    [
      '-c',
      `import os, select\nprint("up", flush=True)\nleave = False\nwhile not leave:\n    ${block('docs/languages.md', 'py').trim()}\nprint("left")`,
    ],
  ],
  ['bash', 'bash', ['-c', `next_job() { sleep 0.01; }\necho up\n${block('docs/languages.md', 'sh')}\necho left`]],
])('the snippet of docs/languages.md in %s leaves when it is asked', async (_language, command, args) => {
  const exitEvent = new ExitEvent()
  const child = ended(spawnProtected(command, args, { exitEvent, stdio: ['ignore', 'pipe', 'inherit'] }))
  expect(await line(child.stdout)).toBe('up')
  const end = closed(child)
  exitEvent.set()
  expect(await line(child.stdout)).toBe('left')
  expect(await end).toEqual({ code: 0, signal: null })
})
