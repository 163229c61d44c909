/** A start with what enforces its protection: a filter, which the addon installs, or the guard. */
import { constants } from 'node:os'
import { unguarding } from '../guard/environment.js'
import { type GuardedStart, startGuarded } from '../guard/start.js'
import type { SpawnRequest, SpawnResult, SyncResult } from '../native/wire.js'
import type { FailedStep } from '../node/child-process-contract.js'
import type { Enforced, optionFields, Protection } from './protection.js'

type Request = SpawnRequest<typeof optionFields>

export type EnforcedResult = Omit<SpawnResult, 'enforced'> & {
  readonly enforced: Enforced
  /** Where the step is 'guard': why. */
  readonly why?: string
  /** Where it is not known for sure yet: calls back once, with what the child is refused for if it may not run so and was ended. */
  readonly whenKnown?: (
    told: (enforced: Enforced, refused: (FailedStep & { errno: number }) | undefined) => void,
  ) => void
}

/** A start that no guard of this process's own reaches. */
export function withoutGuard(request: Request): Request {
  const changes = unguarding(request)
  return changes.length === 0
    ? request
    : { ...request, environmentChanges: [...request.environmentChanges, ...changes] }
}

const refusal = ({ errno, why }: Pick<GuardedStart<unknown>, 'errno' | 'why'>) => ({
  errno: -(errno || constants.errno.ENOTSUP),
  step: 'guard',
  why,
})

export function startEnforced(
  request: Request,
  { guard }: Protection,
  start: (request: Request) => SpawnResult,
): EnforcedResult {
  if (guard === undefined) return start(withoutGuard(request))
  const guarded = startGuarded(request, guard, start)
  const { result, inForce, whenKnown } = guarded
  if (result === undefined)
    return { ...refusal(guarded), enforced: false, inForce: 0n, keptIgnored: 0n, pid: -1, id: -1, underWay: false }
  // A filter that the child has inherited covers more than a guard.
  const enforcedWith = (isGuarded: boolean) => result.enforced || (isGuarded && result.errno === 0 && 'guard')
  const known: EnforcedResult = { ...result, enforced: enforcedWith(inForce) }
  if (whenKnown === undefined) return known
  return {
    ...known,
    whenKnown: (told) =>
      whenKnown((isGuarded) =>
        told(enforcedWith(isGuarded), !isGuarded && guard.required ? refusal(guarded) : undefined),
      ),
  }
}

/** The same for a program that has run when the start is over. */
export function runEnforced(
  request: Request,
  { guard }: Protection,
  run: (request: Request) => SyncResult,
): Pick<SyncResult, 'errno' | 'step' | 'pid' | 'end'> & { readonly why?: string } {
  if (guard === undefined) return run(withoutGuard(request))
  const guarded = startGuarded(request, guard, run, true)
  return guarded.result ?? { ...refusal(guarded), pid: -1, end: undefined }
}
