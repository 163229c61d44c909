/** A start with what enforces its protection: a filter, which the addon installs, or the guard. */
import { constants } from 'node:os'
import { unguarding } from '../guard/environment.js'
import { startGuarded } from '../guard/start.js'
import type { SpawnRequest, SpawnResult } from '../native/wire.js'
import type { Enforced, optionFields, Protection } from './protection.js'

type Request = SpawnRequest<typeof optionFields>

export type EnforcedResult = Omit<SpawnResult, 'enforced'> & {
  readonly enforced: Enforced
  /** Where the step is 'guard': why. */
  readonly why?: string
}

/** A start that no guard of this process's own reaches. */
export function withoutGuard(request: Request): Request {
  const changes = unguarding(request)
  return changes.length === 0
    ? request
    : { ...request, environmentChanges: [...request.environmentChanges, ...changes] }
}

export function startEnforced(
  request: Request,
  { guard }: Protection,
  start: (request: Request) => SpawnResult,
): EnforcedResult {
  if (guard === undefined) return start(withoutGuard(request))
  const { result, inForce, errno, why } = startGuarded(request, guard, start)
  if (result === undefined) {
    return {
      errno: -(errno || constants.errno.ENOTSUP),
      step: 'guard',
      why,
      enforced: false,
      inForce: 0n,
      pid: -1,
      id: -1,
    }
  }
  // A filter that the child has inherited covers more than a guard.
  return { ...result, enforced: result.enforced || (inForce && result.errno === 0 && 'guard') }
}
