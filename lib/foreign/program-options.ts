/** What a program's environment, or its package.json, says of the protection of its children. */
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { invalidSetting, isOptions } from '../node/errors.js'

const VARIABLE = 'SIGSHIELD_PROTECT'
const KEY = 'sigshield'

/**
 * Calls `use` with them.
 * @throws TypeError `ERR_INVALID_ARG_VALUE` that names the place of what is wrong.
 */
export function withProgramOptions(use: (options: object) => void): void {
  const variable = process.env[VARIABLE]
  const folder = variable ? undefined : folderOfProgram()
  const file = folder === undefined ? undefined : nearestPackage(folder)
  if (variable) checked(VARIABLE, () => use(allowed(fromText(variable))))
  else if (file) checked(`"${KEY}" of ${file.path}`, () => use(allowed(file.options)))
  else use({})
}

/** Undefined where it was removed. */
function folderOfProgram(): string | undefined {
  try {
    return process.argv[1] ? dirname(resolve(process.argv[1])) : process.cwd()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}

/** JSON, or a list of signals to ignore: 'SIGINT,SIGHUP'. */
function fromText(text: string): unknown {
  if (/^\s*[[{]/.test(text)) return JSON.parse(text)
  return { ignore: text.split(',').map((name) => name.trim()) }
}

function allowed(options: unknown): object {
  if (!isOptions(options)) throw new TypeError(`it must be an object such as { "ignore": ["SIGINT"] }`)
  if ('exitEvent' in options) throw new TypeError('an exit event can only be given by protect()')
  return options
}

/** What else fails than what is written there is told as it is. */
function checked(place: string, use: () => void): void {
  try {
    use()
  } catch (error) {
    const isWrong = error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError
    throw isWrong ? invalidSetting(place, error) : error
  }
}

/** That with the key, from this folder upwards to the first package.json. */
function nearestPackage(folder: string): { path: string; options: unknown } | undefined {
  const path = join(folder, 'package.json')
  const text = read(path)
  if (text === undefined) return dirname(folder) === folder ? undefined : nearestPackage(dirname(folder))
  // One that is no JSON is Node's to refuse.
  const content = parsed(text)
  return isOptions(content) && KEY in content ? { path, options: content[KEY] } : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined where there is none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
