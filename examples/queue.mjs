// node examples/queue.mjs [jobs] [ms]
//
// The queue of Python's recipe: a worker takes jobs off its channel. Ctrl-C lets it end the one in hand, and every other job is
// accounted for: left by the worker, or never taken in.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ExitEvent, forkProtected } from 'sigshield'

const [count = 100, ms = 500] = process.argv.slice(2).map(Number)
const exit = new ExitEvent()
process.on('SIGINT', () => exit.set())

const worker = forkProtected(fileURLToPath(new URL('queue-worker.mjs', import.meta.url)), { exitEvent: exit })
// Node lets the loop end while messages are unread, once it has sent one that the channel could not take at once.
worker.channel?.ref()
const open = new Set(Array.from({ length: count }, (_, id) => id))
// A worker that has left takes no more: what was not done stays in `open`.
const ignoreError = () => {}
for (const id of open) worker.send({ id, ms }, ignoreError)
worker.send({ end: true }, ignoreError)

/** @type {number[]} */
let left = []
worker.on('message', (/** @type {{ done: number } | { left: number[] }} */ report) => {
  if ('left' in report) {
    left = report.left
  } else {
    open.delete(report.done)
    console.log(`job ${report.done} is done`)
  }
})

// 'close', not 'exit': the last messages have been read then.
const [code] = await once(worker, 'close')
const done = count - open.size
console.log(
  `${done} done, ${left.length} left by the worker, ${open.size - left.length} never taken in; exit code ${code}`,
)
