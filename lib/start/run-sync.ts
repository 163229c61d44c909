/** Runs what is planned on this thread, and makes Node's result of it. */
import type { execFileSync, SpawnSyncReturns } from 'node:child_process'
import { constants } from 'node:os'
import { sourceOf } from '../exit-event.js'
import type { Interrupted } from '../native/addon.js'
import { type SyncResult, Wire } from '../native/wire.js'
import { type FailedStep, withStep } from '../node/child-process-contract.js'
import { systemError } from '../node/errors.js'
import { checkPermission } from '../node/permission.js'
import { NO_OUTPUT } from '../node/sync-stdio.js'
import { includes, signalName } from '../signal/names.js'
import { checkOpen, namesNone } from './descriptors.js'
import { runEnforced } from './enforced-start.js'
import { optionFields, unheardSignals } from './protection.js'
import { startRequest } from './start-request.js'
import type { SyncPlan } from './sync-plan.js'

/** By whatever name these types know it. */
export type Bytes = Exclude<ReturnType<typeof execFileSync>, string>
/** Text where there is an encoding. */
export type Output = string | Bytes

type Outcome = Pick<SyncResult, 'errno' | 'step' | 'pid' | 'end'> & { readonly why?: string }

let wire: Wire<typeof optionFields> | undefined

/** `interrupted`: what is asked at each SIGINT that the program does not hear. */
export function runSync(plan: SyncPlan, interrupted: Interrupted): SpawnSyncReturns<Output> {
  checkPermission(plan.command.file)
  const { errno, step, why, pid, end } = outcomeOf(plan, interrupted)
  const failed = errno || end?.errno || 0
  const asText = (bytes: Buffer | null) => (bytes && plan.encoding ? bytes.toString(plan.encoding) : bytes)
  const output = end?.output.slice(0, plan.outputCount).map(asText) ?? null
  return {
    ...(failed !== 0 && {
      error: errorOf(failed, plan, end ? undefined : { step, ...(why !== undefined && { why }) }),
    }),
    status: end?.code ?? null,
    signal: end?.signal ? (signalName(end.signal) as NodeJS.Signals) : null,
    output: output as Output[],
    pid: end ? pid : 0,
    stdout: (output ? output[1] : NO_OUTPUT) as Output,
    stderr: (output ? output[2] : NO_OUTPUT) as Output,
  }
}

function outcomeOf(plan: SyncPlan, interrupted: Interrupted): Outcome {
  const { command, texts, protection, input, limits } = plan
  const refused = (errno: number, step: string): Outcome => ({ errno, step, pid: -1, end: undefined })
  if (command.stdio.some(namesNone)) return refused(-constants.errno.EINVAL, 'fcntl')
  const notOpen = checkOpen(command.stdio)
  if (notOpen !== 0) return refused(notOpen, 'fcntl')
  const childEnd = sourceOf(protection.exitEvent)?.childEnd()
  if (childEnd && childEnd.errno !== 0) return refused(childEnd.errno, childEnd.step)
  try {
    wire ??= new Wire(optionFields)
    const opened = wire
    const request = startRequest(command, texts, protection, childEnd)
    const isDeaf = includes(unheardSignals(protection), constants.signals.SIGINT)
    const syncLimits = { ...limits, interrupted: isDeaf ? interrupted : null }
    return runEnforced(request, protection, (complete) => opened.startSync(complete, input, syncLimits))
  } finally {
    childEnd?.started()
    childEnd?.ended()
  }
}

function errorOf(errno: number, { command: { file, args } }: SyncPlan, failed: FailedStep | undefined): Error {
  const error = systemError(errno, `spawnSync ${file}`)
  return withStep(Object.assign(error, { path: file, spawnargs: args?.slice(1) }), failed)
}
