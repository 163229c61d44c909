/** Which shield holds where a child is started: that of the innermost scope, or of the guard that was set up last. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Shield } from './shield.js'

const guards = new Set<Shield>()
/** Null opts out. Made at its first use, as it costs something on Node 20 (async_hooks). */
let scopes: AsyncLocalStorage<Shield | null> | undefined

export function currentShield(): Shield | undefined {
  const scope = scopes?.getStore()
  return scope === undefined ? [...guards].at(-1) : (scope ?? undefined)
}

/** What `fn` starts, however late. */
export function withinScope<T>(shield: Shield | null, fn: () => T): T {
  scopes ??= new AsyncLocalStorage()
  return scopes.run(shield, fn)
}

export function addGuard(shield: Shield): void {
  guards.add(shield)
}

export function removeGuard(shield: Shield): void {
  guards.delete(shield)
}

/** Whether anything can be protected yet. A scope lasts as long as anything that it has begun. */
export function isNeeded(): boolean {
  return guards.size > 0 || scopes !== undefined
}
