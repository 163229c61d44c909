/** What stands behind an option: from its text to the library's value. */
import { constants } from 'node:os'
import { didYouMean } from '../node/misspelt.js'
import { type Signal, signalNumber, signalOf } from '../signal/names.js'

const FIRST_REALTIME = 34
const LAST_REALTIME = 64
const NAMES = Object.keys(constants.signals).map((name) => name.slice(3))

/** INT, SIGINT, sigint, 2, RTMIN+3, RTMAX-1. */
export function readSignal(text: string): Signal {
  const upper = text.toUpperCase()
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`
  if (Object.hasOwn(constants.signals, name)) return name as NodeJS.Signals
  const [, end, , sign, distance] = /^SIGRTM(IN|AX)(([+-])(\d{1,2}))?$/.exec(name) ?? []
  if (end !== undefined) {
    const number = (end === 'IN' ? FIRST_REALTIME : LAST_REALTIME) + Number(`${sign ?? ''}${distance ?? 0}`)
    if (number >= FIRST_REALTIME && number <= LAST_REALTIME) return number
  } else if (/^\d{1,2}$/.test(text)) {
    try {
      return signalOf(signalNumber(Number(text)))
    } catch {}
  }
  throw new Error(`unknown signal '${text}'${didYouMean(name.slice(3), NAMES)}`)
}

/** Separated by commas; 'none', or nothing, is no signal. */
export function readSignals(text: string): Signal[] {
  if (text === '' || text.toLowerCase() === 'none') return []
  return text.split(',').map(readSignal)
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** 10s, 500ms, 1.5m; a bare number is in seconds, as for timeout(1). Milliseconds. */
export function readDuration(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  const [, number, unit] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  const duration = Math.round(Number(number) * (units[unit ?? 's'] as number))
  if (number === undefined || duration > 2 ** 31 - 1) {
    throw new Error(`'${text}' is no duration: it is 10s, 500ms, 2m, 1h, up to 24d, or infinity`)
  }
  return duration
}

/** One, or two: until the last signal, and from there until SIGKILL. */
export function readGrace(text: string): number | [number, number] {
  const [first, second, ...others] = text.split(',').map(readDuration) as [number, ...number[]]
  if (others.length > 0) throw new Error(`'${text}' has more than two durations`)
  return second === undefined ? first : [first, second]
}

export function readNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`'${text}' is no number`)
  // Which smaller ones are out of range the library knows.
  if (!Number.isSafeInteger(Number(text))) throw new Error(`'${text}' is out of range`)
  return Number(text)
}

export function readNumbers(text: string): number[] {
  return text === '' || text === 'none' ? [] : text.split(',').map(readNumber)
}

/** One of these words; the value that each stands for. */
export function readWord<T>(words: Readonly<Record<string, T>>): (text: string) => T {
  return (text) => {
    if (!Object.hasOwn(words, text)) throw new Error(`'${text}' is not one of ${Object.keys(words).join(', ')}`)
    return words[text] as T
  }
}

/** As it is written on a command line. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${Number((ms / 1000).toFixed(1))} s` : `${Number((ms / 60_000).toFixed(1))} min`
}
