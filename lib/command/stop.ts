/** `sigshield stop`: processes that are no children of ours are ended, and what happened is said in a line each. */
import { constants } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { addDescendants } from '../end/tree.js'
import { signalBit } from '../signal/names.js'
import { kill } from '../signal/process-state.js'
import { type ProcessEntry, processEntry, processTable, requireProcesses } from '../signal/process-table.js'
import { type EndingOptions, end, plan } from './ending.js'
import { complain, print } from './output.js'
import { parse } from './parse.js'
import { commandOf } from './ps.js'
import { type SurveyedProcess, survey, surveyOne } from './survey.js'
import { cut } from './table.js'
import { UsageError, usage } from './usage.js'

const DEFAULT_GRACE_MS = 5000
const LONGEST_COMMAND = 60
const LARGEST_PID = 2 ** 22
const REAPED_WITHIN_MS = 200
const LOOK_AGAIN_MS = 20

/** One process for ever, whoever has its number later. */
interface Target {
  readonly pid: number
  /** Undefined for one that is not there. */
  readonly startedAt: number | undefined
}

export async function stop(args: string[]): Promise<void> {
  const { values, operands } = parse('stop', args)
  if (values.help) {
    print(usage('stop'))
    return
  }
  const { grace = DEFAULT_GRACE_MS, signal, orphans, all, tree, dryRun, yes } = values
  const wrong = (message: string) => new UsageError(message, 'stop')
  if (orphans && operands.length > 0) throw wrong("'--orphans' takes no pids")
  if (!orphans && operands.length === 0) throw wrong('a pid is missing, or --orphans')
  if (!orphans && (all || yes)) throw wrong(`'${all ? '--all' : '--yes'}' needs '--orphans'`)
  const pids = [...new Set(operands.map(readPid))]
  requireProcesses('The processes are found')
  if (!orphans) for (const pid of pids) refuseOurselves(pid)

  const ending = { grace, signal }
  const roots = orphans ? orphaned(all === true) : pids.map((pid) => ({ pid, startedAt: processEntry(pid)?.startedAt }))
  if (orphans && roots.length === 0) {
    print('No orphaned process ignores or blocks INT or TERM.\n')
    return
  }
  const targets = tree ? withDescendants(roots) : roots
  if (orphans && !dryRun && !yes && !(await agreed(targets, ending))) {
    process.exitCode = 1
    return
  }
  const done: Target[] = []
  const isNew = ({ pid, startedAt }: Target) => !done.some((one) => one.pid === pid && one.startedAt === startedAt)
  const results: boolean[] = []
  for (let left = targets; left.length > 0; left = tree ? withDescendants(done).filter(isNew) : []) {
    done.push(...left)
    const how = (target: Target) => ({ isDryRun: dryRun === true, isAsked: roots.includes(target) })
    results.push(...(await Promise.all(left.map((target) => one(target, ending, how(target))))))
    if (dryRun) break
  }
  if (results.includes(false)) process.exitCode = 1

  function readPid(text: string): number {
    const pid = Number(text)
    if (!/^\d{1,10}$/.test(text) || pid < 1 || pid > LARGEST_PID) throw wrong(`'${text}' is no pid`)
    return pid
  }

  /** What stands above this command would take it with it, and maybe the terminal or the whole system. */
  function refuseOurselves(pid: number): void {
    if (pid === 1) throw wrong('process 1 is the system, or the container: it is not for this command to end')
    if (pid === process.pid) throw wrong(`${pid} is this command itself`)
    for (let entry = processEntry(process.pid); entry !== undefined; entry = processEntry(entry.parent)) {
      if (entry.pid === pid) throw wrong(`${pid} (${described(pid)}) has started this command: end it from elsewhere`)
    }
  }
}

/** Whoever ignores one of these is protected; SIGQUIT is ignored by every bash, SIGHUP by all that nohup has started. */
const PROTECTED = signalBit(constants.signals.SIGINT) | signalBit(constants.signals.SIGTERM)

