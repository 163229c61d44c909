/** `child_process.fork`, protected. */
import { ProtectedProcess } from './protected-process.js'
import { type ForkProtectedOptions, planFork } from './start/plan.js'

/**
 * Starts a Node worker as `child_process.fork` does, with Node's own IPC, that ignores chosen signals from its first
 * instruction to its last: by default SIGINT. Node resets signals at start-up, so the protection must be enforced: where the
 * system can't, nothing is started and the error says so; `enforce: false` starts a worker that loses it.
 *
 * @param modulePath - the module that the worker runs.
 * @param options - of `child_process.fork`, and {@link ProtectionOptions}: by default `{ ignore: ['SIGINT'], enforce: true }`.
 * @returns a `ChildProcess` with an IPC channel, and with {@link ProtectedProcess.stop}.
 * @throws as {@link spawnProtected}.
 * @example
 * const exitEvent = new ExitEvent()
 * const worker = forkProtected('worker.mjs', { exitEvent, ignore: ['SIGINT', 'SIGTERM'] })
 * process.once('SIGINT', () => exitEvent.set()) // Ctrl-C reaches this process alone, and it asks
 * const { forced } = await worker.stop({ grace: 10_000 })
 * console.log(forced) // false
 */
export function forkProtected(modulePath: string | URL, options?: ForkProtectedOptions): ProtectedProcess
/**
 * With arguments.
 * @param modulePath - the module that the worker runs.
 * @param args - its `process.argv`, from the third entry on; none by default.
 * @param options - of `child_process.fork`, and {@link ProtectionOptions}.
 * @returns the child.
 * @throws as the first form.
 */
export function forkProtected(
  modulePath: string | URL,
  args?: readonly string[],
  options?: ForkProtectedOptions,
): ProtectedProcess
export function forkProtected(modulePath: string | URL, args?: unknown, options?: unknown): ProtectedProcess {
  return new ProtectedProcess(planFork(modulePath, args, options))
}
