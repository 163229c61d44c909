/**
 * Worker threads that are terminated just as they call the addon, or before they have done anything about its answer: nothing that the
 * call has opened, started or held may be left to the process.
 */
import { Worker } from 'node:worker_threads'
import { disposition } from 'sigshield/signals'
import { beforeAll, expect, it } from 'vitest'
import { native } from '../../lib/native/load.js'
import { addonFile } from '../../lib/native/place.js'
import { children, settles } from '../support/census.js'
import { openDescriptors } from '../support/descriptors.mjs'
import { until } from '../support/processes.js'

/**
 * The code runs until it calls this function of the addon. There it waits in a call that does not end by a termination, and what
 * follows it begins no function of JavaScript and no loop, where the termination would be noticed.
 */
const script = (code: string) => `
  import { createRequire } from 'node:module'
  import { workerData } from 'node:worker_threads'
  import { ExitEvent, spawnProtected, spawnSyncProtected } from '${import.meta.resolve('sigshield')}'
  import { exitEvent } from '${import.meta.resolve('sigshield/child')}'
  import { hold, ignore, wait } from '${import.meta.resolve('sigshield/signals')}'
  const { addon, name, isBefore, fd, state } = workerData
  const calls = createRequire(addon)(addon)
  const { waitForExitEvent } = calls
  const call = calls[name]
  calls[name] = (...args) => {
    // Where it is called again, a function of JavaScript would begin that the library does not have.
    calls[name] = call
    if (isBefore) {
      Atomics.store(state, 0, 1)
      waitForExitEvent(fd, Infinity)
    }
    const answer = call(...args)
    // By then a thread that the call has started has done what it does of an event that is set.
    if (name === 'watchExitEvent') waitForExitEvent(-1, 100)
    if (!isBefore) {
      Atomics.store(state, 0, 1)
      waitForExitEvent(fd, Infinity)
    }
    return answer
  }
  ${code}
  setInterval(() => {}, 1000)`

async function terminatedAt(name: string, when: 'before' | 'after', code: string): Promise<void> {
  const { fd, inode, handle } = native().createExitPipe()
  const state = new Int32Array(new SharedArrayBuffer(4))
  const workerData = { addon: addonFile(), name, isBefore: when === 'before', fd, state }
  const env = { ...process.env, SIGSHIELD_EXIT_FD: String(fd), SIGSHIELD_EXIT_INODE: String(inode) }
  const url = new URL(`data:text/javascript,${encodeURIComponent(script(code))}`)
  const worker = new Worker(url, { workerData, env })
  await until(() => Atomics.load(state, 0) === 1, 'it is there')
  const end = worker.terminate()
  native().setExitPipe(handle)
  await end
  native().closeExitReadEnd(handle)
}

// What Node opens once for its worker threads is not ours, nor what reaps their children.
beforeAll(() => terminatedAt('spawn', 'after', `spawnProtected('true', { stdio: 'ignore' })`))

const missing = `spawnProtected('/no/such/program').on('error', () => {})`

it.each([
  ['spawn', 'before', `spawnProtected('cat')`],
  ['spawn', 'after', `spawnProtected('cat')`],
  ['spawn', 'before', missing],
  ['spawn', 'after', missing],
  ['openPipe', 'before', `process.permission = {}; spawnProtected('cat')`],
  ['openPipe', 'after', `process.permission = {}; spawnProtected('cat')`],
  ['spawn', 'before', `spawnProtected('cat', { exitEvent: new ExitEvent() })`],
  ['createExitPipe', 'before', `spawnProtected('cat', { exitEvent: new ExitEvent() })`],
  ['createExitPipe', 'after', `spawnProtected('cat', { exitEvent: new ExitEvent() })`],
  ['openAcknowledgement', 'before', `spawnProtected('cat', { enforce: 'guard' })`],
  ['openAcknowledgement', 'after', `spawnProtected('cat', { enforce: 'guard' })`],
  ['spawn', 'before', `spawnProtected('cat', { enforce: 'guard' })`],
  ['spawn', 'after', `spawnProtected('cat', { enforce: 'guard' })`],
  ['waitForGuard', 'after', `spawnProtected('cat', { enforce: 'guard' })`],
  ['spawnSync', 'before', `spawnSyncProtected('cat', { exitEvent: new ExitEvent() })`],
  ['spawnSync', 'after', `spawnSyncProtected('cat', { exitEvent: new ExitEvent() })`],
  ['watchExitEvent', 'before', 'exitEvent().isSet()'],
  ['holdSignals', 'before', `hold(['SIGUSR2'], () => new Promise(() => {}))`],
  ['holdSignals', 'after', `hold(['SIGUSR2'], () => new Promise(() => {}))`],
  ['ignoreSignals', 'before', `ignore(['SIGUSR2'])`],
  ['waitForSignal', 'before', `wait(['SIGUSR2'])`],
  ['waitForSignal', 'after', `wait(['SIGUSR2'])`],
  // Where the system has no /proc.
  ...(native().processTable ? ([['processTable', 'before', 'calls.processTable()']] as const) : []),
] as const)('%s, %s it: %s', async (...at) => {
  const [descriptors, family] = [openDescriptors(), children()]
  await terminatedAt(...at)
  expect(disposition('SIGUSR2')).toBe('default')
  await settles(children, family)
  await settles(openDescriptors, descriptors)
})
