/**
 * What this process was started with. Node sets all signals and the mask back as it starts, raises the limit of descriptors and marks
 * them to be closed; and a shell loses variables. bin/sigshield.js has noted it down; without that (`node bin/sigshield.js`) it is
 * not known, and a command starts as a child of Node does.
 */
import { constants as files, fstatSync } from 'node:fs'
import { constants } from 'node:os'
import { native } from '../native/load.js'
import { signalBit } from '../signal/names.js'

export interface Inherited {
  readonly ignored: bigint
  readonly blocked: bigint
  /** Ascending. */
  readonly descriptors: readonly number[]
  /** Those of standard input, output and error that do not block. */
  readonly nonblocking: readonly number[]
}

const STARTED_WITH = 'SIGSHIELD_STARTED_WITH'
const ENVIRONMENT = 'SIGSHIELD_ENVIRONMENT'

/** As bin/sigshield.js writes what can't stand in a variable. */
const NUL = '\x1e'
const NEWLINE = '\x1f'

/** No mask holds these, and libc keeps 32 and 33 for itself. */
const NEVER_HANDED_ON = [constants.signals.SIGKILL, constants.signals.SIGSTOP, 32, 33].reduce(
  (set, number) => set | signalBit(number),
  0n,
)

/** Puts the environment and the limit of descriptors back as they were. Called once, before anything else is started. */
export function takeInherited(): Inherited {
  const { [STARTED_WITH]: noted, [ENVIRONMENT]: text } = process.env
  Reflect.deleteProperty(process.env, STARTED_WITH)
  Reflect.deleteProperty(process.env, ENVIRONMENT)
  if (text !== undefined) restoreEnvironment(text)
  if (noted === undefined) return { ignored: 0n, blocked: 0n, descriptors: [0, 1, 2], nonblocking: [] }
  const fields = new Map(noted.split(/\s+/).map((field) => field.split('=', 2) as [string, string]))
  const limit = fields.get('limit') ?? ''
  if (/^\d+$/.test(limit)) native().limitDescriptors(Number(limit))
  const given = [...new Set((fields.get('descriptors') ?? '').split(',').filter(Boolean).map(Number))]
  return {
    ...signalsGiven(fields),
    descriptors: given.sort((a, b) => a - b).filter(isOpen),
    nonblocking: [0, 1, 2].filter((fd) => isNonblocking(fields.get(String(fd)))),
  }
}

/**
 * Shells ignore SIGQUIT for themselves, but not in the processes that they make (bash, busybox); zsh resets in those all that was
 * ignored, but SIGQUIT, and blocks SIGWINCH in both. No /proc at all tells of signals in some sandboxes: then nothing is known of them.
 */
function signalsGiven(fields: ReadonlyMap<string, string>): { readonly ignored: bigint; readonly blocked: bigint } {
  const [own, made, blocked] = ['own', 'ignored', 'blocked'].map((name) => {
    const digits = fields.get(name) ?? ''
    return /^[\da-f]{1,16}$/.test(digits) ? BigInt(`0x${digits}`) & ~NEVER_HANDED_ON : 0n
  }) as [bigint, bigint, bigint]
  const quit = signalBit(constants.signals.SIGQUIT)
  const ofShell = fields.get('shell') === 'zsh' ? signalBit(constants.signals.SIGWINCH) : 0n
  return { ignored: (own & ~quit) | (made & quit), blocked: blocked & ~ofShell }
}

/** What differs, so that all else keeps its bytes and its place. */
function restoreEnvironment(noted: string): void {
  const given = new Map<string, string>()
  for (const entry of noted.slice(0, noted.lastIndexOf(NUL) + 1).split(NUL)) {
    const text = entry.replaceAll(NEWLINE, '\n')
    const end = text.indexOf('=', 1)
    if (end > 0 && !given.has(text.slice(0, end))) given.set(text.slice(0, end), text.slice(end + 1))
  }
  for (const name of Object.keys(process.env)) if (!given.has(name)) Reflect.deleteProperty(process.env, name)
  for (const [name, value] of given) if (process.env[name] !== value) process.env[name] = value
}

/** The flags of an open descriptor, in octal (proc_pid_fdinfo(5)). */
function isNonblocking(flags = '0'): boolean {
  return (Number.parseInt(flags, 8) & files.O_NONBLOCK) !== 0
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}
