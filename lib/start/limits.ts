/** What ends a child, or its pipes, without a further call: its time-out, an AbortSignal, and `drain`. */
import type { ChildProcess } from 'node:child_process'
import { addAbortListener } from 'node:events'
import type { SpawnPlan } from './plan.js'

/** Of the same name and shape as Node's own class, which it keeps to itself. */
class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(cause: unknown) {
    super('The operation was aborted', { cause })
  }
}

/** As child_process does it; `drain` is ours. */
export function limit(child: ChildProcess, { signal, killSignal, timeout, protection: { drain } }: SpawnPlan): void {
  const kill = (killed?: () => void) => {
    try {
      if (child.kill(killSignal)) killed?.()
    } catch (error) {
      child.emit('error', error as Error)
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
}

function closePipesAfterExit(child: ChildProcess, delayMs: number): void {
  child.once('exit', () => {
    const close = () => {
      for (const stream of child.stdio) stream?.destroy()
    }
    const timer = setTimeout(close, delayMs)
    child.once('close', () => clearTimeout(timer))
  })
}
