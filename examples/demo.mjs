// npm run demo [-- --worker node|python] [-- --unprotected]
//
// A parent feeds a lazy worker the integers 0 to 99, one job a second. Press Ctrl-C: the terminal signals both, but only the
// parent notices. It asks the worker to leave, waits for it, and ends. With --unprotected the same worker runs under plain
// child_process, and dies in the middle of its job.
import childProcess from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Supervisor } from 'sigshield'

const { values } = parseArgs({
  options: {
    worker: { type: 'string', default: 'node' },
    unprotected: { type: 'boolean', default: false },
  },
})
const file = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))
const jobs = Array.from({ length: 100 }, (_, i) => i)
const supervisor = new Supervisor()

function startNodeWorker() {
  const worker = values.unprotected ? childProcess.fork(file('worker.mjs')) : supervisor.fork(file('worker.mjs'))
  for (const job of jobs) worker.send(job)
  return worker
}

function startPythonWorker() {
  /** @type {['pipe', 'inherit', 'inherit']} */
  const stdio = ['pipe', 'inherit', 'inherit']
  const worker = values.unprotected
    ? childProcess.spawn('python3', [file('worker.py')], { stdio })
    : supervisor.spawn('python3', [file('worker.py')], { stdio })
  worker.stdin.end(jobs.map((job) => `${job}\n`).join(''))
  return worker
}

const starters = { node: startNodeWorker, python: startPythonWorker }
if (!Object.hasOwn(starters, values.worker))
  throw new TypeError(`--worker must be node or python, not ${values.worker}`)

const worker = starters[/** @type {keyof typeof starters} */ (values.worker)]()
worker.once('exit', (/** @type {number | null} */ code, /** @type {string | null} */ signal) => {
  console.log(
    signal ? `The worker was killed by ${signal} in the middle of its job` : `The worker left with code ${code}`,
  )
  // A signal that ends the parent says so itself.
  if (!supervisor.closing) process.exitCode = code === 0 ? 0 : 1
})

if (values.unprotected) {
  process.on('SIGINT', () => {})
} else {
  process.once('SIGINT', () => console.log('\nCtrl-C: asking the worker to leave'))
  // Asks, joins, and then ends the parent by the SIGINT itself.
  supervisor.handleSignals()
}
console.log(`parent ${process.pid} started a ${values.worker} worker ${worker.pid}: press Ctrl-C`)
