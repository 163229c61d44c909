// A worker to which the system may refuse what watching the exit event takes: does what each line asks and tells.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { exitEvent } from 'sigshield/child'

// Only from now on: Node itself needs threads to start.
if (process.env.REFUSE_THREADS) writeFileSync(process.env.REFUSE_THREADS, '')
/** Only Linux tells them. */
const countThreads = () => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : Number.NaN)
const threadsBefore = countThreads()
const event = exitEvent()
const does = {
  ask: () => Array.from({ length: 200 }, () => event.isSet()).every(Boolean),
  count: () => readdirSync('/dev/fd').length,
  threads: () => countThreads() - threadsBefore,
  reason: () => String(event.reason),
  sync: () => event.waitSync(0),
  block: () => event.waitSync(),
  descriptor: () => process.env.SIGSHIELD_EXIT_FD,
}
// Without a listener the signal alone keeps nothing alive; with this one the end is told as soon as it comes.
event.signal.addEventListener('abort', () => console.log(`aborted: ${event.signal.reason.cause}`))
const waited = event.wait()
void waited.then((set) => console.log(`waited: ${set}`))
for await (const line of createInterface({ input: process.stdin })) console.log(String(does[line]()))
