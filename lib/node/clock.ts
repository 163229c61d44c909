/**
 * Time as it passes for processes, whatever a test (fake timers) or its environment (jsdom) has put in the place of Node's timers:
 * as in child_process, which keeps its own too.
 */
import timers from 'node:timers'

export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers
export const { nextTick } = process

const { uptime } = process

/** Of a clock that only goes on, in milliseconds. Not process.hrtime: fake timers have one of their own. */
export function time(): number {
  return uptime() * 1000
}

/** What this process has computed, in milliseconds; nothing where a policy refuses getrusage(2), which Node itself does without. */
export function computed(): number {
  try {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  } catch {
    return 0
  }
}
