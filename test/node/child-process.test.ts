import childProcess, { ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { ProtectedProcess, spawnProtected } from 'sigshield'
import { describe, expect, it } from 'vitest'
import { closed, ended } from '../support/processes.js'

it('is a real ChildProcess', async () => {
  const child = ended(spawnProtected('cat'))
  expect(child).toBeInstanceOf(ChildProcess)
  expect(child).toBeInstanceOf(ProtectedProcess)
  expect(Object.getPrototypeOf(ProtectedProcess.prototype)).toBe(ChildProcess.prototype)
  expect(child.stdio).toEqual([child.stdin, child.stdout, child.stderr])
  child.stdin.end()
  await closed(child)
})

it("never allocates Node's own process handle", async () => {
  // PROCESSWRAP resources are made by Node's handle and by ours; the count must be one for each child.
  const { createHook } = await import('node:async_hooks')
  let made = 0
  const hook = createHook({
    init: (_id, type) => {
      made += Number(type === 'PROCESSWRAP')
    },
  }).enable()
  const ours = spawnProtected('true')
  expect(made).toBe(1)
  const node = childProcess.spawn('true')
  expect(made).toBe(2)
  hook.disable()
  await Promise.all([closed(ours), closed(node)])
})

describe('exits', () => {
  it.each([
    ['exit 0', [0, null]],
    ['exit 255', [255, null]],
    ['kill -KILL $$', [null, 'SIGKILL']],
    ['kill -TERM $$', [null, 'SIGTERM']],
    ['kill -ABRT $$', [null, 'SIGABRT']],
  ])('%s', async (script, expected) => {
    expect(await once(spawnProtected('sh', ['-c', script]), 'exit')).toEqual(expected)
    expect(await once(childProcess.spawn('sh', ['-c', script]), 'exit')).toEqual(expected)
  })

  it('come once each, in a burst of a thousand', async () => {
    const counts = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => {
        const child = spawnProtected('sh', ['-c', `exit ${i % 256}`], { stdio: 'ignore' })
        let exits = 0
        child.on('exit', () => {
          exits += 1
        })
        const { code } = await closed(child)
        return code === i % 256 ? exits : -1
      }),
    )
    expect(counts.every((count) => count === 1)).toBe(true)
  })

  it('report what the child used', async () => {
    const child = spawnProtected('sh', ['-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'])
    expect(child.resourceUsage).toBeUndefined()
    await closed(child)
    expect(child.resourceUsage?.userCPUTime).toBeGreaterThan(1000)
  })
})

it('streams work in pipelines and readline', async () => {
  const child = ended(spawnProtected('sort', ['-r']))
  const lines: string[] = []
  const reading = (async () => {
    for await (const text of createInterface({ input: child.stdout })) lines.push(text)
  })()
  await Promise.all([pipeline(['a\n', 'c\n', 'b\n'], child.stdin), reading, closed(child)])
  expect(lines).toEqual(['c', 'b', 'a'])
})

it('kill() reaches the child until it is reaped, and then nobody', async () => {
  const child = ended(spawnProtected('cat'))
  expect(child.kill(0)).toBe(true)
  expect(child.kill('SIGTERM')).toBe(true)
  expect(child.killed).toBe(true)
  expect(await closed(child)).toEqual({ code: null, signal: 'SIGTERM' })
  expect(child.kill('SIGTERM')).toBe(false)
})

it('an exception in an exit listener is uncaught, and other exits still come', async () => {
  const script = `
    import { spawnProtected } from 'sigshield'
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    for (let i = 0; i < 3; i += 1) {
      spawnProtected('true').on('exit', () => { throw new Error('from a listener') })
    }`
  const run = ended(spawnProtected(process.execPath, ['--input-type=module', '-e', script], { enforce: false }))
  const seen: unknown[] = []
  for await (const [text] of on(createInterface({ input: run.stdout }), 'line', { close: ['close'] })) seen.push(text)
  expect(seen).toEqual(Array(3).fill('uncaught from a listener'))
  expect(run.exitCode ?? (await closed(run)).code).toBe(0)
})

it('unref() lets the parent end before its child', async () => {
  const script = `
    import { spawnProtected } from 'sigshield'
    const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore' })
    child.unref()
    console.log(child.pid)`
  const run = ended(spawnProtected(process.execPath, ['--input-type=module', '-e', script]))
  const [text] = await once(createInterface({ input: run.stdout }), 'line')
  expect(await closed(run)).toEqual({ code: 0, signal: null })
  process.kill(Number(text), 'SIGKILL')
})
