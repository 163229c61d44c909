/** The `sigshield` command: which of its commands is meant. Each is loaded when it is. */
import { readFileSync } from 'node:fs'
import { type CommandName, commands } from './options.js'
import { complain, print } from './output.js'
import { unknownCommand } from './unknown.js'
import { generalUsage, UsageError, usage } from './usage.js'

const FAILED = 1
const WRONG_CALL = 2
/** As of env(1) and timeout(1): the command that was to be run has not begun. */
const OWN_FAILURE = 125

/** @param args - without the program and its script. Sets the exit status. */
export async function main(args: string[]): Promise<void> {
  const [name, ...rest] = args
  try {
    await dispatch(name, rest)
  } catch (error) {
    process.exitCode = failed(error as Error, name)
  }
}

function isCommand(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(commands, name)
}

async function dispatch(name: string | undefined, args: string[]): Promise<unknown> {
  if (name === undefined) throw new UsageError('a command is missing')
  if (name === '-h' || name === '--help' || (name === 'help' && args.length === 0)) return print(generalUsage())
  if (name === '-v' || name === '--version') return print(`sigshield ${version()}\n`)
  const isHelp = name === 'help'
  const command = isHelp ? args[0] : name
  if (!isCommand(command)) throw unknownCommand(command as string)
  if (isHelp) return print(usage(command))
  switch (command) {
    case 'run':
      return (await import('./run.js')).run(args)
    case 'exec':
      return (await import('./exec.js')).exec(args)
    case 'ps':
      return (await import('./ps.js')).ps(args)
    case 'stop':
      return (await import('./stop.js')).stop(args)
    case 'completion':
      return (await import('./completion.js')).completion(args)
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

/** Says what was wrong; returns the exit status. */
function failed(error: Error, name: string | undefined): number {
  if (error instanceof UsageError) {
    const { command, message } = error
    const place = command === undefined ? 'sigshield' : `sigshield ${command}`
    complain(`${place}: ${message}\nSee '${place} --help'.`)
    return WRONG_CALL
  }
  complain(`sigshield${isCommand(name) ? ` ${name}` : ''}: ${error.message}`)
  return name === 'run' || name === 'exec' ? OWN_FAILURE : FAILED
}
