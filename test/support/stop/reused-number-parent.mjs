// In a pid namespace of its own: another library reaps a child, and a stranger gets the child's number. Then `act` is
// done to the child.
import childProcess from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { spawnProtected } from 'sigshield'

const [reaping, act] = process.argv.slice(2)
const child = spawnProtected('sleep', ['1000'], { stdio: 'ignore', processGroup: true, ignore: [] })
const exit = once(child, 'exit')
process.kill(child.pid, 'SIGKILL')
process.env.REAPED_BY_ANOTHER = String(child.pid)
// From here to the end of `act` the event loop, which would see the exit, does not turn.
createRequire(import.meta.url)(reaping)
writeFileSync('/proc/sys/kernel/ns_last_pid', String(child.pid - 1))
const stranger = childProcess.spawn('cat', { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
const acts = {
  kill: () => child.kill('SIGKILL'),
  stop: () => child.stop({ grace: 0 }),
  'stop group': () => child.stop({ grace: 0, target: 'group' }),
}
const acted = acts[act]()
const end = await exit
await acted
stranger.stdin.write('lives')
const lives = await Promise.race([
  once(stranger.stdout, 'data').then(([data]) => String(data)),
  once(stranger, 'exit').then(() => 'killed'),
])
console.log(JSON.stringify({ sameNumber: stranger.pid === child.pid, end, stranger: lives }))
stranger.kill('SIGKILL')
