// What a user has of an installed sigshield. The shell is the judge of its own signals.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { report } from 'node:process'

const arguments_ = ['-c', 'kill -INT $$; echo lives']

async function end(child) {
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  const [code, signal] = await once(child, 'close')
  return { enforced: child.enforced, text: text.trim(), code, signal }
}

/** @param sigshield, child, signals - The three modules, however they were loaded. */
export async function whatHolds(sigshield, child, signals) {
  report.excludeNetwork = true
  return {
    unprotected: await end(spawn('sh', arguments_)),
    filtered: await end(sigshield.spawnProtected('sh', arguments_)),
    guarded: await end(sigshield.spawnProtected('sh', arguments_, { enforce: 'guard' })),
    connected: child.exitEvent().connected,
    pending: signals.pending(),
    addon: report
      .getReport()
      .sharedObjects.filter((file) => file.endsWith('sigshield.node'))
      .map((file) => file.replace(/.*\/node_modules\/[^/]*\//, '')),
  }
}
