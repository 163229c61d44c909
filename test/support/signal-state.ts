/** What a process does with its signals, as numbers: 32 and 33 too. */
import { constants } from 'node:os'
import { type Signal, stateOf } from 'sigshield/signals'
import { expect } from 'vitest'
import { native } from '../../lib/native/load.js'
import { ProcStatus } from '../../lib/signal/proc-status.js'
import { hasProc } from './process-table.mjs'

export interface SignalState {
  readonly ignored: readonly number[]
  /** Undefined without proc(5): a program must tell it of itself, as the probe does. */
  readonly blocked: readonly number[] | undefined
}

const { SIGCHLD, SIGIO, SIGURG, SIGWINCH, SIGINFO } = constants.signals as Record<string, number>
/** A Mac's kernel tells them as ignored where they have no handler (siginit() of xnu). */
const ignoredByDefault = process.platform === 'darwin' ? [SIGCHLD, SIGIO, SIGURG, SIGWINCH, SIGINFO] : []

/** What stateOf() tells of a process that ignores these. */
export const toldIgnored = (...signals: Signal[]): unknown =>
  ignoredByDefault.length > 0 ? expect.arrayContaining(signals) : signals

export function signalState(pid: number): SignalState {
  if (!hasProc) {
    const numbers = stateOf(pid).ignored.map((signal) =>
      typeof signal === 'number' ? signal : constants.signals[signal],
    )
    return { ignored: numbers.filter((number) => !ignoredByDefault.includes(number)), blocked: undefined }
  }
  const status = new ProcStatus(pid)
  const numbers = (set: bigint) =>
    Array.from({ length: 64 }, (_, i) => i + 1).filter((signal) => (set >> BigInt(signal - 1)) & 1n)
  return { ignored: numbers(status.set('SigIgn')), blocked: numbers(status.set('SigBlk')) }
}

const { hasSignalFilter } = native()
/** What keeps a program from undoing what it was started with: one that came with the system, or another. A Mac's own load no guard. */
export const enforced = {
  system: hasSignalFilter ? 'filter' : false,
  other: hasSignalFilter ? 'filter' : 'guard',
} as const