/** As `sigshield ps` shows them; never this command, nor who has started it. */
function orphaned(ofAllUsers: boolean): Target[] {
  const ours = new Set<number>()
  for (let entry = processEntry(process.pid); entry; entry = processEntry(entry.parent)) ours.add(entry.pid)
  const isMeant = ({ pid, isOrphaned, ignored, blocked }: SurveyedProcess) =>
    isOrphaned && ((ignored | (blocked ?? 0n)) & PROTECTED) !== 0n && !ours.has(pid)
  return survey(ofAllUsers).processes.filter(isMeant)
}

/** Those, and all that have come of them, in the order of their start. */
function withDescendants(targets: readonly Target[]): readonly Target[] {
  const table = processTable()
  const isSame = ({ pid, startedAt }: Target) => table.some((one) => one.pid === pid && one.startedAt === startedAt)
  const known = new Set(targets.filter(isSame).map(({ pid }) => pid))
  const found = new Set(known)
  addDescendants(found, table)
  const descendants = table.filter(({ pid }) => found.has(pid) && !known.has(pid) && pid !== process.pid)
  return [...targets, ...descendants.sort((a, b) => a.startedAt - b.startedAt)]
}

function described(pid: number): string {
  try {
    const target = surveyOne(pid)
    return target === undefined ? '' : cut(commandOf(target), LONGEST_COMMAND)
  } catch {
    return ''
  }
}

/** Does it, or only says what it would do; `isAsked`: it was named, or shown. False when it could not. */
async function one(
  { pid, startedAt }: Target,
  options: EndingOptions,
  { isDryRun, isAsked }: { readonly isDryRun: boolean; readonly isAsked: boolean },
): Promise<boolean> {
  let label = String(pid)
  const tell = (what: string) => print(`${label}: ${what}\n`)
  const fail = (what: string) => {
    complain(`${label}: ${what}`)
    return false
  }
  try {
    const target = surveyOne(pid)
    // A descendant that is gone is nobody's concern.
    if (target === undefined || target.startedAt !== startedAt) return !isAsked || fail('no such process')
    label = `${pid} ${cut(commandOf(target), LONGEST_COMMAND)}`
    if (target.isKernelThread) return fail('is a thread of the kernel, which nobody ends')
    if (target.state === 'Z') {
      tell(unreaped(target))
      return true
    }
    if (isDryRun) {
      // Refused as the real one would be.
      kill(pid, 0, target)
      tell(await plan(target, options))
      return true
    }
    const { isEnded, what } = await end(target, options)
    if (!isEnded) return fail(what)
    const left = await unreapedFor(target, REAPED_WITHIN_MS)
    tell(left === undefined ? what : `${what}; its parent, ${parentOf(left)}, has not reaped it yet`)
    return true
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EPERM') return fail("not permitted: it is another user's")
    return fail(message)
  }
}

/** What is left of it when its parent has had so long to reap it; process 1 does in its own time. */
async function unreapedFor({ pid, startedAt }: SurveyedProcess, ms: number): Promise<ProcessEntry | undefined> {
  for (const end = performance.now() + ms; ; await sleep(LOOK_AGAIN_MS)) {
    const entry = processEntry(pid)
    if (entry?.startedAt !== startedAt || entry.state !== 'Z' || entry.parent === 1) return undefined
    if (performance.now() >= end) return entry
  }
}

function unreaped(target: SurveyedProcess): string {
  return `has ended already: its parent, ${parentOf(target)}, has not reaped it. End that to be rid of it`
}

function parentOf({ parent }: { readonly parent: number }): string {
  const text = described(parent)
  return text === '' ? String(parent) : `${parent} (${text})`
}

async function agreed(targets: readonly Target[], options: EndingOptions): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError('nobody can be asked, as stdin is no terminal: --yes, or --dry-run', 'stop')
  for (const target of targets) await one(target, options, { isDryRun: true, isAsked: true })
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const many = targets.length === 1 ? 'this process' : `these ${targets.length} processes`
  const closed = new Promise<string>((resolve) => asking.once('close', () => resolve('')))
  const answer = await Promise.race([asking.question(`End ${many}? [y/N] `), closed])
  asking.close()
  return /^y(es)?$/i.test(answer.trim())
}
