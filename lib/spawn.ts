/** `child_process.spawn`, protected. */
import type {
  ChildProcessByStdio,
  SpawnOptionsWithoutStdio,
  SpawnOptionsWithStdioTuple,
  StdioNull,
  StdioPipe,
} from 'node:child_process'
import { addAbortListener } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { type ProtectionOptions, planSpawn, type SpawnPlan, type SpawnProtectedOptions } from './options.js'
import { ProtectedProcess } from './protected-process.js'

/** A ProtectedProcess whose streams are known to be there, or not, as `child_process.ChildProcessByStdio`. */
export type ProtectedProcessByStdio<
  I extends Writable | null,
  O extends Readable | null,
  E extends Readable | null,
> = ProtectedProcess & Pick<ChildProcessByStdio<I, O, E>, 'stdin' | 'stdout' | 'stderr' | 'stdio'>

export type ProtectedProcessWithoutNullStreams = ProtectedProcessByStdio<Writable, Readable, Readable>

type StdioOf<S extends StdioNull | StdioPipe, Stream> = S extends StdioNull ? null : Stream

type TupleOptions<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
> = SpawnOptionsWithStdioTuple<I, O, E> & ProtectionOptions

type ByTuple<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
> = ProtectedProcessByStdio<StdioOf<I, Writable>, StdioOf<O, Readable>, StdioOf<E, Readable>>

/**
 * Starts a program as `child_process.spawn` does, with all of its overloads and options, that ignores or blocks chosen signals
 * from its first instruction on: by default it ignores SIGINT.
 *
 * @throws what `child_process.spawn` throws for its own options; for ours TypeError `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE` (a signal that can't be ignored) or `ERR_UNKNOWN_SIGNAL`. Nothing is started then.
 * What the system refuses is an 'error' event or an exception as with `child_process`, with the system call that failed as
 * `step`.
 */
export function spawnProtected(
  command: string,
  options?: SpawnOptionsWithoutStdio & ProtectionOptions,
): ProtectedProcessWithoutNullStreams
export function spawnProtected<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
>(command: string, options: TupleOptions<I, O, E>): ByTuple<I, O, E>
export function spawnProtected(command: string, options: SpawnProtectedOptions): ProtectedProcess
export function spawnProtected(
  command: string,
  args?: readonly string[],
  options?: SpawnOptionsWithoutStdio & ProtectionOptions,
): ProtectedProcessWithoutNullStreams
export function spawnProtected<
  I extends StdioNull | StdioPipe,
  O extends StdioNull | StdioPipe,
  E extends StdioNull | StdioPipe,
>(command: string, args: readonly string[], options: TupleOptions<I, O, E>): ByTuple<I, O, E>
export function spawnProtected(
  command: string,
  args: readonly string[],
  options: SpawnProtectedOptions,
): ProtectedProcess
export function spawnProtected(command: string, args?: unknown, options?: unknown): ProtectedProcess {
  return startPlanned(planSpawn(command, args, options, 'auto'))
}

/** Of the same name and shape as Node's own class, which it keeps to itself. */
class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(cause: unknown) {
    super('The operation was aborted', { cause })
  }
}

/** Starts a child, and ends it at its time-out or when its AbortSignal says so, as child_process does. */
export function startPlanned(plan: SpawnPlan): ProtectedProcess {
  const child = new ProtectedProcess(plan)
  const { signal, killSignal, timeout, drain } = plan
  const kill = (killed?: () => void) => {
    try {
      if (child.kill(killSignal)) killed?.()
    } catch (error) {
      child.emit('error', error)
    }
  }
  if (timeout > 0) {
    const timer = setTimeout(kill, timeout)
    const clear = () => clearTimeout(timer)
    child.once('exit', clear).once('close', clear)
  }
  if (drain !== undefined && drain !== Number.POSITIVE_INFINITY) closePipesAfterExit(child, drain)
  if (signal) {
    const abort = () => kill(() => child.emit('error', new AbortError(signal.reason)))
    if (signal.aborted) {
      process.nextTick(abort)
    } else {
      const listener = addAbortListener(signal, abort)
      child.once('exit', () => listener[Symbol.dispose]())
    }
  }
  return child
}

function closePipesAfterExit(child: ProtectedProcess, delayMs: number): void {
  child.once('exit', () => {
    const close = () => {
      for (const stream of child.stdio) stream?.destroy()
    }
    const timer = setTimeout(close, delayMs)
    child.once('close', () => clearTimeout(timer))
  })
}
