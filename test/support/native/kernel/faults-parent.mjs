// Under faults.so: does one thing with children again and again while a call of the addon's is refused at a certain use.
// Argument: { round, call, always, errors, uses, report }. Writes to the file `report`, for each error and use, what came of
// it and what was left. It is long, as it has every round.
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ExitEvent, spawnProtected } from 'sigshield'
import { census } from './faults-census.mjs'
import { holdsTerminal, terminalMode } from './faults-terminal.mjs'

const { round, call, always, errors, uses, report } = JSON.parse(process.argv[2])
const control = openSync(process.env.FAULTS, 'r+')

/** The struct of faults.so.c. */
const text = (value, length, offset) => writeSync(control, Buffer.from(value.padEnd(length, '\0')), 0, length, offset)
function refuse(error, nth) {
  writeSync(control, new Uint8Array(new Int32Array([error, nth, 0, 0]).buffer), 0, 16, 192)
}
function made() {
  const found = new Int32Array(2)
  readSync(control, new Uint8Array(found.buffer), 0, 8, 200)
  return { used: found[0], wasRefused: found[1] === 1 }
}

/** An error comes as an exception or as an event. */
async function start(command, args, options) {
  try {
    const child = spawnProtected(command, args, { stdio: 'ignore', ...options })
    // As of child_process: a pipe that could not be made has an error of its own.
    child.stdout?.on('error', () => {})
    if (child.pid !== undefined) {
      return { child, exit: new Promise((resolve) => child.once('close', (...end) => resolve(end))) }
    }
    const [error] = await once(child, 'error')
    throw error
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

/** A refused kill has no other step. */
const failureOf = ({ code, step, syscall }) => ({ code, step: step ?? syscall })

async function run(options, command = '/bin/true') {
  const { child, exit, failure } = await start(command, [], options)
  if (failure) return failure
  child.stdout?.resume()
  const [code, signal] = await exit
  if (code !== 0) return { exit: code ?? signal }
  return child.enforced ? 'works' : 'not enforced'
}

/** Without waiting for the program, as the first start of a process does all the same. */
async function atOnce(options) {
  const first = await run({})
  if (first !== 'works') return first
  const { child, exit, failure } = await start('/bin/true', [], { cwd: '/', waitForExec: false, ...options })
  if (failure) return failure
  let refusal
  child.on('error', (error) => {
    refusal = failureOf(error)
  })
  const [code, signal] = await exit
  if (refusal) return refusal
  return code === 0 && child.enforced ? 'works' : { exit: code ?? signal }
}

async function kill() {
  const { child, exit, failure } = await start('/bin/sleep', ['1000'])
  if (failure) return failure
  let refusal
  child.on('error', (error) => {
    refusal = failureOf(error)
  })
  try {
    child.kill()
  } catch (error) {
    refusal = failureOf(error)
  }
  if (refusal) process.kill(child.pid, 'SIGKILL')
  const [, signal] = await exit
  return refusal ?? (signal === 'SIGTERM' ? 'works' : { exit: signal })
}

/** Of the two in the group one does not hear SIGTERM, and goes when the other has gone. Both hold the pipe. */
async function stopGroup() {
  const { child, exit, failure } = await start(
    '/bin/sh',
    ['-c', '(trap "" TERM; echo ready; exec /bin/sleep 1000) & exec /bin/sleep 1000'],
    { processGroup: true, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  if (failure) return failure
  await once(child.stdout, 'data')
  let outcome
  try {
    const { signal } = await child.stop({ target: 'group' })
    outcome = signal === 'SIGTERM' ? 'works' : { exit: signal }
  } catch (error) {
    outcome = failureOf(error)
    process.kill(-child.pid, 'SIGKILL')
  }
  await exit
  return outcome
}

/** The terminal is this process's again, as it was. */
async function inForeground(command, args) {
  const mode = terminalMode()
  const { child, exit, failure } = await start(command, args, { foreground: true })
  if (child) await exit
  if (!holdsTerminal()) return { terminal: 'lost' }
  if (terminalMode() !== mode) return { terminal: 'in another mode' }
  return failure ?? 'works'
}

/** A real child, and the variables by which this process finds the same pipe. */
async function givenEvent() {
  const exitEvent = new ExitEvent()
  const started = await start('/bin/sleep', ['1000'], { exitEvent })
  if (started.failure) return started
  const fd = openSync(`/proc/${started.child.pid}/fd/8`, 'r')
  const env = { SIGSHIELD_EXIT_FD: String(fd), SIGSHIELD_EXIT_INODE: String(fstatSync(fd).ino) }
  return { ...started, exitEvent, fd, env }
}

const given = round === 'child that claims' ? await givenEvent() : undefined
let claims = 0

/** Evaluated once more, the module asks once more. */
async function claim() {
  Object.assign(process.env, given.env)
  try {
    const { exitEvent } = await import(`${import.meta.resolve('sigshield/child')}?${claims++}`)
    return exitEvent().connected ? 'works' : 'not connected'
  } catch (error) {
    return failureOf(error)
  }
}

/** A thread is the child, as it can be given an event of its own. */
async function asChild(how) {
  const { child, exit, failure, exitEvent, fd, env } = await givenEvent()
  if (failure) return failure
  const worker = new Worker(join(import.meta.dirname, 'faults-worker.mjs'), {
    env: { ...process.env, ...env },
    workerData: how,
  })
  let outcome = 'nothing said'
  worker.on('message', (message) => {
    if (message === 'ready') exitEvent.set()
    else outcome = message
  })
  await once(worker, 'exit')
  closeSync(fd)
  child.kill('SIGKILL')
  await exit
  return outcome
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

/** So many that their table is not copied. Before them a process has numbers to keep. */
async function amongMany(options) {
  if (readdirSync('/proc/self/fd').length < 1100) {
    await run({})
    for (let i = 0; i < 1100; i += 1) openSync('/dev/null')
  }
  const outcome = await run({ stdio: ['ignore', 'pipe', 'ignore'], ...options })
  // A start that opens nothing before it takes back the low numbers that are free.
  return outcome === 'works' ? run({ ...options }) : outcome
}

const rounds = {
  plain: () => run({ cwd: '/' }),
  'at once': () => atOnce({}),
  'detached, at once': () => atOnce({ detached: true }),
  required: () => run({ enforce: true }),
  pipes: () => run({ stdio: ['ignore', 'pipe', 'inherit'] }),
  moved: () => run({ stdio: ['ignore', 2, 1] }),
  'many descriptors': () => amongMany({}),
  'many descriptors, at once': () => amongMany({ waitForExec: false }),
  detached: () => run({ detached: true }),
  group: () => run({ processGroup: true }),
  ids: () => run({ uid: 65534, gid: 65534, groups: [] }),
  uid: () => run({ uid: 65534 }),
  death: () => run({ parentDeathSignal: true }),
  missing: async () => {
    const outcome = await run({}, '/no/such/program')
    return outcome.code === 'ENOENT' && outcome.step === 'execve' ? 'works' : outcome
  },
  kill,
  'stop of a group': stopGroup,
  event: ask,
  'foreground, in a terminal': () => inForeground('/bin/true', []),
  'killed in the foreground, in a terminal': () =>
    inForeground('/bin/sh', ['-c', '/bin/stty -echo </dev/tty; kill -9 $$']),
  'missing in the foreground, in a terminal': async () => {
    const outcome = await inForeground('/no/such/program', [])
    return outcome.code === 'ENOENT' && outcome.step === 'execve' ? 'works' : outcome
  },
  'child that claims': claim,
  'child that spins': () => asChild('spins'),
  'child that waits': () => asChild('waits'),
  'child that blocks': () => asChild('blocks'),
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

/** After so many a call is taken to be made no more. */
const ROUNDS_WITHOUT = 30

process.setgroups?.([1])
text(call, 64, 0)
text(always ?? '', 128, 64)
const outcomes = []
let before
for (const error of errors) {
  for (const use of uses) {
    refuse(error, use)
    let outcome = 'never made'
    let usedBefore = 0
    // Some calls are made in most rounds, not in each, and on a busy machine in few.
    for (let without = 0; without < ROUNDS_WITHOUT && outcome === 'never made'; without += 1) {
      const found = await rounds[round]()
      const { used, wasRefused } = made()
      if (wasRefused) outcome = found
      else if (found !== 'works') outcome = { before: found }
      if (used > usedBefore) without = 0
      usedBefore = used
    }
    refuse(0, 0)
    const after = await rounds[round]()
    // What is opened once, at the first start, is there by now.
    before ??= { ...census(), children: given ? 1 : 0 }
    outcomes.push({ error, use, outcome, after, left: await leftSince(before) })
  }
}

given?.child.kill('SIGKILL')
await given?.exit
const seen = Buffer.alloc(8192)
readSync(control, seen, 0, seen.length, 208)
closeSync(control)
writeFileSync(report, JSON.stringify({ outcomes, seen: seen.toString().replace(/\0.*$/s, '').trim().split('\n') }))
