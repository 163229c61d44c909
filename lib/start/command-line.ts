/** What is executed: a program and its arguments, or a shell that is given both. */
import { text } from '../native/text.js'
import type { Options } from './node-options.js'

export interface CommandLine {
  readonly file: string
  /** As the caller gave them, with the name that the program is called by before them. */
  readonly args: readonly unknown[]
  /** The same as the program gets them. */
  readonly argumentTexts: readonly string[]
}

/** Converted here, as Node's own conversion fails where its streams are made already. */
export function commandLine(file: string, given: readonly unknown[], { shell, argv0 }: Options): CommandLine {
  const program = shell ? (typeof shell === 'string' ? shell : '/bin/sh') : file
  const programArgs = shell ? ['-c', [file, ...given].join(' ')] : given
  const args = [typeof argv0 === 'string' ? argv0 : program, ...programArgs]
  return { file: program, args, argumentTexts: args.map(text) }
}
