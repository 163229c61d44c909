/** A start under the guard: whether it can be, and whether it is. */
import { closeSync, fstatSync } from 'node:fs'
import { constants } from 'node:os'
import { guardLibrary } from '../native/guard-library.js'
import { native } from '../native/load.js'
import { buildAdvice } from '../native/refused.js'
import { coverageKey, idsOf, whyUncovered, whyUnreadable } from './coverage.js'
import { guarding, type StartEnvironment, unguarding, whyNotNamed } from './environment.js'
import { programFile } from './program.js'

/** What of a start matters here. */
export interface GuardedRequest extends StartEnvironment {
  readonly file: string
  readonly directory: string
  readonly descriptors: number[]
  readonly uid: number | null
  readonly gid: number | null
}

export interface GuardedResult {
  readonly errno: number
  readonly id: number
}

/** Programs in which a guard has said that it is in force. */
const acknowledged = new Set<string>()

/**
 * For what should not happen: the answer comes before the program's own first instruction. Only a child that is stopped, or frozen,
 * just then holds it up.
 */
const ANSWER_MS = 5000

const IN_FORCE = 0

/** A start under the guard, and what came of it. */
export interface GuardedStart<Result> {
  /** Undefined where it was refused. */
  readonly result: Result | undefined
  /** The guard is in force in the program. */
  readonly inForce: boolean
  /** Why it is not: an errno, and what completes "the guard can't cover it: …". */
  readonly errno: number
  readonly why: string
}

export interface Guarding {
  /** The signals to keep ignored. */
  readonly set: bigint
  /** Nothing runs without the guard. */
  readonly required: boolean
}

type Answer = { readonly fd: number; readonly inode: bigint }

/**
 * Starts a program under the guard. The first time for a file it waits until the guard answers, and where it is required ends a
 * child in which it is not in force.
 */
export function startGuarded<Request extends GuardedRequest, Result extends GuardedResult>(
  request: Request,
  { set, required }: Guarding,
  start: (request: Request) => Result,
): GuardedStart<Result> {
  const changed = (changes: string[]) =>
    start({ ...request, environmentChanges: [...request.environmentChanges, ...changes] })
  const without = (why: string, errno: number = constants.errno.ENOTSUP) => {
    return { result: required ? undefined : changed(unguarding(request)), inForce: false, errno, why }
  }
  const library = guardLibrary()
  if (library === undefined) return without(`its library is missing beside the addon. ${buildAdvice()}`)
  const ids = idsOf(request)
  const program = programFile(request.file, request.directory, request)
  const guarded = (answer?: Answer) => changed(guarding(request, library, set, answer))
  const impossible = whyNotNamed(library) ?? whyUnreadable(library, ids)
  if (impossible !== undefined) return without(impossible)
  // Where there is no such program the start itself says so.
  const key = program && coverageKey(program, ids, request)
  if (key !== undefined && acknowledged.has(key)) return { result: guarded(), inForce: true, errno: 0, why: '' }
  const why = program && whyUncovered(program, ids)
  if (why !== undefined) return without(why)
  const pipe = native().openAcknowledgement()
  if (typeof pipe === 'number') return without('there is no pipe for its answer', -pipe)
  const answered = startAcknowledged(request.descriptors, pipe, guarded)
  if (answered.inForce && key !== undefined) acknowledged.add(key)
  const { result } = answered
  if (result.errno !== 0 || answered.inForce || !required) return answered
  native().keepAlive(result.id, false)
  native().kill(result.id, constants.signals.SIGKILL)
  return { ...answered, result: undefined }
}

function startAcknowledged<Result extends GuardedResult>(
  descriptors: number[],
  [readEnd, writeEnd]: readonly [number, number],
  start: (answer: Answer) => Result,
) {
  try {
    const { ino: inode } = fstatSync(readEnd, { bigint: true })
    // Right after the others: the guard closes it before the program begins.
    const fd = descriptors.length
    descriptors.push(writeEnd)
    let result: Result
    try {
      result = start({ fd, inode })
    } finally {
      descriptors.pop()
      closeSync(writeEnd)
    }
    const inForce = result.errno === 0 && native().waitForGuard(readEnd, ANSWER_MS) === IN_FORCE
    const why = 'it was not in force when the program began, and nothing in its file says why'
    return { result, inForce, errno: constants.errno.ENOTSUP, why }
  } finally {
    closeSync(readEnd)
  }
}
