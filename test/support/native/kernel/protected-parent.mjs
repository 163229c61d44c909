// Starts the probe with options from within a process that may be protected itself, and prints what it was told and
// what the probe found: protected-parent.mjs PROBE REPORT OPTIONS
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { spawnProtected } from 'sigshield'

const [probe, report, options] = process.argv.slice(2)

async function refusal(start) {
  try {
    await start()
  } catch ({ code, step, message }) {
    return { code, step, message }
  }
}

let child
const failure = await refusal(() => {
  child = spawnProtected(probe, [report, 'cat'], { stdio: ['pipe', 'ignore', 'inherit'], ...JSON.parse(options) })
})
if (failure) {
  console.log(JSON.stringify(failure))
} else {
  const { enforced } = child
  const stop = await refusal(() => child.stop({ signal: 'SIGINT', grace: Infinity }))
  child.stdin.end()
  const [code, signal] = child.exitCode === null && child.signalCode === null ? await once(child, 'exit') : [null, null]
  const { ignored } = stop ? JSON.parse(readFileSync(report, 'utf8')) : {}
  console.log(JSON.stringify({ enforced, ignored, stop: stop?.code, code, signal }))
}
