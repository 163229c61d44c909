/** The end of one process that is no child of ours: it is asked by a signal that it hears, made to go on, and killed. */

import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Countdown } from '../end/countdown.js'
import { isHeld } from '../signal/held.js'
import { kernelFile, unlessShort } from '../signal/kernel-file.js'
import { includes, type Signal, signalName, signalNumber, signalOf } from '../signal/names.js'
import { ProcStatus } from '../signal/proc-status.js'
import { kill } from '../signal/process-state.js'
import { processEntry } from '../signal/process-table.js'
import type { SurveyedProcess } from './survey.js'
import { duration } from './values.js'

const { SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM } = constants.signals

/** Which asks it to leave: the first that it hears. */
const ASKING = [SIGTERM, SIGINT, SIGHUP, SIGQUIT] as const

const LOOK_AGAIN_MS = 20
const LOOKS = 5
const BETWEEN_LOOKS_MS = 10
/** What lives on so long after SIGKILL waits for the kernel. */
const LONGEST_KILL_MS = 2000

export interface EndingOptions {
  /** Milliseconds. */
  readonly grace: number
  /** @default the first that it hears */
  readonly signal: Signal | undefined
}

export interface Ended {
  readonly isEnded: boolean
  /** What happened, for people. */
  readonly what: string
}

/** SIGQUIT only where it is handled, as it dumps core. Undefined: it hears none. */
async function signalThatItHears(target: SurveyedProcess): Promise<Signal | undefined> {
  const unheard = target.ignored | (await blockedForGood(target))
  const heard = ASKING.filter((number) => !includes(unheard, number))
  const first = heard.find((number) => number !== SIGQUIT || includes(target.caught, number))
  return first === undefined ? undefined : signalOf(first)
}

/**
 * Many programs block signals for a moment: shells do so whenever they start a command. And one that a thread hears, or a descriptor,
 * is heard.
 */
async function blockedForGood(target: SurveyedProcess): Promise<bigint> {
  let blocked = blockedByAllThreads(target.pid) & ~readFromDescriptors(target.pid)
  // In a stopped process such a moment lasts.
  if (isStopped(target.state)) return blocked & ~target.caught
  for (let i = 0; i < LOOKS && ASKING.some((number) => includes(blocked, number)); i += 1) {
    await sleep(BETWEEN_LOOKS_MS)
    blocked &= blockedByAllThreads(target.pid)
  }
  return blocked
}

/** None, where the process has ended. */
function blockedByAllThreads(pid: number): bigint {
  const threads = unlessHidden(() => readdirSync(`/proc/${pid}/task`)) ?? []
  const masks = threads.flatMap((thread) => unlessHidden(() => new ProcStatus(Number(thread)).set('SigBlk')) ?? [])
  return masks.reduce((all, mask) => all & mask, masks.length > 0 ? ~0n : 0n)
}

/** Those of its signalfds, which it has to block (signalfd(2), proc_pid_fdinfo(5)). */
function readFromDescriptors(pid: number): bigint {
  const descriptors = unlessHidden(() => readdirSync(`/proc/${pid}/fdinfo`)) ?? []
  return descriptors.reduce((all, fd) => {
    const [, set] = /^sigmask:\s*([\da-f]+)$/m.exec(kernelFile(`/proc/${pid}/fdinfo/${fd}`) ?? '') ?? []
    return set === undefined ? all : all | BigInt(`0x${set}`)
  }, 0n)
}

/** Undefined where it has ended, or may not be looked into. @throws another system error: what it hears can't be told then. */
function unlessHidden<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return undefined
  }
}

function isStopped(state: string): boolean {
  return state === 'T' || state === 't'
}

/** What would be done. */
export async function plan(target: SurveyedProcess, { grace, signal }: EndingOptions): Promise<string> {
  const asks = grace === 0 ? undefined : (signal ?? (await signalThatItHears(target)))
  if (asks === undefined) return grace === 0 ? 'would send SIGKILL' : 'hears no signal: would send SIGKILL'
  const goOn = isStopped(target.state) ? ' and SIGCONT' : ''
  const then = grace === Number.POSITIVE_INFINITY ? '' : `, and SIGKILL after ${duration(grace)}`
  return `would send ${named(target, asks)}${goOn}${then}`
}

/** @throws a system error where it may not be signalled. */
export async function end(target: SurveyedProcess, options: EndingOptions): Promise<Ended> {
  const { grace, signal } = options
  const asks = grace === 0 ? undefined : (signal ?? (await signalThatItHears(target)))
  const since = performance.now()
  const passed = () => duration(performance.now() - since)
  const said: string[] = []
  if (asks !== undefined) {
    if (!send(target, asks)) return { isEnded: true, what: 'had ended already' }
    said.push(named(target, asks))
    // A stopped process acts on nothing until it goes on.
    if (isStopped(target.state) && send(target, 'SIGCONT')) said.push('SIGCONT')
    if (await endsWithin(target, grace)) return { isEnded: true, what: `${said.join(', ')}: ended after ${passed()}` }
    said.push(`no end in ${passed()}`)
  } else if (grace !== 0) {
    said.push('hears no signal')
  }
  if (send(target, SIGKILL)) said.push('SIGKILL')
  if (await endsWithin(target, LONGEST_KILL_MS)) return { isEnded: true, what: `${said.join(', ')}: killed` }
  return { isEnded: false, what: `${said.join(', ')}: still there, waiting in the kernel` }
}

/** False when it has ended before. */
function send({ pid, startedAt }: SurveyedProcess, signal: Signal): boolean {
  try {
    return kill(pid, signal, { startedAt })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** One that waits to be reaped has ended; not one that can't be looked at now. */
function lives({ pid, startedAt }: SurveyedProcess): boolean {
  const isThere = () => {
    const entry = processEntry(pid)
    return entry?.startedAt === startedAt && entry.state !== 'Z' && entry.state !== 'X'
  }
  return unlessShort(isThere) ?? true
}

async function endsWithin(target: SurveyedProcess, ms: number): Promise<boolean> {
  let isOver = false
  const countdown = new Countdown(
    ms,
    () => isHeld(0, target.pid),
    () => {
      isOver = true
    },
  )
  while (lives(target) && !isOver) await sleep(LOOK_AGAIN_MS)
  countdown.stop()
  return !lives(target)
}

function named({ ignored }: SurveyedProcess, signal: Signal): string {
  const number = signalNumber(signal)
  return signalName(number) + (includes(ignored, number) ? ' (which it ignores)' : '')
}
