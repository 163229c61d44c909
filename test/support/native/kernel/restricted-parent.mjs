// Does one thing with children and reports it: run under `restricted` to see the fallbacks, and without for comparison.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { ExitEvent, forkProtected, spawnProtected, spawnSyncProtected } from 'sigshield'
import { exitEvent as childEvent } from 'sigshield/child'
import { childrenOf } from '../../process-table.mjs'

const quiet = { stdio: 'ignore' }

const things = {
  async exits() {
    const exits = Array.from({ length: 10 }, (_, i) => once(spawnProtected('sh', ['-c', `exit ${i}`], quiet), 'exit'))
    const sleeper = spawnProtected('sleep', ['1000'], quiet)
    const codes = (await Promise.all(exits)).map(([code]) => code)
    const killed = once(sleeper, 'exit')
    sleeper.kill()
    return { codes, killed: (await killed)[1], zombies: childrenOf(process.pid).length }
  },
  async sync() {
    const options = { encoding: 'utf8', input: 'x'.repeat(200_000) }
    const { status, stdout } = spawnSyncProtected('cat', options)
    const { signal, error } = spawnSyncProtected('sleep', ['1000'], { stdio: 'ignore', timeout: 50 })
    const quick = spawnSyncProtected('sh', ['-c', 'exit 7'], quiet).status
    return { status, length: stdout.length, signal, error: error.code, quick, zombies: childrenOf(process.pid).length }
  },
  async event() {
    const exitEvent = new ExitEvent()
    const child = forkProtected(import.meta.filename, ['worker of an event'], {
      exitEvent,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    await once(child, 'message')
    const told = once(child, 'message')
    const stopped = await child.stop({ grace: 60_000 })
    return { told: (await told)[0], stopped }
  },
  async 'worker of an event'() {
    const event = childEvent()
    process.send('ready')
    process.send(await event.wait(), () => process.exit())
  },
  async unref() {
    const child = spawnProtected('sleep', ['1000'], quiet)
    child.unref()
    process.on('exit', () => process.kill(child.pid, 'SIGKILL'))
    return { started: child.pid > 0 }
  },
  async worker() {
    const worker = new Worker(
      `import { spawnProtected } from 'sigshield'
       import { parentPort } from 'node:worker_threads'
       const children = Array.from({ length: 5 }, () => spawnProtected('sleep', ['1000'], { stdio: 'ignore' }))
       parentPort.postMessage(children.map((child) => child.pid))`,
      { eval: true },
    )
    const [pids] = await once(worker, 'message')
    await worker.terminate()
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    // A zombie stays until somebody reaps it, so this ends only if somebody does.
    while (childrenOf(process.pid).length > 0) await new Promise(setImmediate)
    return { zombies: childrenOf(process.pid).length }
  },
  async descriptors() {
    const [probe, report] = process.argv.slice(3)
    await once(spawnProtected(probe, [report], quiet), 'exit')
    return { fds: JSON.parse(readFileSync(report, 'utf8')).fds.map(({ fd }) => fd) }
  },
  async auto() {
    const child = spawnProtected('true', quiet)
    const [code] = await once(child, 'exit')
    return { enforced: child.enforced, code }
  },
  async fork() {
    try {
      forkProtected('none.mjs')
    } catch ({ code, step, syscall, message }) {
      return { code, step, syscall, message, children: childrenOf(process.pid) }
    }
  },
}
console.log(JSON.stringify(await things[process.argv[2]]()))
