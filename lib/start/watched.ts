/** Children that live, as the addon's exit watcher tells of them. */
import { native } from '../native/load.js'
import { Wire } from '../native/wire.js'
import type { FailedStep } from '../node/child-process-contract.js'
import type { ResourceUsage } from './ended.js'
import { optionFields, type Protected } from './protection.js'

/** What came of a start that was under way: or why there is no program. */
export type ToldOfStart = Protected | (FailedStep & { readonly errno: number })

export interface Watched {
  /** Once, for a start that was under way. After a failure nothing more comes. */
  toldOfStart(told: ToldOfStart): void
  exited(code: number | null, signalNumber: number | null, usage: ResourceUsage): void
}

/** By the id of the exit watcher: this keeps them from being collected. */
const living = new Map<number, Watched>()

let opened: Wire<typeof optionFields> | undefined

export function openWire(): Wire<typeof optionFields> {
  if (opened) return opened
  opened = new Wire(optionFields)
  native().onStart((id, errno, step, isEnforced, inForce, keptIgnored) => {
    const told = errno === 0 ? ({ enforced: isEnforced && 'filter', inForce, keptIgnored } as const) : { errno, step }
    living.get(id)?.toldOfStart(told)
  })
  native().onExit((id, code, signal, userCPUTime, systemCPUTime, maxRSS) => {
    living.get(id)?.exited(code, signal, { userCPUTime, systemCPUTime, maxRSS: maxRSS ?? undefined })
  })
  return opened
}

export function watch(id: number, child: Watched): void {
  living.set(id, child)
}

export function unwatch(id: number): void {
  living.delete(id)
}
