/** Start children that ignore signals, tell them when to leave, and join them. */
export { ExitEvent, type ExitReason } from './exit-event.js'
export { forkProtected } from './fork.js'
export type { ForkProtectedOptions, ProtectionOptions, SpawnProtectedOptions } from './options.js'
export { ProtectedProcess, type ResourceUsage } from './protected-process.js'
export type { Signal } from './signals.js'
export {
  type ProtectedProcessByStdio,
  type ProtectedProcessWithoutNullStreams,
  spawnProtected,
} from './spawn.js'
export type { StopOptions, StopOutcome } from './stop.js'
export { type ChildOutcome, Supervisor, type SupervisorOptions } from './supervisor.js'
