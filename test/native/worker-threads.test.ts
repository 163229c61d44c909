import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { children, settles } from '../support/census.js'
import { times } from '../support/limits.js'
import { isAlive, until } from '../support/processes.js'

/** Runs code in a worker thread that has the library and `post`. */
function thread(code: string): Worker {
  const script = `
    import { once } from 'node:events'
    import { parentPort } from 'node:worker_threads'
    import { ExitEvent, forkProtected, spawnProtected } from 'sigshield'
    const post = (value) => parentPort.postMessage(value)
    ${code}`
  return new Worker(
    new URL(
      `data:text/javascript,${encodeURIComponent(script.replace("'sigshield'", `'${import.meta.resolve('sigshield')}'`))}`,
    ),
  )
}

it('children are started, spoken to and waited for in a worker thread', async () => {
  const worker = thread(`
    const child = spawnProtected('cat')
    child.stdin.end('hello')
    const [data] = await once(child.stdout, 'data')
    const [code] = await once(child, 'close')
    post([String(data), code])`)
  const end = once(worker, 'exit')
  expect(await once(worker, 'message')).toEqual([['hello', 0]])
  expect(await end).toEqual([0])
})

it("a worker thread's own environment is what its children get", async () => {
  const worker = thread(`
    process.env.ONLY_IN_THE_THREAD = 'yes'
    const child = spawnProtected('sh', ['-c', 'echo $ONLY_IN_THE_THREAD'])
    post(String((await once(child.stdout, 'data'))[0]))`)
  const end = once(worker, 'exit')
  expect(await once(worker, 'message')).toEqual(['yes\n'])
  expect(process.env.ONLY_IN_THE_THREAD).toBeUndefined()
  await end
})

it('a start under the guard warns of nothing there', async () => {
  const worker = thread(`
    process.on('warning', (warning) => post(warning.message))
    const child = spawnProtected('true', { enforce: 'guard' })
    await once(child, 'close')
    // A warning comes on the next tick.
    setImmediate(() => post('no warning'))`)
  const end = once(worker, 'exit')
  expect(await once(worker, 'message')).toEqual(['no warning'])
  await end
})

it('a thread terminated with living children leaves no zombie: the process reaps them', async () => {
  const before = children()
  const worker = thread(`
    const children = Array.from({ length: 20 }, () => spawnProtected('sleep', ['1000'], { stdio: 'ignore' }))
    post(children.map((child) => child.pid))`)
  const [pids] = (await once(worker, 'message')) as [number[]]
  await worker.terminate()
  expect(pids.every(isAlive)).toBe(true)
  // setuid() waits for a signal of libc's own in every thread: in the one that now waits for the children too.
  process.setuid?.(process.getuid?.() as number)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await settles(children, before)
})

it('a thread terminated in the middle of exits and starts does not crash the process', async () => {
  const before = children()
  for (let i = 0; i < times(10); i += 1) {
    const worker = thread(`
      let started = 0
      const next = () => {
        spawnProtected('true', { stdio: 'ignore' }).on('exit', next)
        started += 1
        if (started === 50) post('busy')
      }
      for (let i = 0; i < 5; i += 1) next()`)
    await once(worker, 'message')
    await worker.terminate()
  }
  await settles(children, before)
})

it("a terminated thread's exit event tells its children that they are orphaned", async () => {
  const before = children()
  const worker = thread(`
    const exitEvent = new ExitEvent()
    const child = spawnProtected('sh', ['-c', 'echo ready; read -r line <&$SIGSHIELD_EXIT_FD || exit 0'], { exitEvent })
    await once(child.stdout, 'data')
    post(child.pid)`)
  const [pid] = (await once(worker, 'message')) as [number]
  expect(isAlive(pid)).toBe(true)
  await worker.terminate()
  await until(() => !isAlive(pid), 'the child has left')
  await settles(children, before)
})

it('many environments start children at once', async () => {
  const workers = Array.from({ length: 8 }, () =>
    thread(`
      const codes = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
        const [code] = await once(spawnProtected('sh', ['-c', 'exit ' + i], { stdio: 'ignore' }), 'exit')
        return code === i
      }))
      post(codes.filter(Boolean).length)`),
  )
  const ends = workers.map((worker) => once(worker, 'exit'))
  const right = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))
  expect(right).toEqual(Array(8).fill(50))
  await Promise.all(ends)
})
