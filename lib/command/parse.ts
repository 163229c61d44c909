/** From the arguments of a command to the values of its options, and what is left of them. */
import { parseArgs } from 'node:util'
import {
  type CommandName,
  type CommandOption,
  flagOf,
  type OptionTable,
  optionTables,
  RUNS_PROGRAM,
} from './options.js'
import { unknownOption } from './unknown.js'
import { UsageError } from './usage.js'

type Value<O extends CommandOption> = O extends { read: (text: string) => infer T }
  ? T | (O extends { alone: infer A } ? A : never) | (O extends { hasNo: true } ? false : never)
  : true

export type Values<Table extends OptionTable> = {
  -readonly [Name in keyof Table]?: Value<Table[Name]> | undefined
}

export interface Parsed<Name extends CommandName> {
  readonly values: Values<(typeof optionTables)[Name]>
  readonly operands: string[]
}

/** @throws {@link UsageError} */
export function parse<Name extends CommandName>(command: Name, args: string[]): Parsed<Name> {
  const table: OptionTable = optionTables[command]
  const names = new Map(Object.keys(table).map((name) => [flagOf(name).slice(2), name]))
  const takesNext = ({ takes, alone }: CommandOption) => takes !== undefined && alone === undefined
  const { tokens } = parseArgs({
    args,
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      [...names].map(([flag, name]) => {
        const option = table[name] as CommandOption
        const type = takesNext(option) ? ('string' as const) : ('boolean' as const)
        return [flag, { type, ...(option.short === undefined ? {} : { short: option.short }) }]
      }),
    ),
  })
  const values: Record<string, unknown> = {}
  const operands: string[] = []
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'option') {
      const isNo = token.name.startsWith('no-') && names.has(token.name.slice(3))
      const name = names.get(isNo ? token.name.slice(3) : token.name)
      const option = name === undefined ? undefined : (table[name] as CommandOption)
      if (name === undefined || option === undefined || (isNo && option.hasNo !== true)) {
        const word = args[token.index] as string
        throw unknownOption(token.rawName, word, command)
      }
      const value = isNo ? negated(token) : valueBehind(token, option, takesNext(option))
      values[name] = option.adds === true ? [...((values[name] as unknown[]) ?? []), ...(value as unknown[])] : value
    } else if (RUNS_PROGRAM.includes(command)) {
      if (token.kind === 'positional') refuseValueApart(token.value, i)
      operands.push(...args.slice(token.kind === 'positional' ? token.index : token.index + 1))
      break
    } else if (token.kind === 'positional') {
      operands.push(token.value)
    }
  }
  return { values: values as Values<(typeof optionTables)[Name]>, operands }

  /** `--enforce true -- program` would run true(1). */
  function refuseValueApart(word: string, i: number): void {
    const before = tokens[i - 1]
    if (before?.kind !== 'option' || before.value !== undefined || !isProgramBehind(tokens.slice(i + 1))) return
    const { rawName } = before
    const { alone, read } = (table[names.get(before.name) ?? ''] ?? {}) as CommandOption
    const elsewise = `a program of that name is '${rawName} -- ${word}'`
    if (alone === undefined) {
      if (!['true', 'false'].includes(word)) return
      throw new UsageError(`option '${rawName}' takes no value (${elsewise})`, command)
    }
    try {
      read?.(word)
    } catch {
      return
    }
    throw new UsageError(
      `option '${rawName}' takes its value behind '=': '${rawName}=${word}' was meant (${elsewise})`,
      command,
    )
  }

  /** Behind options of ours, and `--`. */
  function isProgramBehind(rest: typeof tokens): boolean {
    const isOurs = (token: (typeof tokens)[number]) =>
      token.kind === 'option' && names.has(token.name.replace(/^no-/, ''))
    const end = rest.find((token) => !isOurs(token))
    const program = end?.kind === 'option-terminator' ? args[end.index + 1] : undefined
    return program !== undefined && !program.startsWith('-')
  }

  function negated({ value, rawName }: { value?: string | undefined; rawName: string }): false {
    if (value !== undefined) throw new UsageError(`option '${rawName}' takes no value`, command)
    return false
  }

  function valueBehind(
    { value, inlineValue, rawName }: { value?: string | undefined; inlineValue?: boolean | undefined; rawName: string },
    option: CommandOption,
    takesNextArgument: boolean,
  ): unknown {
    if (option.takes === undefined) {
      if (value !== undefined) throw new UsageError(`option '${rawName}' takes no value`, command)
      return true
    }
    // What looks like an option is one: the value was forgotten.
    const isForgotten = value === undefined || (takesNextArgument && inlineValue !== true && value.startsWith('-'))
    if (isForgotten) {
      if (option.alone !== undefined) return option.alone
      throw new UsageError(`option '${rawName}' needs a value: ${rawName} ${option.takes}`, command)
    }
    try {
      return option.read?.(value)
    } catch (error) {
      throw new UsageError(`option '${rawName}': ${(error as Error).message}`, command)
    }
  }
}

/** What the library refuses of its options, in the words of the command line. Any other error is handed on. */
export function asUsageError(error: unknown, command: CommandName): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  const refused = ['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_UNKNOWN_SIGNAL']
  if (!(error instanceof Error) || !refused.includes(code ?? '')) return error
  const flag = (name: string) => flagOf(command === 'run' && name === 'signal' ? 'stopSignal' : name)
  // Which one of a list it was.
  const [, received = ''] = /\[\d+\]. is out of range\..* Received (-?[\d_]+)$/.exec(message) ?? []
  const text = message
    .replace(/ Received [\s\S]*$/, '')
    .replace(/^The (property|argument|value of) /, '')
    .replace(/^(['"])options\.(\w+)[^'"]*\1/, (_all, _quote, name: string) => `option '${flag(name)}'`)
    .replace(/'options\.(\w+)'/g, (_all, name: string) => `'${flag(name)}'`)
    .replace(/\.$/, '')
    .replace('is out of range', received === '' ? '$&' : `$&: ${received.replaceAll('_', '')}`)
  return new UsageError(text, command)
}
