// What it costs to start a program by `sigshield exec`, beside the tools that set signals, and the inits, of others.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Result } from './result.mjs'

const TURNS = 40

const sigshield = join(import.meta.dirname, '../bin/sigshield.js')

/** @type {Record<string, string[]>} */
const peers = {
  'sigshield exec': [sigshield, 'exec', '--ignore', 'INT', '--'],
  'sigshield exec, --no-enforce': [sigshield, 'exec', '--no-enforce', '--ignore', 'INT', '--'],
  'sigshield run': [sigshield, 'run', '--ignore', 'INT', '--'],
  'the bare program': [],
  'node -e 0, then the program': ['sh', '-c', '"$0" -e 0; exec "$@"', process.execPath],
  'env --ignore-signal=INT': ['env', '--ignore-signal=INT'],
  'setpriv --pdeathsig keep': ['setpriv', '--pdeathsig', 'keep'],
  tini: ['tini', '-s', '--'],
  'dumb-init': ['dumb-init'],
}

/** Those that this machine has got, and why others are absent. */
function present() {
  /** @type {Record<string, string>} */
  const absent = {}
  const found = Object.entries(peers).filter(([name, [file = 'true', ...args]]) => {
    try {
      execFileSync(file, [...args, 'true'], { stdio: 'ignore' })
      return true
    } catch (error) {
      absent[name] = /** @type {Error} */ (error).message
      return false
    }
  })
  return { found, absent }
}

export default async function commandStart(/** @type {import('./clock.mjs').Clock} */ clock) {
  const result = new Result({
    question: 'How long does a command that protects a program take to start and end it?',
    unit: 'ms',
    better: 'lower',
    ours: 'sigshield exec',
  })
  const { found, absent } = present()
  result.absent(absent)
  for (const _ of clock.turns(TURNS)) {
    for (const [name, prefix] of found) {
      const [file = '', ...args] = [...prefix, 'true']
      const begin = performance.now()
      await once(spawn(file, args, { stdio: 'ignore' }), 'exit')
      result.add({}, name, performance.now() - begin)
    }
  }
  result.note(
    '`true` is the program. The start of Node itself is most of what sigshield takes: a Node that does nothing is a row of its own.',
  )
  return [result]
}
