/** A program about its own signals, in a process of its own: this one's are vitest's. */
import { NodeProgram } from '../node-program.js'
import { signalSet } from '../processes.js'

/** What the code has at hand; `thread` runs code in a worker thread that has `signals` and `post`. */
const prelude = `
  import { spawn } from 'node:child_process'
  import { on, once } from 'node:events'
  import { Worker } from 'node:worker_threads'
  import { text } from 'node:stream/consumers'
  import { spawnProtected } from 'sigshield'
  import * as signals from 'sigshield/signals'
  const print = (value) => console.log(JSON.stringify(value ?? null))
  const self = process.pid
  const thread = (code) => {
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(
      'import { parentPort } from "node:worker_threads"; import * as signals from "' +
      import.meta.resolve('sigshield/signals') + '"; const post = (value) => parentPort.postMessage(value);' + code)))
    // Of two that come together the second would find nobody who asks yet.
    worker.messages = on(worker, 'message')
    return worker
  }
  /** 'ignored' or 'blocked', as a program that this starts finds them: numbers. */
  const found = (set, start, options) => text(start('${signalSet}', [set], options).stdout).then((said) => said.trim())
  const next = async (worker) => (await worker.messages.next()).value[0]
  /** Keeps the process while it waits for its own listeners. */
  const alive = setInterval(() => {}, 1000)
`

/** What the code says, and how the program ends. It ends by itself after its last line. */
export function runSignalsRaw(code: string, env: NodeJS.ProcessEnv = process.env) {
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  return new NodeProgram(`${prelude}\n${code}\nclearInterval(alive)`, [], { env, stdio: [...stdio] }).end()
}

/** The same for code that prints values. */
export async function runSignals(code: string, env?: NodeJS.ProcessEnv) {
  const { rest, ...exit } = await runSignalsRaw(code, env)
  return { said: rest.map((text) => JSON.parse(text)), ...exit }
}

export const well = (...said: unknown[]) => ({ said, code: 0, signal: null })
