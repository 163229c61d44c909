/** The protection of `run` and `exec`: what was asked for, and what this process was started with itself. */
import { constants } from 'node:os'
import { type Signal, signalsOf } from '../signal/names.js'
import { signalSet } from '../signal/policy.js'
import type { Protection } from '../start/protection.js'
import type { ProtectionOptions } from '../start/protection-options.js'
import type { Inherited } from './inherited.js'

const { SIGINT } = constants.signals

export interface Together {
  readonly ignore: Signal[]
  readonly block: Signal[]
  /** That were asked for, ignored or blocked. */
  readonly asked: bigint
  /** That are ignored for no other reason than that they were: the program may handle them. */
  readonly inheritedOnly: bigint
}

/** Of a set, what a child may be started with: `nohup sigshield run …` ignores SIGHUP. */
function admissible(set: bigint, isForeground: boolean): Signal[] {
  return signalsOf(set).filter((signal) => {
    // In the foreground Ctrl-C would be a dead key.
    if (isForeground && signal === signalsOf(1n << BigInt(SIGINT - 1))[0]) return false
    try {
      signalSet('inherited', [signal])
      return true
    } catch {
      return false
    }
  })
}

/** @throws TypeError as the library, for what may not be ignored or blocked. */
export function withInherited(
  { ignore, block = [], foreground }: Pick<ProtectionOptions, 'ignore' | 'block' | 'foreground'>,
  inherited: Inherited,
): Together {
  const isForeground = foreground === true
  const asked = ignore ?? (isForeground ? [] : (['SIGINT'] as const))
  const askedSet = signalSet('options.ignore', asked)
  const inheritedIgnored = admissible(inherited.ignored, isForeground)
  return {
    ignore: [...asked, ...inheritedIgnored],
    block: [...block, ...admissible(inherited.blocked, isForeground)],
    asked: askedSet | signalSet('options.block', block),
    inheritedOnly: signalSet('inherited', inheritedIgnored) & ~askedSet,
  }
}

export function unenforced(protection: Protection, set: bigint): Protection {
  const { numbers, guard } = protection
  const rest = guard ? guard.set & ~set : 0n
  return {
    ...protection,
    numbers: { ...numbers, unenforced: set },
    guard: guard && rest !== 0n ? { ...guard, set: rest } : undefined,
  }
}
