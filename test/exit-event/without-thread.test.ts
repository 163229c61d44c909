/** The exit event of a child to which the system gives no thread, or little of it, or no descriptor. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ExitEvent, spawnProtected } from 'sigshield'
import { expect, it, onTestFinished } from 'vitest'
import { compiledLibrary } from '../native/compiled.js'
import { ended, line, temporaryFolder } from '../support/processes.js'

const worker = join(import.meta.dirname, '../support/exit-event/counting-worker.mjs')
const refusing = compiledLibrary('refusing')

function start(env: Readonly<Record<string, string>>) {
  const exitEvent = new ExitEvent()
  onTestFinished(() => exitEvent.set())
  const child = ended(
    spawnProtected(process.execPath, [worker], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      exitEvent,
    }),
  )
  return { child, exitEvent, end: once(child, 'close') }
}

async function answer({ child }: ReturnType<typeof start>, question: string): Promise<string> {
  child.stdin.write(`${question}\n`)
  return line(child.stdout)
}

async function isTold(started: ReturnType<typeof start>): Promise<void> {
  const { child, exitEvent, end } = started
  exitEvent.set()
  expect([await line(child.stdout), await line(child.stdout)].sort()).toEqual(['aborted: requested', 'waited: true'])
  expect(await answer(started, 'reason')).toBe('requested')
  child.stdin.end()
  expect(await end).toEqual([0, null])
}

it.each(['refused', 'given'])('leaves nothing behind by being asked, and is told (threads are %s)', async (threads) => {
  const file = join(temporaryFolder(), 'refuse')
  const started = start({ LD_PRELOAD: refusing, ...(threads === 'refused' && { REFUSE_THREADS: file }) })
  expect(await answer(started, 'threads')).toBe(threads === 'refused' ? '0' : '1')
  const descriptors = await answer(started, 'count')
  expect(await answer(started, 'ask')).toBe('false')
  expect(await answer(started, 'sync')).toBe('false')
  expect(await answer(started, 'count')).toBe(descriptors)
  await isTold(started)
})

it.each(['set', 'dropped'])('is heard where not a single descriptor is allowed (%s)', async (way) => {
  const sandboxed = join(import.meta.dirname, '../support/exit-event/no-descriptors-worker.mjs')
  const code = `import { ExitEvent, spawnProtected } from 'sigshield'
    const exitEvent = new ExitEvent()
    const stdio = ['ignore', 'inherit', 'inherit']
    spawnProtected(process.execPath, [${JSON.stringify(sandboxed)}], { exitEvent, stdio })
    process.stdin.once('data', () => ${way === 'set' ? 'exitEvent.set()' : 'process.exit()'})`
  const command = ['--input-type=module', '-e', code]
  const parent = ended(spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] }))
  expect(await line(parent.stdout)).toBe('ready')
  parent.stdin.write('now')
  expect(await line(parent.stdout)).toBe(way === 'set' ? 'true true requested' : 'true true orphaned')
  parent.stdin.end()
})

it('takes the thread that it could not have before', async () => {
  const file = join(temporaryFolder(), 'refuse')
  const started = start({ LD_PRELOAD: refusing, REFUSE_THREADS: file })
  expect(await answer(started, 'threads')).toBe('0')
  rmSync(file)
  while ((await answer(started, 'threads')) === '0') expect(await answer(started, 'ask')).toBe('false')
  await isTold(started)
})

it('has a thread where the thread-local variables of a library are larger than its stack was to be', async () => {
  const started = start({ LD_PRELOAD: compiledLibrary('large-tls') })
  expect(await answer(started, 'ask')).toBe('false')
  await isTold(started)
})
