/** What a caller is told of the commands: in the style of git's short help. */
import { type CommandName, type CommandOption, commands, flagOf, optionsOf } from './options.js'

/** A wrong call. Nothing was started. */
export class UsageError extends Error {
  readonly command: CommandName | undefined

  constructor(message: string, command?: CommandName) {
    super(message)
    this.command = command
  }
}

const COLUMN = 28

function line(left: string, right: string): string {
  const start = left.length < COLUMN - 1 ? left.padEnd(COLUMN) : `${left}\n${' '.repeat(COLUMN)}`
  return `${start}${right}\n`
}

function flags(name: string, { short, takes, alone, hasNo }: CommandOption): string {
  const long = hasNo === true ? flagOf(name).replace('--', '--[no-]') : flagOf(name)
  const value = takes === undefined ? '' : alone === undefined ? ` ${takes}` : `[=${takes}]`
  return `    ${short === undefined ? '' : `-${short}, `}${long}${value}`
}

const NOTES: Readonly<Partial<Record<CommandName, string>>> = {
  run: `
<signals> are names with or without SIG, or numbers, separated by commas; none is none. <time> is 10s, 500ms, 2m; a
bare number is in seconds. Exit status: the command's own, or its signal; 125 when sigshield itself fails, 126 when the
command can't be executed, 127 when it is not found; 2 for a wrong call.
`,
  exec: `
<signals> are names with or without SIG, or numbers, separated by commas; none is none. Exit status: the command's own;
125 when sigshield itself fails, 126 when the command can't be executed, 127 when it is not found; 2 for a wrong call.
`,
  ps: `
The signals are INT, TERM, HUP and QUIT. Exit status: 0; 1 where processes can't be listed; 2 for a wrong call.
`,
  stop: `
Exit status: 0 when all have ended, 1 when some have not, 2 for a wrong call.
`,
}

export function usage(name: CommandName): string {
  const { operands } = commands[name]
  return [
    `usage: sigshield ${name} [<options>]${operands === '' ? '' : ` ${operands}`}\n\n`,
    `${commands[name].means}.\n\n`,
    ...optionsOf(name).map(([option, about]) => line(flags(option, about), about.means)),
    NOTES[name] ?? '',
  ].join('')
}

export function generalUsage(): string {
  return [
    'usage: sigshield [-v | --version] [-h | --help] <command> [<arguments>]\n\n',
    ...Object.entries(commands).map(([name, { means }]) => line(`    ${name}`, means)),
    `\n'sigshield <command> --help' shows the options of a command.\n`,
  ].join('')
}
