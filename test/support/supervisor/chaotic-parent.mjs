// Starts children of all kinds, some of which end by themselves, some when they are asked and some never, until a line comes in.
// Then it stops them all, and reports its census and what it counted.
import { Supervisor } from 'sigshield'
import { openDescriptors } from '../descriptors.mjs'
import { childrenOf } from '../process-table.mjs'

const census = () => ({ descriptors: openDescriptors(), children: childrenOf(process.pid) })
const kinds = [
  ['true', [], 'ignore'],
  ['echo', ['x'.repeat(1000)], 'pipe'],
  ['cat', [], 'pipe'],
  ['sleep', ['1000'], 'ignore'],
  // By itself: while a program that it has started reads the exit event, this process keeps the pipe.
  ['bash', ['-c', 'while read -t 0.05 -u $SIGSHIELD_EXIT_FD; [ $? -gt 128 ]; do :; done'], 'pipe'],
  ['sigshield-no-such-command', [], 'pipe'],
]
// What Node and the addon open once is open now.
const first = new Supervisor()
await new Promise((resolve) => first.spawn('true').once('close', resolve))
await first.shutdown()
process.stdin.resume()
const before = census()

const supervisor = new Supervisor({ parentDeathSignal: process.env.TEST_SYSTEM !== 'posix', grace: 300 })
const counts = { started: 0, ended: 0, closed: 0, refused: 0 }
const refusals = new Set()
supervisor.on('exit', () => {
  counts.ended += 1
})

function refuse(/** @type {NodeJS.ErrnoException} */ error) {
  counts.refused += 1
  refusals.add(error.code)
}

function startOne() {
  const [command, args, stdio] = kinds[Math.floor(Math.random() * kinds.length)]
  try {
    const child = supervisor.spawn(command, args, { stdio })
    child.on('error', refuse)
    child.on('close', () => {
      counts.closed += child.pid === undefined ? 0 : 1
    })
    if (child.pid !== undefined) counts.started += 1
  } catch (error) {
    refuse(error)
  }
}

const MOST = 200
let running = true
const next = () => {
  if (!running) return
  for (let i = 0; i < 4; i += 1) if (supervisor.children.size < MOST) startOne()
  // Full of those that never end, it would stand still.
  if (supervisor.children.size === MOST) [...supervisor.children][Math.floor(Math.random() * MOST)].kill('SIGKILL')
  setImmediate(next)
}
process.stdout.write('up\n')
next()
await new Promise((resolve) => process.stdin.once('data', resolve))
running = false
await supervisor.shutdown()
while (counts.closed < counts.started) await new Promise(setImmediate)
console.log(JSON.stringify({ before, after: census(), counts, refusals: [...refusals] }))
process.exit(0)
