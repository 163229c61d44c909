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
  const [, ignored, blocked, limit, descriptors] =
    /^\s*([\da-f]{16})\s+([\da-f]{16})\s+(\w*) ([\d,]*)$/.exec(noted ?? '') ?? []
  if (ignored === undefined) return { ignored: 0n, blocked: 0n, descriptors: [0, 1, 2], nonblocking: [] }
  if (/^\d+$/.test(limit ?? '')) native().limitDescriptors(Number(limit))
  const given = [...new Set((descriptors ?? '').split(',').filter(Boolean).map(Number))].sort((a, b) => a - b)
  return {
    ignored: BigInt(`0x${ignored}`) & ~NEVER_HANDED_ON,
    blocked: BigInt(`0x${blocked}`) & ~NEVER_HANDED_ON,
    descriptors: given.filter(isOpen),
    nonblocking: nonblocking(text ?? '', given),
  }
}

/** What differs, so that all else keeps its bytes and its place. */
function restoreEnvironment(noted: string): void {
  const given = new Map<string, string>()
  // What stands before it tells of signals and descriptors.
  for (const entry of noted.slice(noted.indexOf(NUL) + 1, noted.lastIndexOf(NUL)).split(NUL)) {
    const text = entry.replaceAll(NEWLINE, '\n')
    const end = text.indexOf('=', 1)
    if (end > 0 && !given.has(text.slice(0, end))) given.set(text.slice(0, end), text.slice(end + 1))
  }
  for (const name of Object.keys(process.env)) if (!given.has(name)) Reflect.deleteProperty(process.env, name)
  for (const [name, value] of given) if (process.env[name] !== value) process.env[name] = value
}

/** The flags of those that were open, in their order (proc_pid_fdinfo(5)). */
function nonblocking(noted: string, given: readonly number[]): number[] {
  const before = noted.slice(0, noted.indexOf(NUL))
  const flags = [...before.matchAll(/^flags:\s*(\d+)$/gm)].map(([, octal]) => Number.parseInt(octal as string, 8))
  return given.filter((fd, i) => fd <= 2 && ((flags[i] ?? 0) & files.O_NONBLOCK) !== 0)
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}
