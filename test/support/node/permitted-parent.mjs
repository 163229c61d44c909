// Starts children under the permission model and prints what became of them.
import childProcess from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { forkProtected, spawnProtected } from 'sigshield'
import { childrenOf } from '../process-table.mjs'

const [side] = process.argv.slice(2)
const { fork, spawn } =
  side === 'sigshield'
    ? { fork: forkProtected, spawn: spawnProtected }
    : { fork: childProcess.fork, spawn: childProcess.spawn }

const print = ['-p', 'JSON.stringify([process.env.NODE_OPTIONS, process.execArgv, process.permission?.has("child")])']
const starts = {
  'a node program': () => spawn(process.execPath, print),
  'with NODE_OPTIONS of its own': () =>
    spawn(process.execPath, print, { env: { NODE_OPTIONS: '--no-warnings --title=--permission' } }),
  'with permission flags in NODE_OPTIONS': () =>
    spawn(process.execPath, print, { env: { NODE_OPTIONS: `--permission --allow-fs-read=*` } }),
  'with permission flags as arguments': () => spawn(process.execPath, ['--permission', '--allow-fs-read=*', ...print]),
  'in a shell': () => spawn('echo "$NODE_OPTIONS"', { shell: true }),
  'with an empty environment': () => spawn('/bin/sh', ['-c', 'echo "$NODE_OPTIONS"'], { env: {} }),
  'with an environment that is inherited': () =>
    spawn('/bin/sh', ['-c', 'echo "$NODE_OPTIONS $INHERITED"'], { env: Object.create({ INHERITED: 'yes' }) }),
  'with more pipes': () => {
    const child = spawn('cat >&4', { shell: true, stdio: ['pipe', 'pipe', 'pipe', 'overlapped', 'pipe'] })
    child.stdin.end('from the first to the last')
    return child
  },
  'that is not there': () => spawn('/no/such/program'),
  'with a bad option': () => spawn('true', { cwd: 1 }),
  'a worker': () => fork(join(import.meta.dirname, 'ipc-worker.mjs'), [], { silent: true }),
  'a worker without flags': () => fork(join(import.meta.dirname, 'ipc-worker.mjs'), [], { silent: true, execArgv: [] }),
}

/** How a start ends: by an exception, or with the child's output and messages. */
async function outcome(start) {
  try {
    const child = start()
    const seen = { output: '' }
    child.on('exit', (code) => {
      seen.exit = code
    })
    child.on('error', ({ code }) => {
      seen.error = code
    })
    child.on('message', ({ options, title }) => {
      seen.message = { options, title }
      child.disconnect()
    })
    if (child.connected) child.send({ ask: 'environment' })
    for (const stream of [child.stdout, child.stdio?.[4]]) {
      stream?.on('data', (data) => {
        seen.output += data
      })
    }
    // A worker that its parent disconnects has no 'close'.
    await new Promise((resolve) => child.once('close', resolve).once('disconnect', () => child.once('exit', resolve)))
    return seen
  } catch (error) {
    return { ...error, name: error.name, message: error.message }
  }
}

let published = []
subscribe('child_process', ({ process: child }) => published.push(child.constructor.name.replace('Protected', 'Child')))
for (const what of ['child', 'net']) {
  subscribe(`node:permission-model:${what}`, ({ permission, resource }) => published.push([permission, resource]))
}

const outcomes = {}
for (const [name, start] of Object.entries(starts)) {
  published = []
  outcomes[name] = { ...(await outcome(start)), published }
}
console.log(JSON.stringify({ outcomes, children: childrenOf(process.pid), options: process.env.NODE_OPTIONS }))
