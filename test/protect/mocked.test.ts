/** Under a test runner that mocks child_process. */
import * as childProcess from 'node:child_process'
import { protect, protectionOf, spawnProtected } from 'sigshield'
import { expect, it, onTestFinished, vi } from 'vitest'
import { ended, SIGINT } from '../support/processes.js'
import { enforced, signalState } from '../support/signal-state.js'

vi.mock('node:child_process', async (importOriginal) => {
  const original = await importOriginal<typeof childProcess>()
  return { ...original, spawn: vi.fn(original.spawn), exec: vi.fn() }
})

it('a spied spawn starts a protected child, and what is mocked starts nothing', () => {
  const guard = protect()
  onTestFinished(() => guard[Symbol.dispose]())
  const child = ended(childProcess.spawn('sleep', ['1000']))
  expect(childProcess.spawn).toHaveBeenCalledOnce()
  expect(signalState(child.pid as number).ignored).toEqual([SIGINT])
  expect(protectionOf(child)?.enforced).toBe(enforced.system)
  expect(childProcess.exec('true')).toBeUndefined()
  const own = ended(spawnProtected('sleep', ['1000'], { ignore: ['SIGHUP'] }))
  expect(signalState(own.pid as number).ignored).toEqual([1])
})
