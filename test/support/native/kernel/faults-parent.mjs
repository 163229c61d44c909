// Under faults.so: does one thing with children again and again while a call of the addon's is refused at a certain use.
// Argument: { round, call, always, errors, uses }. Prints, for each error and use, what came of it and what was left.
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs'
import { ExitEvent, spawnProtected } from 'sigshield'
import { childrenOf } from '../../process-table.mjs'

const { round, call, always, errors, uses } = JSON.parse(process.argv[2])
const control = openSync(process.env.FAULTS, 'r+')

/** The struct of faults.so.c. */
const text = (value, offset) => writeSync(control, Buffer.from(value.padEnd(64, '\0')), 0, 64, offset)
function refuse(error, nth) {
  writeSync(control, new Uint8Array(new Int32Array([error, nth, 0, 0]).buffer), 0, 16, 128)
}
function wasRefused() {
  const found = new Int32Array(1)
  readSync(control, new Uint8Array(found.buffer), 0, 4, 140)
  return found[0] === 1
}

/** An error comes as an exception or as an event. */
async function start(command, args, options) {
  try {
    const child = spawnProtected(command, args, { stdio: 'ignore', ...options })
    // As of child_process: a pipe that could not be made has an error of its own.
    child.stdout?.on('error', () => {})
    if (child.pid !== undefined) return { child, exit: once(child, 'close') }
    const [error] = await once(child, 'error')
    throw error
  } catch ({ code, step }) {
    return { failure: { code, step } }
  }
}

async function run(options, command = '/bin/true') {
  const { child, exit, failure } = await start(command, [], options)
  if (failure) return failure
  child.stdout?.resume()
  const [code, signal] = await exit
  if (code !== 0) return { exit: code ?? signal }
  return child.enforced ? 'works' : 'not enforced'
}

async function end(how) {
  const { child, exit, failure } = await start('/bin/sleep', ['1000'], { processGroup: true })
  if (failure) return failure
  try {
    how(child)
  } catch ({ code, step }) {
    process.kill(child.pid, 'SIGKILL')
    await exit
    return { code, step }
  }
  const [, signal] = await exit
  return signal === 'SIGTERM' ? 'works' : { exit: signal }
}

/** The child sees one of the two marks of a request: the other is enough. */
async function ask() {
  const code = 'test "$(head -n 1 <&$SIGSHIELD_EXIT_FD)" = "exit requested" || test -x /dev/fd/$SIGSHIELD_EXIT_FD'
  const exitEvent = new ExitEvent()
  const { exit, failure } = await start('/bin/bash', ['-c', code], { exitEvent })
  if (failure) return failure
  exitEvent.set()
  const [status, signal] = await exit
  return status === 0 ? 'works' : { exit: status ?? signal }
}

const rounds = {
  plain: () => run({ cwd: '/' }),
  required: () => run({ enforce: true }),
  pipes: () => run({ stdio: ['ignore', 'pipe', 'inherit'] }),
  moved: () => run({ stdio: ['ignore', 2, 1] }),
  detached: () => run({ detached: true }),
  group: () => run({ processGroup: true }),
  ids: () => run({ uid: 65534, gid: 65534, groups: [] }),
  uid: () => run({ uid: 65534 }),
  death: () => run({ parentDeathSignal: true }),
  missing: async () => {
    const outcome = await run({}, '/no/such/program')
    return outcome.code === 'ENOENT' && outcome.step === 'execve' ? 'works' : outcome
  },
  kill: () => end((child) => child.kill()),
  event: ask,
}

/** A child's stack and the guard below it. */
function stacks() {
  const areas = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .map((line) => {
      const [range, mode] = line.split(' ')
      const [start, end] = range.split('-').map((address) => Number.parseInt(address, 16))
      return { size: end - start, mode }
    })
  return areas.filter(({ size, mode }, i) => size === 65536 && mode === '---p' && areas[i + 1].size >= 65536).length
}

function census() {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    children: childrenOf(process.pid).length,
    threads: readdirSync('/proc/self/task').length,
    stacks: stacks(),
    mask: readFileSync('/proc/self/status', 'utf8').match(/^SigBlk:\s*(.*)$/m)[1],
  }
}

/** What is more than before, for good. */
async function leftSince(before) {
  const deadline = performance.now() + 2000
  let left = {}
  do {
    globalThis.gc()
    await new Promise(setImmediate)
    const more = Object.entries(census()).filter(([name, found]) => found > before[name])
    left = Object.fromEntries(more.map(([name, found]) => [name, found]))
  } while (Object.keys(left).length > 0 && performance.now() < deadline)
  return left
}

process.setgroups?.([1])
text(call, 0)
text(always ?? '', 64)
const outcomes = []
let before
for (const error of errors) {
  for (const use of uses) {
    refuse(error, use)
    let outcome = 'never made'
    // Some calls are made in most rounds, not in each.
    for (let i = 0; i < use + 20 && outcome === 'never made'; i += 1) {
      const found = await rounds[round]()
      if (wasRefused()) outcome = found
      else if (found !== 'works') outcome = { before: found }
    }
    refuse(0, 0)
    const after = await rounds[round]()
    // What is opened once, at the first start, is there by now.
    before ??= { ...census(), children: 0 }
    outcomes.push({ error, use, outcome, after, left: await leftSince(before) })
  }
}

const seen = Buffer.alloc(8192)
readSync(control, seen, 0, seen.length, 144)
closeSync(control)
console.log(JSON.stringify({ outcomes, seen: seen.toString().replace(/\0.*$/s, '').trim().split('\n') }))
