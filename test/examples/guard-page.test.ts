/** The programs of docs/guard.md: a worker under the guard, what it starts by itself, and what it lifts. */
import { execFile, execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { blocks, folderWith } from '../support/examples/pages.js'

const snippets = blocks('docs/guard.md', 'js')
const [forks = '', starts = '', lifts = ''] = snippets

/** What the parent and its worker print. */
async function said(parent: string, worker: string, programs: Record<string, string> = {}): Promise<string[]> {
  const folder = folderWith({ 'parent.mjs': parent, 'worker.mjs': worker, ...programs })
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` }
  const { stdout } = await promisify(execFile)(process.execPath, ['parent.mjs'], { cwd: folder, env })
  return stdout.trim().split('\n')
}

it('all of the page is here', () => {
  expect(snippets).toHaveLength(3)
})

it.each([
  ['ignores SIGINT, though it listens', forks, "'guard' true"],
  ['does not without (the control)', forks.replace("'guard'", 'false'), 'false false'],
])('a worker under the guard %s', async (_what, parent, expected) => {
  const worker = `
    import { stateOf } from 'sigshield/signals'
    process.on('SIGINT', () => {})
    process.send(stateOf(process.pid).ignored.includes('SIGINT'))
    process.disconnect()`
  const told = `
    import { once } from 'node:events'
    import { inspect } from 'node:util'
    const [ignores] = await once(worker, 'message')
    console.log(inspect(worker.enforced), ignores)`
  expect(await said(`${parent}${told}`, worker)).toEqual([expected])
})

it.each([
  ['hears SIGINT', starts, ['handles it', 'asked']],
  [
    'does not when child_process starts it (the control)',
    starts.replace(
      "import { spawnProtected } from 'sigshield'",
      "import { spawn as spawnProtected } from 'child_process'",
    ),
    ['ignores it'],
  ],
])('ffmpeg below such a worker %s', async (_what, code, expected) => {
  // By its path: a Mac's own env can't load the guard.
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  const ffmpeg = `#!${python}
import signal, time
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
signal.raise_signal(signal.SIGINT)
caught = len(asked)
asked.clear()
print("handles it" if caught else "ignores it", flush=True)
while caught and not asked: time.sleep(0.01)
if asked: print("asked", flush=True)
`
  const worker = `
    import { once } from 'node:events'
    const args = ['a.mkv']
    ${code.replace('ffmpeg.kill', "ffmpeg.stdout.on('data', (data) => process.stdout.write(data))\nawait once(ffmpeg.stdout, 'data')\nffmpeg.kill")}
    await once(ffmpeg, 'close')
    process.disconnect()`
  expect(await said(forks, worker, { ffmpeg })).toEqual(expected)
})

it('a worker that lifts its guard from SIGTERM keeps it for SIGINT', async () => {
  const look = `
    process.send(stateOf(process.pid).ignored.filter((signal) => signals.includes(signal)))`
  const worker = `
    import { stateOf } from 'sigshield/signals'
    const signals = ['SIGINT', 'SIGTERM']
    for (const signal of signals) process.on(signal, () => {})${look}
    ${lifts}${look}
    process.disconnect()`
  const parent = `${forks.replace('{ enforce', "{ ignore: ['SIGINT', 'SIGTERM'], enforce")}
    worker.on('message', (ignored) => console.log(ignored.join()))`
  expect(await said(parent, worker)).toEqual(['SIGINT,SIGTERM', 'SIGINT'])
})
