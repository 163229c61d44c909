/** Start children that ignore signals, tell them when to leave, and join them. */
export type { HandleSignalsOptions } from './end/signals.js'
export { type ExecFileSyncProtectedOptions, execFileSyncProtected } from './exec-file-sync.js'
export { ExitEvent, type ExitReason } from './exit-event.js'
export { forkProtected } from './fork.js'
export { type ChildProtection, type ProtectOptions, protect, protectionOf } from './protect.js'
export { ProtectedProcess } from './protected-process.js'
export type { Signal } from './signal/names.js'
export {
  type ProtectedProcessByStdio,
  type ProtectedProcessWithoutNullStreams,
  spawnProtected,
} from './spawn.js'
export { spawnSyncProtected } from './spawn-sync.js'
export type { ResourceUsage } from './start/ended.js'
export type { ForkProtectedOptions, SpawnProtectedOptions } from './start/plan.js'
export type { Enforced } from './start/protection.js'
export type { ProtectionOptions } from './start/protection-options.js'
export type { SpawnSyncProtectedOptions, SyncProtectionOptions } from './start/sync-plan.js'
export type { StopOptions, StopOutcome } from './stop.js'
export type {
  AdoptingProtect,
  AdoptOptions,
  RestartAllOptions,
  Restarted,
  RestartOption,
  SupervisedFork,
  SupervisedSpawn,
  SupervisorCounts,
  SupervisorEvents,
  SupervisorOptions,
} from './supervise/options.js'
export type { ChildOutcome, GivenUp } from './supervise/place.js'
export type { Restart, RestartOptions } from './supervise/restart.js'
export { Supervisor } from './supervisor.js'
