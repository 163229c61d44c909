/** A start under the guard: whether it can be, and whether it is. */
import { constants } from 'node:os'
import { guardLibrary } from '../native/guard-library.js'
import { native } from '../native/load.js'
import { addonFile } from '../native/place.js'
import { cureOf, whyUnfit } from '../native/refused.js'
import { isHeld } from '../signal/held.js'
import { type AnswerPlace, GuardAnswer } from './answer.js'
import { coverageKey, coverageOf, idsOf, whyUnreadable } from './coverage.js'
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
  readonly pid: number
  /** Of a child that runs. */
  readonly id?: number
}

/** Programs in which a guard has said that it is in force. */
const acknowledged = new Set<string>()

/**
 * How long a start waits for the answer, which comes before the program's own first instruction: a child that is held up just then
 * must not hold up this thread.
 */
const ANSWER_MS = 100

/** A start under the guard, and what came of it. */
export interface GuardedStart<Result> {
  /** Undefined where it was refused. */
  readonly result: Result | undefined
  /** The guard is in force in the program: it says so, or has not answered yet and is foretold. */
  readonly inForce: boolean
  /** Why it is not: an errno, and what completes "the guard can't cover it: …". */
  readonly errno: number
  readonly why: string
  /** Where the guard has not answered yet: calls back once, later, with what it says. A child that may not run without it is killed then. */
  readonly whenKnown?: (told: (inForce: boolean) => void) => void
}

export interface Guarding {
  /** The signals to keep ignored. */
  readonly set: bigint
  /** Nothing runs without the guard. */
  readonly required: boolean
}

const NOT_IN_FORCE = 'it was not in force when the program began, and nothing in its file says why'

interface Prospect {
  readonly library: string
  /** Under which the program is known; undefined where there is no such program, and the start itself says so. */
  readonly key: string | undefined
  readonly isForetold: boolean
}

/** Why it can't be, and the system's errno where it is that. */
interface Impossible {
  readonly why: string
  readonly errno: number
}

const impossible = (why: string, errno = 0): Impossible => ({ why, errno: errno || constants.errno.ENOTSUP })

function prospect(request: GuardedRequest): Prospect | Impossible {
  const library = guardLibrary()
  if (library === undefined) {
    return impossible(`its library is missing beside the addon. ${cureOf(addonFile() ?? '')}`)
  }
  const ids = idsOf(request)
  const unreachable = whyNotNamed(library) ?? whyUnreadable(library, ids)
  if (unreachable !== undefined) return impossible(unreachable)
  const program = programFile(request.file, request.directory, request)
  if (program === undefined) return { library, key: undefined, isForetold: false }
  const key = coverageKey(program, ids, request)
  if (acknowledged.has(key)) return { library, key, isForetold: true }
  const { why, errno, isForetold } = coverageOf(program, ids)
  if (why !== undefined) return impossible(why, errno)
  return whyNoLibrary(library) ?? { library, key, isForetold }
}

/** A loader would go on without it, or end the program. */
function whyNoLibrary(library: string): Impossible | undefined {
  try {
    const why = whyUnfit(library)
    return why === undefined ? undefined : impossible(`its library ${library} is unfit: ${why}. ${cureOf(library)}`)
  } catch (error) {
    const { code, errno = 0 } = error as NodeJS.ErrnoException
    return impossible(`its library ${library} can’t be read (${code})`, -errno)
  }
}

/** The changes to the environment by which a program that nobody watches has the guard; undefined where it is not foretold to. */
export function foretoldGuard(request: GuardedRequest, { set }: Guarding): string[] | undefined {
  const found = prospect(request)
  return 'isForetold' in found && found.isForetold ? guarding(request, found.library, set, undefined) : undefined
}

/**
 * Starts a program under the guard. The first time for a file the guard in it is asked whether it is in force, and a child in which it
 * is not, and has to be, is ended. `runs`: what `start` returns has run, and the answer is there or never comes.
 */
export function startGuarded<Request extends GuardedRequest, Result extends GuardedResult>(
  request: Request,
  guard: Guarding,
  start: (request: Request) => Result,
  runs = false,
): GuardedStart<Result> {
  const { set, required } = guard
  const changed = (changes: string[]) =>
    start({ ...request, environmentChanges: [...request.environmentChanges, ...changes] })
  const without = ({ why, errno }: Impossible) => {
    return { result: required ? undefined : changed(unguarding(request)), inForce: false, errno, why }
  }
  const found = prospect(request)
  if ('why' in found) return without(found)
  const { library, key, isForetold } = found
  const guarded = (place?: AnswerPlace) => changed(guarding(request, library, set, place))
  if (key !== undefined && acknowledged.has(key)) return { result: guarded(), inForce: true, errno: 0, why: '' }
  const pipe = native().openAcknowledgement()
  if (typeof pipe === 'number') return without(impossible('there is no pipe for its answer', -pipe))
  const answer = new GuardAnswer(pipe)
  let closes = true
  try {
    const result = answer.startWith(request.descriptors, guarded)
    const outcome = { result, errno: constants.errno.ENOTSUP, why: NOT_IN_FORCE }
    if (result.errno !== 0) return { ...outcome, inForce: false }
    const told = answer.within(runs ? 0 : ANSWER_MS)
    if (told === undefined && !runs) {
      closes = false
      return { ...outcome, inForce: isForetold, whenKnown: (tell) => later(answer, { result, key, required, tell }) }
    }
    if (told && key !== undefined) acknowledged.add(key)
    if (told || !required) return { ...outcome, inForce: told === true }
    end(result)
    return { ...outcome, result: undefined, inForce: false }
  } finally {
    if (closes) answer.close()
  }
}

interface Unanswered {
  readonly result: GuardedResult
  readonly key: string | undefined
  readonly required: boolean
  readonly tell: (inForce: boolean) => void
}

function later(answer: GuardAnswer, { result, key, required, tell }: Unanswered): void {
  const held = () => isHeld(result.id === undefined ? 0 : native().stopSignal(result.id), result.pid)
  answer.whenKnown(held, (inForce) => {
    if (inForce && key !== undefined) acknowledged.add(key)
    if (!inForce && required && result.id !== undefined) native().kill(result.id, constants.signals.SIGKILL)
    tell(inForce)
  })
}

function end({ id }: GuardedResult): void {
  if (id === undefined) return
  native().keepAlive(id, false)
  native().kill(id, constants.signals.SIGKILL)
}
