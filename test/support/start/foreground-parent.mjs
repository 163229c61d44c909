// In a terminal: starts a program with the options given, then, as soon as the terminal is its own, reads a line from it.
import { readFileSync, readSync } from 'node:fs'
import { spawnProtected } from 'sigshield'

const [command, script, options] = process.argv.slice(2)

/** Whether the terminal's foreground group is this one, or that of `pid` (proc_pid_stat(5)). */
function holdsTerminal(/** @type {number} */ group) {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5]) === group
}

const child = spawnProtected(command, ['-c', script], { stdio: 'inherit', ignore: [], ...JSON.parse(options) })
child.on('error', ({ step }) => console.log(`failed: ${step}`))
child.on('exit', (code, signal) => console.log(`child ended: ${code} ${signal}`))
console.log(`child ${child.pid} holds the terminal: ${child.pid !== undefined && holdsTerminal(child.pid)}`)

// The parent is the leader of its session, so its group has its number. The terminal decides when to go on, no time.
const waiting = setInterval(() => {
  if (!holdsTerminal(process.pid)) return
  clearInterval(waiting)
  const line = Buffer.alloc(100)
  console.log('parent reads')
  const length = readSync(0, line)
  console.log(`parent got ${line.toString('utf8', 0, length).trim()}`)
  child.kill('SIGKILL')
}, 5)
