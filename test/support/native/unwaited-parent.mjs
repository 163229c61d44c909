// Has one child that it may not wait for, and tells what it sees of it.
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { spawnProtected } from 'sigshield'

const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore' })
const lines = createInterface({ input: process.stdin })
child.on('exit', (code, signal) => {
  console.log('exit', code, signal)
  lines.close()
})
console.log(child.pid)
const turn = () => new Promise((resolve) => setTimeout(resolve, 50))
for await (const line of lines) {
  if (line !== 'measure') {
    console.log(line)
    continue
  }
  // A loop that spins is never idle, however long it is watched.
  const before = performance.eventLoopUtilization()
  for (let i = 0; i < 20; i += 1) await turn()
  const { utilization } = performance.eventLoopUtilization(before)
  console.log(JSON.stringify({ active: utilization }))
}
