// A worker under the guard that does what it is asked, and answers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { spawnProtected } from 'sigshield'
import { liftGuard } from 'sigshield/child'
import { stateOf } from 'sigshield/signals'

const heard = []

const environment = (env) => {
  const { LD_PRELOAD, SIGSHIELD_GUARD } = env
  return { LD_PRELOAD, SIGSHIELD_GUARD }
}

async function output(child) {
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  return text
}

const answers = {
  echo: (text) => text,
  listen: (signal) => {
    process.on(signal, () => {
      heard.push(signal)
      process.send({ heard })
    })
    return 'listening'
  },
  lift: (signals) => liftGuard(signals ?? undefined),
  async 'lift in a thread'() {
    const thread = new Worker(
      `const { parentPort } = require('node:worker_threads')
       import('sigshield/child').then(({ liftGuard }) => {
         try { parentPort.postMessage(liftGuard()) } catch ({ code }) { parentPort.postMessage(code) }
       })`,
      { eval: true },
    )
    const [said] = await once(thread, 'message')
    return said
  },
  environment: () => environment(process.env),
  // Node resets its signals, so only a guard of its own keeps them.
  async spawn() {
    const code = `process.stdout.write('ready'); process.stdin.resume()`
    const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const ignored = stateOf(child.pid).ignored.includes('SIGINT')
    child.stdin.end()
    await once(child, 'exit')
    return { pid: child.pid, ignored }
  },
  async start([file, args, options]) {
    return JSON.parse(await output(spawnProtected(file, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] })))
  },
  async 'start environment'(options) {
    const child = spawnProtected('env', [], { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = (await output(child)).split('\n')
    return environment(Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2))))
  },
}

process.on('message', async ([question, ...rest]) => {
  process.send(await answers[question](...rest))
})
process.send('ready')
