// Starts a silent worker, lets go of it as its argument says, and prints what happened when its own loop has ended.
import childProcess from 'node:child_process'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { forkProtected } from 'sigshield'

const [side, way] = process.argv.slice(2)
const fork = side === 'sigshield' ? forkProtected : childProcess.fork
const worker = fork(join(import.meta.dirname, 'ipc-worker.mjs'), [], { stdio: 'ignore', execArgv: [] })
const events = []
for (const event of ['message', 'disconnect', 'exit']) worker.on(event, () => events.push(event))

const ways = {
  'unref both': () => {
    worker.unref()
    worker.channel.unref()
  },
  'unref the process': () => {
    worker.unref()
    worker.send('hello', () => worker.once('message', () => worker.disconnect()))
  },
  'unref the channel': () => {
    worker.channel.unref()
    worker.send('hello', () => worker.once('message', () => worker.disconnect()))
  },
  'ref the channel again': () => {
    worker.unref()
    worker.channel.unref()
    worker.channel.ref()
    worker.send('hello', () => worker.once('message', () => worker.disconnect()))
  },
  disconnect: () => {
    worker.unref()
    worker.disconnect()
  },
}
ways[way]()
process.on('exit', () => writeSync(1, JSON.stringify({ pid: worker.pid, events })))
