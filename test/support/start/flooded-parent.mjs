// Starts children while another process sends SIGINT to the whole group all the time, and reports how many were lost:
// a child is alive when a line sent through it comes back after the flood.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { spawnProtected } from 'sigshield'
import { mask, stateOf } from 'sigshield/signals'
import { hasProc } from '../process-table.mjs'

const spawn = process.argv[2] === 'sigshield' ? spawnProtected : childProcess.spawn

let seenByParent = 0
process.on('SIGINT', () => {
  seenByParent += 1
})
// A disposition of the parent's own that must survive; Node itself leaves SIGPIPE ignored.
process.on('SIGUSR2', () => {})
const signals = () => {
  if (hasProc) return /^SigBlk[\s\S]*SigCgt:.*$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[0]
  const { ignored, caught } = stateOf(process.pid)
  return [mask('block', []), ignored, caught]
}

const settled = childProcess.spawn('true')
await once(settled, 'close')
const before = signals()

// Ignores what it sends, says when it has begun, and ends with its parent, whatever ends that. It pauses: from Node 24 on V8 may
// sleep for a moment under a lock (absl::base_internal::NominalCPUFrequency), and a sleep that signals interrupt all the time
// never ends. Nothing waits for that pause: the signals and the starts run side by side whatever its length.
const flooder = childProcess.spawn(
  'python3',
  [
    '-c',
    `import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
parent = os.getppid()
print("flooding", flush=True)
while os.getppid() == parent:
  os.kill(0, signal.SIGINT)
  time.sleep(0.0002)`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
await once(flooder.stdout, 'data')

const children = []
for (let i = 0; i < 300; i += 1) {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] })
  children.push({ child, exit: once(child, 'exit') })
  // Lets the parent's own handler run between starts.
  await new Promise(setImmediate)
}
const flooderExit = once(flooder, 'exit')
flooder.kill('SIGKILL')
await flooderExit

const lost = await Promise.all(
  children.map(async ({ child, exit }) => {
    child.stdin.on('error', () => {}) // EPIPE: lost, as the exit below tells.
    const answer = once(createInterface({ input: child.stdout }), 'line').then(
      () => 'alive',
      () => 'lost',
    )
    child.stdin.write('hello\n')
    const verdict = await Promise.race([answer, exit.then(() => 'lost')])
    child.stdin.end()
    await exit
    return verdict === 'lost'
  }),
)
const after = signals()
console.log(
  JSON.stringify({ started: children.length, lost: lost.filter(Boolean).length, seenByParent, before, after }),
)
