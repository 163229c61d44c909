// Starts, signals, stops and joins children where the kernel refuses some of the calls for that.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { spawnProtected } from 'sigshield'
import { childrenOf } from '../process-table.mjs'

const quiet = { stdio: 'ignore' }
const line = (child) => once(child.stdout, 'data').then(String)

const codes = Array.from({ length: 5 }, (_, i) => once(spawnProtected('sh', ['-c', `exit ${i}`], quiet), 'exit'))
const sleeper = spawnProtected('sleep', ['1000'], quiet)
const killed = once(sleeper, 'exit')
const hasKilled = sleeper.kill()
const stopped = await spawnProtected('sleep', ['1000'], quiet).stop()
const leader = spawnProtected('sh', ['-c', 'sleep 1000 & echo up; wait'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  processGroup: true,
})
await line(leader)
const closed = once(leader, 'close')
// The pipe closes when the sleeper of the group, which holds it too, is gone.
const group = await leader.stop({ target: 'group' })
await closed
const worker = new Worker(
  `import { parentPort } from 'node:worker_threads'
   const { spawnProtected } = await import(${JSON.stringify(import.meta.resolve('sigshield'))})
   parentPort.postMessage(spawnProtected('sleep', ['1000'], { stdio: 'ignore' }).pid)`,
  { eval: true },
)
const [pid] = await once(worker, 'message')
await worker.terminate()
process.kill(pid, 'SIGKILL')
while (childrenOf(process.pid).length > 0) await new Promise(setImmediate)
console.log(
  JSON.stringify({
    codes: (await Promise.all(codes)).map(([code]) => code),
    killed: [hasKilled, (await killed)[1]],
    stopped,
    group,
  }),
)
