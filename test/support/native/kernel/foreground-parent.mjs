// In a terminal: starts a program with the options given, then, as soon as the terminal is its own, reads a line from it.
// With a last argument it has no descriptor left while the child runs.
import { closeSync, openSync, readSync } from 'node:fs'
import { spawnProtected } from 'sigshield'
import { processOf } from '../../process-table.mjs'

const [command, script, options, exhausted] = process.argv.slice(2)

/** Whether the terminal's foreground group is that of this number. */
const holdsTerminal = (/** @type {number | undefined} */ group) => processOf(process.pid)?.foreground === group

const child = spawnProtected(command, ['-c', script], { stdio: 'inherit', ignore: [], ...JSON.parse(options) })
child.on('error', ({ step }) => console.log(`failed: ${step}`))
child.on('exit', (code, signal) => console.log(`child ended: ${code} ${signal}`))
console.log(`child ${child.pid} holds the terminal: ${holdsTerminal(child.pid)}`)

/** @type {number[]} */
const hoard = []
if (exhausted) {
  try {
    for (;;) hoard.push(openSync('/dev/null', 'r'))
  } catch ({ code }) {
    console.log(`parent has no descriptor left: ${code}`)
  }
  child.on('exit', () => {
    for (const fd of hoard.splice(0)) closeSync(fd)
  })
}

// The parent is the leader of its session, so its group has its number. The terminal decides when to go on, no time.
const waiting = setInterval(() => {
  if (hoard.length > 0 || !holdsTerminal(process.pid)) return
  clearInterval(waiting)
  const line = Buffer.alloc(100)
  console.log('parent reads')
  const length = readSync(0, line)
  console.log(`parent got ${line.toString('utf8', 0, length).trim()}`)
  child.kill('SIGKILL')
}, 5)
