/** The end of one process that is no child of ours: it is asked by a signal that it hears, made to go on, and killed. */

import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Countdown } from '../end/countdown.js'
import { isHeld } from '../signal/held.js'
import { includes, type Signal, signalName, signalNumber, signalOf } from '../signal/names.js'
import { kill } from '../signal/process-state.js'
import { processEntry } from '../signal/process-table.js'
import type { SurveyedProcess } from './survey.js'
import { duration } from './values.js'

const { SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM } = constants.signals

/** Which asks it to leave: the first that it hears. */
const ASKING = [SIGTERM, SIGINT, SIGHUP, SIGQUIT] as const

const LOOK_AGAIN_MS = 20
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
export function signalThatItHears({ ignored, blocked, caught }: SurveyedProcess): Signal | undefined {
  const heard = ASKING.filter((number) => !includes(ignored | blocked, number))
  const first = heard.find((number) => number !== SIGQUIT || includes(caught, number))
  return first === undefined ? undefined : signalOf(first)
}

function isStopped(state: string): boolean {
  return state === 'T' || state === 't'
}

/** What would be done. */
export function plan(target: SurveyedProcess, { grace, signal }: EndingOptions): string {
  const asks = grace === 0 ? undefined : (signal ?? signalThatItHears(target))
  if (asks === undefined) return grace === 0 ? 'would send SIGKILL' : 'hears no signal: would send SIGKILL'
  const goOn = isStopped(target.state) ? ' and SIGCONT' : ''
  const then = grace === Number.POSITIVE_INFINITY ? '' : `, and SIGKILL after ${duration(grace)}`
  return `would send ${nameOf(asks)}${goOn}${then}`
}

/** @throws a system error where it may not be signalled. */
export async function end(target: SurveyedProcess, options: EndingOptions): Promise<Ended> {
  const { grace, signal } = options
  const since = performance.now()
  const passed = () => duration(performance.now() - since)
  const asks = grace === 0 ? undefined : (signal ?? signalThatItHears(target))
  const said: string[] = []
  if (asks !== undefined) {
    if (!send(target, asks)) return { isEnded: true, what: 'had ended already' }
    said.push(nameOf(asks))
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

/** One that waits to be reaped has ended. */
function lives({ pid, startedAt }: SurveyedProcess): boolean {
  const entry = processEntry(pid)
  return entry?.startedAt === startedAt && entry.state !== 'Z' && entry.state !== 'X'
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

function nameOf(signal: Signal): string {
  return signalName(signalNumber(signal))
}
