// Starts children with this process's environment while a worker thread that shares it changes it all the time.
import { once } from 'node:events'
import { SHARE_ENV, Worker } from 'node:worker_threads'

const writer = `
  const { parentPort } = require('node:worker_threads')
  const names = Array.from({ length: 3000 }, (_, i) => 'SIGSHIELD_SHARED_' + i)
  for (let round = 0; ; round += 1) {
    for (const name of names) process.env[name] = 'x'.repeat((round * 37) % 200)
    if (round === 0) parentPort.postMessage('writing')
    for (const name of names) delete process.env[name]
  }`
// Before the library is loaded, which can't have seen it then.
await once(new Worker(writer, { eval: true, env: SHARE_ENV }), 'message')
const { spawnProtected } = await import('sigshield')
process.env.SIGSHIELD_MINE = 'mine'
const script = 'exec test "$SIGSHIELD_MINE" = mine'
const codes = new Set()
for (let i = 0; i < Number(process.argv[2]); i += 1) {
  const [code] = await once(spawnProtected('/bin/sh', ['-c', script], { stdio: 'ignore' }), 'exit')
  codes.add(code)
}
console.log(JSON.stringify([...codes]))
process.exit()
