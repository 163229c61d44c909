import { ExitEvent, forkProtected, type ProtectedProcess, Supervisor, spawnProtected } from 'sigshield'
import { exitEvent } from 'sigshield/child'
import { pending } from 'sigshield/signals'
import 'sigshield/protect'

const event = new ExitEvent()
const child = spawnProtected('cat', [], { ignore: ['SIGINT'], exitEvent: event })
child.stdin.end()
const other: ProtectedProcess = forkProtected('worker.mjs')
other.stop({ grace: 10 }).then(({ forced }: { forced: boolean }) => forced)
const reason: 'requested' | 'orphaned' | undefined = exitEvent().reason
const blocked: readonly (string | number)[] = pending()
const supervisor: Supervisor = new Supervisor({ grace: 10 })
// @ts-expect-error: they are types, and not any.
spawnProtected(1)
// @ts-expect-error
exitEvent(1)

/** What a library exports, whose declarations name these types. */
export const piped = spawnProtected('cat', [], { stdio: ['ignore', 'pipe', 'inherit'] })
export const supervised = supervisor.spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
const absent: null = piped.stdin

export { absent, blocked, reason, supervisor }
