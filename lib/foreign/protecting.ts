/** From the arguments of protect() to a guard, or a scope. */
import { dispose } from '../node/dispose.js'
import { invalidArgType } from '../node/errors.js'
import { unwatchStarts, watchStarts } from './hook.js'
import { addGuard, isNeeded, removeGuard, withinScope } from './scope.js'
import type { Shield } from './shield.js'

export function protecting<T>(
  options: object | null,
  fn: (() => T) | undefined,
  shieldOf: (options: object | null) => Shield,
): T | Disposable {
  if (fn === undefined) return guard(shieldOf(options))
  if (typeof fn !== 'function') throw invalidArgType('fn', 'of type function', fn)
  const shield = options === null ? null : shieldOf(options)
  watchStarts()
  return withinScope(shield, fn)
}

function guard(shield: Shield): Disposable {
  addGuard(shield)
  watchStarts()
  return {
    [dispose]: () => {
      removeGuard(shield)
      if (!isNeeded()) unwatchStarts()
    },
  }
}
