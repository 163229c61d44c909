/** A child that a debugger or profiler traces has exited for its parent when the tracer lets it go (ptrace(2)). */
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { expect, it } from 'vitest'
import { programs } from '../support/build-programs.js'
import { NodeProgram } from '../support/node-program.js'
import { processOf } from '../support/process-table.mjs'
import { closed, ended, line, until } from '../support/processes.js'
import { compiledProgram } from './compiled.js'

const tracing = compiledProgram('tracing')

async function tracer(pid: number) {
  const process = ended(childProcess.spawn(tracing, [String(pid)], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const end = once(process, 'close')
  expect(await line(process.stdout)).toBe('traced')
  return { letGo: () => process.stdin.end(), end }
}

/** How busy the event loop is: one that spins is never idle, whatever else the machine does. */
async function activity(): Promise<number> {
  const before = performance.eventLoopUtilization()
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 50)) // Only paces the loop.
  return performance.eventLoopUtilization(before).utilization
}

it.each<[string, SpawnProtectedOptions]>([
  ['a child', {}],
  ['the leader of a group', { processGroup: true }],
])('%s that has exited and is held costs its parent nothing, and its exit arrives', async (_, options) => {
  const child = ended(spawnProtected('sleep', ['1000'], { ...options, stdio: 'ignore' }))
  const exit = once(child, 'exit')
  const { letGo, end } = await tracer(child.pid as number)
  // It would hold any other signal back too.
  const stopped = child.stop({ grace: 0, target: options.processGroup ? 'group' : 'process' })
  await until(() => processOf(child.pid as number)?.state === 'Z', 'it has exited')
  expect(await activity()).toBeLessThan(0.5)
  expect(child.signalCode).toBe(null)
  letGo()
  expect(await exit).toEqual([null, 'SIGKILL'])
  expect(await stopped).toMatchObject({ signal: 'SIGKILL', forced: true })
  await end
})

it('a parent that is traced shares its memory with no child: gdb and proot mishandle that', async () => {
  const code = `import { spawnProtected } from '${import.meta.resolve('sigshield')}'
    process.stdin.once('data', () => {
      try {
        const child = spawnProtected('true', { stdio: 'ignore', waitForExec: false })
        child.on('exit', (...end) => console.log(child.enforced, ...end))
      } catch ({ code, step }) {
        console.log(code, step)
      }
    })`
  const start = () => {
    const command = ['clone_vm', process.execPath, '--input-type=module', '-e', code]
    return ended(childProcess.spawn(join(programs, 'restricted'), command, { stdio: ['pipe', 'pipe', 'inherit'] }))
  }
  const plain = start()
  plain.stdin.end('now')
  expect(await line(plain.stdout)).toBe('EINVAL clone')
  const parent = start()
  const traced = ended(
    childProcess.spawn(tracing, [String(parent.pid), 'on'], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  expect(await line(traced.stdout)).toBe('traced')
  parent.stdin.end('now')
  expect(await line(parent.stdout)).toBe('filter 0 null')
  expect(await closed(parent)).toEqual({ code: 0, signal: null })
})

it('one of a terminated thread is reaped by the process, at no cost', async () => {
  // A program of its own, which has nothing else to do.
  const parent = new NodeProgram(
    `import { once } from 'node:events'
     import { Worker } from 'node:worker_threads'
     const worker = new Worker(\`
       import { parentPort } from 'node:worker_threads'
       import { spawnProtected } from '${import.meta.resolve('sigshield')}'
       parentPort.postMessage(spawnProtected('sleep', ['1000'], { stdio: 'ignore' }).pid)\`, { eval: true })
     const [pid] = await once(worker, 'message')
     await worker.terminate()
     console.log(pid)
     await once(process.stdin, 'data')
     const before = process.cpuUsage()
     await new Promise((resolve) => setTimeout(resolve, 1000)) // The time that is measured: nothing is waited for.
     const { user, system } = process.cpuUsage(before)
     console.log((user + system) / 1e6)
     await once(process.stdin, 'end')`,
    [],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const pid = Number(await parent.line())
  const { letGo, end } = await tracer(pid)
  process.kill(pid, 'SIGKILL')
  await until(() => processOf(pid)?.state === 'Z', 'it has exited')
  parent.child.stdin?.write('look')
  expect(Number(await parent.line())).toBeLessThan(0.25)
  letGo()
  await end
  await until(() => processOf(pid) === undefined, 'it is reaped')
  parent.child.stdin?.end()
  expect(await parent.end()).toMatchObject({ code: 0 })
})
