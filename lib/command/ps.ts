/** `sigshield ps`: the processes that ignore or block a terminating signal. */
import { includes, signalName, signalsOf } from '../signal/names.js'
import { requireProcesses } from '../signal/process-table.js'
import { print } from './output.js'
import { parse } from './parse.js'
import { type Survey, type SurveyedProcess, survey, terminating } from './survey.js'
import { type Column, hasColours, table, visible } from './table.js'
import { UsageError, usage } from './usage.js'

const COLUMNS: readonly Column[] = [
  { title: 'PID', alignsRight: true },
  { title: 'PARENT', alignsRight: true },
  { title: 'ORPHANED' },
  { title: 'AGE', alignsRight: true },
  { title: 'IGNORED' },
  { title: 'BLOCKED' },
  { title: 'CAUGHT' },
  { title: 'ENFORCED' },
  { title: 'COMMAND' },
]

export function ps(args: string[]): void {
  const { values, operands } = parse('ps', args)
  if (values.help) {
    print(usage('ps'))
    return
  }
  if (operands.length > 0) throw new UsageError(`unexpected argument '${operands[0]}'`, 'ps')
  requireProcesses('Processes are listed')
  const found = survey(values.all === true)
  print(values.json ? json(found) : text(found))
}

function json({ processes, unreadable }: Survey): string {
  const told = processes.map((process) => ({
    pid: process.pid,
    parent: process.parent,
    orphaned: process.isOrphaned,
    uid: process.uid,
    startedAt: process.startedAt,
    ageSeconds: Math.round(process.ageMs / 1000),
    ignored: signalsOf(process.ignored),
    blocked: process.blocked === undefined ? null : signalsOf(process.blocked),
    caught: signalsOf(process.caught),
    enforced: process.isFiltered ? 'maybe' : false,
    noNewPrivs: process.noNewPrivs,
    name: process.name,
    command: process.command,
  }))
  return `${JSON.stringify({ processes: told, unreadable }, null, 2)}\n`
}

function text({ processes, unreadable }: Survey): string {
  const lines = []
  if (processes.length === 0) {
    lines.push('No process ignores or blocks INT, TERM, HUP or QUIT.')
  } else {
    const { stdout } = process
    const columns = stdout.isTTY ? stdout.columns || undefined : undefined
    const [titles, ...rows] = table(COLUMNS, processes.map(row), columns)
    const coloured = hasColours(stdout)
    lines.push(coloured ? `\x1b[1m${titles}\x1b[22m` : (titles as string))
    for (const [i, line] of rows.entries()) {
      lines.push(coloured && processes[i]?.isOrphaned ? `\x1b[33m${line}\x1b[39m` : line)
    }
  }
  if (unreadable > 0) lines.push(`${unreadable} ${unreadable === 1 ? 'process' : 'processes'} could not be read.`)
  return `${lines.join('\n')}\n`
}

function row(process: SurveyedProcess): string[] {
  return [
    String(process.pid),
    String(process.parent),
    process.isOrphaned ? 'yes' : 'no',
    age(process.ageMs),
    short(process.ignored),
    process.blocked === undefined ? '?' : short(process.blocked),
    short(process.caught),
    process.isFiltered ? 'maybe' : 'no',
    commandOf(process),
  ]
}

/** One line, whatever the process calls itself. */
export function commandOf({ command, name }: Pick<SurveyedProcess, 'command' | 'name'>): string {
  return visible(command.length > 0 ? command.join(' ') : `[${name}]`)
}

/** The terminating ones by name, as --ignore takes them, and how many others. */
function short(set: bigint): string {
  const named = terminating.filter((number) => includes(set, number)).map((number) => signalName(number).slice(3))
  const others = signalsOf(set).length - named.length
  if (named.length === 0) return others === 0 ? '-' : `+${others}`
  return named.join(',') + (others === 0 ? '' : ` +${others}`)
}

function age(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (days > 0) return `${days}d${hours % 24}h`
  if (hours > 0) return `${hours}h${minutes % 60}m`
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`
}
