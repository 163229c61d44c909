/** An option or a command that is none: which was meant, as far as can be told. */
import { meantBy } from '../node/misspelt.js'
import { type CommandName, commandNames, flagOf, flagsOf, optionsOf } from './options.js'
import { UsageError } from './usage.js'

const OF_ALL = ['--help', '-h', '--version', '-v']

/** @param word - the argument in which it stands: `-help` is four options. */
export function unknownOption(option: string, word: string, command: CommandName): UsageError {
  const flags = new Map<string, string>()
  for (const [name, about] of optionsOf(command)) {
    for (const flag of flagsOf(name, about)) flags.set(flag, flag)
    if (about.elsewhere !== undefined) flags.set(flagOf(about.elsewhere), flagOf(name))
  }
  const written = withoutValue(word)
  const meant = flags.get(written) ?? flags.get(meantBy(written, flags.keys()) ?? '')
  const hint = flags.has(written) ? question(meant) : whose(written) || question(meant)
  return new UsageError(`unknown option '${option}'${hint}`, command)
}

/** In place of a command. */
export function unknownCommand(word: string): UsageError {
  const written = withoutValue(word)
  if (!word.startsWith('-')) {
    return new UsageError(
      `unknown command '${word}'${question(meantBy(written, commandNames) ?? meantBy(written, OF_ALL))}`,
    )
  }
  const hint = whose(written) || question(meantBy(written, OF_ALL) ?? meantBy(written, commandNames))
  return new UsageError(`unknown option '${word}'${hint}`)
}

const withoutValue = (word: string) => word.replace(/=[\s\S]*$/, '')

function question(meant: string | undefined): string {
  return meant === undefined ? '' : ` (did you mean '${meant}'?)`
}

/** Of which commands it is an option. */
function whose(written: string): string {
  const theirs = commandNames.filter((command) =>
    optionsOf(command).some(([name, about]) => written.startsWith('--') && flagsOf(name, about).includes(written)),
  )
  return theirs.length === 0 ? '' : ` (it is an option of ${theirs.map((name) => `'sigshield ${name}'`).join(' and ')})`
}
