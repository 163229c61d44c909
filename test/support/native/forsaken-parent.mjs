// Terminates worker threads whose children live on, and tells what that costs.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { childrenOf } from '../process-table.mjs'

const [workers, limit] = process.argv.slice(2).map(Number)
const code = `import { parentPort } from 'node:worker_threads'
  const { spawnProtected } = await import(${JSON.stringify(import.meta.resolve('sigshield'))})
  const children = Array.from({ length: 20 }, () => spawnProtected('sleep', ['1000'], { stdio: 'ignore' }))
  parentPort.postMessage(children.map((child) => child.pid))`
const threads = () => readdirSync('/proc/self/task').length
const descriptors = () => readdirSync('/dev/fd').length

async function forsake() {
  const worker = new Worker(code, { eval: true })
  const [pids] = await once(worker, 'message')
  await worker.terminate()
  return pids
}

/** What Node opens once for its worker threads is not ours. */
for (const pid of await forsake()) process.kill(pid, 'SIGKILL')
while (childrenOf(process.pid).length > 0) await new Promise(setImmediate)
const before = { threads: threads(), descriptors: descriptors() }
const pids = []
for (let i = 0; i < workers; i += 1) pids.push(...(await forsake()))
// A terminated worker's thread may still be about to end.
while (threads() > before.threads + 1) await new Promise(setImmediate)
const more = threads() - before.threads
const set = (to) => `prlimit --pid=${process.pid} --nofile=${to}: && echo done`
const limiting = childProcess.spawn('sh', ['-c', `${set(limit)}; read line; ${set(1024)}`], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
await once(limiting.stdout, 'data')
process.kill(pids.pop(), 'SIGKILL')
const cpu = process.cpuUsage()
for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 50)) // Only paces the measuring.
const { user, system } = process.cpuUsage(cpu)
limiting.stdin.end('\n')
await once(limiting, 'close')
for (const pid of pids) process.kill(pid, 'SIGKILL')
while (childrenOf(process.pid).length > 0) await new Promise(setImmediate)
while (threads() > before.threads) await new Promise(setImmediate)
console.log(JSON.stringify({ more, busy: user + system > 500_000, descriptors: descriptors() - before.descriptors }))
