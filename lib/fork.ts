/** `child_process.fork`, protected. */
import { ProtectedProcess } from './protected-process.js'
import { type ForkProtectedOptions, planFork } from './start/plan.js'

/**
 * Starts a Node worker as `child_process.fork` does, with Node's own IPC, that ignores chosen signals from its first
 * instruction to its last: by default SIGINT. Node resets signals at start-up, so the protection must be enforced: where the
 * system can't, nothing is started and the error says so; `enforce: false` starts a worker that loses it.
 *
 * @throws as {@link spawnProtected}.
 */
export function forkProtected(modulePath: string | URL, options?: ForkProtectedOptions): ProtectedProcess
export function forkProtected(
  modulePath: string | URL,
  args?: readonly string[],
  options?: ForkProtectedOptions,
): ProtectedProcess
export function forkProtected(modulePath: string | URL, args?: unknown, options?: unknown): ProtectedProcess {
  return new ProtectedProcess(planFork(modulePath, args, options))
}
