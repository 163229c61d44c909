// Tries all that needs the addon, and reports how each ended, and whether anything of ours was loaded that is native.
import { existsSync, readFileSync } from 'node:fs'
import * as sigshield from 'sigshield'
import * as child from 'sigshield/child'
import * as signals from 'sigshield/signals'

const tries = {
  spawnProtected: () => sigshield.spawnProtected('true', { stdio: 'ignore' }),
  'spawnProtected, with a wrong option': () => sigshield.spawnProtected('true', { ignore: ['SIGNOPE'] }),
  forkProtected: () => sigshield.forkProtected('none.mjs'),
  'Supervisor.spawn': () => new sigshield.Supervisor().spawn('true'),
  'Supervisor.handleSignals': () => new sigshield.Supervisor().handleSignals(),
  'signals.mask': () => signals.mask('block', ['SIGINT']),
  'signals.ignore': () => signals.ignore(['SIGINT']),
}

function outcome(attempt) {
  try {
    attempt()
    return 'nothing was thrown'
  } catch ({ name, code, message }) {
    return { name, code, message }
  }
}

/** Bun and Deno give no list of their own. */
const loaded = () =>
  existsSync('/proc/self/maps')
    ? readFileSync('/proc/self/maps', 'utf8')
    : process.report.getReport().sharedObjects.join('\n')

const outcomes = Object.fromEntries(Object.entries(tries).map(([name, attempt]) => [name, outcome(attempt)]))
const event = new sigshield.ExitEvent()
event.set()
console.log(
  JSON.stringify({
    outcomes,
    // What needs none works.
    own: event.reason,
    connected: child.exitEvent().connected,
    isLoaded: loaded().includes('sigshield.node'),
  }),
)
