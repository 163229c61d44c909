/** The options of all commands: one table, from which they are parsed, explained and completed. The library's are in kebab case. */
import type { ProtectionOptions } from '../start/protection-options.js'
import type { StopOptions } from '../stop.js'
import { readDuration, readGrace, readNumber, readNumbers, readSignal, readSignals, readWord } from './values.js'

export interface CommandOption {
  readonly short?: string
  /** What it takes, as the usage shows it; without it the option takes nothing, and its value is true. */
  readonly takes?: string
  /** Its value where `takes` is left out: `--name` alone. With one it is `--name=…`. */
  readonly alone?: unknown
  /** `--no-name` is there too, and means false. */
  readonly hasNo?: boolean
  readonly means: string
  /** What may stand there, for completion. */
  readonly words?: readonly string[] | 'signals'
  /** @throws Error that says what is wrong. */
  readonly read?: (text: string) => unknown
  /** A later one adds to an earlier one. */
  readonly adds?: boolean
  /** What the library, or another command, calls it. */
  readonly elsewhere?: string
}

export type OptionTable = Readonly<Record<string, CommandOption>>

const enforceWords = { true: true, auto: 'auto', false: false } as const
const targetWords = { process: 'process', group: 'group', tree: 'tree' } as const

const protection = {
  ignore: {
    takes: '<signals>',
    means: 'start it with these ignored, and no others (default: INT; none in the foreground)',
    words: 'signals',
    read: readSignals,
    adds: true,
  },
  block: { takes: '<signals>', means: 'start it with these blocked', words: 'signals', read: readSignals, adds: true },
  enforce: {
    takes: '<when>',
    alone: true,
    hasNo: true,
    means: 'keep it from undoing what it ignores: true, or fail; auto: where that can be (default)',
    words: Object.keys(enforceWords),
    read: readWord(enforceWords),
  },
  groups: {
    takes: '<ids>',
    means: 'its supplementary groups: exactly these; none: none',
    read: readNumbers,
  },
  exitEvent: { means: 'ask it to leave by an exit event: the descriptor SIGSHIELD_EXIT_FD' },
  processGroup: {
    takes: '<id>',
    alone: true,
    means: 'give it a process group of its own, out of reach of Ctrl-C; or let it join that one',
    read: readNumber,
  },
  foreground: { means: 'let its process group hold the terminal' },
  parentDeathSignal: {
    takes: '<signal>',
    alone: true,
    means: 'the kernel sends it this when its parent dies (default: KILL)',
    words: 'signals',
    read: readSignal,
  },
  drain: {
    takes: '<time>',
    means: 'wait so long for processes that it has left behind',
    read: readDuration,
  },
} as const satisfies Record<Exclude<keyof ProtectionOptions, 'waitForExec'>, CommandOption>

const ending = {
  grace: {
    takes: '<time>',
    means: 'how long it has to leave before SIGKILL (default: 5s); <time>,<time> names both steps',
    read: readGrace,
  },
  signal: { takes: '<signal>', means: 'ask by this one', words: 'signals', read: readSignal },
  target: {
    takes: '<what>',
    means: 'whom a stop reaches: process (default), group, tree',
    words: Object.keys(targetWords),
    read: readWord(targetWords),
  },
} as const satisfies Record<keyof StopOptions, CommandOption>

const help = { short: 'h', means: 'show this' } as const satisfies CommandOption

const { signal: stopSignal, ...otherEnding } = ending
const { exitEvent: _event, drain: _drain, ...ofExec } = protection

/** The options of each command, by their names in the library. */
export const optionTables = {
  run: { ...protection, ...otherEnding, stopSignal: { ...stopSignal, elsewhere: 'signal' }, help },
  exec: { ...ofExec, help },
  ps: {
    all: { short: 'a', means: "show other users' processes too" },
    json: { means: 'print JSON' },
    help,
  },
  stop: {
    orphans: { means: 'those that `sigshield ps` shows as orphaned, if they ignore or block INT or TERM' },
    all: { short: 'a', means: "with --orphans: other users' processes too" },
    tree: { means: 'all their descendants too' },
    grace: {
      takes: '<time>',
      means: 'how long they have to leave before SIGKILL (default: 5s)',
      read: readDuration,
    },
    signal: {
      ...ending.signal,
      means: 'ask by this one (default: the first that it hears of TERM, INT, HUP, QUIT)',
      elsewhere: 'stopSignal',
    },
    dryRun: { short: 'n', means: 'only say what would be done' },
    yes: { short: 'y', means: 'with --orphans: do not ask' },
    help,
  },
  completion: { help },
} as const satisfies Record<string, OptionTable>

export type CommandName = keyof typeof optionTables

/** What each command is for. */
export const commands: Readonly<Record<CommandName, { readonly operands: string; readonly means: string }>> = {
  run: { operands: '[--] <command> [<argument>...]', means: 'Start a program protected, and stop it with grace' },
  exec: { operands: '[--] <command> [<argument>...]', means: 'Become a program, protected' },
  ps: { operands: '', means: 'List processes that ignore or block a terminating signal' },
  stop: { operands: '(<pid>... | --orphans)', means: 'Ask processes to leave, and kill what stays' },
  completion: { operands: '(bash | zsh)', means: 'Print a completion script' },
}

export const commandNames = Object.keys(commands) as readonly CommandName[]

/** Commands whose first operand is a program: what follows is the program's. */
export const RUNS_PROGRAM: readonly CommandName[] = ['run', 'exec']

/** Each by its name in the library. */
export const optionsOf = (command: CommandName) => Object.entries<CommandOption>(optionTables[command] as OptionTable)

/** All spellings of an option. */
export function flagsOf(name: string, { short, hasNo }: CommandOption): string[] {
  return [flagOf(name), ...(hasNo ? [flagOf(name).replace('--', '--no-')] : []), ...(short ? [`-${short}`] : [])]
}

export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
