/** What ends a child, or its pipes, without a further call: its time-out, an AbortSignal, and `drain`. */
import type { ChildProcess } from 'node:child_process'
import { addAbortListener } from 'node:events'
import { clearTimeout, nextTick, setTimeout } from '../node/clock.js'
import { dispose } from '../node/dispose.js'
import { AbortError } from '../node/errors.js'
import type { SpawnPlan } from './plan.js'
import type { ProcessHandle } from './process-handle.js'
import { isDeafTo } from './protection.js'

/** As child_process does it; `drain` is ours. */
export function limit(
  child: ChildProcess,
  handle: ProcessHandle,
  {
    signal,
    killSignal,
    timeout,
    protection: { drain },
  }: Pick<SpawnPlan, 'signal' | 'killSignal' | 'timeout' | 'protection'>,
): void {
  if (!handle.running) return
  const kill = (killed?: () => void) => {
    try {
      // A filter that is not ours keeps it from hearing what it was not to ignore.
      if (child.kill(isDeafTo(handle.unheard, killSignal) ? 'SIGKILL' : killSignal)) killed?.()
    } catch (error) {
      child.emit('error', error as Error)
    }
  }
  if (timeout > 0) {
    const timer = setTimeout(kill, timeout)
    handle.onceEnded(() => clearTimeout(timer))
  }
  if (drain !== undefined && drain !== Number.POSITIVE_INFINITY) {
    // Pipes that are still open keep the process alive by themselves.
    handle.onceEnded(() => void setTimeout(closePipes, drain, child).unref())
  }
  if (signal) {
    const abort = () => kill(() => child.emit('error', new AbortError(signal.reason)))
    if (signal.aborted) {
      nextTick(abort)
    } else {
      const listener = addAbortListener(signal, abort)
      handle.onceEnded(() => listener[dispose]())
    }
  }
}

function closePipes(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy()
}
