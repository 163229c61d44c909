/** The kernel's struct sigaction, byte by byte: another addon's, Node's and the default one. */
import { expect, it } from 'vitest'
import { runSignalsRaw } from '../support/signal/signal-program.js'
import { compiledLibrary } from './compiled.js'

const addon = compiledLibrary('action')
const run = (code: string) =>
  runSignalsRaw(`
    import { createRequire } from 'node:module'
    const { action, act } = createRequire(import.meta.url)('${addon}')
    const all = ['SIGUSR2', 'SIGTERM', 'SIGHUP']
    const { disposition, hold, ignore, wait, waitSync } = signals
    process.on('SIGTERM', () => {})
    action()
    ${code}
    action()`)

it.each([
  ['ignore', `const ignored = ignore(all); action(); ignored[Symbol.dispose]()`],
  ['hold', `await hold(all, () => action())`],
  [
    'wait',
    `const end = new AbortController(); const waiting = wait(all, { signal: end.signal }); action(); end.abort(); await waiting.catch(() => {})`,
  ],
  [
    'ignore inside hold, which ends first',
    `let ignored; await hold(all, () => { ignored = ignore(all) }); action(); ignored[Symbol.dispose]()`,
  ],
  ['hold inside ignore', `const ignored = ignore(all); await hold(all, () => action()); ignored[Symbol.dispose]()`],
])('%s puts back exactly what was there', async (_name, scope) => {
  const { rest, ...exit } = await run(scope)
  expect(exit).toEqual({ code: 0, signal: null })
  const [before, inside, after] = rest
  expect(rest).toHaveLength(3)
  expect(before).toMatch(/^(?!0{64})[0-9a-f]{192}$/)
  expect(inside).not.toBe(before)
  expect(after).toBe(before)
})

it('what held signals reach afterwards is the handler of the other addon', async () => {
  const { rest } = await run(`await hold(all, () => { process.kill(self, 'SIGUSR2'); console.log('inside') })`)
  expect(rest.slice(1, -1)).toEqual(['inside', 'native handler'])
})

it('what native code changes meanwhile stays done', async () => {
  const { rest } = await run(
    `const ignored = ignore(all); act(); ignored[Symbol.dispose](); print(disposition('SIGUSR2'))`,
  )
  expect(rest.slice(1, -1)).toEqual(['"default"'])
})
